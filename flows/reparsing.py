"""Reads the judge's stored replies again with the parser and the weights of today: a better reader costs no request."""

from dataclasses import dataclass

import polars as pl

from curation.judge.judgement import JUDGEMENT_FRAME
from curation.judge.ledger import read_again
from curation.lock import only_one
from curation.recipe import Recipe
from curation.stages import judge_stage, specification_of
from flows.checking import remember_stages
from flows.judging import fold_journal, require_checked, settle
from warehouse import Store

BATCH = 2_000  # replies read at a time: some 10 MB
READ = ("status", "scores", "overall", "rationale", "input_tokens", "output_tokens", "cached_tokens")


@dataclass(frozen=True)
class Reparsed:
    """How many stored replies were read, and how many came out otherwise."""

    read: int
    changed: int


def reparse(store: Store, recipe: Recipe) -> Reparsed:
    """Reads every stored reply to the recipe's specification anew, corrects what is read otherwise, and decides anew."""
    require_checked(store, recipe)
    specification = specification_of(recipe)
    with only_one(store.path, "judge"):
        fold_journal(store)
        ids = store.read("judgement_ids", spec=specification.spec)["judgement_id"]
        changed = 0
        for start in range(0, len(ids), BATCH):
            wanted = {"wanted": pl.DataFrame({"judgement_id": ids.slice(start, BATCH)})}
            before = store.read("judgements_by_id", wanted)
            after = [read_again(row, specification.fold) for row in before.iter_rows(named=True)]
            told = zip(before.iter_rows(named=True), after, strict=True)
            other = [new for old, new in told if any(old[key] != new[key] for key in READ)]
            if other:
                incoming = pl.DataFrame(other, schema=JUDGEMENT_FRAME, orient="row")
                with store.write() as transaction:
                    transaction.run("update_judgement", {"incoming": incoming})
            changed += len(other)
        remember_stages(store, recipe, [judge_stage(recipe)])
        settle(store, recipe, specification)
    return Reparsed(len(ids), changed)
