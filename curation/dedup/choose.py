"""Of samples that are copies of each other, chooses who stays: for one recipe, whole, in a fixed order."""

from collections import defaultdict
from typing import NamedTuple

import orjson
import polars as pl

from curation.decision import DECISION_FRAME, passed
from curation.recipe import Dedup

REMEMBERED = 8  # kept samples of one request that later ones are compared with: one of another run is enough


class Copy(NamedTuple):
    """Why a sample counts as a copy of one that stays."""

    reason: str
    of: str
    similarity: float | None


class Kept(NamedTuple):
    """A sample that stays: others are compared with it."""

    sample_id: str
    parent_id: str | None
    exact_key: str


def choose(samples: pl.DataFrame, pairs: pl.DataFrame, settings: Dedup) -> pl.DataFrame:
    """One decision per sample, as a decision frame.

    `samples` has sample_id, parent_id, timestamp, request_key, exact_key, `released` (position of the first release of
    this recipe that holds it, null: none) and `put_out` (another stage fails it: it keeps nobody out). `pairs` has a, b,
    similarity. Walked by (released, timestamp, sample_id): a sample falls when it is like one already kept, so of a chain
    A~B~C with A unlike C, A and C stay. The order of rows does not matter. Plans of one trajectory are never compared.
    Samples with a request of their own and without a partner stay, whoever else does: only the others are walked.
    """
    paired = pl.concat([pairs["a"], pairs["b"]]).unique()
    shared = pl.any_horizontal(pl.col("request_key", "exact_key").is_duplicated())
    related = shared | pl.col("sample_id").is_in(paired.implode())
    return pl.concat([walked(samples.filter(related), pairs, settings), passed(samples.filter(~related))])


def walked(samples: pl.DataFrame, pairs: pl.DataFrame, settings: Dedup) -> pl.DataFrame:
    """`choose`, sample by sample."""
    partners: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for a, b, similarity in pairs.select("a", "b", "similarity").iter_rows():
        partners[a][b] = partners[b][a] = similarity
    kept: dict[str, Kept] = {}
    by_exact: defaultdict[str, list[Kept]] = defaultdict(list)
    by_request: defaultdict[str, list[Kept]] = defaultdict(list)
    rows = []
    walk = samples.sort("released", "timestamp", "sample_id", nulls_last=True)
    for sample_id, parent_id, request_key, exact_key, put_out in walk.select(
        "sample_id", "parent_id", "request_key", "exact_key", "put_out"
    ).iter_rows():
        same = [k for k in by_exact[exact_key] if apart(k, parent_id)]
        asked = [k for k in by_request[request_key] if apart(k, parent_id)]
        near = [(k, s) for k, s in sorted(partners[sample_id].items()) if k in kept and apart(kept[k], parent_id)]
        copies = found(same, asked, near)
        falls = any(copy.reason != "duplicate.conflict" or settings.conflict == "drop" for copy in copies)
        rows.append(decision(sample_id, copies, falls))
        if not falls and not put_out:
            kept[sample_id] = Kept(sample_id, parent_id, exact_key)
            for known in (by_exact[exact_key], by_request[request_key]):
                if len(known) < REMEMBERED:
                    known.append(kept[sample_id])
    return pl.DataFrame(rows, schema=DECISION_FRAME, orient="row")


def apart(kept: Kept, parent_id: str | None) -> bool:
    """Whether two samples may be compared: plans of one trajectory never are."""
    return kept.parent_id is None or kept.parent_id != parent_id


def found(same: list[Kept], asked: list[Kept], near: list[tuple[str, float]]) -> list[Copy]:
    """What a sample copies, in the order of the reasons; the earliest or likest partner of each."""
    if same:
        return [Copy("duplicate.exact", same[0].sample_id, 1.0)]
    likest = max(near, key=lambda partner: partner[1], default=None)
    copies = [Copy("duplicate.near", *likest)] if likest else []
    other = next(iter(asked), None)
    return [*copies, Copy("duplicate.conflict", other.sample_id, None)] if other else copies


def decision(sample_id: str, copies: list[Copy], falls: bool) -> tuple[str | None, ...]:
    """The row of a decision frame."""
    if not copies:
        return (sample_id, "pass", None, None, None, None)
    faults = [
        {"reason": copy.reason, "pointer": "", "seen": {"sample_id": copy.of, "similarity": copy.similarity}}
        for copy in copies
    ]
    detail = {"sample_id": copies[0].of, "similarity": copies[0].similarity}
    leans_on = sorted({copy.of for copy in copies})
    return (
        sample_id,
        "fail" if falls else "flag",
        copies[0].reason,
        orjson.dumps(detail).decode(),
        orjson.dumps(faults).decode(),
        orjson.dumps(leans_on).decode(),
    )
