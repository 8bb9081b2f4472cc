"""Files of traces become frames: every record is a trace, and every readable trace gives its samples."""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
import polars as pl

from curation.credentials import mask
from curation.discover import DataFile, Discovered, Skipped, discover
from curation.errors import FormatError, InputError
from curation.fidelity import Tally
from curation.formats import FORMATS
from curation.formats.lines import Cursor, records
from curation.formats.reading import Format, Reading, Record, nothing_to_join
from curation.formats.strict import parse
from curation.gathering import Gathered, gather
from curation.sample import SAMPLE_FRAME, Draft, as_uuid, categorise, count_steps, dumps, identify, request_of

__all__ = ["DataFile", "Discovered", "Ingested", "Problem", "Skipped", "discover", "read"]

TRACE_FRAME: dict[str, pl.DataType] = {
    "trace_key": pl.String(),  # UUID text: 128 bits of BLAKE2b over source and raw
    "trace_id": pl.String(),
    "format": pl.String(),
    "source": pl.String(),
    "path": pl.String(),
    "line": pl.Int64(),
    "timestamp": pl.Datetime("us", "UTC"),
    "conversation": pl.String(),
    "tenant": pl.String(),
    "metadata": pl.String(),  # JSON object, or null where there is nothing to say
    "received_at": pl.Datetime("us", "UTC"),
    "raw": pl.Binary(),
    "error": pl.String(),
    "reader": pl.String(),  # format and its version
}

LINK_FRAME: dict[str, pl.DataType] = {
    "sample_id": pl.String(),
    "trace_key": pl.String(),
    "reader": pl.String(),  # format and its version
}

DEFAULT_SOURCE = "production"
BATCH_BYTES = 64 * 2**20  # a batch ends early when its records are this large together: memory stays bounded
ERROR_SHOWN = 300  # characters of an error that nobody foresaw

Row = tuple[Any, ...]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Problem(NamedTuple):
    """A record that could not be read."""

    path: str
    line: int
    error: str


@dataclass(frozen=True, slots=True)
class Ingested:
    """One batch of one file.

    `traces` (TRACE_FRAME) has one row per record, or per trace where a format writes one as many records; `joined`
    counts the records that went into the trace of another one. `samples` (SAMPLE_FRAME) one per distinct sample, in which
    `messages` is null for a plan that is a turn of a trajectory; `links` (LINK_FRAME) says which traces hold which
    samples. `repeats` counts the records whose bytes had already come in this batch. `tally` counts what was lost and
    which outcomes are told. `ends`: the file has no more.
    """

    traces: pl.DataFrame
    samples: pl.DataFrame
    links: pl.DataFrame
    problems: list[Problem]
    repeats: int
    tally: Tally
    ends: bool = False
    joined: int = 0


def read(
    file: DataFile, source: str | None, batch_size: int = 10_000, cursor: Cursor | None = None
) -> Iterator[Ingested]:
    """The file in batches of at most `batch_size` records, from where `cursor` stands; it moves behind each batch.

    `source` is the name of where the traces come from; None: what each record says itself, else `production`.
    A record that cannot be read is a trace with its error and without samples. Raises InputError where the file, or
    one that completes it, cannot be read at all.
    """
    format_ = FORMATS[file.format]
    join = None if format_.join is nothing_to_join else format_.join(file.path)
    name = file.place.key
    batch = _Batch(format_, join, name, source)
    for piece in _pieces(format_, records(file.place, cursor if format_.parts is None else None)):
        batch.add(piece.line, piece.raw, ((batch.tally, line) for line in piece.joined))
        if len(batch) >= batch_size or batch.bytes >= BATCH_BYTES:
            yield batch.ingested()
            batch = _Batch(format_, join, name, source)
    if len(batch):
        yield batch.ingested(ends=True)


