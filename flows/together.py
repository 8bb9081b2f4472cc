"""Files whose traces reach over one another, such as the rotated files of a collector, are read as if they were one."""

from collections.abc import Callable
from typing import Any

from curation.errors import InputError
from curation.formats import FORMATS
from curation.formats.lines import Cursor
from curation.formats.opening import state_of
from curation.ingest import DataFile, read_together
from curation.progress import where_to_begin
from flows.filing import Filing, Known, Report, insert, reader_of
from warehouse import Store

TOGETHER = ", with its folder"  # after the reader's name: what was read alone before is read again with the others


def together(files: list[DataFile]) -> list[list[DataFile]]:
    """The files in the groups that are read as one: those of one folder whose format writes a trace in parts."""
    groups: dict[Any, list[DataFile]] = {}
    for file in files:
        reaches = file.within is not None and FORMATS[file.format].parts is not None
        groups.setdefault((file.within, file.format) if reaches else file.place.key, []).append(file)
    return list(groups.values())


def ingest_together(
    store: Store,
    files: list[DataFile],
    source: str | None,
    known: list[Known],
    anew: bool,
    done: Callable[[DataFile], None],
) -> tuple[list[Report], str | None]:
    """Stores what the files hold: nothing where none is new and none has changed, else all of them are read from their start.

    They are remembered together, once all have been read to their end: interrupted, the next run reads them again, and
    what is stored already is nothing new. Returns the reports, and why a file could not be read to its end, if one could
    not; `done` is told each file once it has been read.
    """
    reader = reader_of(FORMATS[files[0].format]) + TOGETHER
    states = [state_of(file.place) for file in files]
    seens = [None if anew else each.seen for each in known]
    begins = (where_to_begin(*each, reader) for each in zip((file.place for file in files), states, seens, strict=True))
    unchanged = all(cursor is None for cursor in begins)
    filings: dict[str, Filing] = {}
    for file, state, seen, before in zip(files, states, seens, known, strict=True):
        report = Report(file.place.name, file.format)
        if unchanged and seen is not None:
            report.state, report.records, report.unreadable = "unchanged", seen.records, seen.unreadable
        filings[file.place.key] = Filing(store, file, source, state, Cursor(), report, before, TOGETHER)
    failure = None
    try:
        for batch in () if unchanged else read_together(files, source, done):
            with store.write() as transaction:
                for key, part in batch.items():
                    filings[key].count(part, *insert(transaction, part))
    except InputError as error:
        failure = str(error)
    if not unchanged:
        with store.write() as transaction:
            for filing in filings.values():
                filing.remember(transaction, finished=failure is None)
    for filing in filings.values():
        filing.report.fidelity = filing.summary()
    return [filing.report for filing in filings.values()], failure
