"""Files are attached to one DuckDB of the process and let go again, whatever happens meanwhile."""

import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import polars as pl
import pytest

from warehouse import Store
from warehouse.opening import HOME, Opened
from warehouse.store import make

OTHER = (
    "import duckdb, sys; print(duckdb.connect(sys.argv[1]).execute('SELECT count(*) FROM split_group').fetchone()[0])"
)


def remembered(path: Path, *keys: str) -> Store:
    store = Store(path, wait=0.3)
    with store.write() as transaction:
        transaction.run("insert_split_groups", {"incoming": pl.DataFrame({"key": list(keys), "split": "train"})})
    return store


def known(store: Store) -> list[str]:
    return sorted(store.read("split_groups")["key"])


def seen_elsewhere(path: Path) -> int:
    """What another process reads, which can open the file only once this one has let it go."""
    done = subprocess.run([sys.executable, "-c", OTHER, str(path)], capture_output=True, text=True, check=True)
    return int(done.stdout)


def attached() -> int:
    connection, name = HOME.attach(Path(":memory:"), read_only=False)
    rows = connection.execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal").fetchall()
    connection.close()
    HOME.detach(name)
    return len(rows) - 2  # but for the one without a file, and this one


def test_a_file_is_free_and_whole_once_it_is_closed(tmp_path: Path) -> None:
    store = remembered(tmp_path / "w.duckdb", "a", "b")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".wal"] == []
    assert seen_elsewhere(store.path) == 2
    assert known(store) == ["a", "b"]
    assert seen_elsewhere(store.path) == 2
    assert attached() == 0


def test_two_warehouses_are_read_beside_each_other(tmp_path: Path) -> None:
    one, two = remembered(tmp_path / "one.duckdb", "a"), remembered(tmp_path / "the $name o'ther.duckdb", "b")
    with one.reading():
        assert known(two) == ["b"]
        assert known(one) == ["a"]
        with two.write() as transaction:
            transaction.run("insert_split_groups", {"incoming": pl.DataFrame({"key": ["c"], "split": ["test"]})})
        assert known(one) == ["a"]
    assert known(two) == ["b", "c"]
    assert attached() == 0


@pytest.mark.parametrize("text", ["x" * 5000, "no database"])
def test_what_cannot_be_opened_leaves_nothing_attached(tmp_path: Path, text: str) -> None:
    file = tmp_path / "w.duckdb"
    file.write_text(text)
    with pytest.raises(duckdb.Error):
        Opened(file, read_only=True)
    assert attached() == 0
    file.unlink()
    make(file)
    assert known(Store(file)) == []


def test_a_transaction_that_nobody_ended_ends_with_the_file(tmp_path: Path) -> None:
    store = remembered(tmp_path / "w.duckdb", "a")
    opened = Opened(store.path, read_only=False)
    opened.connection.begin()
    opened.connection.execute("DELETE FROM split_group").fetchall()
    opened.close()
    assert known(store) == ["a"]
    assert attached() == 0


def test_where_detaching_fails_the_next_file_is_opened_all_the_same(tmp_path: Path) -> None:
    store = remembered(tmp_path / "w.duckdb", "a")
    opened = Opened(store.path, read_only=True)
    HOME.close()  # as after a fault that DuckDB does not survive
    opened.close()
    assert seen_elsewhere(store.path) == 1
    assert known(store) == ["a"]


def test_threads_take_turns(tmp_path: Path) -> None:
    stores = [remembered(tmp_path / f"{number}.duckdb", str(number)) for number in range(4)]
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda store=store: found.append(known(store))) for store in stores * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted([str(number)] for number in [*range(4)] * 4)
    assert attached() == 0
