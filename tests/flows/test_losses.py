"""What reading could not carry over is counted and told, and a mended reader reads what is stored again."""

import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from curation.errors import InputError
from curation.formats import FORMATS
from curation.formats.reading import Reading
from curation.recipe import Recipe
from curation.recipes import load_recipe
from curation.release.facts import Fidelity
from flows import asking
from flows.checking import check
from flows.describing import facts_from, fidelity_of_sources
from flows.ingesting import Report, ingest
from flows.rereading import ingest as ingest_or_reread
from flows.rereading import reread
from tests import traces
from tests.conftest import Cli
from tests.release.samples import facts as some_facts
from tests.release.samples import many, release
from warehouse import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "w.duckdb")


def lines(*numbers: int) -> bytes:
    return b"".join(orjson.dumps(traces.good(number)) + b"\n" for number in numbers)


def one(store: Store, path: Path, source: str | None = None, anew: bool = False) -> Report:
    (report,) = ingest(store, [str(path)], "auto", source, anew).reports
    return report


def losing(record: dict[str, Any]) -> Reading:
    """The native reader, which also says what it lost."""
    told = FORMATS_BEFORE["ondemand"].read(record)
    lost = tuple((what, field) for what, field in record.get("loses", ()))
    return replace(told, lost=lost, metadata={**told.metadata, **record.get("tells", {})})


FORMATS_BEFORE = dict(FORMATS)


@pytest.fixture
def lossy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "ondemand", replace(FORMATS["ondemand"], read=losing))


def test_what_was_lost_is_counted_by_kind_and_field_with_its_first_line(
    lossy: None, store: Store, tmp_path: Path
) -> None:
    path = traces.write(
        tmp_path / "t.jsonl",
        [
            traces.good(0),
            traces.again(traces.good(1), loses=[["dropped", "messages.audio"], ["dropped", "messages.audio"]]),
            traces.again(
                traces.good(2), loses=[["dropped", "messages.audio"], ["missing", "tools"]], tells={"outcome": "failed"}
            ),
        ],
        "broken",
    )
    told = one(store, path).fidelity
    where = {"path": str(path)}
    assert told == {
        "read": 4,
        "joined": 0,
        "unreadable": 1,
        "lost": [
            {"what": "missing", "field": "tools", "records": 1, **where, "example_line": 3},
            {"what": "dropped", "field": "messages.audio", "records": 2, **where, "example_line": 2},
        ],
        "signals": {"outcome": 1},
    }
    assert one(store, path).fidelity == told
    with path.open("ab") as file:
        file.write(orjson.dumps(traces.again(traces.good(3), loses=[["missing", "tools"]])) + b"\n")
    grown = one(store, path).fidelity
    assert (grown["read"], grown["lost"][0]["records"], grown["lost"][0]["example_line"]) == (5, 2, 3)
    assert one(store, path, anew=True).fidelity == grown


