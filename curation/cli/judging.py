"""The commands of the judge: have the survivors scored, and hold the judge against people."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curation import terminal
from curation.cli.options import (
    WAREHOUSE,
    AsJson,
    BudgetUsd,
    Model,
    RecipeName,
    Warehouse,
    Workers,
    app,
    open_store,
    recipe_of,
    show_status,
)
from curation.errors import InputError, Stopped
from curation.show.histogram import histogram

if TYPE_CHECKING:
    from curation.claude.tally import Tally
    from curation.recipe import Recipe
    from warehouse import Store


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
    new_sentinels: Annotated[
        bool, typer.Option("--new-sentinels", help="Freeze a new set of sentinels; ask nothing.")
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
    if new_sentinels:
        show_frozen(store, chosen, as_json)
        return
    try:
        with terminal.progress() as told, listening(told):
            tally = run(store, chosen, limit, retry, sample, rejudge)
    except Stopped:
        warn_of_judge(store, chosen)
        raise
    terminal.say(judged(tally))
    for line in histogram(tally.overalls):
        terminal.say(line)
    warn_of_judge(store, chosen)
    if tally.interrupted:
        terminal.say("stopped by Ctrl-C; every reply is kept, and the same command goes on from here")
        raise typer.Exit(130)
    show_status(store, chosen, as_json)


def judged(tally: "Tally") -> str:
    """What a run came to and what it cost, in one sentence."""
    statuses = ", ".join(f"{number:,} {status}" for status, number in sorted(tally.statuses.items()))
    idle = "" if tally.stopped else ": nothing was left to judge"
    cost = f"${tally.usd:,.2f}"
    if tally.watched:
        cost += f" (${tally.watch_usd:,.2f} of it for {tally.watched:,} canaries)"
    if tally.saved:
        cost += f", ${tally.saved:,.2f} saved by caching"
    if tally.good and tally.usd:
        cost += f", ${tally.usd / tally.good:,.4f} for each of the {tally.good:,} accepted"
    return f"judged {tally.done:,} samples{f' ({statuses})' if statuses else idle}, {cost}"


def warn_of_judge(store: "Store", recipe: "Recipe") -> None:
    """Says what the canaries and the sentinels have found that holds the next release."""
    from flows.asking import doubts

    for sentence in doubts(store, recipe):
        terminal.warn(f"the next release will be held: {sentence}")


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
        f"{told.samples:,} samples and {told.canaries} canaries for {told.model} ({told.spec}): about {told.input_tokens:,} tokens sent and "
        f"{told.output_tokens:,} answered, {cost}; nothing was asked"
    )
    if not told.caching:
        terminal.warn(
            f"caching is off: the fixed part has about {told.prefix_tokens:,} tokens, and from 4,096 on it is cached"
        )
    if told.again:
        terminal.warn(f"another judge has scored {told.again:,} of them already; --rejudge pays for them again")


def show_frozen(store: "Store", recipe: "Recipe", as_json: bool) -> None:
    """Freezes a new set of sentinels, and prints how many they are."""
    from curation.judge.watch import FEWEST
    from curation.stages import specification_of
    from flows.watching import freeze

    frozen = freeze(store, recipe, specification_of(recipe))
    if not frozen:
        raise InputError(
            f"fewer than {FEWEST} samples of {recipe.name} have a score by {specification_of(recipe).model}; judge them first"
        )
    if as_json:
        terminal.show_json({"sentinels": frozen})
    else:
        terminal.show(f"froze {frozen} sentinels; the next scheduled run says what their scores are held against later")


def show_reparsed(store: "Store", recipe: "Recipe", as_json: bool) -> None:
    """Reads stored replies again, and prints how many come out otherwise."""
    from flows.reparsing import reparse

    done = reparse(store, recipe)
    terminal.say(
        f"read {done.read:,} stored replies again: {done.changed:,} come out otherwise; nothing was asked, nothing was paid"
    )
    show_status(store, recipe, as_json)


@app.command(epilog="Example: curation calibrate labels.jsonl --recipe plans.toml --draw 100")
def calibrate(
    labels: Annotated[Path, typer.Argument(help="A file of labels, one JSON object a line.")],
    recipe: RecipeName = "default",
    draw: Annotated[
        int | None, typer.Option("--draw", min=1, help="Write a blank sheet of so many judged samples there instead.")
    ] = None,
    precision: Annotated[
        float, typer.Option("--precision", min=0.5, max=0.99, help="What the threshold must surely reach.")
    ] = 0.8,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Measure the judge by people's labels, and recommend a threshold."""
    from curation.show.calibration import calibration
    from flows import calibrating

    store, chosen = open_store(warehouse), recipe_of(recipe)
    if draw is not None:
        drawn = calibrating.draw(store, chosen, labels, draw)
        if as_json:
            terminal.show_json({"labels": str(labels), "samples": drawn})
        else:
            terminal.show(f"wrote {drawn:,} blank labels to {labels}")
            terminal.say(
                f"next: fill in scores (0 to 10) or accept, then `curation calibrate {labels}` with the same recipe"
            )
        return
    told = calibrating.calibrate(store, chosen, labels, precision).told()
    if as_json:
        terminal.show_json(told)
    else:
        terminal.show(calibration(told))
