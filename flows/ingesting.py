"""Brings traces into the warehouse: every record of every file, readable or not, once, and of a known file what is new."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from curation.errors import InputError
from curation.fidelity import Tally, summary
from curation.formats import FORMATS
from curation.formats.lines import Cursor
from curation.formats.opening import State, state_of
from curation.formats.reading import Format, nothing_to_join
from curation.ingest import DataFile, Ingested, Skipped, discover, read
from curation.progress import Seen, digest_of, where_to_begin
from flows.progress import say
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


@dataclass
class Ingestion:
    """What one ingest did."""

    reports: list[Report]
    skipped: list[Skipped]  # files of a folder that are not traces, with why
    failures: list[str] = field(default_factory=list)  # files that could not be read to their end

    @property
    def new_traces(self) -> int:
        """Traces that the warehouse did not hold before."""
        return sum(report.new_traces for report in self.reports)

    @property
    def warnings(self) -> list[str]:
        """A sentence for each file that held unreadable records, and for each that was left out."""
        unreadable = [warning for report in self.reports if (warning := report.warning())]
        return [*unreadable, *(f"{skipped.place.name} is left out: {skipped.why}" for skipped in self.skipped)]

    @property
    def unreadable(self) -> int:
        """Records that could not be read, now or before."""
        return sum(report.unreadable for report in self.reports)

    def require_whole(self) -> None:
        """Raises InputError where a file could not be read; all others are in."""
        if self.failures:
            rest = len(self.failures) - 1
            more = f"; nor can {rest} more files" if rest else ""
            raise InputError(f"{self.failures[0]}{more}; everything else is kept")


def ingest(
    store: Store,
    paths: Iterable[str],
    format: str = "auto",  # noqa: A002 - the option's name
    source: str | None = None,
    anew: bool = False,
) -> Ingestion:
    """Reads what is new in the files and folders, and stores it, one short transaction per batch.

    `anew` reads files from their start that are known and unchanged. Raises InputError for a path that is missing or
    holds no traces, before anything is written; a file that breaks off later is among the `failures`.
    """
    found = discover([str(path) for path in paths], format)
    done = Ingestion([], list(found.skipped))
    sizes = [size_of(file) for file in found.files]
    for i, file in enumerate(found.files):
        try:
            done.reports.append(ingest_file(store, file, source, anew, Way(sum(sizes[:i]), sum(sizes))))
        except InputError as error:
            done.failures.append(str(error))
        say("ingest", sum(sizes[: i + 1]), sum(sizes))
    return done


class Way(NamedTuple):
    """How far all files are: the bytes of those before this one, and of all."""

    behind: int = 0
    total: int | None = None


ALONE = Way()  # of a file that is read by itself


def size_of(file: DataFile) -> int:
    """The file's bytes, as far as progress needs to know: one that is gone by now will say so when it is read."""
    try:
        return state_of(file.place).size
    except InputError:
        return 0


def ingest_file(store: Store, file: DataFile, source: str | None, anew: bool = False, way: Way = ALONE) -> Report:
    """Stores what one file holds beyond what was read of it before."""
    known = None if anew else seen_of(store, file, source)
    reader = reader_of(FORMATS[file.format])
    state = state_of(file.place)
    cursor = where_to_begin(file.place, state, known, reader)
    report = Report(file.place.name, file.format)
    if known is not None and (cursor is None or cursor.offset):
        report.state = "unchanged" if cursor is None else "continued"
        report.records, report.unreadable = known.records, known.unreadable
    filing = Filing(store, file, source, state, cursor or Cursor(), report)
    if cursor is not None:
        for part in read(file, source, cursor=cursor):
            filing.add(part)
            say("ingest", way.behind + filing.reached, way.total)
        filing.finish()
    report.fidelity = filing.summary()
    if not report.records:
        raise InputError(f"{file.place.name} holds no records; name a file with one JSON record a line")
    return report


def reader_of(format_: Format) -> str:
    """How links and files name a reader: the format and its version."""
    return f"{format_.name} {format_.version}"


def seen_of(store: Store, file: DataFile, source: str | None) -> Seen | None:
    """How far the file was read under this source name; None where it was not, or where other files complete it."""
    if not store.exists() or FORMATS[file.format].join is not nothing_to_join or file.place.spooled:
        return None
    rows = store.read("source_file", path=file.place.key, source=source or "")
    return Seen(*rows.row(0)) if rows.height else None


class Filing:
    """One file on its way into the warehouse: each batch is stored together with how far the reading has come."""

    def __init__(
        self, store: Store, file: DataFile, source: str | None, state: State, cursor: Cursor, report: Report
    ) -> None:
        self._store, self._file, self._source, self._cursor = store, file, source, cursor
        self._state, self._report = state, report
        self._format = FORMATS[file.format]
        self._reader = reader_of(self._format)
        self._finished = False
        self._tally = Tally()
        if store.exists() and (report.state != "read" or file.place.spooled):
            self._tally.update(store.read("fidelity_of_file", path=file.place.key, source=source).iter_rows())

    def add(self, part: Ingested) -> None:
        """One batch, in one transaction."""
        self._tally.update(part.tally.rows())
        report = self._report
        report.records += part.traces.height + part.joined
        report.read += part.traces.height + part.joined
        report.joined += part.joined
        report.unreadable += len(part.problems)
        report.problems += [(p.line, p.error) for p in part.problems[: NAMED - len(report.problems)]]
        with self._store.write() as transaction:
            new_traces, new_samples = insert(transaction, part)
            self._remember(transaction, finished=part.ends)
        report.new_traces += new_traces
        report.new_samples += new_samples

    @property
    def reached(self) -> int:
        """How many bytes of the file have been read."""
        return self._cursor.reached

    def finish(self) -> None:
        """Writes down that the file has been read to its end, unless its last batch did."""
        if not self._finished and self._report.records:
            with self._store.write() as transaction:
                self._remember(transaction, finished=True)

    def summary(self) -> dict[str, Any]:
        """What reading the file found, as JSON values."""
        names = ("source", "what", "field", "records", "example_line")
        rows = (dict(zip(names, row, strict=True)) for row in self._tally.rows())
        return summary({**row, "path": self._report.path} for row in rows)

    def _remember(self, transaction: Transaction, finished: bool) -> None:
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
            records=self._report.records,
            unreadable=self._report.unreadable,
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
