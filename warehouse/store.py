"""The one door to DuckDB: read() copies its result out and closes, write() is one short transaction."""

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from warehouse.errors import StoreError
from warehouse.gate import POLL_SECONDS, gate
from warehouse.migrate import migrate, missing
from warehouse.opening import Opened
from warehouse.queries import query

Tables = Mapping[str, pl.DataFrame]

WAIT_SECONDS = 60.0  # for a foreign holder of the file; our own writers hold it for about a second at most

FULL = re.compile("No space left|Disk quota")  # what DuckDB says where the disk has no room

_one_at_a_time = threading.RLock()  # read-only and read-write connections never stand together in one process


class Transaction:
    """What may be done inside `Store.write()`: named queries, each over registered frames."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, name: str, tables: Tables | None = None, /, **parameters: Any) -> int:
        """Runs one named statement; returns the number of rows that it inserted, deleted or updated."""
        with registered(self._connection, tables):
            rows = self._connection.execute(query(name), parameters).fetchall()
        return int(rows[0][0]) if rows else 0

    def read(self, name: str, tables: Tables | None = None, /, **parameters: Any) -> pl.DataFrame:
        """The result of a named query as this transaction sees it."""
        with registered(self._connection, tables):
            return result(self._connection, name, parameters)


class Store:
    """A warehouse file. It is made on the first write; `wait` is how long a foreign holder is waited for, in seconds."""

    def __init__(self, path: Path | str, wait: float = WAIT_SECONDS) -> None:
        self.path = Path(path).expanduser().absolute()
        self.wait = wait
        self._current = False  # whether the file is known to be of the version that this code reads
        self._reading = threading.local()  # the connection of a `reading()` block of this thread

    def exists(self) -> bool:
        """Whether there is anything to read yet; an empty file is what a killed first write left."""
        return self.path.exists() and (not self.path.is_file() or self.path.stat().st_size > 0)

    def read(self, name: str, tables: Tables | None = None, /, **parameters: Any) -> pl.DataFrame:
        """The result of the named query, copied out; `tables` are frames that the query may name.

        Raises StoreError where there is no warehouse, it is held by another program, or it is not one of ours.
        """
        with self.reading():
            connection = self._reading.opened.connection
            try:
                with registered(connection, tables):
                    return result(connection, name, parameters)
            except (duckdb.InterruptException, RuntimeError) as error:
                raise interrupted(error) from error
            except duckdb.Error as error:
                raise StoreError(f"query {name} failed on {self.path}: {without_contents(error)}") from error

    @contextmanager
    def reading(self) -> Iterator[None]:
        """All reads of the block see the file as it is now, through one connection; keep it short, a writer waits.

        Opening costs more than a small query. Nothing may be written inside the block.
        """
        if getattr(self._reading, "opened", None) is not None:
            yield
            return
        if not self.exists():
            raise StoreError(nothing_there(self.path))
        with _one_at_a_time:
            self._reading.opened = self._open_to_read()
            try:
                yield
            finally:
                self._reading.opened.close()
                self._reading.opened = None

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction: all of the block or nothing of it. Keep it short, others wait.

        Raises StoreError where the file cannot be opened for writing.
        """
        if getattr(self._reading, "opened", None) is not None:
            raise RuntimeError("nothing may be written while the same thread reads")
        self._refuse_read_only()
        deadline = time.monotonic() + self.wait
        with _one_at_a_time, gate(self.path, deadline):
            self._create()
            opened = self._open(deadline, read_only=False)
            connection = opened.connection
            try:
                if not self._current:
                    migrate(connection, self.path)
                    self._current = True
                connection.begin()
                try:
                    yield Transaction(connection)
                except BaseException:
                    with suppress(duckdb.Error):  # where the fault has ended the transaction already
                        connection.rollback()
                    raise
                connection.commit()
            except (duckdb.InterruptException, RuntimeError) as error:
                raise interrupted(error) from error
            except duckdb.Error as error:
                raise StoreError(cannot_write(self.path, error)) from error
            finally:
                opened.close()

    @contextmanager
    def closed(self) -> Iterator[Path]:
        """The file whole, up to date and closed, while nobody else of ours can open it: to copy it, or put another there.

        Raises StoreError where there is none, or it cannot be had for oneself.
        """
        if not self.exists():
            raise StoreError(nothing_there(self.path))
        self._refuse_read_only()
        deadline = time.monotonic() + self.wait
        with _one_at_a_time, gate(self.path, deadline):
            opened = self._open(deadline, read_only=False)
            try:
                migrate(opened.connection, self.path)
                opened.connection.execute(query("checkpoint")).fetchall()
            except duckdb.Error as error:
                raise StoreError(cannot_write(self.path, error)) from error
            finally:
                opened.close()
            yield self.path

    def _create(self) -> None:
        """Makes a warehouse where there is none, whole: a kill meanwhile leaves no half-made file under its name."""
        if self.exists():
            return
        self.path.unlink(missing_ok=True)
        for left in self.path.parent.glob(f"{self.path.name}.new-*"):
            left.unlink()
        made = self.path.with_name(f"{self.path.name}.new-{os.getpid()}")
        try:
            make(made)
        except duckdb.Error as error:
            raise StoreError(cannot_open(self.path, str(error))) from error
        made.rename(self.path)

    def _open_to_read(self) -> Opened:
        deadline = time.monotonic() + self.wait
        with gate(self.path, deadline):
            opened = self._open(deadline, read_only=True)
        try:
            self._current = self._current or not missing(opened.connection, self.path)
        except duckdb.Error as error:
            opened.close()
            raise StoreError(f"{self.path} is a DuckDB file but not a warehouse of ours; choose another") from error
        except BaseException:
            opened.close()
            raise
        if self._current:
            return opened
        opened.close()
        with self.write():
            pass  # opening for writing brings an older warehouse up to date
        with gate(self.path, deadline):
            return self._open(deadline, read_only=True)

    def _open(self, deadline: float, *, read_only: bool) -> Opened:
        while True:
            try:
                return Opened(self.path, read_only)
            except duckdb.IOException as error:
                text = str(error)
                if "Could not set lock" not in text:
                    raise StoreError(cannot_open(self.path, text)) from error
                if time.monotonic() > deadline:
                    holder = re.search(r"PID (\d+)", text)
                    who = f"process {holder[1]}" if holder else "another process"
                    raise StoreError(
                        f"the warehouse {self.path} is held open by {who} and did not become free in {self.wait:.0f} s; "
                        "close that program, then run this again",
                        again=True,
                    ) from None
                time.sleep(POLL_SECONDS)
            except duckdb.Error as error:
                raise StoreError(cannot_open(self.path, str(error))) from error

    def _refuse_read_only(self) -> None:
        folder = self.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot make the folder {folder}: {error.strerror}; choose another with --warehouse"
            ) from error
        if self.path.is_dir():
            raise StoreError(f"the warehouse {self.path} is a folder; --warehouse takes a file")
        if self.path.exists() and not (self.path.stat().st_mode & 0o222 and os.access(self.path, os.W_OK)):
            raise StoreError(
                f"the warehouse {self.path} is read-only; `chmod u+w {self.path}`, or choose another with --warehouse"
            )


