"""Brings a warehouse up to date: numbered SQL files, each applied once, in order, in one transaction."""

from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb

from warehouse.errors import StoreError
from warehouse.queries import query


@cache
def migrations() -> tuple[tuple[int, str, str], ...]:
    """(number, name, SQL text) of every file `migrations/NNNN_name.sql`, in order."""
    found = sorted((files(__package__) / "migrations").iterdir(), key=lambda file: file.name)
    return tuple(
        (int(file.name[:4]), file.name[5:-4], file.read_text(encoding="utf-8"))
        for file in found
        if file.name.endswith(".sql")
    )


def newest() -> int:
    """The version that this code reads and writes."""
    return migrations()[-1][0]


def missing(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[tuple[int, str, str], ...]:
    """The migrations that this file has still to be given; all of them for a file without tables.

    Which were applied is looked up one by one: two that know nothing of each other may have been applied in either
    order. Raises StoreError where the file holds something else, or was made by newer code.
    """
    tables = {row[0] for row in connection.execute(query("table_names")).fetchall()}
    if "migration" not in tables:
        if tables:
            raise StoreError(
                f"{path} is a DuckDB file but not a warehouse of ours (it has no table `migration`); choose another with --warehouse"
            )
        return migrations()
    done = {int(row[0]) for row in connection.execute(query("applied_migrations")).fetchall()}
    version = max(done, default=0)
    if version > newest():
        raise StoreError(
            f"the warehouse {path} was made by a newer version of curation (schema {version}, this one knows {newest()}); upgrade curation"
        )
    return tuple(migration for migration in migrations() if migration[0] not in done)


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Applies what is missing; does nothing to an up-to-date warehouse."""
    wanted = missing(connection, path)
    if not wanted:
        return
    connection.begin()
    try:
        for number, name, text in wanted:
            for statement in duckdb.extract_statements(text):
                connection.execute(statement).fetchall()
            connection.execute(query("record_migration"), {"number": number, "name": name}).fetchall()
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
