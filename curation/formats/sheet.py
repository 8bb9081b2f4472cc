"""The rows of a CSV file become records: a row is a JSON object, its columns are the members."""

import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

from curation.errors import FormatError, InputError
from curation.formats.opening import Place
from curation.formats.strict import parse_value

SUFFIXES = (".csv", ".csv.gz", ".csv.zst")
DELIMITERS = ",;\t"  # the one that the header has most of
LONGEST = 2**31 - 1  # characters of a cell: the csv module's own limit is less than a conversation
JSON_BEGINS = ("{", "[")  # no header does
BOM = b"\xef\xbb\xbf"


def is_sheet(place: Place, head: bytes) -> bool:
    """Whether a file, which begins with `head` once it is unpacked, is CSV: its name says so, and it is no JSON."""
    begin = head.removeprefix(BOM).lstrip()[:1].decode("ascii", "replace")
    return place.name.lower().endswith(SUFFIXES) and begin not in JSON_BEGINS


def rows(place: Place, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each row below the header as (the line that it begins on, its JSON text).

    A cell that is a JSON object or list is that; where a text of the row is written as a JSON string, as Langfuse does,
    all of its cells are JSON. An empty cell is left out. A row that has not as many cells as the header is a list, which
    no format reads. Raises InputError where the file is no CSV after all.
    """
    csv.field_size_limit(LONGEST)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        first = text.readline()
        delimiter = max(DELIMITERS, key=first.count)
        header = next(csv.reader([first], delimiter=delimiter, strict=True), [])
        if len(set(header)) < len(header):
            raise csv.Error(f"its header names {_twice(header)!r} twice")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        line = 2
        for cells in reader:
            if cells:
                yield line, _record(header, cells)
            line = reader.line_num + 2
    except (csv.Error, UnicodeError) as error:
        raise InputError(f"cannot read {place.name} as CSV: {error}; export it again, as UTF-8") from None
    finally:
        text.detach()


def _twice(header: list[str]) -> str:
    return next(name for i, name in enumerate(header) if name in header[:i])


def _record(header: list[str], cells: list[str]) -> bytes:
    if len(cells) != len(header):
        return orjson.dumps(cells)
    values = [_decoded(cell) for cell in cells]
    if any(isinstance(value, str) and value != cell for value, cell in zip(values, cells, strict=True)):
        values = [_json(cell) for cell in cells]
    named = zip(header, values, strict=True)
    return orjson.dumps({name: value for name, value in named if value is not None and value != ""})


def _decoded(cell: str) -> Any:
    """What a cell says, if it is not certain that it is JSON: a text that begins like an object, a list or a string."""
    return _json(cell) if cell.lstrip()[:1] in (*JSON_BEGINS, '"') else cell


def _json(cell: str) -> Any:
    try:
        return parse_value(cell.encode())
    except FormatError:
        return cell
