"""Has the survivors judged: reads the work list, lets the pool ask, folds the journal in, chooses anew."""

import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

import polars as pl

from curation.claude.budget import Budget, budget_of
from curation.claude.errand import Errand
from curation.claude.journal import discard, journal_folder, pending
from curation.claude.pool import run_errand
from curation.claude.tally import Tally
from curation.errors import InputError, Stopped
from curation.judge import decide as judging
from curation.judge.backend import open_backend
from curation.judge.ledger import FIELDS, folded
from curation.judge.specification import Specification
from curation.lock import only_one
from curation.recipe import Recipe
from curation.sample import SAMPLE_FRAME
from curation.stages import corpus_stages, judge_stage, pipeline, row_stages, rubric_of, specification_of
from flows import watching
from flows.checking import choose_after_judging, choose_survivors, remember_stages, survivors, unlike
from flows.completing import count_waiting
from flows.keys import fence_secret
from flows.loading import batches, read_members
from flows.progress import say
from warehouse import Store

NOBODY = pl.DataFrame(schema=SAMPLE_FRAME)  # no sentinels

RUNS = 3  # an abstention is tried again in so many runs, then it rests until it is asked for


def judge(
    store: Store,
    recipe: Recipe,
    limit: int | None = None,
    retry: bool = False,
    sampled: str = "first",
    rejudge: bool = False,
    wait: float = 0.0,
    scheduled: bool = False,
) -> Tally:
    """Judges every survivor that has no score yet under the recipe's judge, at most `limit` of them, chosen as `sampled`.

    Where anything is asked, canaries are asked about first; in a `scheduled` run the sentinels are, too, whatever else is.
    After each round the choice among copies is made again; samples that it lets back in are judged too, until nothing
    is left to ask. Abstentions are tried again once a run and in RUNS runs; `retry` tries those that rest, too. Another
    judge of this warehouse is waited for `wait` seconds.
    Raises Stopped where another process judges this warehouse, the recipe's budget is used up (with everything that was
    answered in the warehouse), or another specification has judged what waits and `rejudge` does not say to pay again;
    InputError where the recipe's samples are unchecked.
    """
    require_checked(store, recipe)
    with only_one(store.path, "judge", wait=wait):
        fold_journal(store)
        specification = specification_of(recipe)
        budget = budget_of(recipe.judge.budget_usd, specification.model)
        waiting = chosen_work(store, recipe, specification, retry, limit, sampled)
        if not rejudge:
            require_first(store, waiting, specification)
        if not waiting.is_empty():
            open_judge(store, recipe)  # missing credentials end the command here, before anything is written down
        remember_stages(store, recipe, [judge_stage(recipe)])
        members = settle(store, recipe, specification)
        if members is not None:
            waiting = chosen_work(store, recipe, specification, retry, limit, sampled, members=members)
        work = waiting
        frozen = watching.sentinels(store, recipe, specification) if scheduled else NOBODY
        if work.is_empty() and frozen.is_empty():
            return Tally()
        occasion = watching.begin(store, recipe, specification)
        watch, total = watching.work(store, occasion, frozen), Tally()
        tried = pl.Series("sample_id", [], dtype=pl.String)
        while work.height or watch.height:
            before = total.done
            total = one_round(store, recipe, work, watch, total, budget)
            watch = watch.clear()
            tried = pl.concat([tried, work["sample_id"]])
            members = settle(store, recipe, specification)
            if total.interrupted:
                return total
            if total.out_of_budget:
                raise Stopped(budget.used_up(work.height - (total.done - before), "samples"))
            left = None if limit is None else limit - total.done
            work = chosen_work(store, recipe, specification, retry, left, sampled, tried, members)
        watching.end(store, occasion)
        return total


def require_checked(store: Store, recipe: Recipe) -> None:
    """Raises InputError unless the recipe's last check asked what the recipe asks today, of the registry of today."""
    known = dict(store.read("recipe_stages", recipe=recipe.name).select("stage", "fingerprint").iter_rows())
    wanted = {asked.stage: asked.fingerprint for asked in [*row_stages(recipe.check), *corpus_stages(recipe)]}
    changed = sorted(stage for stage, mark in wanted.items() if known.get(stage) != mark)
    if changed:
        why = "has changed since it was last checked" if known else "has not been checked yet"
        raise InputError(f"the recipe {recipe.name} {why} ({', '.join(changed)}); run `curation check` with it first")
    if waiting := count_waiting(store, recipe):
        raise InputError(
            f"the plugin registry has changed since {recipe.name} was last checked, and may complete {waiting} of its "
            "samples; run `curation check` with it first"
        )


