"""Only what is new is read again, nothing is lost on the way, and what could not be carried over is told."""

import gzip
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from curation import ingest as reading
from curation.errors import InputError
from curation.formats import FORMATS
from flows import asking, ingesting
from flows.ingesting import Report, ingest
from flows.progress import listening
from tests import traces
from tests.conftest import Cli
from tests.flows.facts import facts
from tests.flows.killing import killed_at_work, reads, writes
from warehouse import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "w.duckdb")


def lines(*numbers: int) -> bytes:
    return b"".join(orjson.dumps(traces.good(number)) + b"\n" for number in numbers)


def one(store: Store, path: Path, source: str | None = None, anew: bool = False) -> Report:
    (report,) = ingest(store, [str(path)], "auto", source, anew).reports
    return report


def counts(report: Report) -> tuple[str, int, int, int]:
    return report.state, report.records, report.read, report.new_traces


def ids(store: Store) -> list[str]:
    return sorted(row[1] for row in facts(store.path)["trace"] if row[1] is not None)


def test_an_unchanged_file_is_not_read_again(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(lines(0, 1, 2) + b"broken\n")
    assert counts(one(store, path)) == ("read", 4, 4, 4)
    again = one(store, path)
    assert counts(again) == ("unchanged", 4, 0, 0)
    assert "unchanged" in again.line()
    assert again.unreadable == 1
    assert again.warning() is None
    assert counts(one(store, path, anew=True)) == ("read", 4, 4, 0)
    assert counts(one(store, path, "staging")) == ("read", 4, 4, 4)


def test_a_grown_file_goes_on_where_it_ended_with_the_right_line_numbers(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(lines(0, 1, 2))
    one(store, path)
    with path.open("ab") as file:
        file.write(b"\n" + lines(3) + b"broken\n")
    grown = one(store, path)
    assert counts(grown) == ("continued", 5, 2, 2)
    assert [line for line, _ in grown.problems] == [6]
    assert asking.explain(store, "good-3")["traces"][0]["line"] == 5
    assert counts(one(store, path)) == ("unchanged", 5, 0, 0)


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_a_whole_last_line_without_its_newline_is_read_once(ending: bytes, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(lines(0, 1).rstrip(b"\n"))
    assert counts(one(store, path)) == ("read", 2, 2, 2)
    path.write_bytes(lines(0, 1, 2).rstrip(b"\n") + ending)
    assert counts(one(store, path)) == ("continued", 3, 1, 1)
    assert asking.explain(store, "good-2")["traces"][0]["line"] == 3


def test_an_unfinished_last_line_is_kept_as_it_is_and_read_again_once_it_is_finished(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "t.jsonl"
    whole = lines(0, 1, 2)
    path.write_bytes(whole[:-40])
    first = one(store, path)
    assert (*counts(first), first.unreadable) == ("read", 3, 3, 3, 1)
    assert counts(one(store, path)) == ("unchanged", 3, 0, 0)
    path.write_bytes(whole)
    assert counts(one(store, path)) == ("continued", 4, 1, 1)
    assert ids(store) == ["good-0", "good-1", "good-2"]
    assert asking.explain(store, "good-2")["traces"][0]["line"] == 3


def test_a_file_that_changed_otherwise_than_by_growing_is_read_from_its_start(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(lines(0, 1, 2))
    one(store, path)
    for content, new in ((lines(3, 4, 5, 6), 4), (lines(3, 4), 0), (lines(7, 4), 1)):
        path.write_bytes(content)
        report = one(store, path)
        assert (report.state, report.new_traces) == ("read", new)
        assert report.records == report.read == content.count(b"\n")


def test_an_edit_within_a_file_of_the_same_size_is_seen(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    content = b"".join(lines(number) for number in range(144)) * 4  # its middle is in neither window of the digest
    path.write_bytes(content)
    one(store, path)
    middle = content.index(b"Oslo", len(content) // 2)
    path.write_bytes(content[:middle] + b"Rome" + content[middle + 4 :])
    report = one(store, path)
    assert (report.state, report.new_traces) == ("read", 1)


@pytest.mark.parametrize("way", ["gzip", "array"])
def test_a_file_that_is_only_read_whole_is_recognised_and_else_read_from_its_start(
    way: str, store: Store, tmp_path: Path
) -> None:
    def write(*numbers: int) -> None:
        array = orjson.dumps([traces.good(number) for number in numbers])
        path.write_bytes(gzip.compress(lines(*numbers)) if way == "gzip" else array)

    path = tmp_path / "t.json"
    write(0, 1)
    assert counts(one(store, path)) == ("read", 2, 2, 2)
    assert counts(one(store, path)) == ("unchanged", 2, 0, 0)
    write(0, 1, 2)
    assert counts(one(store, path)) == ("read", 3, 3, 1)


def test_another_version_of_the_reader_reads_known_files_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = traces.write(tmp_path / "t.jsonl", [traces.good(0)])
    one(store, path)
    monkeypatch.setitem(FORMATS, "ondemand", replace(FORMATS["ondemand"], version="99"))
    assert counts(one(store, path)) == ("read", 1, 1, 0)
    assert counts(one(store, path)) == ("unchanged", 1, 0, 0)


def test_one_file_that_breaks_off_keeps_no_other_from_being_read(store: Store, tmp_path: Path) -> None:
    noise = random.Random(0)
    many = [traces.again(traces.good(n % 144), noise=noise.randbytes(300).hex()) for n in range(1500)]
    packed = gzip.compress(b"".join(orjson.dumps(one_) + b"\n" for one_ in many))
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) - 2000])
    traces.write(tmp_path / "b.jsonl", [traces.good(0)])
    done = ingest(store, [str(tmp_path)])
    assert [Path(report.path).name for report in done.reports] == ["b.jsonl"]
    with pytest.raises(InputError, match=r"a\.jsonl\.gz to its end.*fetch it again; everything else is kept"):
        done.require_whole()
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    assert ingest(store, [str(tmp_path)]).failures == []
    assert len(facts(store.path)["trace"]) == 1501


def test_progress_counts_the_bytes_of_all_files_and_ends_at_their_sum(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(*range(60)))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(lines(*range(60, 120))))
    (tmp_path / "c.jsonl").write_bytes(lines(121))
    whole = sum(path.stat().st_size for path in tmp_path.glob("?.jsonl*"))

    def small(*given: Any, **named: Any) -> Iterator[reading.Ingested]:
        return reading.read(*given, **named, batch_size=7)

    monkeypatch.setattr(ingesting, "read", small)
    told: list[tuple[str, int, int | None]] = []
    for _ in range(2):
        with listening(lambda *said: told.append(said[:3])):
            ingest(store, [str(tmp_path)])
        assert {what for what, _, _ in told} == {"ingest"}
        assert {total for _, _, total in told} == {whole}
        done = [number for _, number, _ in told]
        assert done == sorted(done)
        assert done[-1] == whole
        told.clear()


class Killed(BaseException):
    """The end of a process, as far as a test within it can tell."""


@pytest.mark.parametrize("at", range(1, 6))
def test_a_kill_between_two_batches_loses_nothing_and_reads_nothing_twice(
    at: int, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(lines(*range(10)))
    real, written = Store.write, 0

    def small(*given: Any, **named: Any) -> Iterator[reading.Ingested]:
        return reading.read(*given, **named, batch_size=2)

    def dies(self: Store):  # type: ignore[no-untyped-def]
        nonlocal written
        written += 1
        if written == at:
            raise Killed
        return real(self)

    monkeypatch.setattr(ingesting, "read", small)
    monkeypatch.setattr(Store, "write", dies)
    with pytest.raises(Killed):
        one(store, path)
    monkeypatch.setattr(Store, "write", real)
    report = one(store, path)
    assert (report.records, report.read) == (10, 10 - 2 * (at - 1))
    assert report.fidelity["read"] == 10
    assert ids(store) == sorted(f"good-{number}" for number in range(10))
    assert counts(one(store, path)) == ("unchanged", 10, 0, 0)


@pytest.mark.slow
def test_kill_9_at_any_moment_of_an_ingest_leaves_what_a_quiet_one_leaves(
    cli_in: Callable[[Path], Cli], tmp_path: Path
) -> None:
    path = tmp_path / "t.jsonl"
    with path.open("wb") as file:
        for number in range(25_000):
            file.write(orjson.dumps(traces.again(traces.good(number % 144), trace_id=f"t{number}")) + b"\n")
    chance, found, inside = random.Random(7), [], []
    for name, kills in (("quiet", 0), ("killed", 8)):
        folder = tmp_path / name
        folder.mkdir()
        cli = cli_in(folder)
        for number in range(kills):  # by turns while it reads, and when it writes
            changed = writes(cli.warehouse, folder / f"{cli.warehouse.name}.wal")
            process = cli.start("ingest", path)
            is_at_work = changed if number % 2 else reads(process, path)
            if not killed_at_work(process, is_at_work, chance.uniform(0, 0.7)):
                break
            inside.append(cli.json("status")["traces"] if cli.warehouse.exists() else 0)
        told = cli.json("ingest", path)
        assert told["files"][0]["fidelity"]["read"] == 25_000
        assert cli.json("ingest", path)["files"][0]["state"] == "unchanged"
        found.append(facts(cli.warehouse))
    assert len(inside) >= 3
    assert any(0 < number < 25_000 for number in inside), inside
    assert found[0] == found[1]
