"""The commands that write what nobody said: requests with plans over the registry, and missing reasoning."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curation import terminal
from curation.cli.options import (
    WAREHOUSE,
    AsJson,
    BudgetUsd,
    Model,
    Out,
    RecipeName,
    Warehouse,
    Workers,
    app,
    open_store,
    recipe_of,
)
from curation.errors import InputError, Stopped

if TYPE_CHECKING:
    from curation.claude.tally import Tally
    from flows.synthesizing import Wish
    from warehouse import Store

backfill = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Fill in what samples lack; the originals stay."
)
app.add_typer(backfill, name="backfill")


@app.command(epilog="Example: curation synthesize --count 1000 --backend vertex --budget-usd 40")
def synthesize(
    count: Annotated[int, typer.Option("--count", min=1, help="How many traces.")],
    backend: Annotated[
        str, typer.Option("--backend", help="offline (by rules, no model is asked), or vertex or anthropic: Claude.")
    ] = "offline",
    mix: Annotated[
        str | None, typer.Option("--mix", help="Shares of the categories, such as 1_step=0.5,2_step=0.5.")
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", help="Another seed, other traces; the same seed, the same orders.")
    ] = 0,
    model: Model = None,
    workers: Workers = None,
    budget_usd: BudgetUsd = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the orders and what they would cost; ask nothing.")
    ] = False,
    out: Out = None,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Make requests with plans over the registry, by rules or by Claude; into the warehouse, or a file."""
    from curation.recipe import Judge
    from flows.synthesizing import Wish

    store = open_store(warehouse)
    if backend != "offline":
        wish = Wish(count, seed, mix, backend, model or Judge.model, workers or Judge.workers, budget_usd)
        (tell_orders if dry_run else have_written)(store, wish, out, as_json)
    elif dry_run or budget_usd is not None or model or workers:
        raise InputError(
            "--model, --workers, --budget-usd and --dry-run are about Claude, and the backend offline asks no model; "
            "add --backend vertex or --backend anthropic"
        )
    else:
        make_by_rules(store, count, seed, mix, out, as_json)


def make_by_rules(store: "Store", count: int, seed: int, mix: str | None, out: Path | None, as_json: bool) -> None:
    """Makes plans without a model, and says how many."""
    from flows.registering import ingest_plans, make_plans, write_traces

    catalogue, traces = make_plans(store, count, seed, mix)
    warn_of_skipped({skipped.where: skipped.why for skipped in catalogue.skipped})
    kept = write_traces(traces, out) if out is not None else count
    new = ingest_plans(store, traces).new_traces if out is None else 0
    if as_json:
        terminal.show_json({"kept": kept, "new_traces": new})
    elif out is not None:
        terminal.show(f"wrote {kept:,} traces to {out}")
    else:
        terminal.show(f"{new:,} new synthetic traces (source synthetic) of {count:,}")
        if new < count:
            terminal.say("the others are known already: the same --seed makes the same traces, another makes others")


def warn_of_skipped(skipped: dict[str, str]) -> None:
    """Says which plugins no request can fill."""
    for where, why in skipped.items():
        terminal.warn(f"{where} is not used: {why}")


def tell_orders(store: "Store", wish: "Wish", out: Path | None, as_json: bool) -> None:
    """Prints what would be asked: one order a line on stdout, the sums on stderr; or all of it as one object."""
    from flows.synthesizing import dry_run as run

    if out is not None:
        raise InputError("--dry-run writes nothing; leave --out away")
    told = run(store, wish)
    if as_json:
        terminal.show_json(asdict(told))
        return
    for row in told.orders:
        state = "answered already" if row["answered"] else f"about {row['input_tokens']:,} tokens"
        terminal.show(
            f"{row['order']:<8} {row['category']:<10} {row['style']:<10} {state}; {', '.join(row['candidates'])}"
        )
    cost = (
        "its model has no price"
        if told.usd is None
        else f"about ${told.usd:,.2f}, and never more than ${told.most:,.2f}"
    )
    terminal.say(
        f"{len(told.orders) - told.answered:,} requests ({told.answered:,} orders are answered already): about "
        f"{told.input_tokens:,} tokens sent and {told.output_tokens:,} answered, {cost}; for each reply that is left out "
        f"another order follows, {told.limit:,} in all at most; nothing was asked"
    )


