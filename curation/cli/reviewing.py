"""The commands about what has been made: releases, and what people say of them; training runs, and how good they are."""

from dataclasses import asdict
from typing import Annotated

import typer

from curation import terminal
from curation.cli.options import WAREHOUSE, AsJson, ByName, Warehouse, app, open_store, show_release

releases_app = typer.Typer(cls=ByName, rich_markup_mode=None, help="List releases; approve or reject one that is held.")
runs_app = typer.Typer(
    cls=ByName, rich_markup_mode=None, help="List refreshes and training runs; add a run made elsewhere."
)
app.add_typer(releases_app, name="releases", epilog="Example: curation releases approve plans@1.4.0")
app.add_typer(runs_app, name="runs", epilog="Example: curation runs plans")

ReleaseReference = Annotated[str, typer.Argument(metavar="NAME@VERSION", help="The release.")]
Note = Annotated[str | None, typer.Option("--note", help="Why, for whoever asks later.")]


@releases_app.command("list", epilog="Example: curation releases demo")
def releases(
    name: Annotated[str | None, typer.Argument(help="Only those of this dataset.")] = None,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """List what has been published, and what is held; the word `list` may be left out."""
    from flows.asking import releases as ask

    found = ask(open_store(warehouse), name)
    if as_json:
        terminal.show_json({"releases": found})
        return
    from curation.show.funnel import release_lines

    for release in found:
        for line in release_lines(release):
            terminal.show(line)
    if not found:
        terminal.say("nothing has been published yet; `curation publish RECIPE` does")


@releases_app.command("approve", epilog="Example: curation releases approve plans@1.4.0")
def approve(
    release: ReleaseReference, note: Note = None, warehouse: Warehouse = WAREHOUSE, as_json: AsJson = False
) -> None:
    """Publish a held release as it is; a published one that its trainer waits for may then be trained from."""
    from flows.reviewing import approve as run

    done = run(open_store(warehouse), release, note)
    named = f"{done.release.name} {done.release.version}"
    if as_json:
        terminal.show_json(asdict(done.release) | {"was": done.was, "earlier": done.earlier})
    elif done.was == "held":
        show_release(done.release)
    elif done.earlier:
        terminal.show(f"{named} was published already, and {done.earlier}: nothing changes")
    else:
        terminal.show(f"{named} was published already: its approval is written down")
    if done.earlier is None and done.trains:
        terminal.say("its trainer starts as soon as the service, or the next refresh, has told Prefect of the approval")


@releases_app.command("reject", epilog="Example: curation releases reject plans@1.4.0 --note 'a source was empty'")
def reject(
    release: ReleaseReference, note: Note = None, warehouse: Warehouse = WAREHOUSE, as_json: AsJson = False
) -> None:
    """Forget a held release, and never publish just these rows."""
    from flows.reviewing import reject as run

    run(open_store(warehouse), release, note)
    if as_json:
        terminal.show_json({"release": release, "decision": "rejected"})
    else:
        terminal.show(f"rejected {release}: these rows are not published; what was judged is kept")


@runs_app.command("list", epilog="Example: curation runs plans")
def runs(
    name: Annotated[str | None, typer.Argument(help="Only those of this dataset or recipe.")] = None,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """List the last refreshes, and every training run with its score; the word `list` may be left out."""
    from flows.recording import history

    told = history(open_store(warehouse), name)
    if as_json:
        terminal.show_json(told)
        return
    from curation.show.runs import runs as render

    if told["refreshes"] or told["runs"]:
        terminal.show(render(told))
    else:
        terminal.say(
            "nothing has run yet; `curation refresh RECIPE` and `curation runs add DIR` leave their traces here"
        )


@runs_app.command("add", epilog="Example: curation runs add runs/gemma4-e2b-plans-v1.4.0-seed0")
def add(
    address: Annotated[str, typer.Argument(metavar="DIR|hf://owner/model", help="A run's folder, here or on the Hub.")],
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Record a training run that was made elsewhere, with its evaluations, and say so loudly if it is worse than the last."""
    from flows.recording import add as run

    done = run(open_store(warehouse), address)
    for sentence in done.regressions:
        terminal.warn(f"REGRESSION: {sentence}")
    if as_json:
        terminal.show_json(asdict(done))
    else:
        evaluated = f", {done.evaluations} evaluations" if done.evaluations else ", not evaluated"
        terminal.show(
            f"recorded the {done.kind} run of {done.preset} on {done.name} {done.version}{evaluated}: {address}"
        )
