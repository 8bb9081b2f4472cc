"""The plugin registry's commands: plugins made of what a platform already writes down."""

from dataclasses import asdict
from typing import Annotated

import typer

from curation import terminal
from curation.cli.options import WAREHOUSE, AsJson, Out, RecipeName, Warehouse, app, open_store, recipe_of, write

registry = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The plugin registry: what a platform offers.")
app.add_typer(registry, name="plugins")

NOTES_SHOWN = 5  # of an import, in lines: an OpenAPI document of a large service has hundreds


@registry.command("import", epilog="Example: curation plugins import openapi.json")
def import_plugins(
    paths: Annotated[
        list[str], typer.Argument(help="OpenAPI documents, MCP tools/list results, registry.jsonl files.")
    ],
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Make plugins of what a platform already writes down about its APIs."""
    from flows.registering import import_plugins as run

    done = run(open_store(warehouse), paths)
    for refusal in done.refusals:
        terminal.warn(f"{refusal.where}: not imported: {refusal.why}")
    if as_json:
        terminal.show_json(asdict(done))
        return
    for note in done.notes[:NOTES_SHOWN]:
        terminal.say(f"note: {note.where}: {note.what}")
    more = f"; --json lists the {len(done.notes):,} notes" if len(done.notes) > NOTES_SHOWN else ""
    terminal.show(
        f"{done.plugins:,} plugins imported ({done.new:,} new, {done.changed:,} changed), {len(done.refusals):,} refused, "
        f"{len(done.notes):,} notes{more}"
    )


@registry.command("list", epilog="Example: curation plugins list --out plugins.jsonl")
def list_plugins(out: Out = None, warehouse: Warehouse = WAREHOUSE, as_json: AsJson = False) -> None:
    """Print the registry, one plugin a line."""
    from flows.registering import registry as ask

    write(ask(open_store(warehouse)), out, "jsonl", "plugins" if as_json else None)


@registry.command("conflicts", epilog="Example: curation plugins conflicts --recipe plans.toml")
def list_conflicts(recipe: RecipeName = "default", warehouse: Warehouse = WAREHOUSE, as_json: AsJson = False) -> None:
    """List where candidates have other parameters than the registry knows; no sample is dropped for it."""
    from flows.completing import find_conflicts
    from flows.progress import listening

    chosen = recipe_of(recipe)
    with terminal.progress() as told, listening(told):
        found = find_conflicts(open_store(warehouse), chosen)
    if as_json:
        terminal.show_json({"recipe": chosen.name, **found.told()})
        return
    for conflict in found.conflicts:
        terminal.show(conflict.line())
    terminal.say(f"{found.plugins:,} plugins differ from the registry in {found.samples:,} samples")