def have_written(store: "Store", wish: "Wish", out: Path | None, as_json: bool) -> None:
    """Has Claude write, then says what was kept, what was left out and why, and what it cost."""
    from flows.progress import listening
    from flows.synthesizing import synthesize_with_claude as run

    with terminal.progress() as told, listening(told):
        made = run(store, wish, out)
    warn_of_skipped(made.skipped)
    statuses = ", ".join(f"{number:,} {status}" for status, number in made.statuses.most_common())
    faults = ", ".join(f"{number:,} {reason}" for reason, number in made.reasons.most_common())
    each = f", ${made.usd / len(made.traces):,.4f} a kept trace" if made.traces else ""
    terminal.say(
        f"{made.orders:,} orders ({statuses}){f'; left out by row stages: {faults}' if faults else ''}; "
        f"${made.usd:,.2f} in all{each}, ${made.tally.usd:,.2f} of it in this run"
    )
    if as_json:
        terminal.show_json(made.told())
    elif out is not None:
        terminal.show(f"wrote {len(made.traces):,} traces to {out}")
    else:
        terminal.show(f"{made.new_traces:,} new synthetic traces (source synthetic) of {wish.count:,}")
    end_early(made.tally, made.ending)


@backfill.command(epilog="Example: curation backfill thinking --recipe plans.toml --limit 50")
def thinking(
    recipe: RecipeName = "default",
    backend: Annotated[
        str | None, typer.Option("--backend", help="vertex or anthropic; else that of the recipe's judge.")
    ] = None,
    model: Model = None,
    workers: Workers = None,
    budget_usd: BudgetUsd = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Ask about at most so many plans.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Also try again what got no reasoning in three runs.")] = False,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Have Claude write the reasoning of right plans that have none; each becomes a further sample, the original stays."""
    from flows.backfilling import MAKER, backfill_thinking
    from flows.progress import listening

    store, chosen = open_store(warehouse), recipe_of(recipe)
    judge = chosen.judge
    if MAKER not in chosen.samples.backfill:
        terminal.warn(
            f'the recipe {chosen.name} does not take samples with written reasoning; add "{MAKER}" to its [samples] backfill'
        )
    asked = (backend or judge.backend, model or judge.model, workers or judge.workers)
    with terminal.progress() as told, listening(told):
        done = backfill_thinking(store, chosen, *asked, budget_usd, limit, retry)
    statuses = ", ".join(f"{number:,} {status}" for status, number in done.tally.statuses.most_common())
    faults = ", ".join(f"{number:,} {reason}" for reason, number in done.reasons.most_common())
    terminal.say(
        f"{done.eligible:,} right plans had no reasoning; asked about {done.tally.done:,}{f' ({statuses})' if statuses else ''}, "
        f"${done.tally.usd:,.2f}"
        + (f"; {done.faulty:,} not made, since row stages would drop them: {faults}" if done.faulty else "")
        + (f"; {done.resting:,} rest until --retry" if done.resting else "")
    )
    if as_json:
        terminal.show_json(done.told())
    else:
        terminal.show(f"{done.made:,} new samples with reasoning; next: `curation check --recipe {recipe}`")
    end_early(done.tally, done.ending)


def end_early(tally: "Tally", ending: str) -> None:
    """Ends the command with the exit code of what stopped it before its time, if anything did."""
    if tally.interrupted:
        terminal.say("stopped by Ctrl-C; every reply is kept, and the same command goes on from here")
        raise typer.Exit(130)
    if ending:
        raise Stopped(ending)
