"""The commands of the path: from files of traces to a published version."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curation import process, terminal
from curation.cli.options import (
    SOURCES,
    WAREHOUSE,
    AsJson,
    BudgetUsd,
    Model,
    RecipeName,
    Warehouse,
    Workers,
    app,
    end_if_held,
    open_store,
    recipe_of,
    show_funnel,
    show_release,
    show_status,
)
from curation.errors import InputError
from curation.show.histogram import histogram

if TYPE_CHECKING:
    from curation.recipe import Recipe
    from warehouse import Store


@app.command(epilog="Example: curation init traces/ --out plans.toml")
def init(
    paths: Annotated[list[str], typer.Argument(help=SOURCES)],
    out: Annotated[Path, typer.Option("--out", "-o", help="The recipe to write.")] = Path("recipe.toml"),
    name: Annotated[str | None, typer.Option("--name", help="The dataset's name; else the recipe file's.")] = None,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Look at the files and write a commented recipe for them; the warehouse is left alone."""
    from curation.recipes.draft import write_recipe

    drafted = write_recipe(paths, out, name)
    if as_json:
        terminal.show_json({"recipe": str(out), "findings": drafted.findings})
        return
    for line in drafted.findings:
        terminal.say(line)
    terminal.show(f"wrote {out}")
    elsewhere = "" if warehouse == WAREHOUSE else f" --warehouse {warehouse}"
    terminal.say(f"next: read it, then `curation refresh {out}{elsewhere}`")


