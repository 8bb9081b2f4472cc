"""The parts of one trace, scattered over the records of a file or of several, come together as one record."""

import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, NamedTuple

import orjson

from curation.errors import FormatError
from curation.formats.reading import Record
from curation.formats.strict import parse

IN_MEMORY = 32 * 2**20  # bytes of parts that are kept in memory; more of them lie in a temporary file

Parts = Callable[[Record], Iterable[tuple[str | None, Record]]]


class Gathered(NamedTuple):
    """One trace of a file, or one record that holds no parts of any (`unreadable`).

    `line` is that of the first record that holds a part of it, `raw` the JSON text `{"parts": [part, …]}`, in which
    each part stands once, in an order that does not depend on the file's. `joined` has the lines of the records that
    were joined into this trace without beginning one of their own, so that over a whole file the lines of all traces
    and all that were joined are the records of the file.
    """

    line: int
    raw: bytes
    joined: Sequence[int] = ()
    unreadable: bool = False


@dataclass(slots=True)
class _Scattered:
    """Where the parts of one trace lie: offset and length by turns."""

    line: int
    places: "array[int]" = field(default_factory=lambda: array("q"))
    joined: "array[int]" = field(default_factory=lambda: array("q"))


def gather(numbered: Iterable[tuple[int, bytes]], parts: Parts) -> Iterator[Gathered]:
    """Every trace that the records hold, in the order in which they begin; unreadable records come first.

    Traces come only after the last record, because it may hold a part of any of them. `parts` as in
    curation.formats.reading.Format; whatever it raises for a record makes that record unreadable.
    """
    found: dict[str | int, _Scattered] = {}  # a part without a trace's id is a trace of its own
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
        for line, raw in numbered:
            listed = _listed(raw, parts)
            if listed is None:
                yield Gathered(line, raw, unreadable=True)
                continue
            begun = len(found)
            for trace_id, part in listed:
                scattered = found.setdefault(len(found) if trace_id is None else trace_id, _Scattered(line))
                scattered.places.extend((spool.tell(), spool.write(part)))
            if len(found) == begun:
                scattered.joined.append(line)
        for scattered in found.values():
            yield Gathered(scattered.line, _whole(spool, scattered.places), scattered.joined)


def _listed(raw: bytes, parts: Parts) -> list[tuple[str | None, bytes]] | None:
    """The parts of one record as JSON text; None where it has none, which its reader will say in its own words."""
    try:
        listed = [(trace_id, orjson.dumps(part)) for trace_id, part in parts(parse(raw))]
    except FormatError:
        return None
    except Exception:  # a reader's mistake must cost one record, not the run
        return None
    return listed or None


def _whole(spool: IO[bytes], places: "array[int]") -> bytes:
    """The parts at these places as one record, each once and sorted: two exports of one trace give the same bytes."""
    written = set()
    for i in range(0, len(places), 2):
        spool.seek(places[i])
        written.add(spool.read(places[i + 1]))
    return b'{"parts":[' + b",".join(sorted(written)) + b"]}"
