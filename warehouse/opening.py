"""Opens files: each is attached to the one DuckDB of this process, which costs a tenth of a DuckDB of its own."""

import atexit
import threading
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import duckdb

from warehouse.queries import query

# Never fetch an extension from the network.
CONFIG: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


class Home:
    """A DuckDB without a file, made when it is first needed; files are attached to it and detached again."""

    def __init__(self) -> None:
        self._turn = threading.RLock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._names = (f"warehouse_{number}" for number in count(1))

    def attach(self, path: Path, read_only: bool) -> tuple[duckdb.DuckDBPyConnection, str]:
        """A connection that uses the file and nothing else, and the name under which it is attached."""
        with self._turn:
            if self._connection is None:
                self._connection = duckdb.connect(config={**CONFIG, "temp_directory": f"{path}.tmp"})
            connection, name = self._connection.cursor(), next(self._names)
            try:
                told = {"$name": name, "$path": literal(path)}
                for statement in duckdb.extract_statements(filled("attach_to_read" if read_only else "attach", told)):
                    connection.execute(statement).fetchall()
                connection.execute(query("session")).fetchall()
            except BaseException:
                connection.close()
                with suppress(duckdb.Error):
                    self._connection.execute(filled("detach", {"$name": name})).fetchall()
                raise
            return connection, name

    def detach(self, name: str) -> None:
        """Closes the file; what DuckDB cannot close goes with all of it, and the next file is attached to a new one."""
        with self._turn:
            try:
                if self._connection is not None:
                    self._connection.execute(filled("detach", {"$name": name})).fetchall()
            except duckdb.Error:
                self.close()

    def close(self) -> None:
        """Gives everything back."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


HOME = Home()
atexit.register(HOME.close)


class Opened:
    """A file that is open until `close`; one that is written keeps small row groups, see queries/attach.sql."""

    def __init__(self, path: Path, read_only: bool) -> None:
        self.connection, self.name = HOME.attach(path, read_only)

    def close(self) -> None:
        """Gives the file back: whoever waits for it may have it."""
        self.connection.close()
        HOME.detach(self.name)


def filled(name: str, told: dict[str, str]) -> str:
    """A query with names and paths in it: where they stand DuckDB takes no parameters."""
    text = query(name)
    for key, value in told.items():
        text = text.replace(key, value)
    return text


def literal(path: Path) -> str:
    """A path as SQL text."""
    return "'" + str(path).replace("'", "''") + "'"
