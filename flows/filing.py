"""One file on its way into the warehouse: what it holds is stored with how far it was read and what was lost."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from curation.fidelity import Tally, summary
from curation.formats import FORMATS
from curation.formats.lines import Cursor
from curation.formats.opening import State
from curation.formats.reading import Format, nothing_to_join
from curation.ingest import DataFile, Ingested
from curation.progress import Seen, digest_of
from warehouse import Store, Transaction

NAMED = 3  # unreadable lines that a warning names: enough to look at, few enough to read


@dataclass
class Report:
    """What one file holds, and what of it came in now.

    `state`: `read` from its start, `continued` where the last reading ended, or `unchanged` and not read at all;
    `reread`: no file, but what the warehouse holds.
    `records` and `unreadable` count the whole file, `read` what this run has looked at, and `joined` how many of these
    went into the trace of another record; `fidelity` is curation.fidelity.summary of the whole file.
    """

    path: str
    format: str
    state: str = "read"
    records: int = 0
    read: int = 0
    joined: int = 0
    new_traces: int = 0
    new_samples: int = 0
    unreadable: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)  # the first few: (line, what is wrong)
    fidelity: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """The sentence that says what was read."""
        if self.state == "unchanged":
            return f"{self.path} ({self.format}): unchanged; its {self.records:,} records were read before"
        parts = [f"{self.new_traces:,} new", f"{self.read - self.joined - self.new_traces:,} seen before"]
        parts += [f"{self.joined:,} joined"] if self.joined else []
        told = f"{', '.join(parts)}, {self.unreadable:,} unreadable; {self.new_samples:,} new samples"
        if self.state == "reread":
            return f"{self.records:,} stored traces read again ({self.format}): {self.new_samples:,} new samples, {self.unreadable:,} unreadable"
        if self.state == "continued":
            return f"{self.path} ({self.format}): grown by {self.read:,} to {self.records:,} records: {told}"
        return f"{self.path} ({self.format}): {self.records:,} records: {told}"

    def warning(self) -> str | None:
        """The sentence for the terminal, or None where every record that was looked at could be read."""
        if not self.problems:
            return None
        named = "; ".join(f"line {line}: {problem}" for line, problem in self.problems)
        more = f"; and {self.unreadable - len(self.problems)} more" if self.unreadable > len(self.problems) else ""
        return f"{self.path}: {self.unreadable} of {self.records} records cannot be read ({named}{more}); they are kept as traces with their error"


def reader_of(format_: Format) -> str:
    """How links and files name a reader: the format and its version."""
    return f"{format_.name} {format_.version}"


class Known(NamedTuple):
    """A file as the warehouse knows it: how far it was read (None: not at all), and what was found in it."""

    seen: Seen | None = None
    found: tuple[tuple[Any, ...], ...] = ()  # rows of a FIDELITY_FRAME


def known_of(store: Store, files: Iterable[DataFile], source: str | None) -> dict[str, Known]:
    """By the place's key what is known of each file under this source name, read through one connection."""
    if not store.exists():
        return {}
    with store.reading():
        return {
            file.place.key: Known(
                seen_of(store, file, source),
                tuple(store.read("fidelity_of_file", path=file.place.key, source=source).iter_rows()),
            )
            for file in files
        }


def seen_of(store: Store, file: DataFile, source: str | None) -> Seen | None:
    """How far the file was read under this source name; None where it was not, or where other files complete it."""
    if FORMATS[file.format].join is not nothing_to_join or file.place.spooled:
        return None
    rows = store.read("source_file", path=file.place.key, source=source or "")
    return Seen(*rows.row(0)) if rows.height else None


class Filing:
    """One file on its way into the warehouse: each batch is stored together with how far the reading has come."""

    def __init__(
        self,
        store: Store,
        file: DataFile,
        source: str | None,
        state: State,
        cursor: Cursor,
        report: Report,
        known: Known,
        way: str = "",
    ) -> None:
        """`way`: how the file is read, if not by itself."""
        self._store, self._file, self._source, self._cursor = store, file, source, cursor
        self._state, self.report = state, report
        self._format = FORMATS[file.format]
        self._reader = reader_of(self._format) + way
        self._finished = False
        self._tally = Tally()
        if report.state != "read" or file.place.spooled:
            self._tally.update(known.found)

    def add(self, part: Ingested) -> None:
        """One batch, in one transaction."""
        with self._store.write() as transaction:
            self.count(part, *insert(transaction, part))
            self.remember(transaction, finished=part.ends)

    def count(self, part: Ingested, new_traces: int, new_samples: int) -> None:
        """Counts what one batch holds of this file, and what of it was new."""
        self._tally.update(part.tally.rows())
        report = self.report
        report.records += part.traces.height + part.joined
        report.read += part.traces.height + part.joined
        report.joined += part.joined
        report.unreadable += len(part.problems)
        report.problems += [(p.line, p.error) for p in part.problems[: NAMED - len(report.problems)]]
        report.new_traces += new_traces
        report.new_samples += new_samples

    @property
    def reached(self) -> int:
        """How many bytes of the file have been read."""
        return self._cursor.reached

    def finish(self) -> None:
        """Writes down that the file has been read to its end, unless its last batch did."""
        if not self._finished and self.report.records:
            with self._store.write() as transaction:
                self.remember(transaction, finished=True)

    def summary(self) -> dict[str, Any]:
        """What reading the file found, as JSON values."""
        names = ("source", "what", "field", "records", "example_line")
        rows = (dict(zip(names, row, strict=True)) for row in self._tally.rows())
        return summary({**row, "path": self.report.path} for row in rows)

    def remember(self, transaction: Transaction, finished: bool) -> None:
        """Writes down how far the file has been read, and what was found in it."""
        place, source = self._file.place, self._source
        transaction.run("delete_fidelity", path=place.key, source=source)
        found = {"incoming": self._tally.frame()}
        transaction.run("insert_fidelity", found, path=place.key, format=self._format.name)
        if place.spooled:
            return
        consumed = self._cursor.offset if self._cursor.can_go_on and self._format.parts is None else 0
        transaction.run("delete_source_file", path=place.key, source=source or "")
        transaction.run(
            "insert_source_file",
            path=place.key,
            source=source or "",
            reader=self._reader,
            bytes=self._state.size,
            consumed=consumed,
            lines=self._cursor.line if consumed else 0,
            records=self.report.records,
            unreadable=self.report.unreadable,
            modified=self._state.modified if finished else None,
            digest=digest_of(place, consumed or self._state.size),
        )
        self._finished = finished


def insert(transaction: Transaction, part: Ingested) -> tuple[int, int]:
    """Stores what is new of a batch; returns how many traces and how many samples that were.

    Traces that are known from another reader become what this one makes of them.
    """
    traces = part.traces.unique("trace_key", keep="first", maintain_order=True) if part.repeats else part.traces
    new_traces = transaction.run("insert_trace", {"incoming": traces})
    if new_traces < traces.height:
        transaction.run("update_trace", {"incoming": traces})
    new_samples = transaction.run("insert_sample", {"incoming": part.samples})
    transaction.run("insert_sample_trace", {"incoming": part.links})
    return new_traces, new_samples
