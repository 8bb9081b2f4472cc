"""Files that only complete the records of others: answers, tool definitions."""

from pathlib import Path

from curation.errors import FormatError, InputError
from curation.formats.lines import records
from curation.formats.opening import shown
from curation.formats.reading import Record
from curation.formats.strict import parse


def load(path: Path, needed_by: Path) -> list[Record]:
    """Every record of a companion file, whole; raises InputError where it is missing or any of it cannot be read."""
    if not path.is_file():
        raise InputError(
            f"{shown(needed_by)} cannot be read without {shown(path)}, which is missing; put it there or leave {shown(needed_by.name)} out"
        )
    found = []
    for line, raw in records(path):
        try:
            found.append(parse(raw))
        except FormatError as error:
            raise InputError(
                f"{shown(path)}, line {line}: {error}; {shown(needed_by.name)} cannot be read without it"
            ) from None
    return found