def read_together(
    files: Sequence[DataFile], source: str | None, done: Callable[[DataFile], None], batch_size: int = 10_000
) -> Iterator[dict[str, Ingested]]:
    """Files of one format that writes traces in parts, read as if they were one file, so that a trace may lie in several.

    Each batch comes as what it holds of each file, by the file's key. A trace belongs to the file in which it begins, in
    the order of the keys, with its line there; that order changes nothing else. `done` is told each file once it has
    been read. Raises InputError in the end, if a file could not be read: what was read of all of them has come by then.
    """
    format_ = FORMATS[files[0].format]
    if format_.parts is None:
        raise ValueError(f"a record of {format_.name} is a whole trace")
    numbered = _Numbered(sorted(files, key=lambda file: file.place.key), done)
    tallies: dict[str, Tally] = {}
    batch = _Batch(format_, None, "", source)
    for piece in gather(numbered.records(), format_.parts):
        path, line = numbered.where(piece.line)
        batch.move_to(path, source, tallies.setdefault(path, Tally()))
        places = (numbered.where(each) for each in piece.joined)
        batch.add(line, piece.raw, ((tallies.setdefault(other, Tally()), number) for other, number in places))
        if len(batch) >= batch_size or batch.bytes >= BATCH_BYTES:
            yield _by_file(batch.ingested(), tallies)
            batch, tallies = _Batch(format_, None, "", source), {}
    yield _by_file(batch.ingested(), tallies)
    if numbered.failure is not None:
        raise numbered.failure


def _by_file(batch: Ingested, tallies: dict[str, Tally]) -> dict[str, Ingested]:
    """What a batch holds of each of the files that `tallies` names."""
    found = {}
    for path, tally in tallies.items():
        traces = batch.traces.filter(pl.col("path") == path)
        links = batch.links.join(traces, on="trace_key", how="semi")
        samples = batch.samples.join(links, on="sample_id", how="semi")
        problems = [problem for problem in batch.problems if problem.path == path]
        joined = sum(records for _, what, _, records, _ in tally.rows() if what == "joined")
        found[path] = Ingested(traces, samples, links, problems, batch.repeats, tally, joined=joined)
    return found


class _Numbered:
    """The records of several files, their lines numbered through, and the way back from such a number."""

    def __init__(self, files: Sequence[DataFile], done: Callable[[DataFile], None]) -> None:
        self._files, self._done = files, done
        self._begins: list[int] = []
        self.failure: InputError | None = None

    def records(self) -> Iterator[tuple[int, bytes]]:
        last = 0
        for file in self._files:
            begin = last
            self._begins.append(begin)
            try:
                for line, raw in records(file.place):
                    last = begin + line
                    yield last, raw
            except InputError as error:  # one file must keep no other from being read
                self.failure = self.failure or error
            self._done(file)

    def where(self, number: int) -> tuple[str, int]:
        """The key of the file and the line in it."""
        i = bisect_right(self._begins, number - 1) - 1
        return self._files[i].place.key, number - self._begins[i]


def _pieces(format_: Format, numbered: Iterable[tuple[int, bytes]]) -> Iterator[Gathered]:
    """The traces of a file: each record by itself, or gathered from the parts that the records hold."""
    if format_.parts is not None:
        return gather(numbered, format_.parts)
    return (Gathered(line, raw) for line, raw in numbered)


class Stored(NamedTuple):
    """A trace as the warehouse holds it."""

    path: str
    line: int
    source: str
    raw: bytes


class Reread(NamedTuple):
    """A batch of stored traces, read again, with what was lost and told for each of their paths."""

    ingested: Ingested
    tallies: dict[str, Tally]


def read_stored(format_name: str, stored: Iterable[Stored]) -> Reread:
    """Stored traces of one format as its present reader reads them; their keys stay what they are."""
    batch = _Batch(FORMATS[format_name], None, "", None)
    tallies: dict[str, Tally] = {}
    for trace in stored:
        batch.move_to(trace.path, trace.source, tallies.setdefault(trace.path, Tally()))
        batch.add(trace.line, trace.raw)
    return Reread(batch.ingested(), tallies)


