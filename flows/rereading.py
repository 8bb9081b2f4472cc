"""Reads stored traces again with the readers of today: no file is needed, for every trace keeps its bytes."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from curation.fidelity import Tally
from curation.formats import FORMATS
from curation.ingest import Stored, read_stored
from flows import ingesting
from flows.filing import NAMED, Report, insert
from flows.ingesting import Ingestion
from flows.progress import say
from warehouse import Store

BATCH = 10_000  # traces
BATCH_BYTES = 64 * 2**20


def ingest(store: Store, paths: list[str], format: str, source: str | None, anew: bool) -> Ingestion:  # noqa: A002
    """What `curation ingest` does: reads files, and with `anew` the stored traces of each format that `paths` name.

    A file called like a format is the file.
    """
    stored = [path for path in paths if anew and path in FORMATS and not Path(path).exists()]
    files = [path for path in paths if path not in stored]
    done = ingesting.ingest(store, files, format, source, anew)
    return Ingestion([*done.reports, *(reread(store, name) for name in stored)], done.skipped, done.failures)


def reread(store: Store, format: str) -> Report:  # noqa: A002 - the option's name
    """Reads every stored trace of the format again: new samples and links are added, errors that are mended go.

    A sample that its trace no longer gives stays, and is `lineage.superseded` at the next check. Safe to interrupt and
    to run again.
    """
    report = Report("the warehouse", format, "reread")
    tallies: dict[str, Tally] = {}
    sizes = store.read("stored_sizes", format=format)
    for first, last in stretches(sizes):
        rows = store.read("stored_traces", format=format, first=first, last=last)
        part = read_stored(format, (Stored(*row) for row in rows.iter_rows()))
        for path, tally in part.tallies.items():
            tallies.setdefault(path, Tally()).update(tally.rows())
        with store.write() as transaction:
            _, new_samples = insert(transaction, part.ingested)
        report.new_samples += new_samples
        report.records += rows.height
        report.read += rows.height
        report.unreadable += len(part.ingested.problems)
        report.problems += [(p.line, p.error) for p in part.ingested.problems[: NAMED - len(report.problems)]]
        say("reread", report.read, sizes.height)
    replace_fidelity(store, format, tallies)
    return report


def stretches(sizes: pl.DataFrame) -> Iterator[tuple[int, int]]:
    """(first, last) positions of traces that are read together: at most BATCH, and BATCH_BYTES unless one alone is more."""
    first = last = None
    count = held = 0
    for position, size in sizes.iter_rows():
        if first is not None and last is not None and (count == BATCH or held + size > BATCH_BYTES):
            yield first, last
            first, count, held = None, 0, 0
        first = position if first is None else first
        last, count, held = position, count + 1, held + size
    if first is not None and last is not None:
        yield first, last


def replace_fidelity(store: Store, format: str, tallies: dict[str, Tally]) -> None:  # noqa: A002
    """What was lost, and which outcomes are told, as the present reader finds it; how many records there were stays."""
    with store.write() as transaction:
        transaction.run("delete_fidelity_of_format", format=format)
        for path, tally in tallies.items():
            found = tally.frame().filter(~pl.col("what").is_in(["read", "joined"]))
            transaction.run("insert_fidelity", {"incoming": found}, path=path, format=format)
