"""Has Claude write the reasoning of right plans that have none: each becomes a further sample, and the original stays."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from curation import lineage
from curation.children import asked, child
from curation.claude.budget import budget_of
from curation.claude.tally import Tally
from curation.lock import only_one
from curation.recipe import Recipe
from curation.sample import SAMPLE_FRAME
from curation.stages import row_stages
from curation.synthesis import parse_thinking
from curation.synthesis.errands import thinking_errand, thinking_form, thinking_spec
from curation.synthesis.selfcheck import faults_of
from flows.checking import survivors
from flows.children import keep_children, standing
from flows.judging import RUNS, require_checked, spooled, tell
from flows.keys import fence_secret
from flows.loading import load_samples, read_links, read_replaced, slices
from flows.writing import JOB, ask, fold_writings, replies, require_claude
from warehouse import Store

MAKER = "thinking"


@dataclass
class Backfilled:
    """What came of it. `made` counts new samples, those made of replies of an earlier, killed run included.

    `statuses` are of this run's replies. `reasons` counts what row stages found in samples that were therefore not made.
    `resting` samples got no usable reply in RUNS runs. `ending` says why samples are left that nobody was asked about.
    """

    eligible: int = 0
    made: int = 0
    faulty: int = 0
    resting: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)
    ending: str = ""

    def told(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "eligible": self.eligible,
            "asked": self.tally.done,
            "made": self.made,
            "faulty": self.faulty,
            "resting": self.resting,
            "statuses": dict(self.tally.statuses),
            "reasons": dict(self.reasons.most_common()),
            "usd": self.tally.usd,
        }


def backfill_thinking(
    store: Store,
    recipe: Recipe,
    backend: str,
    model: str,
    workers: int,
    budget_usd: float | None = None,
    limit: int | None = None,
    retry: bool = False,
) -> Backfilled:
    """Asks about every plan of the recipe that every row stage but `thinking` lets pass, at most `limit` of them.

    What was paid for is never asked again; a reply that holds no reasoning is tried again in RUNS runs, with `retry`
    further. Raises InputError where the recipe's samples are unchecked, or nobody can be asked.
    """
    require_claude(backend)
    form = thinking_form(backend, model)
    spec = thinking_spec(form)
    budget = budget_of(budget_usd, model)
    require_checked(store, recipe)
    with only_one(store.path, JOB):
        fold_writings(store)
        ids = eligible(store, recipe)
        done = Backfilled(len(ids))
        waiting = make_children(store, recipe, spec, ids, done)
        work = pl.DataFrame(waiting, schema={"sample_id": pl.String, "attempt": pl.Int64}, orient="row")
        asked_now = work.filter(pl.lit(retry) | (pl.col("attempt") < RUNS))
        done.resting = work.height - asked_now.height
        todo = asked_now.head(limit or asked_now.height).with_columns(subject="sample_id")
        if todo.is_empty():
            return done
        errand = thinking_errand(form, fence_secret(store), workers)
        with spooled(store, todo, JOB) as frames:
            done.tally = ask(store, frames, errand, workers, budget, lambda tally: tell(MAKER, tally, todo.height))
        make_children(store, recipe, spec, todo["sample_id"], done)
        if done.tally.out_of_budget:
            done.ending = budget.used_up(todo.height - done.tally.done, "samples")
    return done


def eligible(store: Store, recipe: Recipe) -> pl.Series:
    """The ids of right plans without reasoning that nothing stands in the place of, earliest first."""
    members = standing(store, recipe, MAKER).filter(pl.col("kind") == "plan")
    stages = [asked.stage for asked in row_stages(recipe.check) if asked.stage != "thinking"]
    right = members.join(survivors(store, recipe, members, stages), on="sample_id", how="semi")
    with store.reading():
        links = read_links(store, recipe, asked(recipe, before=MAKER))
        replaced = read_replaced(store).traces
        outdated = lineage.of_origins(store.read("outdated_readings"), links)
    lineages = lineage.decide(right, links, replaced, outdated)
    current = right.join(lineages.filter(pl.col("outcome") == "pass"), on="sample_id", how="semi")
    mute = store.read("without_thinking", {"wanted": current.select("sample_id")})
    return current.join(mute, on="sample_id", how="semi").sort("timestamp", "sample_id", nulls_last=True)["sample_id"]


def make_children(store: Store, recipe: Recipe, spec: str, ids: pl.Series, done: Backfilled) -> list[tuple[str, int]]:
    """Makes the samples that replies give reasoning to; returns (sample_id, attempts) of those that still need one.

    Replies are read with the parser of today. A sample that some row stage would not let pass is counted and not made,
    and is not asked for again: its reply was what was asked for.
    """
    waiting: list[tuple[str, int]] = []
    for part in slices(ids):
        known = replies(store, spec, part)
        thoughts = {}
        for sample_id in part:
            reply = known.get(sample_id)
            told = parse_thinking(reply["raw"]) if reply and reply["status"] != "api_error" else None
            if told is not None and told.thinking is not None:
                thoughts[sample_id] = told.thinking
            else:
                waiting.append((sample_id, reply["attempts"] if reply else 0))
        if thoughts:
            keep_right(store, recipe, spec, thoughts, done)
    return waiting


def keep_right(store: Store, recipe: Recipe, spec: str, thoughts: dict[str, str], done: Backfilled) -> None:
    """Keeps those children that every row stage lets pass; `thoughts` is sample_id -> reasoning."""
    samples = load_samples(store, pl.Series(list(thoughts)))
    rows = [child(row, thinking=thoughts[row["sample_id"]]) for row in samples.iter_rows(named=True)]
    made = pl.DataFrame(rows, schema=SAMPLE_FRAME, orient="row")
    faults = faults_of(made, recipe.check)
    done.faulty += len(faults)
    for reasons in faults.values():
        done.reasons.update(sorted(set(reasons)))
    right = made.filter(~pl.col("sample_id").is_in(list(faults))).with_columns(mark=pl.lit(spec))
    if not right.is_empty():
        done.made += keep_children(store, right, MAKER)
