"""What every command shares: the app, the options that mean the same everywhere, and how results are printed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

import curation
from curation import terminal

if TYPE_CHECKING:
    from curation.recipe import Recipe
    from warehouse import Store

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help=curation.__doc__)

Warehouse = Annotated[
    Path, typer.Option("--warehouse", envvar="CURATION_WAREHOUSE", help="The DuckDB file that remembers everything.")
]
WAREHOUSE = Path("warehouse/curation.duckdb")
RecipeName = Annotated[str, typer.Option("--recipe", "-r", help="A .toml file, or the name of a bundled recipe.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
SOURCES = "Files, folders, quoted globs, - for stdin, hf://datasets/owner/name, s3://…"
Model = Annotated[
    str | None,
    typer.Option("--model", help="The model's name as the backend knows it; else the recipe's, or the default."),
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, max=1000, help="Requests in flight; else the recipe's, or 100.")
]
BudgetUsd = Annotated[
    float | None, typer.Option("--budget-usd", help="Stop before this run spends more US dollars than this.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file instead of stdout.")]


def open_store(path: Path) -> "Store":
    """The warehouse; nothing is opened yet."""
    from warehouse import Store

    return Store(path)


def recipe_of(name: str) -> "Recipe":
    """The recipe of that name or file."""
    from curation.recipes import load_recipe

    return load_recipe(name)


def show_status(store: "Store", recipe: "Recipe", as_json: bool) -> None:
    """Prints the funnel."""
    from flows.asking import status as ask

    told = ask(store, recipe)
    if as_json:
        terminal.show_json(told)
    else:
        show_funnel(told)
        mute = sum(row["samples"] for row in told["fell"] if row["reason"] == "thinking.missing")
        if mute and "thinking" in recipe.samples.backfill:
            terminal.say(
                f"{mute:,} samples fell without reasoning, which this recipe can take from Claude: "
                "`curation backfill thinking` writes it for plans that are right otherwise"
            )


def show_funnel(told: dict[str, Any]) -> None:
    """Prints the table, then the releases: a path must never be cut to a table's width."""
    from curation.show.funnel import funnel, release_lines

    terminal.show(funnel(told))
    for release in told["releases"]:
        for line in release_lines(release):
            terminal.show(line)
    if not told["stages"]:
        terminal.say(
            f"nothing has been checked under the recipe {told['recipe']} yet; `curation check` does, --recipe names another"
        )


def show_release(done: Any) -> None:
    """Says where the release lies and what to do next."""
    rows = ", ".join(f"{number:,} {split}" for split, number in done.rows.items())
    if done.state == "held":
        show_held(done, rows)
        return
    if done.new:
        terminal.show(f"published {done.name} {done.version} ({rows}): {done.path}")
    else:
        terminal.show(
            f"nothing is new: {done.name} {done.version} ({rows}) already holds just these samples: {done.path}"
        )
    from curation.release.targets import how_to_load

    terminal.say(f"next: load it with {how_to_load(done.path, done.version)}, or read its README.md")


def show_held(done: Any, rows: str) -> None:
    """Says that a release waits for a person, and why; the command then ends with 3."""
    terminal.show(f"held {done.name} {done.version} ({rows}): nothing is published yet")
    for sentence in done.guards:
        terminal.say(f"held because {sentence}")
    reference = f"{done.name}@{done.version}"
    terminal.say(f"next: `curation releases approve {reference}` publishes it as it is, reject forgets it")


def end_if_held(done: Any) -> None:
    """Ends the command with 3 where a guard holds the release."""
    if done.state == "held":
        raise typer.Exit(3)


class ByName(typer.core.TyperGroup):
    """A group whose first command is meant where none is named: `curation releases demo` lists those of demo."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not any(word in self.commands for word in args[:1]) and not {"--help"} & set(args[:1]):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)


def write(frame: Any, out: Path | None, format: str, named: str | None = None) -> None:  # noqa: A002
    """A frame to a file or to stdout; with `named` as one JSON object that has it under that name."""
    from flows.asking import json_lines, jsonable, save

    if out is not None:
        save(frame, out, format)
        terminal.say(f"wrote {frame.height:,} rows to {out}")
    if named is not None:
        whole = {named: [jsonable(row) for row in frame.iter_rows(named=True)]}
        terminal.show_json(whole if out is None else {"rows": frame.height, "out": str(out)})
    elif out is None:
        sys.stdout.buffer.writelines(json_lines(frame))
        sys.stdout.buffer.flush()
