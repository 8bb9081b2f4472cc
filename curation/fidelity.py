"""What reading carried over and what it lost, counted: how many records, which field, and the first line as an example."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from curation.credentials import mask
from curation.formats.reading import Reading

# One row per source, kind of finding and field; `field` is empty for counts of whole records.
FIDELITY_FRAME: dict[str, pl.DataType] = {
    "source": pl.String(),
    "what": pl.String(),
    "field": pl.String(),
    "records": pl.Int64(),
    "example_line": pl.Int64(),
}

COUNTS = ("read", "joined", "unreadable")  # of records; `joined`: into the trace of another record
SIGNAL = "signal"  # metadata that says how a run ended, so that a recipe can ask for it

# The metadata keys in which formats write an outcome down, in the order in which they are worth asking for.
SIGNALS = ("outcome", "status", "error", "feedback", "reward", "score", "tool_errors", "finish_reason")

# What a newcomer must know first: what is not there at all, before what is there and has no place in a sample.
ORDER = ("unreadable", "missing", "by_reference", "truncated", "undefined_tool", "dropped")

Key = tuple[str, str, str]  # source, what, field


class Tally:
    """The counts of some records; two tallies of one file add up."""

    def __init__(self) -> None:
        self._found: dict[Key, list[int]] = {}

    def add(self, source: str, line: int, reading: Reading | None) -> None:
        """One record; None: it could not be read."""
        self.count(source, "read", "", line)
        if reading is None:
            self.count(source, "unreadable", "", line)
            return
        if reading.lost:
            for what, field in set(reading.lost):
                self.count(source, what, field, line)
        if reading.metadata:
            for key in SIGNALS:
                if key in reading.metadata:
                    self.count(source, SIGNAL, key, line)

    def count(self, source: str, what: str, field: str, line: int, records: int = 1) -> None:
        """So many records in which this was found, the first of them on that line."""
        found = self._found.get((source, what, field))
        if found is None:
            self._found[(source, what, field)] = [records, line]
        else:
            found[0] += records
            found[1] = min(found[1], line)

    def update(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Adds rows in the order of FIDELITY_FRAME."""
        for source, what, field, records, line in rows:
            self.count(source, what, field, line, records)

    def rows(self) -> list[tuple[str, str, str, int, int]]:
        """The counts in the order of FIDELITY_FRAME, sorted by their keys; a field's name may be anybody's, a secret too."""
        return [
            (source, what, mask(field), records, line)
            for (source, what, field), (records, line) in sorted(self._found.items())
        ]

    def frame(self) -> pl.DataFrame:
        """The counts as a FIDELITY_FRAME."""
        return pl.DataFrame(self.rows(), schema=FIDELITY_FRAME, orient="row")


def summary(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows of one file or of several as JSON values.

    `{read, joined, unreadable, lost: [{what, field, records, path, example_line}], signals: {key: records}}`; losses
    of the same field are added up, and `path` (where the rows have one) and `example_line` are those of the first.
    """
    counts = dict.fromkeys(COUNTS, 0)
    signals: dict[str, int] = {}
    lost: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        what, field, records = row["what"], row["field"], row["records"]
        if what in counts:
            counts[what] += records
        elif what == SIGNAL:
            signals[field] = signals.get(field, 0) + records
        elif (what, field) in lost:
            lost[(what, field)]["records"] += records
        else:
            example = {key: row[key] for key in ("path", "example_line") if key in row}
            lost[(what, field)] = {"what": what, "field": field, "records": records, **example}
    ranked = sorted(lost.values(), key=lambda row: (rank(row["what"]), -row["records"], row["field"]))
    return {**counts, "lost": ranked, "signals": {key: signals[key] for key in SIGNALS if key in signals}}


def rank(what: str) -> int:
    """Where a kind of loss stands in ORDER."""
    return ORDER.index(what) if what in ORDER else len(ORDER)
