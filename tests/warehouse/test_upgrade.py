"""A warehouse of every earlier schema version is brought up to date, and keeps every row."""

from pathlib import Path

import duckdb
import pytest

from tests.warehouse import versions
from warehouse import Store, StoreError
from warehouse.migrate import migrations
from warehouse.queries import query

NUMBERS = [number for number, _, _ in migrations()]


def applied(path: Path) -> list[int]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return [row[0] for row in connection.execute(query("applied_migrations")).fetchall()]


@pytest.mark.parametrize("version", NUMBERS)
@pytest.mark.parametrize("way", ["read", "write"])
def test_a_warehouse_of_every_version_is_upgraded_and_keeps_every_row(tmp_path: Path, version: int, way: str) -> None:
    path = versions.make(tmp_path / "w.duckdb", version)
    columns, before = versions.columns_of(path), versions.rows_of(path)
    assert all(len(rows) == versions.ROWS for rows in before.values())
    if way == "read":
        assert Store(path).read("split_groups").height == versions.ROWS
    else:
        with Store(path).write():
            pass
    assert sorted(applied(path)) == NUMBERS
    assert versions.rows_of(path, columns) == before


def test_a_migration_that_came_later_with_a_lower_number_is_applied_too(tmp_path: Path) -> None:
    path = versions.make(tmp_path / "w.duckdb", 2)
    number, name, text = next(migration for migration in migrations() if migration[0] == 5)
    with duckdb.connect(str(path)) as connection:
        connection.execute(text).fetchall()
        connection.execute(query("record_migration"), {"number": number, "name": name}).fetchall()
    assert Store(path).read("plugins").is_empty()
    assert sorted(applied(path)) == NUMBERS


def test_an_upgrade_that_fails_midway_leaves_the_warehouse_as_it_was(tmp_path: Path) -> None:
    path = versions.make(tmp_path / "w.duckdb", 1)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE plugin (theirs INTEGER)"
        ).fetchall()  # what migration 3 makes stands in its way
    before = versions.rows_of(path)
    with pytest.raises(StoreError), Store(path, wait=0.3).write():
        pass
    assert versions.rows_of(path) == before
    assert applied(path) == [1]
