"""Whether two warehouses hold the same rows, but for times, ids of runs and what is random on a Hub."""

from pathlib import Path

import duckdb

# What may differ beside columns that are called after a moment: rows about a run are its own (a rerun checks again, and
# where it judges it watches the judge again), and so is a commit; the manifest holds times besides what the other columns say.
TABLES_LEFT_OUT = ("migration", "refresh", "secret", "checked", "occasion", "watch")
COLUMNS_LEFT_OUT = ("commit", "manifest", "first_seen", "since")


def differences(one: Path, other: Path) -> dict[str, tuple[int, int]]:
    """Table -> how many rows only the one holds, and only the other; tables that agree are not in it."""
    with duckdb.connect() as connection:
        for name, path in (("one", one), ("other", other)):
            connection.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        found = {}
        for table, columns in compared(connection).items():
            rows = {name: f'SELECT {columns} FROM {name}."{table}"' for name in ("one", "other")}
            counts = [
                connection.execute(f"SELECT count(*) FROM ({rows[a]} EXCEPT ALL {rows[b]})").fetchall()[0][0]
                for a, b in (("one", "other"), ("other", "one"))
            ]
            if any(counts):
                found[table] = (counts[0], counts[1])
    return found


def compared(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Table -> the columns that are compared; every table that a migration adds is among them."""
    rows = connection.execute(
        "SELECT c.table_name, c.column_name FROM duckdb_columns() AS c "
        "JOIN duckdb_tables() AS t USING (database_name, table_name) WHERE c.database_name = 'one' "
        "ORDER BY c.table_name, c.column_index"
    ).fetchall()
    found: dict[str, list[str]] = {}
    for table, column in rows:
        if table not in TABLES_LEFT_OUT and column not in COLUMNS_LEFT_OUT and not column.endswith("_at"):
            found.setdefault(table, []).append(f'"{column}"')
    return {table: ", ".join(columns) for table, columns in found.items()}


def counted(warehouse: Path, table: str, where: str = "true") -> int:
    """How many rows of a table meet a condition."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return int(connection.execute(f'SELECT count(*) FROM "{table}" WHERE {where}').fetchall()[0][0])
