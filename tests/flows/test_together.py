"""A trace may reach over the files of a folder: all of them are one stream, whatever their order, and read only when needed."""

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from curation import ingest as ingesting
from flows import together as reaching
from flows.ingesting import Ingestion, ingest
from flows.loading import read_replaced
from warehouse import Store

Record = dict[str, Any]

ASKED = {"role": "user", "parts": [{"type": "text", "content": "The tide in Visby?"}]}
CALLED = {
    "role": "assistant",
    "parts": [{"type": "tool_call", "id": "c1", "name": "tide", "arguments": {"at": "Visby"}}],
}
FOUND = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "6.4"}]}
THANKED = {"role": "user", "parts": [{"type": "text", "content": "And tonight?"}]}
SAID = {"role": "assistant", "parts": [{"type": "text", "content": "It is 6.4 m."}]}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "w.duckdb")


def span(trace: str, number: int, given: list[Record], answer: Record) -> Record:
    """One call of a model as the collector's file exporter writes it, a line."""
    told = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": given, "gen_ai.output.messages": [answer]}
    attributes = [
        {"key": key, "value": {"stringValue": value if isinstance(value, str) else json.dumps(value)}}
        for key, value in told.items()
    ]
    one = {"traceId": trace, "spanId": f"{number:016x}", "name": "chat", "attributes": attributes}
    times = {"startTimeUnixNano": str(number), "endTimeUnixNano": str(number + 1)}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [{**one, **times}]}]}]}


def first(trace: str = "a1") -> Record:
    return span(trace, 1, [ASKED], CALLED)


def second(trace: str = "a1") -> Record:
    return span(trace, 2, [ASKED, CALLED, FOUND], SAID)


def written(path: Path, *records: Record) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    return path


def read(store: Store, folder: Path, anew: bool = False) -> Ingestion:
    return ingest(store, [str(folder)], anew=anew)