def make(path: Path) -> None:
    """A new warehouse without a row."""
    opened = Opened(path, read_only=False)
    try:
        migrate(opened.connection, path)
    finally:
        opened.close()


def result(connection: duckdb.DuckDBPyConnection, name: str, parameters: dict[str, Any]) -> pl.DataFrame:
    """All rows of a named query, copied out."""
    frame: pl.DataFrame = connection.sql(query(name), params=parameters).pl()
    return frame


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, tables: Tables | None) -> Iterator[None]:
    """Frames stand as tables of their names while the block runs."""
    names = list(tables or {})
    for name in names:
        connection.register(name, (tables or {})[name].to_arrow())
    try:
        yield
    finally:
        for name in names:
            connection.unregister(name)


def interrupted(error: Exception) -> BaseException:
    """Ctrl-C, where that is what ended a query; else the error itself."""
    was = isinstance(error, duckdb.InterruptException) or "interrupted" in str(error).lower()
    return KeyboardInterrupt() if was else error


def nothing_there(path: Path) -> str:
    """That there is no warehouse, and what makes one."""
    return f"there is no warehouse at {path}; `curation ingest PATH` makes one, --warehouse names another"


def cannot_open(path: Path, text: str) -> str:
    """DuckDB's refusal in our words: what it is, and what to do."""
    if FULL.search(text):
        return full(path)
    if "not a valid DuckDB" in text or "storage" in text.lower() or "Serialization" in text:
        return f"{path} is not a DuckDB file that this version can read; choose another with --warehouse"
    if "Read-only file system" in text or "Permission denied" in text:
        return f"the warehouse {path} cannot be written: {text.splitlines()[0]}; choose another with --warehouse"
    return f"cannot open the warehouse {path}: {text.splitlines()[0]}"


def full(path: Path) -> str:
    """That the disk has no room, and what to do."""
    return f"the disk with the warehouse {path} is full; make room there, then run this again: what was written is kept"


def cannot_write(path: Path, error: duckdb.Error) -> str:
    """Why nothing could be written, and what to do; a transaction is in the file whole or not at all."""
    if FULL.search(str(error)):
        return full(path)
    return f"could not write to {path}: {without_contents(error)}"


def without_contents(error: duckdb.Error) -> str:
    """The kind of fault and its first words; values of records stand in quotes and are left out."""
    return f"{type(error).__name__}: " + re.sub(r"(['\"]).*?\1", "'…'", str(error).splitlines()[0])[:200]