def test_the_facts_of_a_release_tell_what_was_lost_by_source_and_format(
    lossy: None, store: Store, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        traces.write(tmp_path / f"{name}.jsonl", [traces.again(traces.good(0), of=name, loses=[["dropped", "x"]])], "{")
        one(store, tmp_path / f"{name}.jsonl", "production")
    one(store, traces.write(tmp_path / "c.jsonl", [traces.good(1)]), "elsewhere")
    recipe = tmp_path / "r.toml"
    recipe.write_text(traces.recipe_text(tmp_path / "a.jsonl", tmp_path / "out"))
    (found,) = fidelity_of_sources(store, load_recipe(recipe))
    assert (found.source, found.format, found.read, found.joined, found.unreadable) == (
        "production",
        "ondemand",
        4,
        0,
        2,
    )
    assert dict(found.lost) == {("dropped", "x"): 2}


MENDED = "Say it in other words."


def mended(record: dict[str, Any]) -> Reading:
    """A reader that now understands what it took for broken, and reads one trace otherwise."""
    if "text" in record:
        record = traces.again(traces.good(5), trace_id="was-broken")
    if record["trace_id"] == "good-1":
        record = traces.again(record, messages=[{"role": "user", "content": MENDED}, record["messages"][1]])
    return FORMATS_BEFORE["ondemand"].read(record)


def test_stored_traces_are_read_again_by_a_mended_reader_and_what_it_no_longer_sees_is_superseded(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = traces.write(tmp_path / "t.jsonl", [traces.good(0), traces.good(1), traces.good(2)], '{"text": 1}')
    recipe_file = tmp_path / "r.toml"
    recipe_file.write_text(traces.recipe_text(path, tmp_path / "out"))
    recipe = load_recipe(recipe_file)
    one(store, path, "production")
    check(store, recipe)
    before = {
        row["request"]: row["sample_id"]
        for row in asking.chosen_samples(store, recipe, False, None, None).rows(named=True)
    }
    path.unlink()
    monkeypatch.setitem(FORMATS, "ondemand", replace(FORMATS["ondemand"], version="99", read=mended))
    report = reread(store, "ondemand")
    assert (report.records, report.new_samples, report.unreadable) == (4, 2, 0)
    assert reread(store, "ondemand").new_samples == 0
    check(store, recipe)
    told = asking.status(store, recipe)
    assert (told["traces"], told["unreadable"], told["samples"]) == (4, 0, 5)
    fell = {(row["stage"], row["reason"]): row["samples"] for row in told["fell"]}
    assert fell == {("lineage", "lineage.superseded"): 1, ("judge", "undecided"): 4}
    old = next(
        sample_id for request, sample_id in before.items() if request == traces.good(1)["messages"][0]["content"]
    )
    (fault,) = [d for d in asking.explain(store, old)["samples"][0]["decisions"] if d["stage"] == "lineage"]
    assert (fault["outcome"], fault["detail"]) == ("fail", {"reader": "ondemand 99"})
    assert asking.explain(store, "was-broken")["traces"][0]["error"] is None


def test_a_name_of_a_format_means_its_stored_traces_only_when_reading_anew_and_no_file_is_called_so(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one(store, traces.write(tmp_path / "t.jsonl", [traces.good(0)]))
    (report,) = ingest_or_reread(store, ["ondemand"], "auto", None, True).reports
    assert (report.state, report.records) == ("reread", 1)
    with pytest.raises(InputError, match="there is no file or folder ondemand"):
        ingest_or_reread(store, ["ondemand"], "auto", None, False)
    traces.write(tmp_path / "ondemand", [traces.good(1)])
    (report,) = ingest_or_reread(store, ["ondemand"], "auto", None, True).reports
    assert (report.state, report.new_traces) == ("read", 1)


def test_the_command_shows_what_was_lost_and_nothing_where_nothing_was(cli: Cli) -> None:
    clean = traces.write(cli.folder / "t.jsonl", [traces.good(0)])
    assert cli.ok("ingest", clean).splitlines() == [
        f"{clean} (ondemand): 1 records: 1 new, 0 seen before, 0 unreadable; 1 new samples"
    ]
    assert cli.ok("ingest", clean).splitlines() == [f"{clean} (ondemand): unchanged; its 1 records were read before"]
    assert "1 stored traces read again (ondemand)" in cli.ok("ingest", "--reread", "ondemand")
    assert "1 seen before" in cli.ok("ingest", "--reread", clean)
    told = cli.json("ingest", clean)["files"][0]
    assert set(told) == set(asdict(Report("", "")))


def test_what_a_pipe_brings_is_ingested(cli: Cli) -> None:
    done = subprocess.run(
        cli.command("ingest", "-", "--json"),
        cwd=cli.folder,
        env=cli.environment,
        input=lines(0, 1),
        capture_output=True,
    )
    assert orjson.loads(done.stdout)["new_traces"] == 2, done.stderr
    assert cli.json("explain", "good-0")["traces"][0]["path"] == "stdin"


def test_a_manifest_keeps_what_was_lost_for_a_release_that_is_finished_later(tmp_path: Path) -> None:
    lost = (Fidelity("production", "otlp", 9, 2, 1, {("missing", "tools"): 4}, {"outcome": 3}),)
    built = release(tmp_path, many(20), some_facts(fidelity=lost))
    assert facts_from(built.manifest, Recipe(built.manifest["name"])).fidelity == lost
