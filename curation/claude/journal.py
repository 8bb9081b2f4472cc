"""The journal keeps every raw reply on disk from the moment it arrives until the warehouse has it."""

import asyncio
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from curation.claude.errand import Record
from curation.errors import ServiceError

# What every record holds: who was asked by which specification, and what came back when.
COMMON = frozenset({"spec", "backend", "model", "failed", "raw", "received_at"})

FILE_LIMIT = 32 * 2**20  # bytes after which a new file is begun, so that reading one back stays cheap


def journal_folder(warehouse: Path, name: str = "journal") -> Path:
    """`<warehouse>.journal/`, where judgements wait; another `name` for replies of another kind."""
    return warehouse.with_name(f"{warehouse.name}.{name}")


class Journal:
    """One process's end of the journal: appends records, one JSON line each, durable before `append` returns.

    Appends that come while the disk is busy are written together (group commit), off the event loop. The file being
    written is locked (flock): no other process takes it for finished while this one lives.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._disk = ThreadPoolExecutor(1, "journal")
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._descriptor: int | None = None
        self._size = 0
        self._files = 0
        self._broken: ServiceError | None = None

    async def __aenter__(self) -> Self:
        await self._on_disk(self._make_folder)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.rotate()
        self._disk.shutdown()

    async def append(self, record: Record) -> None:
        """Returns once the record is on disk; raises ServiceError where it cannot be kept."""
        if self._broken:
            raise self._broken
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE), kept))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await kept

    async def rotate(self) -> None:
        """Finishes the current file, so that it can be folded; the next append begins another."""
        if self._writer is not None:
            await self._writer
        await self._on_disk(self._finish)

    async def _write(self) -> None:
        """Writes whatever waits, again and again until nothing does."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                if self._broken is None:
                    await self._on_disk(self._commit, b"".join(line for line, _ in batch))
            except ServiceError as error:
                self._broken = error  # a line may stand half-written: nothing may follow it
            for _, kept in batch:
                if kept.cancelled():
                    continue
                if self._broken:
                    kept.set_exception(self._broken)
                else:
                    kept.set_result(None)
        self._writer = None

    async def _on_disk(self, work: Callable[..., None], *arguments: object) -> None:
        """Runs blocking work in the journal's own thread, one piece at a time."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._disk, work, *arguments)
        except OSError as error:
            raise ServiceError(
                f"{self.folder}: replies cannot be kept ({error.strerror}); make room or make it writable, then run "
                "the same again: what was kept is not asked again"
            ) from error

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        sync_folder(self.folder.parent)

    def _begin(self) -> int:
        """A new file; it gets its final name only once it is locked, so that nobody sees it unlocked."""
        self._files += 1
        path = self.folder / f"{time.time_ns()}-{os.getpid()}-{self._files}.jsonl"
        begun = path.with_suffix(".new")
        descriptor = os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        begun.rename(path)
        sync_folder(self.folder)
        return descriptor

    def _commit(self, lines: bytes) -> None:
        if self._descriptor is None:
            self._descriptor = self._begin()
            self._size = 0
        view = memoryview(lines)
        while view:
            view = view[os.write(self._descriptor, view) :]
        os.fdatasync(self._descriptor)
        self._size += len(lines)
        if self._size >= FILE_LIMIT:
            self._finish()

    def _finish(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder as durable as the files."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class JournalFile:
    """A file of the journal that nobody writes to any more; `fields` are what each of its records holds."""

    path: Path
    fields: frozenset[str] = COMMON

    def records(self) -> Iterator[Record]:
        """Its records, oldest first; lines that a crash left torn, which nobody was told are kept, are passed over."""
        for line in self._lines():
            record = parse_line(line, self.fields)
            if record is not None:
                yield record

    def is_damaged(self) -> bool:
        """Whether a line before the last cannot be read: no crash of ours explains that."""
        lines = self._lines()
        return any(parse_line(line, self.fields) is None for line in lines[:-1])

    def _lines(self) -> list[bytes]:
        try:
            return [line for line in self.path.read_bytes().split(b"\n") if line]
        except FileNotFoundError:  # another process has folded it in meanwhile
            return []


def parse_line(line: bytes, fields: frozenset[str]) -> Record | None:
    """One line's record; None where it is not a whole record."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return record if isinstance(record, dict) and record.keys() >= fields else None


def pending(folder: Path, fields: frozenset[str] = COMMON) -> list[JournalFile]:
    """The finished files, oldest first: closed, or left behind by a process that is gone."""
    return [JournalFile(path, fields) for path in paths(folder) if not is_being_written(path)]


def paths(folder: Path) -> list[Path]:
    """Every file of the journal, oldest first; none where there is no folder."""
    return sorted(folder.glob("*.jsonl"), key=lambda path: (int(path.stem.split("-")[0]), path.name))


def is_being_written(path: Path) -> bool:
    """Whether a living process holds the file's lock; a file that is gone is not being written."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def count(folder: Path) -> int:
    """How many replies wait in the journal to be folded in, those of a running process included."""
    total = 0
    for path in paths(folder):
        try:
            total += path.read_bytes().count(b"\n")
        except FileNotFoundError:
            continue
    return total


def discard(file: JournalFile) -> None:
    """Removes a file whose records the warehouse has committed; a damaged one is kept beside, renamed `.damaged`."""
    if not file.path.exists():
        return
    if file.is_damaged():
        file.path.rename(file.path.with_suffix(".damaged"))
    else:
        file.path.unlink(missing_ok=True)
    sync_folder(file.path.parent)
