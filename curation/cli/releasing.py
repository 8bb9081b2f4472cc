"""The commands that end the path: a version is published, or the whole path walked as one flow."""

from dataclasses import asdict
from typing import Annotated

import typer

from curation import process, terminal
from curation.cli.options import (
    WAREHOUSE,
    AsJson,
    Warehouse,
    app,
    end_if_held,
    open_store,
    recipe_of,
    show_funnel,
    show_release,
)


@app.command(epilog="Example: curation publish plans.toml --to hf://my-team/tool-plans")
def publish(
    recipe: Annotated[str, typer.Argument(help="A .toml file, or the name of a bundled recipe.")],
    to: Annotated[str | None, typer.Option("--to", help="A folder, or hf://owner/name; else the recipe's.")] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="Such as 1.2.0; else the next minor version.")
    ] = None,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Publish what the recipe accepts as a new version; the same rows are not published twice."""
    from flows.progress import listening
    from flows.publishing import publish as run

    with terminal.progress() as told, listening(told):
        done = run(open_store(warehouse), recipe_of(recipe), to, version)
    if as_json:
        terminal.show_json(asdict(done))
    else:
        show_release(done)
    end_if_held(done)


@app.command(epilog="Example: curation refresh demo")
def refresh(
    recipe: Annotated[str, typer.Argument(help="A .toml file, or the name of a bundled recipe.")],
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Ingest, check, judge and publish as one Prefect flow; run it again at any time, it goes on where it stopped."""
    process.prepare_prefect(warehouse)
    terminal.say("starting Prefect …")
    from flows.progress import listening
    from flows.refresh import refresh as run

    with terminal.progress() as told, listening(told):
        done = run(recipe, warehouse)
    for warning in done.warnings:
        terminal.warn(warning)
    if as_json:
        terminal.show_json({"funnel": done.funnel, "release": asdict(done.release)})
    else:
        show_funnel({**done.funnel, "last_refresh": None})  # it is this one
        show_release(done.release)
    end_if_held(done.release)
