"""The commands of the path up to the judge: from files of traces to samples that are checked."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curation import terminal
from curation.cli.options import (
    SOURCES,
    WAREHOUSE,
    AsJson,
    RecipeName,
    Warehouse,
    app,
    open_store,
    recipe_of,
    show_status,
)
from curation.errors import InputError

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