class _Batch:
    """The rows of a batch, kept as columns of plain values: no parsed record outlives its turn."""

    def __init__(self, format_: Format, join: Callable[[Record], Record] | None, path: str, source: str | None) -> None:
        self._format, self._join, self._path, self._source = format_, join, path, source
        self._reader = f"{format_.name} {format_.version}"
        self._received_at = _microseconds(datetime.now(UTC))
        self._traces: list[Row] = []
        self._samples: list[Row] = []
        self._links: dict[Row, None] = {}
        self._sample_ids: set[str] = set()
        self._keys: set[str] = set()
        self._problems: list[Problem] = []
        self.tally = Tally()
        self._joined = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._traces)

    def move_to(self, path: str, source: str | None, tally: Tally) -> None:
        """What is added next comes from there, and is counted there."""
        self._path, self._source, self.tally = path, source, tally

    def add(self, line: int, raw: bytes, joined: Iterable[tuple[Tally, int]] = ()) -> None:
        """One more record; `joined`: the others that went into it, each with its file's tally and its line."""
        raw, reading = self._read(line, raw)
        source = self._source or (reading.source if isinstance(reading, Reading) else None) or DEFAULT_SOURCE
        key = _trace_key(source, raw)
        error = None if isinstance(reading, Reading) else reading
        said = reading if isinstance(reading, Reading) else Reading(())
        timestamp = None if said.timestamp is None else _microseconds(datetime.fromisoformat(said.timestamp))
        row = (
            *(key, said.trace_id, self._format.name, source, self._path, line, timestamp),
            *(said.conversation, said.tenant, dumps(said.metadata) if said.metadata else None),
            *(self._received_at, raw, error, self._reader),
        )
        self._traces.append(row)
        self._keys.add(key)
        self.tally.add(source, line, None if error else said)
        for tally, other in joined:
            self._joined += 1
            tally.count(source, "read", "", other)
            tally.count(source, "joined", "", other)
        self.bytes += len(raw)
        if error is not None:
            self._problems.append(Problem(self._path, line, error))
        ids: list[str] = []
        for draft in said.drafts:
            ids.append(self._add_sample(draft, ids, said.trace_id, source, timestamp))
            self._links[(ids[-1], key)] = None

    def _read(self, line: int, raw: bytes) -> tuple[bytes, Reading | str]:
        """The bytes to keep, and the reading or the sentence that says why there is none."""
        try:
            record = parse(raw)
            if self._join is not None:
                whole = self._join(record)
                if whole is not record:
                    record, raw = whole, orjson.dumps(whole)
            return raw, self._format.read(record)
        except FormatError as error:
            return raw, mask(f"{self._format.name}: {error}")
        except InputError:
            raise
        except Exception as error:  # a reader's mistake must cost one record its samples, not the run
            return raw, mask(f"{self._format.name}: {type(error).__name__}: {error}"[:ERROR_SHOWN])

    def _add_sample(
        self, draft: Draft, ids: list[str], trace_id: str | None, source: str, timestamp: int | None
    ) -> str:
        messages = dumps(draft.messages)
        candidates = None if draft.candidates is None else dumps(draft.candidates)
        sample_id = identify(draft.kind, messages, candidates, draft.thinking, draft.plan)
        if sample_id in self._sample_ids:
            return sample_id
        self._sample_ids.add(sample_id)
        n_steps = count_steps(draft.plan)
        parent_id = None if draft.parent is None else ids[draft.parent]
        row = (
            *(sample_id, trace_id, parent_id, draft.turn, draft.kind, source, timestamp),
            *(request_of(draft.messages), None if parent_id else messages, candidates, draft.thinking, draft.plan),
            *(n_steps, categorise(draft.messages, n_steps), self._received_at),
        )
        self._samples.append(row)
        return sample_id

    def ingested(self, ends: bool = False) -> Ingested:
        """The batch as frames."""
        links = [(*link, self._reader) for link in self._links]
        return Ingested(
            _frame(self._traces, TRACE_FRAME),
            _frame(self._samples, SAMPLE_FRAME),
            _frame(links, LINK_FRAME),
            self._problems,
            len(self) - len(self._keys),
            self.tally,
            ends,
            self._joined,
        )


def _frame(rows: list[Row], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """The rows as a frame; times are given in microseconds since 1970."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    series = (
        pl.Series(name, column, pl.Int64() if kind == pl.Datetime else kind).cast(kind)
        for (name, kind), column in zip(schema.items(), columns, strict=True)
    )
    return pl.DataFrame(series)


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def _trace_key(source: str, raw: bytes) -> str:
    """128 bits of BLAKE2b over the source's name, its end, and the bytes."""
    digest = hashlib.blake2b(source.encode() + b"\0", digest_size=16)
    digest.update(raw)
    return as_uuid(digest.hexdigest())
