"""A backup is whole or none, a restored warehouse is the one that was backed up, and a compacted one has the same rows."""

import json
from pathlib import Path

import polars as pl
import pytest

from curation.claude.journal import journal_folder
from curation.errors import InputError
from flows import keeping
from tests.conftest import Cli
from tests.warehouse import versions
from warehouse import Store
from warehouse.migrate import newest


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(versions.make(tmp_path / "here" / "w.duckdb", newest()), wait=0.5)
    folder = journal_folder(made.path)
    folder.mkdir()
    (folder / "1.jsonl").write_text('{"a reply": "that was paid for"}\n')
    return made


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()


def test_a_backup_gives_back_the_rows_and_the_waiting_replies(store: Store, tmp_path: Path) -> None:
    made = keeping.backup(store, tmp_path / "backup")
    assert list(made.journals) == ["journal/1.jsonl"]
    there = Store(tmp_path / "there" / "w.duckdb")
    assert keeping.restore(there, tmp_path / "backup") == made
    assert versions.rows_of(there.path) == versions.rows_of(store.path)
    assert (journal_folder(there.path) / "1.jsonl").read_text() == (journal_folder(store.path) / "1.jsonl").read_text()


def test_a_backup_of_an_older_version_is_restored_up_to_date(tmp_path: Path) -> None:
    old = Store(versions.make(tmp_path / "old.duckdb", 1))
    before = versions.rows_of(old.path)
    keeping.backup(old, tmp_path / "backup")
    there = Store(tmp_path / "there.duckdb")
    keeping.restore(there, tmp_path / "backup")
    assert there.read("plugins").is_empty()
    assert versions.rows_of(there.path)["judgement"] == before["judgement"]


def test_nothing_that_is_there_is_overwritten(store: Store, tmp_path: Path) -> None:
    keeping.backup(store, tmp_path / "backup")
    with pytest.raises(InputError, match=r"backup is not empty"):
        keeping.backup(store, tmp_path / "backup")
    with pytest.raises(InputError, match=r"w\.duckdb is there already"):
        keeping.restore(store, tmp_path / "backup")
    store.path.unlink()
    with pytest.raises(InputError, match=r"journal is there already"):
        keeping.restore(store, tmp_path / "backup")


def test_half_a_backup_and_a_changed_one_are_refused(store: Store, tmp_path: Path) -> None:
    there = Store(tmp_path / "there.duckdb")
    keeping.backup(store, tmp_path / "backup")
    with (tmp_path / "backup" / keeping.FILE).open("ab") as file:
        file.write(b"more")
    with pytest.raises(InputError, match=r"curation\.duckdb is not what backup\.json says"):
        keeping.restore(there, tmp_path / "backup")
    (tmp_path / "backup" / keeping.ABOUT).unlink()
    with pytest.raises(InputError, match="is no backup"):
        keeping.restore(there, tmp_path / "backup")
    assert not there.exists()


def test_a_compacted_warehouse_has_the_same_rows_in_fewer_bytes(store: Store) -> None:
    first, second = (
        pl.DataFrame({"key": [f"{hash((part, number)):x}" for number in range(200_000)], "split": "train"})
        for part in (1, 2)
    )
    # what is deleted before something that stays leaves free blocks in the middle of the file
    for name, rows in (("insert", first), ("insert", second), ("delete", first)):
        with store.write() as transaction:
            transaction.run(f"{name}_split_groups", {"incoming": rows})
    before = versions.rows_of(store.path)
    told = keeping.compact(store)
    assert told["after"] < told["before"]
    assert versions.rows_of(store.path) == before
    assert store.read("split_groups").height == versions.ROWS + second.height
    assert [path.name for path in store.path.parent.glob("*compact*")] == []


def test_the_commands_say_what_they_did(cli: Cli) -> None:
    versions.make(cli.warehouse, newest())
    assert "MB" in cli.ok("warehouse", "size")
    assert {row["name"]: row["rows"] for row in cli.json("warehouse", "size")["tables"]}["trace"] == versions.ROWS
    assert "backed up" in cli.ok("warehouse", "backup", "b")
    assert (
        json.loads((cli.folder / "b" / "backup.json").read_text())["bytes"]
        == (cli.folder / "b" / "curation.duckdb").stat().st_size
    )
    assert "restored" in cli.ok("warehouse", "restore", "b", "--warehouse", "other.duckdb")
    assert "bytes are" in cli.ok("warehouse", "compact", "--warehouse", "other.duckdb")
    again = cli("warehouse", "restore", "b")
    assert (again.returncode, again.stdout) == (1, "")
    assert "is there already" in again.stderr
