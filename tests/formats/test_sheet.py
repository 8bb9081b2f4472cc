"""A CSV export is read row by row: cells that are JSON are what they say, and what is no table says so in a sentence."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from curation.errors import InputError
from curation.formats.lines import Cursor, records
from curation.ingest import discover, read
from tests.formats.golden import ingested, line

USER = {"role": "user", "content": 'The tide\nin "Visby"?'}
CALL = {"id": "c1", "type": "function", "function": {"name": "tide", "arguments": '{"harbour": "Visby"}'}}
OBSERVATION = {
    "id": "o1",
    "traceId": "t1",
    "type": "GENERATION",
    "name": "model",
    "startTime": "2026-06-01T09:00:00Z",
    "endTime": "2026-06-01T09:00:01Z",
    "input": {"messages": [USER], "tools": [{"type": "function", "function": {"name": "tide", "parameters": {}}}]},
    "output": {"role": "assistant", "content": "", "tool_calls": [CALL]},
    "model": "harbour-2",
    "statusMessage": "",
}


def table(path: Path, rows: list[dict[str, Any]], quoted: bool = False, delimiter: str = ",") -> Path:
    """The rows as Langfuse's export writes them: today text as it is, before as a JSON string."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n", delimiter=delimiter)
    writer.writerow(rows[0])
    for row in rows:
        values = [row.get(name, "") for name in rows[0]]
        writer.writerow([each if isinstance(each, str) and not quoted else json.dumps(each) for each in values])
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def parsed(path: Path) -> list[Any]:
    return [json.loads(raw) for _, raw in records(path)]


@pytest.mark.parametrize("quoted", [False, True], ids=["text as it is", "text as JSON"])
def test_an_export_as_csv_gives_the_samples_that_the_same_export_as_json_gives(tmp_path: Path, quoted: bool) -> None:
    plain = tmp_path / "export.jsonl"
    plain.write_bytes(line(OBSERVATION))
    expected = ingested(discover([str(plain)]).files)[1]
    file = discover([str(table(tmp_path / "export.csv", [OBSERVATION], quoted))]).files[0]
    assert file.format == "langfuse"
    found = ingested([file])[1]
    assert found.drop("first_seen").equals(expected.drop("first_seen"))
    assert expected["plan"].str.contains("Visby").all()


def test_a_row_has_the_line_that_it_begins_on_and_empty_cells_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\ufeffid,said,note\n1,"two\nlines",\n2,one,x\n\n3,,x\n', encoding="utf-8")
    found = [(number, json.loads(raw)) for number, raw in records(path)]
    assert found == [
        (2, {"id": "1", "said": "two\nlines"}),
        (4, {"id": "2", "said": "one", "note": "x"}),
        (6, {"id": "3", "note": "x"}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_headers(tmp_path: Path, delimiter: str) -> None:
    path = table(tmp_path / "a.csv", [{"a": "1,2;3", "b": [1]}], delimiter=delimiter)
    assert parsed(path) == [{"a": "1,2;3", "b": [1]}]


def test_only_what_is_json_without_doubt_is_decoded(tmp_path: Path) -> None:
    row = {"number": "007", "answer": "42", "truth": "true", "broken": "{half", "list": "[1, 2]", "said": 'a "b"'}
    assert parsed(table(tmp_path / "a.csv", [row])) == [{**row, "list": [1, 2]}]


def test_a_row_of_another_length_is_a_trace_with_its_error_and_the_others_are_kept(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [OBSERVATION])
    path.write_text(path.read_text("utf-8") + '"cut off","here"\n', encoding="utf-8")
    traces, samples, _ = ingested(discover([str(path)]).files)
    assert traces.height == 2
    errors = traces.filter(traces["error"].is_not_null())["error"].to_list()
    assert len(errors) == 1
    assert "the record is a list, not a JSON object" in errors[0]
    assert samples.height > 0


BROKEN = {
    b'a,b\n1,"never closed\n': "unexpected end of data",
    b"a,b\n1,\xff\n": "utf-8",
    b"a,b,a\n1,2,3\n": "its header names 'a' twice",
}


@pytest.mark.parametrize("content", BROKEN)
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=BROKEN[content]) as refused:
        list(records(path))
    assert str(refused.value).startswith(f"cannot read {path} as CSV: ")
    assert str(refused.value).endswith("; export it again, as UTF-8")


def test_json_lines_that_are_called_csv_are_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(line({"a": 1}))
    cursor = Cursor()
    assert [raw for _, raw in records(path, cursor)] == [b'{"a":1}']
    assert cursor.can_go_on


def test_a_packed_table_in_a_folder_is_found_and_read_whole(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [OBSERVATION])
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    found = discover([str(tmp_path)])
    assert [file.path.name for file in found.files] == ["b.csv.gz"]
    cursor = Cursor()
    assert sum(batch.traces.height for batch in read(found.files[0], None, cursor=cursor)) == 1
    assert not cursor.can_go_on


def test_a_table_of_something_else_is_left_out_of_a_folder_with_its_columns(tmp_path: Path) -> None:
    table(tmp_path / "a.csv", [OBSERVATION])
    table(tmp_path / "prices.csv", [{"harbour": "Visby", "euros": "40"}])
    found = discover([str(tmp_path)])
    assert [file.path.name for file in found.files] == ["a.csv"]
    assert "its first record has the keys harbour, euros" in found.skipped[0].why
