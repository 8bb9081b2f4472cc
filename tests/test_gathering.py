"""The records of one trace come together, and every record is accounted for."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation import gathering
from curation.errors import FormatError
from curation.gathering import gather
from curation.ingest import DataFile, read

Record = dict[str, Any]


def parts(record: Record) -> Iterator[tuple[str | None, Record]]:
    if "of" not in record:
        raise FormatError("holds no part")
    for each in record["of"]:
        yield each.get("trace"), each


def numbered(*records: Any) -> list[tuple[int, bytes]]:
    lines = (each if isinstance(each, bytes) else json.dumps(each).encode() for each in records)
    return list(enumerate(lines, 1))


def of(*traces: str | None, **more: Any) -> Record:
    return {"of": [{"trace": trace, **more} for trace in traces]}


RECORDS = [
    of("a", n=1),
    b"broken",
    of("b", "a", n=2),
    of(None, n=3),
    of("a", n=4),
    {"x": 1},
    of("c", "d"),
    of("b", "d", n=5),
]


def test_every_record_begins_a_trace_or_is_joined_or_is_unreadable() -> None:
    found = list(gather(numbered(*RECORDS), parts))
    assert {piece.line for piece in found if piece.unreadable} == {2, 6}
    assert len({piece.line for piece in found}) + sum(len(piece.joined) for piece in found) == len(RECORDS)
    assert [(piece.line, len(json.loads(piece.raw)["parts"])) for piece in found if not piece.unreadable] == [
        (1, 3),
        (3, 2),
        (4, 1),
        (7, 1),
        (7, 2),
    ]


def test_an_unreadable_record_keeps_its_bytes() -> None:
    found = {piece.line: piece.raw for piece in gather(numbered(*RECORDS), parts) if piece.unreadable}
    assert found == {2: b"broken", 6: b'{"x": 1}'}


def test_a_part_without_a_trace_is_a_trace_of_its_own() -> None:
    found = list(gather(numbered(of(None), of(None, n=1), of("a")), parts))
    assert len(found) == 3


def test_the_order_of_the_records_and_repeated_parts_change_no_byte() -> None:
    once = {piece.raw for piece in gather(numbered(*RECORDS), parts) if not piece.unreadable}
    shuffled = [*RECORDS, RECORDS[0], RECORDS[2]]
    random.Random(1).shuffle(shuffled)
    assert {piece.raw for piece in gather(numbered(*shuffled), parts) if not piece.unreadable} == once


def test_parts_that_do_not_fit_into_memory_are_gathered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [piece.raw for piece in gather(numbered(*RECORDS), parts)]
    monkeypatch.setattr(gathering, "IN_MEMORY", 10)
    assert [piece.raw for piece in gather(numbered(*RECORDS), parts)] == whole


def span(trace: str, number: int, **more: Any) -> Record:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": f"ask {number}"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "said"}]}],
    }
    own = {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "name": "chat",
        "startTimeUnixNano": number,
        "endTimeUnixNano": 9,
    }
    return {**own, "attributes": attributes, **more}


def envelope(*spans: Record) -> Record:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def written(folder: Path, *records: Record) -> DataFile:
    path = folder / "spans.jsonl"
    path.write_text("\n".join(json.dumps(each) for each in records))
    return DataFile(path, "otlp")


def test_one_envelope_of_several_traces_gives_a_row_for_each_and_joins_nothing(tmp_path: Path) -> None:
    (batch,) = read(written(tmp_path, envelope(span("a1", 1), span("b2", 2)), span("a1", 3)), None)
    assert batch.traces["trace_id"].to_list() == ["a1", "b2"]
    assert batch.traces["line"].to_list() == [1, 1]
    assert batch.joined == 1
    assert [row[1:] for row in batch.tally.rows() if row[1] in ("read", "joined")] == [
        ("joined", "", 1, 2),
        ("read", "", 3, 1),
    ]


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_the_size_of_the_batches_changes_no_trace(batch_size: int, tmp_path: Path) -> None:
    records = [span(trace, number) for number, trace in enumerate(["a1", "b2", "a1", "c3", "b2"], 1)]
    batches = list(read(written(tmp_path, *records), None, batch_size))
    assert pl.concat([batch.traces for batch in batches])["trace_id"].to_list() == ["a1", "b2", "c3"]
    assert sum(batch.joined for batch in batches) == 2
    assert max(batch.traces.height for batch in batches) <= batch_size
