"""Has Claude write samples to order until so many are kept, and keeps them as traces like any others."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from curation.claude.asking import Form
from curation.claude.budget import budget_of
from curation.claude.errand import Errand
from curation.claude.prices import price, today
from curation.claude.reply import Usage
from curation.claude.tally import Tally
from curation.lock import only_one
from curation.sample import dumps
from curation.synthesis import DEFAULT, Catalogue, Order, orders, parse, parse_mix
from curation.synthesis.errands import order_form, order_spec, writing_errand
from curation.synthesis.ledger import asked_of, unchecked
from curation.synthesis.offline import Trace
from curation.synthesis.selfcheck import trace_faults
from flows.judging import RUNS
from flows.outfile import require_file
from flows.progress import say
from flows.registering import catalogue_of, ingest_plans, write_traces
from flows.writing import JOB, ask, fold_writings, replies, require_claude
from warehouse import Store

# Orders that one call goes on to at most: where two of three replies are left out, it is the prompt, the registry or the
# model that has to change, and more money does not help. A few more, so that a small wish survives a bad start.
ORDERS_PER_TRACE, SPARE_ORDERS = 3, 20

AT_A_TIME = 2_000  # orders whose messages and replies are held at once: some 50 MB

CHARACTERS, ANSWER = 4, 900  # of a token, and tokens of a usual reply: for the estimate before anything is asked


@dataclass(frozen=True)
class Wish:
    """What was asked for: `count` kept traces by the mix, of which registry, seed and number decide every order."""

    count: int
    seed: int
    mix: str | None
    backend: str
    model: str
    workers: int = 100
    budget_usd: float | None = None

    @property
    def limit(self) -> int:
        """How many orders are tried at most."""
        return ORDERS_PER_TRACE * self.count + SPARE_ORDERS


@dataclass
class Composed:
    """What came of it, replies of earlier runs included; `tally` and `ending` are this run's.

    `statuses` counts orders, `reasons` those of the row stages that left one out. `usd` is what all replies to these
    orders have cost. `ending` says why there are fewer traces than wished for; empty where there are not.
    """

    traces: list[Trace] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    usd: float = 0.0
    tally: Tally = field(default_factory=Tally)
    ending: str = ""
    new_traces: int = 0
    skipped: dict[str, str] = field(default_factory=dict)  # plugins that no request can fill -> why

    @property
    def orders(self) -> int:
        """How many orders have a reply, whatever it says."""
        return self.statuses.total()

    def told(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "kept": len(self.traces),
            "new_traces": self.new_traces,
            "orders": self.orders,
            "asked": self.tally.done,
            "statuses": dict(self.statuses),
            "reasons": dict(self.reasons.most_common()),
            "usd": self.usd,
            "usd_per_trace": self.usd / len(self.traces) if self.traces else None,
            "usd_this_run": self.tally.usd,
        }


def synthesize_with_claude(store: Store, wish: Wish, out: Path | None = None) -> Composed:
    """Asks until `wish.count` traces are kept, and puts them into the warehouse, or into the file `out` instead.

    Replies are kept in the warehouse either way, and what has one is never asked again. Raises InputError and
    ServiceError before anything is asked where it cannot be.
    """
    if out is not None:
        require_file(out)
    made = compose(store, wish)
    if out is not None:
        write_traces(made.traces, out)
    elif made.traces:
        made.new_traces = ingest_plans(store, made.traces).new_traces
    return made


def compose(store: Store, wish: Wish) -> Composed:
    """The kept traces, in the order of their numbers: each round asks as many orders as traces are missing."""
    form = asked_form(wish)
    budget = budget_of(wish.budget_usd, wish.model)
    with only_one(store.path, JOB):
        fold_writings(store)
        catalogue = catalogue_of(store)
        made = Composed(skipped={skipped.where: skipped.why for skipped in catalogue.skipped})
        waiting = ordered(catalogue, wish, wish.limit)
        errand: Errand | None = None  # opened only if somebody has to be asked
        while len(made.traces) < wish.count:
            batch = list(islice(waiting, min(AT_A_TIME, wish.count - len(made.traces))))
            if not batch:
                made.ending = (
                    f"{len(made.traces):,} of {wish.count:,} traces are kept from {made.orders:,} orders, and no more are "
                    f"tried ({ORDERS_PER_TRACE} a trace and {SPARE_ORDERS}): too many replies are left out; read why, "
                    "change the mix, the registry or the model, or go on with another --seed"
                )
                break
            work = unanswered(store, form, batch)
            if work.height:
                errand = errand or writing_errand(form, wish.workers)
                made.tally = made.tally.plus(
                    ask(store, [work], errand, wish.workers, budget, lambda t: tell(made, t, wish.count))
                )
            read(store, form, batch, made)
            if made.tally.out_of_budget:
                made.ending = budget.used_up(wish.count - len(made.traces), "traces")
            if made.tally.stopped:
                break
    return made


def asked_form(wish: Wish) -> Form:
    """What every request has in common; raises InputError for a backend that does not write."""
    require_claude(wish.backend)
    return order_form(wish.backend, wish.model)


def ordered(catalogue: Catalogue, wish: Wish, count: int) -> Iterator[Order]:
    """The first `count` orders of the wish."""
    return orders(catalogue, count, wish.seed, parse_mix(wish.mix) if wish.mix else DEFAULT)


def tell(made: Composed, tally: Tally, wished: int) -> None:
    """Says how far the run is."""
    kept = len(made.traces) + tally.statuses["ok"]
    spent = made.tally.usd + tally.usd
    note = f"{tally.in_flight} in flight, {kept:,} of {wished:,} ok, ${spent:,.2f} spent"
    answered = made.orders + tally.done
    say("synthesize", answered, answered + wished - kept, note)


def unanswered(store: Store, form: Form, batch: list[Order]) -> pl.DataFrame:
    """The orders that nobody was paid for yet, as a work list; one that only met errors is tried in RUNS runs."""
    known = replies(store, order_spec(form), (order.subject for order in batch))
    rows = []
    for order in batch:
        reply = known.get(order.subject)
        if reply is None or (reply["status"] == "api_error" and reply["attempts"] < RUNS):
            attempt = reply["attempts"] if reply else 0
            rows.append((order.subject, attempt, dumps(asked_of(order)), order.message))
    return pl.DataFrame(rows, schema=["subject", "attempt", "asked", "message"], orient="row")


def read(store: Store, form: Form, batch: list[Order], made: Composed) -> None:
    """Reads the replies to these orders with the parser and the stages of today, and adds what they come to."""
    known = replies(store, order_spec(form), (order.subject for order in batch))
    seen = {trace["trace_id"] for trace in made.traces}
    written = []
    for order in batch:
        reply = known.get(order.subject)
        if reply is None:
            continue
        made.usd += reply["usd"]
        if reply["status"] == "api_error":
            made.statuses["api_error"] += 1
            continue
        told = parse(reply["raw"], order, reply["model"], passes=unchecked)
        if told.trace is None:
            made.statuses[told.status] += 1
        else:
            written.append(told.trace)
    for trace, faults in zip(written, trace_faults(written), strict=True):
        if faults:
            made.statuses["faulty"] += 1
            made.reasons.update(sorted(set(faults)))
        elif trace["trace_id"] in seen:
            made.statuses["repeated"] += 1
        else:
            seen.add(trace["trace_id"])
            made.statuses["ok"] += 1
            made.traces.append(trace)


@dataclass(frozen=True)
class DryRun:
    """What would be asked if every reply were kept, and what it would cost; nothing was sent.

    `usd` is about what is usual, `most` what nothing can exceed; both None where the model has no price. `answered`
    orders have a reply already and cost nothing.
    """

    orders: list[dict[str, Any]]
    answered: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    most: float | None
    limit: int


def dry_run(store: Store, wish: Wish) -> DryRun:
    """The first `wish.count` orders with an estimate of their tokens and price."""
    form = asked_form(wish)
    wished = list(ordered(catalogue_of(store), wish, wish.count))
    waiting = set(unanswered(store, form, wished)["subject"].to_list())
    told = [
        {
            "order": order.key,
            "category": order.category,
            "style": order.style,
            "candidates": [plugin["pluginId"] for plugin in order.candidates],
            "input_tokens": (len(form.system) + len(dumps(form.schema)) + len(order.message)) // CHARACTERS,
            "answered": order.subject not in waiting,
        }
        for order in wished
    ]
    sent = sum(int(str(row["input_tokens"])) for row in told if not row["answered"])
    answers = ANSWER * len(waiting)
    bounds = [form.most(order.message) for order in wished if order.subject in waiting]
    known = [bound for bound in bounds if bound is not None]
    most = sum(known) if len(known) == len(bounds) else None
    usd = price(form.model, Usage(fresh=sent, output=answers), today())
    return DryRun(told, len(wished) - len(waiting), sent, answers, usd, most, wish.limit)
