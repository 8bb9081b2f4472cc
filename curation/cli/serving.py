"""The command that keeps a service running: Prefect's server, its workers, and the schedules of some recipes."""

from pathlib import Path
from typing import Annotated

import typer

from curation import process, terminal
from curation.cli.options import WAREHOUSE, Warehouse, app, recipe_of


@app.command(epilog="Example: curation serve plans.toml --state /var/lib/curation")
def serve(
    recipes: Annotated[list[str], typer.Argument(help="Recipes: .toml files, or names of bundled ones.")],
    state: Annotated[Path, typer.Option("--state", help="The folder for Prefect's database and logs.")] = Path(
        "service"
    ),
    runs: Annotated[Path, typer.Option("--runs", help="The folder for training runs.")] = Path("runs"),
    host: Annotated[
        str, typer.Option("--host", help="Where Prefect's server listens; it asks nobody for a password.")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Its port.")] = 4200,
    warehouse: Warehouse = WAREHOUSE,
) -> None:
    """Refresh recipes on their schedules and start their trainers, in the foreground, until Ctrl-C."""
    chosen = [recipe_of(recipe) for recipe in recipes]
    names = [recipe.name for recipe in chosen]
    for recipe in chosen:
        if names.count(recipe.name) > 1:
            raise typer.BadParameter(f"two recipes are called {recipe.name}; give one of them another name")
        if recipe.schedule.cron is None:
            terminal.warn(
                f"{recipe.name} has no [schedule] cron; it is refreshed only when somebody starts it in the UI"
            )
    process.prepare_service(state, host, port)
    terminal.say("starting Prefect …")
    from flows.deploying import Served
    from flows.serving import Service

    here = Path.cwd()
    served = Served(tuple(recipes), warehouse.expanduser().absolute(), here, here / runs)
    Service(served, state.expanduser().absolute(), host, port).run(terminal.say)
