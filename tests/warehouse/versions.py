"""Makes a warehouse of every earlier schema version, with rows in every table: `python -m tests.warehouse.versions DIR`."""

import sys
from pathlib import Path

import duckdb

from warehouse.migrate import migrations
from warehouse.queries import query

ROWS = 3  # of each table: more than one, so that their order can be compared

# What a value of each type looks like; the number of the row makes it differ from the next.
VALUES = {
    "UUID": "00000000-0000-0000-0000-{:012d}",
    "VARCHAR": "text {}",
    "BLOB": "bytes {}",
    "INTEGER": "{}",
    "BIGINT": "{}",
    "DOUBLE": "{}.5",
    "BOOLEAN": "true",
    "TIMESTAMP WITH TIME ZONE": "2026-10-01T12:00:{:02d}Z",
}
# Columns that take some words only.
FIXED = {("release", "state"): "published", ("refresh", "state"): "finished", ("review", "decision"): "approved"}


def make(path: Path, version: int) -> Path:
    """The warehouse as the code of that schema version left it."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        for number, name, text in migrations():
            if number > version:
                break
            for statement in duckdb.extract_statements(text):
                connection.execute(statement).fetchall()
            connection.execute(query("record_migration"), {"number": number, "name": name}).fetchall()
        for table in tables(connection):
            fill(connection, table)
    return path


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables of the path; views and the record of migrations are none."""
    found = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE table_name <> 'migration' ORDER BY table_name"
    )
    return [row[0] for row in found.fetchall()]


def fill(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Puts ROWS rows into a table, a value in every column."""
    found = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [table]
    )
    columns = found.fetchall()
    marks = ", ".join(f"CAST(? AS {kind})" for _, kind in columns)
    for number in range(ROWS):
        values = [FIXED.get((table, name), VALUES[kind].format(number)) for name, kind in columns]
        connection.execute(f'INSERT INTO "{table}" VALUES ({marks})', values).fetchall()


def rows_of(path: Path, columns: dict[str, list[str]] | None = None) -> dict[str, list[tuple[object, ...]]]:
    """Table -> its rows in order, of all columns or of those named."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        chosen = columns or {table: ["*"] for table in tables(connection)}
        return {
            table: connection.execute(f'SELECT {", ".join(names)} FROM "{table}"').fetchall()
            for table, names in chosen.items()
        }


def columns_of(path: Path) -> dict[str, list[str]]:
    """Table -> the names of its columns."""
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() ORDER BY column_index"
        ).fetchall()
        return {table: [f'"{name}"' for of, name in found if of == table] for table in tables(connection)}


def main(folder: Path) -> None:
    """Writes `v0001.duckdb` and so on into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, _, _ in migrations():
        print(make(folder / f"v{number:04d}.duckdb", number))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
