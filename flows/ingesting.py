"""Brings traces into the warehouse: every record of every file, readable or not, once, and of a known file what is new."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from curation.errors import InputError
from curation.formats import FORMATS
from curation.formats.lines import Cursor
from curation.formats.opening import state_of
from curation.ingest import DataFile, Skipped, discover, read
from curation.progress import where_to_begin
from flows.filing import Filing, Known, Report, known_of, reader_of
from flows.progress import say
from flows.together import ingest_together, together
from warehouse import Store


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
    known = known_of(store, found.files, source)
    sizes = {file.place.key: size_of(file) for file in found.files}
    behind, total = 0, sum(sizes.values())

    def of(file: DataFile) -> Known:
        return known.get(file.place.key, Known())

    def told(file: DataFile) -> None:
        nonlocal behind
        behind += sizes[file.place.key]
        say("ingest", behind, total)

    for files in together(found.files):
        try:
            if len(files) == 1:
                done.reports.append(ingest_file(store, files[0], source, of(files[0]), anew, Way(behind, total)))
                told(files[0])
            else:
                reports, failure = ingest_together(store, files, source, list(map(of, files)), anew, told)
                done.reports += reports
                done.failures += [failure] if failure else []
        except InputError as error:
            done.failures.append(str(error))
    say("ingest", total, total)
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


def ingest_file(
    store: Store, file: DataFile, source: str | None, known: Known, anew: bool = False, way: Way = ALONE
) -> Report:
    """Stores what one file holds beyond what was read of it before; `anew`: whatever that was."""
    seen = None if anew else known.seen
    reader = reader_of(FORMATS[file.format])
    state = state_of(file.place)
    cursor = where_to_begin(file.place, state, seen, reader)
    report = Report(file.place.name, file.format)
    if seen is not None and (cursor is None or cursor.offset):
        report.state = "unchanged" if cursor is None else "continued"
        report.records, report.unreadable = seen.records, seen.unreadable
    filing = Filing(store, file, source, state, cursor or Cursor(), report, known)
    if cursor is not None:
        for part in read(file, source, cursor=cursor):
            filing.add(part)
            say("ingest", way.behind + filing.reached, way.total)
        filing.finish()
    report.fidelity = filing.summary()
    if not report.records:
        raise InputError(f"{file.place.name} holds no records; name a file with one JSON record a line")
    return report
