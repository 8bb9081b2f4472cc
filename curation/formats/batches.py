"""A provider's batch is two files, what was asked and what was answered: `custom_id` brings the two together again."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

import orjson

from curation.errors import FormatError, InputError
from curation.formats.lines import records
from curation.formats.opening import may_hold_traces
from curation.formats.reading import Record
from curation.formats.strict import parse

ID = "custom_id"
ASKED = ("body", "params")  # OpenAI's word for the request, Anthropic's
ANSWERED = ("response", "result", "error")
IN_MEMORY = 32 * 2**20  # bytes of requests that are kept in memory; more of them lie in a temporary file


class Halves(NamedTuple):
    """The files of one folder that hold one half of a batch each."""

    asked: tuple[Path, ...]
    answered: tuple[Path, ...]


def is_request_alone(record: Record) -> bool:
    """A line of a batch's input: a request under its id, and no word of an answer."""
    return _has(record, ASKED) and not any(key in record for key in ANSWERED)


def is_answer_alone(record: Record) -> bool:
    """A line of a batch's output: an answer under the id of a request that stands elsewhere."""
    return _has(record, ANSWERED) and not any(key in record for key in (*ASKED, "request", "messages"))


def completes_answers(path: Path, first: Record) -> bool:
    """Whether the file holds the requests whose answers lie in another file of its folder."""
    if not is_request_alone(first):
        return False
    wanted = {record[ID] for file in _halves(path.parent).answered for record in _first(file)}
    return bool(wanted) and any(record.get(ID) in wanted for record in _parsed(path))


def with_request(path: Path) -> Callable[[Record], Record]:
    """Puts beside each answer of the file the request that the batch's input, in the same folder, has under its id.

    A record that is whole already comes back as the same object, and so does an answer that nobody there asked for.
    """
    requests: list[_Requests] = []

    def complete(record: Record) -> Record:
        if ID not in record or not is_answer_alone(record):
            return record
        if not requests:
            requests.append(_Requests(_halves(path.parent).asked))
        return {**requests[0].of(record[ID]), **record}

    return complete


class _Requests:
    """The requests of some files by their id, read no further than they have been asked for."""

    def __init__(self, files: tuple[Path, ...]) -> None:
        self._unread = (record for file in files for record in _parsed(file) if is_request_alone(record))
        self._spool = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  lives as long as the reading does
        self._places: dict[str, tuple[int, int]] = {}

    def of(self, custom_id: str) -> Record:
        """What was asked under this id; empty where nothing was."""
        while custom_id not in self._places and (record := next(self._unread, None)) is not None:
            end = self._spool.seek(0, 2)
            kept = {key: record[key] for key in ASKED if key in record}
            self._places.setdefault(record[ID], (end, self._spool.write(orjson.dumps(kept))))
        if custom_id not in self._places:
            return {}
        offset, length = self._places[custom_id]
        self._spool.seek(offset)
        found: Record = orjson.loads(self._spool.read(length))
        return found


def _has(record: Record, keys: tuple[str, ...]) -> bool:
    return isinstance(record.get(ID), str) and any(isinstance(record.get(key), dict) for key in keys)


def _halves(folder: Path) -> Halves:
    """The halves of batches in a folder, looked for again when a file has come or gone there; a URL has no folder here."""
    return _found(folder, folder.stat().st_mtime_ns) if folder.is_dir() else Halves((), ())


@lru_cache(maxsize=1)
def _found(folder: Path, changed: int) -> Halves:
    asked, answered = [], []
    for file in sorted(folder.iterdir()):
        if file.is_file() and may_hold_traces(file.name):
            for record in _first(file):
                if is_request_alone(record):
                    asked.append(file)
                elif is_answer_alone(record):
                    answered.append(file)
    return Halves(tuple(asked), tuple(answered))


def _first(file: Path) -> list[Record]:
    """The first readable record of a file, if it has one."""
    return list(islice(_parsed(file), 1))


def _parsed(file: Path) -> Iterator[Record]:
    """Every readable record; what cannot be read is told when the file itself is."""
    try:
        for _, raw in records(file):
            try:
                yield parse(raw)
            except FormatError:
                continue
    except InputError:
        return