def counts(done: Ingestion) -> dict[str, tuple[str, int, int, int]]:
    """By the file's name: its state, its records, those joined into another's trace, and the new traces."""
    return {Path(r.path).name: (r.state, r.records, r.joined, r.new_traces) for r in done.reports}


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(store.path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def kinds(store: Store) -> list[str]:
    return sorted(kind for (kind,) in rows(store, "SELECT kind FROM sample"))


def test_a_trace_that_reaches_over_two_files_is_one_and_every_record_is_counted_in_its_own_file(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "spans"
    written(folder / "1.jsonl", first(), span("b2", 9, [ASKED], SAID))
    written(folder / "2.jsonl", second())
    done = read(store, folder)
    assert counts(done) == {"1.jsonl": ("read", 2, 0, 2), "2.jsonl": ("read", 1, 1, 0)}
    assert kinds(store) == ["plan", "plan", "trajectory"]
    found = {
        trace: (Path(path).name, line) for trace, path, line in rows(store, "SELECT trace_id, path, line FROM trace")
    }
    assert found == {"a1": ("1.jsonl", 1), "b2": ("1.jsonl", 2)}
    assert [(r.fidelity["read"], r.fidelity["joined"]) for r in done.reports] == [(2, 0), (1, 1)]


def test_nothing_is_read_again_until_a_file_is_new_or_changed(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "spans"
    written(folder / "1.jsonl", first())
    written(folder / "2.jsonl", second())
    read(store, folder)
    again = read(store, folder)
    assert counts(again) == {"1.jsonl": ("unchanged", 1, 0, 0), "2.jsonl": ("unchanged", 1, 0, 0)}
    assert [(r.fidelity["read"], r.fidelity["joined"]) for r in again.reports] == [(1, 0), (1, 1)]
    assert read(store, folder, anew=True).new_traces == 0
    written(folder / "3.jsonl", span("c3", 1, [ASKED], SAID))
    third = read(store, folder)
    assert [report.state for report in third.reports] == ["read"] * 3
    assert third.new_traces == 1


def test_the_order_of_the_files_changes_no_trace_and_no_sample(tmp_path: Path) -> None:
    found = []
    for i, (one, two) in enumerate(((first(), second()), (second(), first()))):
        folder = tmp_path / f"spans{i}"
        written(folder / "1.jsonl", one)
        written(folder / "2.jsonl", two)
        store = Store(tmp_path / f"{i}.duckdb")
        read(store, folder)
        found.append(
            (rows(store, "SELECT trace_key, raw FROM trace"), set(rows(store, "SELECT sample_id, plan FROM sample")))
        )
    assert found[0] == found[1]


def test_a_later_file_that_goes_on_with_a_trace_replaces_what_was_there_before(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "spans"
    written(folder / "1.jsonl", first())
    written(folder / "2.jsonl", second())
    read(store, folder)
    written(folder / "3.jsonl", span("a1", 3, [ASKED, CALLED, FOUND, SAID, THANKED], CALLED))
    read(store, folder)
    replaced = read_replaced(store).traces
    lengths = {str(key): len(json.loads(raw)["parts"]) for key, raw in rows(store, "SELECT trace_key, raw FROM trace")}
    assert [(lengths[old], lengths[new]) for old, new in replaced.items()] == [(2, 3)]


def test_the_plan_of_a_trace_that_a_later_file_completes_is_the_same_sample(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "spans"
    written(folder / "1.jsonl", first())
    written(folder / "2.jsonl", span("b2", 9, [ASKED], SAID))
    read(store, folder)
    written(folder / "3.jsonl", second())
    assert read(store, folder).new_traces == 1
    assert kinds(store) == ["plan", "plan", "trajectory"]


def test_files_that_were_read_alone_are_read_again_with_their_folder(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "spans"
    paths = written(folder / "1.jsonl", first()), written(folder / "2.jsonl", second())
    ingest(store, [str(path) for path in paths])
    assert read(store, folder).new_traces == 1
    assert read(store, folder).new_traces == 0


def test_the_three_folders_of_a_blob_storage_are_one_source(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "blob"
    own = {"projectId": "p", "environment": "default"}
    trace = {"id": "t1", "timestamp": "2026-06-01T09:00:00Z", "sessionId": "s1", "userId": None, "input": None, **own}
    call = {
        "id": "o1",
        "traceId": "t1",
        "type": "GENERATION",
        "name": "m",
        "startTime": "2026-06-01T09:00:00Z",
        "endTime": "2026-06-01T09:00:01Z",
        "input": [{"role": "user", "content": "Where?"}],
        "output": "Here.",
    }
    score = {"id": "x1", "traceId": "t1", "name": "helpful", "value": 1, "dataType": "NUMERIC", **own}
    for kind, record in (("traces", trace), ("observations", call), ("scores", score)):
        written(folder / kind / "2026-06-01.jsonl", record)
    assert read(store, folder).new_traces == 1
    ((metadata, conversation),) = rows(store, "SELECT metadata, conversation FROM trace")
    assert (json.loads(metadata)["feedback"], conversation) == ({"helpful": 1}, "s1")
    assert kinds(store) == ["plan"]


def test_a_file_that_breaks_off_keeps_no_other_from_being_read_and_is_tried_again(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "spans"
    written(folder / "1.jsonl", first())
    broken = folder / "2.jsonl.gz"
    lines = b"".join(json.dumps(span(f"{i:032x}", i, [ASKED], SAID)).encode() + b"\n" for i in range(1, 5000))
    whole = gzip.compress(lines)
    broken.write_bytes(whole[:-20])
    done = read(store, folder)
    assert len(done.failures) == 1
    assert "2.jsonl.gz to its end" in done.failures[0]
    assert ("a1",) in rows(store, "SELECT trace_id FROM trace WHERE trace_id = 'a1'")
    broken.write_bytes(whole)
    assert not read(store, folder).failures
    assert rows(store, "SELECT count(DISTINCT trace_id) FROM trace") == [(5000,)]


def test_unreadable_records_are_told_for_the_file_and_the_line_where_they_stand(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "spans"
    written(folder / "1.jsonl", first())
    path = written(folder / "2.jsonl", second())
    path.write_text(path.read_text() + '{"resourceSpans": \n')
    done = read(store, folder)
    assert [(Path(r.path).name, [line for line, _ in r.problems]) for r in done.reports] == [
        ("1.jsonl", []),
        ("2.jsonl", [2]),
    ]
    assert done.unreadable == 1


def test_an_ingest_that_is_interrupted_between_two_batches_ends_as_a_quiet_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "spans"
    written(folder / "1.jsonl", first(), span("b2", 9, [ASKED], SAID))
    written(folder / "2.jsonl", second(), span("c3", 9, [ASKED], CALLED))

    def broken(*given: Any) -> Any:
        yield next(iter(ingesting.read_together(*given, batch_size=1)))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(reaching, "read_together", broken)
        with pytest.raises(KeyboardInterrupt):
            read(store, folder)
    assert len(rows(store, "SELECT trace_key FROM trace")) == 1
    done = read(store, folder)
    assert (done.new_traces, sum(report.records for report in done.reports)) == (2, 4)
    quiet = Store(tmp_path / "quiet.duckdb")
    read(quiet, folder)
    for sql in ("SELECT trace_key, path, line FROM trace ORDER BY 1", "SELECT * FROM fidelity ORDER BY ALL"):
        assert rows(store, sql) == rows(quiet, sql)
    assert {report.state for report in read(store, folder).reports} == {"unchanged"}
