"""What a batch asked and what it answered lie in two files, and are one trace all the same."""

import gzip
import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from curation.discover import DataFile, discover
from curation.ingest import Ingested, read

Record = dict[str, Any]
TOOL = {"name": "get_tide", "description": "Tells the tide", "input_schema": {"type": "object", "properties": {}}}
FUNCTION = {"type": "function", "function": {"name": "get_tide", "parameters": {"type": "object", "properties": {}}}}


def asked(provider: str, i: int) -> Record:
    said = [{"role": "user", "content": f"How high is the tide at harbour {i}?"}]
    if provider == "openai":
        body = {"model": "m", "messages": said, "tools": [FUNCTION]}
        return {"custom_id": f"r{i}", "method": "POST", "url": "/v1/chat/completions", "body": body}
    return {"custom_id": f"r{i}", "params": {"model": "m", "max_tokens": 9, "messages": said, "tools": [TOOL]}}


def answered(provider: str, i: int) -> Record:
    if provider == "openai":
        call = {"id": "c", "type": "function", "function": {"name": "get_tide", "arguments": f'{{"harbour":{i}}}'}}
        choice = {
            "index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": None, "tool_calls": [call]},
        }  # fmt: skip
        body = {"id": f"cmpl-{i}", "object": "chat.completion", "choices": [choice]}
        response = {"status_code": 200, "request_id": f"q{i}", "body": body}
        return {"id": f"b{i}", "custom_id": f"r{i}", "response": response, "error": None}
    use = {"type": "tool_use", "id": "t", "name": "get_tide", "input": {"harbour": i}}
    message = {"id": f"m{i}", "type": "message", "role": "assistant", "content": [use], "stop_reason": "tool_use"}
    return {"custom_id": f"r{i}", "result": {"type": "succeeded", "message": message}}


def failed(provider: str, i: int) -> Record:
    error = {"type": "invalid_request_error", "message": "no"}
    if provider == "openai":
        return {"id": f"b{i}", "custom_id": f"r{i}", "response": {"status_code": 400, "body": {"error": error}}}
    return {"custom_id": f"r{i}", "result": {"type": "errored", "error": {"type": "error", "error": error}}}


def write(path: Path, records: list[Record]) -> Path:
    lines = b"".join(orjson.dumps(record) + b"\n" for record in records)
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return path


def only(file: DataFile) -> Ingested:
    (part,) = read(file, None)
    return part


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_each_answer_finds_its_request_whatever_their_order(provider: str, suffix: str, tmp_path: Path) -> None:
    numbers = list(range(50))
    write(tmp_path / f"input.jsonl{suffix}", [asked(provider, i) for i in numbers])
    random.Random(1).shuffle(numbers)
    write(tmp_path / "output.jsonl", [answered(provider, i) for i in numbers])
    found = discover([str(tmp_path)])
    assert [file.format for file in found.files] == [provider]
    assert [path.name for path in found.companions] == [f"input.jsonl{suffix}"]
    part = only(found.files[0])
    assert part.problems == []
    for request, plan in part.samples.select("request", "plan").iter_rows():
        (step,) = orjson.loads(plan)["plugins"]
        assert request == f"How high is the tide at harbour {step['api_request_parameters']['harbour']}?"
    assert part.samples.height == 50
    assert set(part.traces["trace_id"]) == {("b" if provider == "openai" else "r") + str(i) for i in numbers}


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_what_is_stored_of_a_batch_can_be_read_without_its_files(provider: str, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [asked(provider, 1)])
    output = write(tmp_path / "b.jsonl", [answered(provider, 1)])
    (raw,) = only(DataFile(output, provider)).traces["raw"]
    (tmp_path / "alone").mkdir()
    alone = only(DataFile(write(tmp_path / "alone" / "x.jsonl", [orjson.loads(raw)]), provider))
    assert alone.traces["raw"].to_list() == [raw]
    assert alone.samples["kind"].to_list() == ["plan"]


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_request_that_failed_in_a_batch_is_a_prompt(provider: str, tmp_path: Path) -> None:
    write(tmp_path / "input.jsonl", [asked(provider, i) for i in (1, 2)])
    write(tmp_path / "errors.jsonl", [failed(provider, 2)])
    write(tmp_path / "output.jsonl", [answered(provider, 1)])
    found = discover([str(tmp_path)])
    assert {file.path.name: file.format for file in found.files} == dict.fromkeys(
        ("errors.jsonl", "output.jsonl"), provider
    )
    errors = next(file for file in found.files if file.path.name == "errors.jsonl")
    part = only(errors)
    assert part.samples["kind"].to_list() == ["prompt"]
    assert orjson.loads(part.traces["metadata"][0])["outcome"] == "failed"


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_answer_that_nobody_asked_for_is_a_trace_that_says_so(provider: str, tmp_path: Path) -> None:
    write(tmp_path / "input.jsonl", [asked(provider, 1)])
    output = write(tmp_path / "output.jsonl", [answered(provider, 1), answered(provider, 7)])
    part = only(DataFile(output, provider))
    (problem,) = part.problems
    assert problem.line == 2
    assert "custom_id" in problem.error
    assert part.samples.height == 1


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_requests_of_another_batch_are_traces_of_their_own(provider: str, tmp_path: Path) -> None:
    write(tmp_path / "input.jsonl", [asked(provider, 8)])
    write(tmp_path / "output.jsonl", [answered(provider, 1)])
    found = discover([str(tmp_path)])
    assert [file.path.name for file in found.files] == ["input.jsonl", "output.jsonl"]
    assert only(found.files[0]).samples["kind"].to_list() == ["prompt"]


def test_a_record_that_is_whole_is_kept_byte_for_byte(tmp_path: Path) -> None:
    whole = {**asked("openai", 1), **answered("openai", 1)}
    written = orjson.dumps(whole, option=orjson.OPT_INDENT_2).replace(b"\n", b"  ")
    path = tmp_path / "x.jsonl"
    path.write_bytes(written + b"\n")
    assert only(DataFile(path, "openai")).traces["raw"].to_list() == [written]