def fold_journal(store: Store) -> int:
    """Takes every finished journal file into the warehouse; returns how many judgements were new."""
    new = 0
    for file in pending(journal_folder(store.path), FIELDS):
        of_samples, of_watch = folded(file)  # seconds for a large file: not while others wait for the warehouse
        with store.write() as transaction:
            new += transaction.run("insert_judgement", {"incoming": of_samples})
            transaction.run("insert_watch", {"incoming": of_watch})
        discard(file)
    return new


def settle(store: Store, recipe: Recipe, specification: Specification) -> pl.DataFrame | None:
    """Makes decisions of the judgements so far; where any has changed, chooses among copies and gives the verdict again.

    So it does where the verdicts are void. Returns the recipe's members where it did, else None.
    """
    stage = judge_stage(recipe)
    with store.reading():
        judgements = store.read("last_judgements", spec=specification.spec)
        decided = judging.decide(judgements, recipe.judge.accept, specification.fold)
        changed = unlike(store, stage, decided)
        verdicts = store.read("verdict_total", recipe=recipe.name).item()
    if changed.is_empty() and verdicts:
        return None
    everyone = read_members(store, recipe)
    if everyone.height != verdicts:  # void, or another recipe has brought samples since the check
        everyone = choose_survivors(store, recipe)
    return everyone if changed.is_empty() else choose_after_judging(store, recipe, everyone, decided, changed)


def work_list(
    store: Store, recipe: Recipe, specification: Specification, retry: bool, members: pl.DataFrame | None = None
) -> pl.DataFrame:
    """(sample_id, attempt) of the survivors that still need a score, earliest first. `members`: where they are known."""
    with store.reading():
        standing = before_judge(store, recipe, read_members(store, recipe) if members is None else members)
        tried = store.read("attempts", spec=specification.spec)
    waiting = standing.filter(pl.col("kind").is_in(judging.KINDS)).join(tried, on="sample_id", how="left")
    attempts = pl.col("attempts").fill_null(0)
    rested = pl.lit(True) if retry else pl.col("tries").fill_null(0.0) < RUNS
    return (
        waiting.filter(~pl.col("scored").fill_null(False) & rested)
        .sort("timestamp", "sample_id", nulls_last=True)
        .select("sample_id", attempt=attempts)
    )


def before_judge(store: Store, recipe: Recipe, members: pl.DataFrame) -> pl.DataFrame:
    """The members that no stage before the judge has put out: as their verdicts say, or where these are void the decisions."""
    standing = store.read("before_judge", {"members": members}, recipe=recipe.name, judge=judge_stage(recipe).stage)
    if standing.height:
        return standing
    return survivors(store, recipe, members, [asked.stage for asked in pipeline(recipe)[:-1]])