@app.command(epilog="Example: curation doctor --recipe plans.toml")
def doctor(recipe: RecipeName = "default", warehouse: Warehouse = WAREHOUSE, as_json: AsJson = False) -> None:
    """Say, one line each, whether what the recipe needs is there, and what to do where it is not."""
    from flows.doctoring import examine

    findings = examine(open_store(warehouse), recipe_of(recipe))
    if as_json:
        terminal.show_json({"recipe": recipe, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            mark = {"ok": "ok    ", "note": "note  ", "bad": "BAD   "}[finding.state]
            terminal.show((mark + finding.what) + (f": {(finding.remedy)}" if finding.remedy else ""))
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


@app.command(epilog="Example: curation ingest traces.jsonl --source production")
def ingest(
    paths: Annotated[list[str], typer.Argument(help=SOURCES)],
    format: Annotated[str, typer.Option("--format", help="How the traces are written, or auto.")] = "auto",  # noqa: A002
    source: Annotated[str | None, typer.Option("--source", help="The name to keep them under.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if any record cannot be read.")] = False,
    reread: Annotated[
        bool,
        typer.Option(
            "--reread", help="Read known files from their start; a format's name: its stored traces, no files."
        ),
    ] = False,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Read what is new in files of traces into the warehouse, and say what could not be carried over."""
    from curation.show.fidelity import fidelity
    from flows.progress import listening
    from flows.rereading import ingest as run

    with terminal.progress() as told, listening(told):
        done = run(open_store(warehouse), paths, format, source, reread)
    for warning in done.warnings:
        terminal.warn(warning)
    if as_json:
        terminal.show_json(
            {
                "files": [asdict(report) for report in done.reports],
                "new_traces": done.new_traces,
                "unreadable": done.unreadable,
            }
        )
    else:
        for report in done.reports:
            terminal.show(report.line())
        table = fidelity(asdict(report) for report in done.reports)
        if table is not None:
            terminal.show(table)
    done.require_whole()
    if strict and done.unreadable:
        raise InputError(f"{done.unreadable} records cannot be read, and --strict allows none; all others are kept")


@app.command(epilog="Example: curation check --recipe plans.toml --dry-run --set placeholder.filler=off")
def check(
    recipe: RecipeName = "default",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be dropped and rescued; write nothing.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="SECTION.KEY=VALUE", help="With --dry-run: under this setting of the recipe; repeatable."
        ),
    ] = None,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Complete candidates from the registry, ask every row stage about what is undecided, then choose among copies."""
    from flows.checking import check as run
    from flows.completing import warnings
    from flows.progress import listening

    store, chosen = open_store(warehouse), recipe_of(recipe)
    if dry_run:
        show_tried(store, chosen, settings or [], as_json)
        return
    if settings:
        raise typer.BadParameter(
            "settings are only tried, with --dry-run; write them into the recipe", param_hint="--set"
        )
    with terminal.progress() as told, listening(told):
        run(store, chosen)
        conflicts = warnings(store, chosen)
    for warning in conflicts:
        terminal.warn(warning)
    show_status(store, chosen, as_json)


def show_tried(store: "Store", recipe: "Recipe", settings: list[str], as_json: bool) -> None:
    """Prints what a check under these settings would change."""
    from flows.progress import listening
    from flows.trying import try_out

    with terminal.progress() as told, listening(told):
        tried = try_out(store, recipe, settings)
    if as_json:
        terminal.show_json(tried)
        return
    from curation.show.tried import tried as render

    terminal.show(render(tried))
    terminal.say("nothing was written")


@app.command(epilog="Example: curation judge --recipe plans.toml --workers 100 --backend vertex")
def judge(
    recipe: RecipeName = "default",
    workers: Workers = None,
    backend: Annotated[
        str | None, typer.Option("--backend", help="vertex, anthropic, openai or offline; else the recipe's.")
    ] = None,
    model: Model = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Judge at most so many samples.")] = None,
    budget_usd: BudgetUsd = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Also try again what could not be judged in three runs.")
    ] = False,
    sample: Annotated[
        str, typer.Option("--sample", help="With --limit: first, or stratified over categories and sources.")
    ] = "first",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell tokens and price; ask nothing.")] = False,
    rejudge: Annotated[
        bool, typer.Option("--rejudge", help="Pay again for what another judge has scored already.")
    ] = False,
    reparse: Annotated[
        bool, typer.Option("--reparse", help="Read every stored reply again and decide anew; ask nothing.")
    ] = False,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Have the survivors scored; what has a score is never asked again."""
    from flows.judging import judge as run
    from flows.progress import listening

    store, chosen = open_store(warehouse), recipe_of(recipe)
    given: dict[str, Any] = {"workers": workers, "backend": backend, "model": model, "budget_usd": budget_usd}
    chosen = replace(
        chosen, judge=replace(chosen.judge, **{key: value for key, value in given.items() if value is not None})
    )
    if sample not in ("first", "stratified"):
        raise InputError(f"--sample {sample} is neither first nor stratified")
    if dry_run:
        show_estimate(store, chosen, limit, sample, retry, as_json)
        return
    if reparse:
        show_reparsed(store, chosen, as_json)
        return
    with terminal.progress() as told, listening(told):
        tally = run(store, chosen, limit, retry, sample, rejudge)
    statuses = ", ".join(f"{number:,} {status}" for status, number in sorted(tally.statuses.items()))
    each = (
        f", ${tally.usd / tally.good:,.4f} for each of the {tally.good:,} accepted" if tally.good and tally.usd else ""
    )
    saved = f", ${tally.saved:,.2f} saved by caching" if tally.saved else ""
    terminal.say(
        f"judged {tally.done:,} samples{f' ({statuses})' if statuses else ': nothing was left to judge'}, "
        f"${tally.usd:,.2f}{saved}{each}"
    )
    for line in histogram(tally.overalls):
        terminal.say(line)
    if tally.interrupted:
        terminal.say("stopped by Ctrl-C; every reply is kept, and the same command goes on from here")
        raise typer.Exit(130)
    show_status(store, chosen, as_json)


def show_estimate(store: "Store", recipe: "Recipe", limit: int | None, sample: str, retry: bool, as_json: bool) -> None:
    """Prints what judging would cost."""
    from flows.estimating import estimate

    told = estimate(store, recipe, limit, sample, retry)
    if as_json:
        terminal.show_json(asdict(told))
        return
    cost = (
        "the model has no price" if told.usd is None else f"about ${told.usd:,.2f}, never more than ${told.most:,.2f}"
    )
    terminal.show(
        f"{told.samples:,} samples for {told.model} ({told.spec}): about {told.input_tokens:,} tokens sent and "
        f"{told.output_tokens:,} answered, {cost}; nothing was asked"
    )
    if not told.caching:
        terminal.warn(
            f"caching is off: the fixed part has about {told.prefix_tokens:,} tokens, and from 4,096 on it is cached"
        )
    if told.again:
        terminal.warn(f"another judge has scored {told.again:,} of them already; --rejudge pays for them again")


def show_reparsed(store: "Store", recipe: "Recipe", as_json: bool) -> None:
    """Reads stored replies again, and prints how many come out otherwise."""
    from flows.reparsing import reparse

    done = reparse(store, recipe)
    terminal.say(
        f"read {done.read:,} stored replies again: {done.changed:,} come out otherwise; nothing was asked, nothing was paid"
    )
    show_status(store, recipe, as_json)


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
