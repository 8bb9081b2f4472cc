"""Which files among the paths given hold traces, and in which format."""

from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from curation.errors import FormatError, InputError
from curation.formats import FORMATS, recognise
from curation.formats.lines import records
from curation.formats.opening import PACKED, SUFFIXES, Place, find, shown
from curation.formats.reading import Format, Record
from curation.formats.strict import parse

ENOUGH = 20  # parsable records that are looked at
PATIENCE = 1000  # records, parsable or not, after which a file is given up
KEYS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of traces and the name of its format, a key of FORMATS.

    `elsewhere` is where its bytes are when they are not simply at `path`. `within` is the folder or the pattern that it
    was found by: its traces may reach over to the other files there, if its format writes them in parts.
    """

    path: Path
    format: str
    elsewhere: Place | None = None
    within: str | None = field(default=None, compare=False)

    @property
    def place(self) -> Place:
        """Where its bytes are."""
        return self.elsewhere or Place(shown(self.path), self.path)


class Skipped(NamedTuple):
    """A file of a folder that was left out, and why."""

    place: Place
    why: str

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.place.path


@dataclass(frozen=True, slots=True)
class Discovered:
    """The files to read, those that only complete them, and those left out (worth a warning)."""

    files: list[DataFile] = field(default_factory=list)
    companions: list[Path] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Look:
    """The first records of a file: those that could be parsed, and why the first other one could not."""

    parsed: list[Record]
    error: str | None

    @property
    def is_empty(self) -> bool:
        return not self.parsed and self.error is None


def discover(paths: list[str], format: str = "auto") -> Discovered:  # noqa: A002  the option's own name
    """The files of traces at `paths`, each a file, a folder that is walked (hidden files are left out), a glob, or a URL.

    `-` is what comes through stdin. See curation.formats.opening for what can be opened.
    `format` is a name in FORMATS, or `auto`: recognised from each file's first records. Raises InputError for a path
    that is missing, a file that is empty or of no known or of another format, a folder without traces, and a file
    whose companions are missing.
    """
    if format != "auto" and format not in FORMATS:
        raise InputError(f"there is no format {format!r}; choose auto or one of {_names()}")
    wanted = None if format == "auto" else FORMATS[format]
    found = Discovered()
    for given in paths:
        places, explicit = find(given)
        if explicit:
            _add_file(places[0], wanted, found)
        else:
            _add_folder(given, places, wanted, found)
    files = list({file.place.key: file for file in reversed(found.files)}.values())[::-1]
    return Discovered(files, found.companions, found.skipped)


def _add_file(place: Place, wanted: Format | None, found: Discovered) -> None:
    look = _look(place)
    if look.is_empty:
        raise InputError(f"{place.name} is empty; give a file of traces")
    companion_of = _companion_of(place, look)
    if companion_of is not None:
        raise InputError(
            f"{place.name} holds no traces, it only completes those of {companion_of}; give the data file instead"
        )
    chosen = _choose(look, wanted)
    if isinstance(chosen, str):
        raise InputError(f"{place.name} {chosen}")
    found.files.append(_data_file(place, chosen, look))


def _add_folder(given: str, places: list[Place], wanted: Format | None, found: Discovered) -> None:
    """Those of `places`, all found under what was `given`, that hold traces."""
    before = len(found.files)
    for place in places:
        try:
            look = _look(place)
        except InputError as error:
            found.skipped.append(Skipped(place, str(error)))
            continue
        if look.is_empty:
            found.skipped.append(Skipped(place, "it is empty"))
        elif _companion_of(place, look) is not None:
            found.companions.append(place.path)
        elif isinstance(chosen := _choose(look, wanted), str):
            found.skipped.append(Skipped(place, f"it {chosen}"))
        else:
            found.files.append(replace(_data_file(place, chosen, look), within=given))
    if len(found.files) == before:
        seen = f"files looked at: {len(places)} ({', '.join(SUFFIXES)}; packed with {' or '.join(PACKED)})"
        kind = f"the format {wanted.name}" if wanted else f"a known format ({_names()})"
        raise InputError(f"{shown(given)} holds no traces in {kind}; {seen}")


def _look(place: Place) -> _Look:
    parsed: list[Record] = []
    error: str | None = None
    for line, raw in islice(records(place), PATIENCE):
        try:
            parsed.append(parse(raw))
        except FormatError as fault:
            error = error or f"line {line}: {fault}"
        if len(parsed) == ENOUGH:
            break
    return _Look(parsed, error)


def _companion_of(place: Place, look: _Look) -> str | None:
    if not look.parsed:
        return None
    return next((name for name, known in FORMATS.items() if known.companion(place.path, look.parsed[0])), None)


def _choose(look: _Look, wanted: Format | None) -> Format | str:
    """The format to read the file with, or why there is none (to follow the file's name in a sentence)."""
    if wanted is not None and (not look.parsed or any(wanted.recognises(record) for record in look.parsed)):
        return wanted
    if not look.parsed:
        return f"has no readable record at its beginning ({look.error}); name its format with --format to keep them"
    keys = ", ".join(list(look.parsed[0])[:KEYS_SHOWN])[:200]
    recognised = recognise(look.parsed)
    if wanted is not None:
        other = f"is in the format {recognised.name}, not" if recognised else "is not in the format"
        remedy = "leave --format out" if recognised else f"choose one of {_names()}"
        return f"{other} {wanted.name}: its first record has the keys {keys}; {remedy}"
    if recognised is None:
        return f"is in no known format ({_names()}): its first record has the keys {keys}"
    return recognised


def _data_file(place: Place, chosen: Format, look: _Look) -> DataFile:
    """The file, once its companions are known to be there."""
    record = next((record for record in look.parsed if chosen.recognises(record)), None)
    if record is not None:
        try:
            chosen.join(place.path)(record)
        except FormatError:  # that one record is at fault, which its trace will say
            pass
        except InputError:
            if not place.remote:
                raise
            raise InputError(
                f"{place.name} is in the format {chosen.name}, which the files beside it complete; copy its folder here and name that"
            ) from None
    return DataFile(place.path, chosen.name, place if place.remote or place.spooled else None)


def _names() -> str:
    return ", ".join(FORMATS)