def chosen_work(
    store: Store,
    recipe: Recipe,
    specification: Specification,
    retry: bool,
    limit: int | None,
    sampled: str,
    but: pl.Series | None = None,
    members: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The work list without the samples of `but`, at most `limit` of it: the `first`, or `stratified`.

    Stratified takes one sample of each category of each source in turn, those within one in the order of their ids,
    which are hashes: the same ones whenever it is asked for. `members`: where they are known.
    """
    work = work_list(store, recipe, specification, retry, members)
    if but is not None:
        work = work.filter(~pl.col("sample_id").is_in(but.implode()))
    if limit is None or limit >= work.height:
        return work
    if sampled == "stratified":
        told = store.read("sample_categories", {"work": work.select("sample_id")})
        turns = told.sort("sample_id").with_columns(turn=pl.int_range(pl.len()).over("category", "source"))
        chosen = turns.sort("turn", "category", "source").head(limit)["sample_id"]
        return work.filter(pl.col("sample_id").is_in(chosen.implode()))
    return work.head(limit)


def judged_otherwise(store: Store, work: pl.DataFrame, specification: Specification) -> pl.DataFrame:
    """(spec, model, samples): who else has scored samples of the work list, and was paid for it."""
    if work.is_empty() or specification.backend == "offline":
        return pl.DataFrame(schema={"spec": pl.String, "model": pl.String, "samples": pl.Int64})
    return store.read("judged_otherwise", {"work": work.select("sample_id")}, spec=specification.spec)


def require_first(store: Store, work: pl.DataFrame, specification: Specification) -> None:
    """Raises Stopped where samples of the work list were judged, and paid for, under another specification."""
    others = judged_otherwise(store, work, specification)
    if others.is_empty():
        return
    named = ", ".join(f"{row['model']} ({row['spec']}): {row['samples']:,}" for row in others.iter_rows(named=True))
    usd = store.read("usual_price", {"work": work.select("sample_id")}).item()
    cost = f", some ${usd * work.height:,.2f} at what they cost then" if usd else ""
    raise Stopped(
        f"{work.height:,} samples would be judged by {specification.model} ({specification.spec}), and another judge has "
        f"scored of them {named}{cost}; nothing was asked: `curation judge --dry-run` tells the price, "
        "`curation judge --rejudge` pays it, or set [judge] model back"
    )


def open_judge(store: Store, recipe: Recipe) -> Errand:
    """The recipe's judge, ready to be asked; raises where its credentials are missing or refused."""
    judge = recipe.judge
    errand = open_backend(judge.backend, judge.model, rubric_of(recipe), fence_secret(store), judge.workers)
    return replace(errand, is_good=lambda read: read["overall"] is not None and read["overall"] >= judge.accept)


def one_round(
    store: Store, recipe: Recipe, work: pl.DataFrame, watch: pl.DataFrame, so_far: Tally, budget: Budget
) -> Tally:
    """Asks about the whole work list, and before it about what watches the judge.

    What was answered is in the warehouse afterwards, whatever happened.
    """
    errand = open_judge(store, recipe)
    with spooled(store, work, "judge") as frames:
        try:
            tally = run_errand(
                chain([watch], frames),
                errand,
                journal_folder(store.path),
                recipe.judge.workers,
                lambda tally: tell("judge", so_far.plus(tally), so_far.done + work.height, budget),
                fold=lambda: fold_journal(store),
                budget=budget,
            )
        finally:
            fold_journal(store)
    return so_far.plus(tally)


def tell(what: str, tally: Tally, total: int, budget: Budget | None = None) -> None:
    """Says how far a run of the pool is: in flight, how fast, what came of it, what it cost, how long a reply takes."""
    told = [
        f"{tally.in_flight} in flight",
        f"{tally.done / max(tally.seconds, 1.0):,.1f}/s",
        f"{tally.statuses['ok']:,} ok" if what != "judge" else f"{tally.good:,} accepted",
        f"${tally.usd:,.2f} spent",
    ]
    if budget is not None and math.isfinite(budget.limit):
        told.append(f"${budget.left:,.2f} left")
    if tally.latencies:
        ordered = sorted(tally.latencies)
        half, slow = ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100]
        told.append(f"a reply in {half:.1f} s, 95% within {slow:.1f} s")
    say(what, tally.done, total, ", ".join(told))


@contextmanager
def spooled(store: Store, work: pl.DataFrame, job: str) -> Iterator[Iterator[pl.DataFrame]]:
    """The work list's samples with their `attempt`, copied out of the warehouse first: the pool asks without DuckDB.

    `job` is the one whose lock (see curation.lock) the caller holds.
    """
    begin = f"{store.path.name}.{job}-"
    for left in store.path.parent.glob(f"{begin}*"):
        shutil.rmtree(left, ignore_errors=True)  # of a killed run: the lock says that no other one runs
    with tempfile.TemporaryDirectory(prefix=begin, dir=store.path.parent) as folder:
        files = []
        for number, samples in enumerate(batches(store, work["sample_id"])):
            files.append(Path(folder) / f"{number:06}.arrow")
            samples.join(work, on="sample_id", maintain_order="left").write_ipc(files[-1])
        yield (pl.read_ipc(file) for file in files)
