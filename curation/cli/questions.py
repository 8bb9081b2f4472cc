"""The commands that ask: what is in the warehouse, what was decided, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from curation import terminal
from curation.cli.options import (
    WAREHOUSE,
    AsJson,
    Out,
    RecipeName,
    Warehouse,
    app,
    open_store,
    recipe_of,
    show_status,
    write,
)

if TYPE_CHECKING:
    from curation.recipe import Recipe
    from warehouse import Store


@app.command(epilog="Example: curation status --recipe plans.toml --why")
def status(
    recipe: RecipeName = "default",
    why: Annotated[
        bool,
        typer.Option("--why", help="For each reason its count, share, change since the check before, and examples."),
    ] = False,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Print the funnel: how many are left after each stage, and why the rest fell."""
    store, chosen = open_store(warehouse), recipe_of(recipe)
    if why:
        show_why(store, chosen, as_json)
    else:
        show_status(store, chosen, as_json)


def show_why(store: "Store", recipe: "Recipe", as_json: bool) -> None:
    """Prints what was found, reason by reason; as JSON the funnel with it as `why`."""
    from flows.reasons import why as ask

    told = ask(store, recipe)
    if as_json:
        from flows.asking import status as funnel

        terminal.show_json({**funnel(store, recipe), "why": told})
        return
    from curation.show.why import why as render

    terminal.show(render(told))
    if not told["reasons"]:
        terminal.say("nothing was found; `curation status` says whether anything has been checked")


@app.command(epilog="Example: curation decisions --recipe plans.toml --format parquet --out decisions.parquet")
def decisions(
    recipe: RecipeName = "default",
    format: Annotated[str, typer.Option("--format", help="jsonl or parquet.")] = "jsonl",  # noqa: A002
    out: Out = None,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Export one row per fault of every decision that is not a pass."""
    from flows.asking import decisions as ask

    if format not in ("jsonl", "parquet"):
        raise typer.BadParameter(f"{format!r} is neither jsonl nor parquet", param_hint="--format")
    if format == "parquet" and out is None:
        raise typer.BadParameter("parquet is not for a terminal; add --out FILE", param_hint="--format")
    write(ask(open_store(warehouse), recipe_of(recipe)), out, format, "decisions" if as_json else None)


@app.command(epilog="Example: curation samples --reason placeholder.value --limit 5")
def samples(
    recipe: RecipeName = "default",
    accepted: Annotated[bool, typer.Option("--accepted", help="Only those that the recipe accepts.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Only those in which this was found.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    out: Out = None,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Read or export samples with their ids and verdicts."""
    from flows.asking import chosen_samples

    frame = chosen_samples(open_store(warehouse), recipe_of(recipe), accepted, reason, limit)
    write(frame, out, "parquet" if out and out.suffix == ".parquet" else "jsonl", "samples" if as_json else None)


@app.command(epilog="Example: curation explain t-1")
def explain(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A trace_id, a trace_key or a sample_id.")],
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Tell everything known of one trace or sample."""
    from flows.asking import explain as ask

    told = ask(open_store(warehouse), identifier)
    if as_json:
        terminal.show_json(told)
        return
    from curation.show.explain import explain as render

    terminal.show(render(told))
