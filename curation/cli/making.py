"""The commands that make: plugins of what a platform writes down, and requests with plans over them."""

from dataclasses import asdict
from typing import Annotated

import typer

from curation import terminal
from curation.cli.options import WAREHOUSE, AsJson, Out, Warehouse, app, open_store, write

registry = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The plugin registry: what a platform offers.")
app.add_typer(registry, name="plugins")


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
    else:
        terminal.show(f"{done.plugins:,} plugins imported, {len(done.refusals):,} refused, {len(done.notes):,} notes")


@registry.command("list", epilog="Example: curation plugins list --out plugins.jsonl")
def list_plugins(out: Out = None, warehouse: Warehouse = WAREHOUSE, as_json: AsJson = False) -> None:
    """Print the registry, one plugin a line."""
    from flows.registering import registry as ask

    write(ask(open_store(warehouse)), out, "jsonl", "plugins" if as_json else None)


@app.command(epilog="Example: curation synthesize --count 1000 --mix 1_step=0.5,multi_turn=0.5")
def synthesize(
    count: Annotated[int, typer.Option("--count", min=1, help="How many traces.")],
    mix: Annotated[
        str | None, typer.Option("--mix", help="Shares of the categories, such as 1_step=0.5,2_step=0.5.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other traces; the same seed, the same bytes.")] = 0,
    out: Out = None,
    warehouse: Warehouse = WAREHOUSE,
) -> None:
    """Make requests with plans over the registry by rules (no model is asked); into the warehouse, or a file."""
    from flows.registering import ingest_plans, make_plans, write_traces

    catalogue, traces = make_plans(open_store(warehouse), count, seed, mix)
    for skipped in catalogue.skipped:
        terminal.warn(f"{skipped.where} is not used: {skipped.why}")
    if out is not None:
        terminal.show(f"wrote {write_traces(traces, out):,} traces to {out}")
        return
    done = ingest_plans(open_store(warehouse), traces)
    terminal.show(f"{done.new_traces:,} new synthetic traces (source synthetic) of {count:,}")
