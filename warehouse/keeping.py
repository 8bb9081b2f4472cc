"""Keeps the file itself: how large it is, a copy of it, the same rows in a smaller file."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.errors import StoreError
from warehouse.opening import Opened, filled
from warehouse.queries import query
from warehouse.store import Store, make, without_contents

CHUNK = 2**20  # bytes that are copied or hashed at a time


@dataclass(frozen=True)
class TableSize:
    """One table: its rows, and the bytes of the blocks that it touches."""

    name: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class Size:
    """The file's bytes, those of them that hold nothing, and its tables, largest first."""

    bytes: int
    free: int
    tables: tuple[TableSize, ...]


def size(store: Store) -> Size:
    """How large the warehouse is. Raises StoreError where there is none."""
    with store.reading():
        block, total, free = store.read("file_size").row(0)
        found = [
            TableSize(name, rows, block * store.read("table_blocks", name=name).item())
            for name, rows, _ in store.read("table_sizes").iter_rows()
        ]
    return Size(block * total, block * free, tuple(sorted(found, key=lambda table: (-table.bytes, table.name))))


def copy(store: Store, to: Path) -> str:
    """Copies the closed file to `to`, durable under its name or not there at all; returns its SHA-256."""
    with store.closed() as path:
        return place(path, to)


def place(path: Path, to: Path) -> str:
    """Copies a file, synced before it has its name; returns its SHA-256.

    Raises FileNotFoundError for a file that is gone, StoreError where it cannot be copied.
    """
    partial = to.with_name(f".{to.name}.partial")
    digest = hashlib.sha256()
    try:
        with path.open("rb") as source, partial.open("wb") as target:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        partial.replace(to)
    except FileNotFoundError:
        raise
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreError(
            f"cannot copy {path} to {to}: {error.strerror}; make room, or choose another folder"
        ) from error
    return digest.hexdigest()


def digest_of(path: Path) -> str:
    """A file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compact(store: Store) -> tuple[int, int]:
    """Writes every row into a new file and puts it in the old one's place; returns the bytes before and after.

    A kill meanwhile leaves the warehouse as it was. Raises StoreError where the disk has no room for both.
    """
    with store.closed() as path:
        before = path.stat().st_size
        for left in path.parent.glob(f"{path.name}.compact-*"):
            left.unlink()
        if shutil.disk_usage(path.parent).free < before:
            raise StoreError(
                f"{path} has {before:,} bytes, and {path.parent} less room than that beside it; make room first"
            )
        made = path.with_name(f"{path.name}.compact-{os.getpid()}")
        try:
            rewrite(path, made)
            made.replace(path)
        except duckdb.Error as error:
            raise StoreError(f"could not compact {path}: {without_contents(error)}; it is as it was") from error
        finally:
            made.unlink(missing_ok=True)
        return before, path.stat().st_size


def rewrite(path: Path, made: Path) -> None:
    """All rows of the warehouse at `path` in a new one at `made`."""
    make(made)
    former, opened = Opened(path, read_only=True), Opened(made, read_only=False)
    try:
        for name, *_ in opened.connection.execute(query("table_sizes")).fetchall():
            text = filled("copy_table", {"$table": f'"{name}"', "$former": former.name})
            for statement in duckdb.extract_statements(text):
                opened.connection.execute(statement).fetchall()
        opened.connection.execute(query("checkpoint")).fetchall()
    finally:
        opened.close()
        former.close()
    descriptor = os.open(made, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
