"""A file of traces becomes its records, each with its own bytes and the line that it begins on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson

from curation.formats import remote, sheet
from curation.formats.opening import Place, kind_of, opened, unreadable
from curation.formats.table import rows

BOM = b"\xef\xbb\xbf"

Numbered = tuple[int, bytes]

# A string (to its end, or to the end of the data), or one of the characters that give JSON its structure.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[\[\]{},]', re.DOTALL)


@dataclass(slots=True)
class Cursor:
    """How far a file has been read: `offset` bytes and `line` lines lie behind, so that a later reading can go on there.

    `can_go_on` is false for a file that is only ever read whole: compressed, Parquet, CSV, an array, printed objects.
    """

    offset: int = 0
    line: int = 0
    can_go_on: bool = False
    source: BinaryIO | None = field(default=None, compare=False, repr=False)
    ended: int = 0

    @property
    def reached(self) -> int:
        """About how many of the file's bytes, as they lie there, have been read; 0 where that is not known."""
        return self.ended if self.source is None or self.source.closed else self.source.tell()


def records(source: Path | Place, cursor: Cursor | None = None) -> Iterator[Numbered]:
    """Each record of the file as (line number from 1, its bytes verbatim, without the line's end).

    Three ways of writing are told apart by the first lines: JSON lines (read one at a time, whatever the file's
    size), a JSON array of records, and objects printed over several lines. Blank lines are no records. A broken
    array gives its whole elements, then one record with the rest. All three may be compressed with gzip or zstd. The
    rows of a Parquet file are records too, numbered from 1, each written as JSON; so are those of a file that is called CSV.

    Reading begins where `cursor` stands, and moves it. A last line without its newline is always read; the cursor
    goes behind it only if it is a whole object, for otherwise it may still be being written. Raises InputError where the
    file cannot be opened, or not be read to its end.
    """
    place = source if isinstance(source, Place) else Place(str(source), source)
    cursor = Cursor() if cursor is None else cursor
    try:
        kind = kind_of(place)
        if kind == "parquet":
            yield from rows(place)
            return
        layout = "lines" if cursor.offset else _layout(place, kind)
        cursor.can_go_on = kind == "plain" and layout == "lines"
        with opened(place, kind) as (file, cursor.source):
            if layout == "lines":
                yield from _lines(file, cursor)
            elif layout == "sheet":
                yield from sheet.rows(place, file)
            else:
                data = file.read().removeprefix(BOM)
                yield from _elements(data) if layout == "array" else _objects(data)
            cursor.source, cursor.ended = None, cursor.reached
    except OSError as error:
        raise (remote.explain(place.name, error) if place.remote else unreadable(place, error)) from None
    except Exception as error:
        if not place.remote:
            raise
        raise remote.explain(place.name, error) from None


def _lines(file: BinaryIO, cursor: Cursor) -> Iterator[Numbered]:
    if cursor.offset:
        file.seek(cursor.offset)
    for number, line in enumerate(file, cursor.line + 1):
        ended = line.endswith(b"\n")
        record = line.removesuffix(b"\n").removesuffix(b"\r")
        if number == 1:
            record = record.removeprefix(BOM)
        if ended:
            cursor.offset, cursor.line = cursor.offset + len(line), number
        elif record.rstrip().endswith(b"}") and _is_whole(record):
            cursor.offset, cursor.line = cursor.offset + len(line), number - 1  # what may follow is still this line
        if record and not record.isspace():
            yield number, record
        if not ended:
            return  # what is written to the file while it is read is for the next time


def _layout(place: Place, kind: str) -> str:
    """`lines`, `array`, `objects` or `sheet`, from the first two lines that are not blank."""
    with opened(place, kind) as (file, _):
        head = [record.strip() for _, (_, record) in zip(range(2), _lines(file, Cursor()), strict=False)]
    first = head[0] if head else b""
    second = head[1] if len(head) > 1 else b""
    if sheet.is_sheet(place, first):
        return "sheet"
    if first.startswith(b"["):
        return "lines" if second and _is_whole(first) else "array"
    if first.startswith(b"{") and second and not _is_whole(first) and _goes_on(first, second):
        return "objects"
    return "lines"


def _is_whole(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _goes_on(first: bytes, second: bytes) -> bool:
    """Whether `second` continues the object that `first` begins; a line cut short is followed by another record."""
    if first.endswith((b"{", b",")):
        return second.startswith((b'"', b"}"))
    return first.endswith((b"[", b":")) and not _is_whole(second.removesuffix(b","))


def _elements(data: bytes) -> Iterator[Numbered]:
    """The elements of the array in `data`, cut at the commas between them without being parsed."""
    begin = data.index(b"[") + 1
    count = _LineCounter(data)
    depth = 0
    for token in _TOKEN.finditer(data, begin):
        mark = token[0]
        if mark in b"[{":
            depth += 1
        elif depth and mark in b"]}":
            depth -= 1
        elif depth == 0 and mark in (b",", b"]"):
            yield from count.numbered(begin, token.start())
            begin = token.end()
            if mark == b"]":
                break
    yield from count.numbered(begin, len(data))


def _objects(data: bytes) -> Iterator[Numbered]:
    """The objects that follow one another in `data`, separated by nothing but space."""
    begin = 0
    count = _LineCounter(data)
    depth = 0
    for token in _TOKEN.finditer(data):
        mark = token[0]
        if mark in b"[{":
            depth += 1
        elif depth and mark in b"]}":
            depth -= 1
            if depth == 0:
                yield from count.numbered(begin, token.end())
                begin = token.end()
    yield from count.numbered(begin, len(data))


class _LineCounter:
    """Cuts records out of `data`, front to back, and counts the lines before each."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._counted = 0
        self._line = 1

    def numbered(self, begin: int, end: int) -> Iterator[Numbered]:
        """The record between two offsets, without the space around it; nothing where there is only space."""
        piece = self._data[begin:end]
        record = piece.strip()
        if not record:
            return
        start = begin + len(piece) - len(piece.lstrip())
        self._line += self._data.count(b"\n", self._counted, start)
        self._counted = start
        yield self._line, record
