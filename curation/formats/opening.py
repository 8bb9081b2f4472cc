"""Whatever a user names as a source of traces becomes places whose bytes can be read: files, folders, globs, stdin, URLs."""

import atexit
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO, NamedTuple, cast

import pyarrow as pa

from curation.errors import InputError
from curation.formats import remote

STDIN = "-"
WRITTEN = (".json", ".jsonl", ".ndjson", ".csv")
SUFFIXES = (*WRITTEN, ".parquet")
PACKED = (".gz", ".zst")  # after any of WRITTEN

# How a file begins says how it is written, whatever it is called: JSON text can begin with none of these.
MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PAR1": "parquet"}
FOREIGN = {b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}

BUFFER = 2**20  # bytes decompressed at a time


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of one file lie: `path` on this machine, or behind the URL that is its `name`.

    `name` is what the user called it; `path` gives a remote file its suffix and its folders. `spooled`: it came through
    a pipe and will not be there again.
    """

    name: str
    path: Path
    remote: bool = False
    spooled: bool = False

    def open(self) -> BinaryIO:
        """The file's bytes as they are; the caller closes. Raises OSError, or InputError for a URL."""
        return remote.open_url(self.name) if self.remote else self.path.open("rb")

    @property
    def key(self) -> str:
        """What its traces say they came from: the one name of this file, wherever and however it was named."""
        return self.name if self.remote or self.spooled else shown(os.path.realpath(self.path))


class State(NamedTuple):
    """A file as it stands: its size in bytes, and a word that changes with it (None: nothing such is known)."""

    size: int
    modified: str | None


class Found(NamedTuple):
    """The places that one argument names; `explicit` when it names a single file."""

    places: list[Place]
    explicit: bool


def find(given: str) -> Found:
    """The places that `given` names: a file, a folder (walked, hidden files left out), a glob, `-`, or a URL.

    Raises InputError where there is nothing.
    """
    if given == STDIN:
        return Found([_spooled(sys.stdin.buffer, "stdin")], explicit=True)
    if "://" in given:
        names, explicit = remote.find_urls(given, may_hold_traces)
        return Found([Place(name, Path(name.split("://", 1)[1]), remote=True) for name in names], explicit)
    path = _expanded(given)
    if path.is_dir():
        return Found(list(_walk(path)), explicit=False)
    if path.is_file():
        return Found([Place(shown(path), path)], explicit=True)
    if path.exists():  # a pipe, such as the shell's <(…), can be read only once
        return Found([_spooled(path.open("rb"), shown(path))], explicit=True)
    if has_magic(given):
        return Found(_matches(given, path), explicit=False)
    raise InputError(f"there is no file or folder {shown(given)}; check the path")


def shown(path: str | Path) -> str:
    """A path as text that can be printed and stored: bytes of a file's name that are not UTF-8 stand as `\\xe9`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _expanded(given: str) -> Path:
    """The path with its `~` replaced; one that names nobody's home is a name like any other."""
    try:
        return Path(given).expanduser()
    except RuntimeError:
        return Path(given)


def may_hold_traces(name: str) -> bool:
    """Whether a file of a folder is looked at at all, by its name."""
    bare = name.lower()
    for suffix in PACKED:
        if bare.endswith(suffix):
            return bare.removesuffix(suffix).endswith(WRITTEN)
    return bare.endswith(SUFFIXES)


def state_of(place: Place) -> State:
    """How the file stands now. Raises InputError where it cannot be asked."""
    if place.remote:
        return State(*remote.state_of_url(place.name))
    try:
        found = place.path.stat()
    except OSError as error:
        raise unreadable(place, error) from None
    return State(found.st_size, str(found.st_mtime_ns))


def kind_of(place: Place) -> str:
    """`plain`, `gzip`, `zstd` or `parquet`, by the first bytes. Raises InputError for other kinds of archive."""
    with place.open() as file:
        head = file.read(8)
    for magic, name in FOREIGN.items():
        if head.startswith(magic):
            raise InputError(
                f"{place.name} is a {name} file, which is not read; unpack it, or pack it with gzip or zstd"
            )
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "plain")


@contextmanager
def opened(place: Place, kind: str) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file's bytes, decompressed where `kind` says so, and as they lie there; only a plain file can be sought in."""
    with place.open() as file:
        if kind == "plain":
            yield file, file
        else:
            stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), kind)
            with io.BufferedReader(stream, BUFFER) as unpacked:
                yield cast(BinaryIO, unpacked), file


def unreadable(place: Place, error: OSError) -> InputError:
    """The sentence for a file that cannot be opened, or not to its end."""
    if error.strerror is None:  # the decompressor's own errors
        return InputError(
            f"cannot read {place.name} to its end: its compressed data is damaged or breaks off ({error}); fetch it again"
        )
    return InputError(f"cannot read {place.name}: {error.strerror}; check the path and its permissions")


def _walk(folder: Path) -> Iterator[Place]:
    """Every file that may hold traces, in order of its path; nothing hidden."""
    inside = (path.relative_to(folder) for path in folder.rglob("*") if may_hold_traces(path.name))
    visible = [path for path in inside if not any(part.startswith(".") for part in path.parts)]
    return (Place(shown(folder / path), folder / path) for path in sorted(visible) if (folder / path).is_file())


def _matches(pattern: str, expanded: Path) -> list[Place]:
    """The files that a glob names, and those of the folders that it names."""
    paths = [Path(match) for match in sorted(glob(str(expanded), recursive=True))]
    files = {shown(path): Place(shown(path), path) for path in paths if path.is_file()}
    for folder in (path for path in paths if path.is_dir() and not pattern.endswith("**")):
        files |= {place.name: place for place in _walk(folder)}
    if not files:
        raise InputError(
            f"no file matches {shown(pattern)}; check the pattern, and quote it so that the shell leaves it alone"
        )
    return list(files.values())


def _spooled(stream: BinaryIO, name: str) -> Place:
    """What comes through a pipe, kept in a temporary file until the process ends, so that it can be read twice."""
    with tempfile.NamedTemporaryFile(prefix="curation-stdin-", suffix=".jsonl", delete=False) as file, stream:
        atexit.register(_forget, file.name)
        copyfileobj(stream, file, BUFFER)
    return Place(name, Path(file.name), spooled=True)


def _forget(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
