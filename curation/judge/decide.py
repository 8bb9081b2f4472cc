"""Turns judgements into decisions: accepted from the recipe's threshold on; an error is an abstention, never a score."""

import orjson
import polars as pl

from curation.decision import DECISION_FRAME
from curation.judge.rubric import Fold

NAME = "judge"
VERSION = "1"
KINDS = ("plan",)
REASONS = ("judge.below_threshold", "judge.failed")


def decide(judgements: pl.DataFrame, accept: float, fold: Fold) -> pl.DataFrame:
    """One decision per row (sample_id, status, scores) as a decision frame; `accept` is 0-10.

    The overall score is folded anew from the scores, so that another weight or threshold costs no request.
    """
    kinds = judgements.select("status", "scores").unique(maintain_order=True)  # few: scores are small whole numbers
    rows = [(status, scores, *decision(status, scores, accept, fold)) for status, scores in kinds.iter_rows()]
    told = [name for name in DECISION_FRAME if name != "sample_id"]
    schema = {"status": pl.String(), "scores": pl.String(), **{name: DECISION_FRAME[name] for name in told}}
    decided = pl.DataFrame(rows, schema=schema, orient="row")
    joined = judgements.join(decided, on=["status", "scores"], how="left", nulls_equal=True, maintain_order="left")
    return joined.select(list(DECISION_FRAME))


def decision(status: str, scores: str | None, accept: float, fold: Fold) -> tuple[str | None, ...]:
    """The row of a decision frame, without the sample's id: every sample that was scored so is decided so."""
    given = orjson.loads(scores) if scores else None
    overall = fold.overall(given) if status == "ok" and given else None
    if overall is None:
        failed = {"status": status if status != "ok" else "cannot_judge"}
        return ("abstain", "judge.failed", *told_twice("judge.failed", failed), None)
    told = {"overall": overall, "accept": accept, "scores": given}
    if overall < accept:
        return ("fail", "judge.below_threshold", *told_twice("judge.below_threshold", told), None)
    return ("pass", None, orjson.dumps(told).decode(), None, None)


def told_twice(reason: str, told: object) -> tuple[str, str]:
    """(detail, faults) of a decision with one fault."""
    fault = {"reason": reason, "pointer": "", "seen": told}
    return orjson.dumps(told).decode(), orjson.dumps([fault]).decode()
