"""A decision is what one stage thinks of one sample, with every fault it found."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import orjson
import polars as pl

from curation.credentials import mask
from curation.pointer import pointer, tokens

OUTCOMES = ("pass", "flag", "fail", "abstain")

# The decision frame: what a stage returns, one row per sample of the kinds it measures.
DECISION_FRAME: dict[str, pl.DataType] = {
    "sample_id": pl.String(),
    "outcome": pl.String(),
    "reason": pl.String(),  # the first fault's, in the order of the stage's REASONS
    "detail": pl.String(),  # JSON object: the first fault's pointer and what was seen there
    "faults": pl.String(),  # JSON list of every fault: {reason, pointer, seen}
    "leans_on": pl.String(),  # JSON list of the sample ids that the decision depends on
}

NOTHING = [
    pl.lit(None, dtype).alias(name) for name, dtype in DECISION_FRAME.items() if name not in ("sample_id", "outcome")
]

SEEN_LIMIT = 200  # characters of the offending value that are kept: enough to recognise it, small enough for a table


class Fault(NamedTuple):
    """One thing wrong with one sample: `pointer` is a JSON pointer into the plan (or the sample), `seen` what is there."""

    row: int
    reason: str
    pointer: str
    seen: object = None


class Reasons(Protocol):
    """The part of a stage that orders its faults."""

    REASONS: tuple[str, ...]


def shorten(seen: object, at: str = "") -> object:
    """The value as it is kept in a fault: short values whole, long ones as the beginning of their JSON text.

    A credential in it is masked: no decision may show one, whatever the fault was. The key that a value stands under,
    the last one in the pointer `at`, may be what makes it a credential.
    """
    if seen is None or isinstance(seen, bool | int | float):
        return seen
    key = next((token for token in reversed(at.split("/")) if token and not token.isdigit()), "")
    text = mask(seen if isinstance(seen, str) else orjson.dumps(seen, default=str).decode(), key)
    if len(text) <= SEEN_LIMIT:
        return text
    return text[:SEEN_LIMIT] + "…"


def decided(
    sample_ids: pl.Series,
    reasons: tuple[str, ...],
    faults: Iterable[Fault],
    abstained: Iterable[int] = (),
    flags: frozenset[str] = frozenset(),
) -> pl.DataFrame:
    """One decision per sample id from the faults found among them.

    `Fault.row` and `abstained` are positions in `sample_ids`. A sample without faults passes; one whose faults are
    all among `flags` is flagged; any other fault fails it. One that could not be measured abstains.
    """
    order = {reason: rank for rank, reason in enumerate(reasons)}
    found: dict[int, list[Fault]] = {}
    for fault in faults:
        found.setdefault(fault.row, []).append(fault)
    unmeasured = set(abstained)
    outcomes = ["abstain" if row in unmeasured else "pass" for row in range(len(sample_ids))]
    codes: dict[int, str] = {}
    details: dict[int, str] = {}
    texts: dict[int, str] = {}
    for row, own in found.items():
        own.sort(key=lambda fault: order[fault.reason])
        listed = [
            {
                "reason": f.reason,
                "pointer": pointer(mask(token) for token in tokens(f.pointer)),
                "seen": shorten(f.seen, f.pointer),
            }
            for f in own
        ]
        first = listed[0]
        outcomes[row] = "flag" if flags.issuperset(f.reason for f in own) else "fail"
        codes[row] = own[0].reason
        details[row] = orjson.dumps({"pointer": first["pointer"], "seen": first["seen"]}).decode()
        texts[row] = orjson.dumps(listed).decode()
    told = [[column.get(row) for row in range(len(sample_ids))] for column in (codes, details, texts, {})]
    columns = dict(zip(DECISION_FRAME, (sample_ids, outcomes, *told), strict=True))
    return pl.DataFrame(columns, schema=DECISION_FRAME)


def passed(samples: pl.DataFrame) -> pl.DataFrame:
    """A decision frame that lets all samples (`sample_id`) through."""
    return samples.select("sample_id", pl.lit("pass").alias("outcome"), *NOTHING)
