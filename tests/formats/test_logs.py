"""Logs of model APIs beyond plain chat: Responses, the Messages API, streams, and what could not be carried over."""

import json
from typing import Any

import pytest

from curation.errors import FormatError
from curation.formats import FORMATS, recognise
from curation.formats.apis import sides
from curation.formats.losses import GATHERED, lose, lost_of
from curation.formats.reading import LOSSES, Reading
from tests.formats.golden import joined_records

SCHEMA = {"type": "object", "properties": {"place": {"type": "string"}}}
FLAT = {"type": "function", "name": "get_tide", "description": "Tells the tide", "parameters": SCHEMA}
NATIVE = {"name": "get_tide", "description": "Tells the tide", "input_schema": SCHEMA}
USER = {"role": "user", "content": "The tide in Brest?"}
CALL = {"type": "function_call", "call_id": "c1", "name": "get_tide", "arguments": '{"place":"Brest"}'}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "6.4"}
USE = {"type": "tool_use", "id": "c1", "name": "get_tide", "input": {"place": "Brest"}}


def openai(record: dict[str, Any]) -> Reading:
    return FORMATS["openai"].read(record)


def anthropic(record: dict[str, Any]) -> Reading:
    return FORMATS["anthropic"].read(record)


def responses(*output: dict[str, Any], asked: Any = "The tide in Brest?", **more: Any) -> dict[str, Any]:
    """A log of the Responses API."""
    response = {"object": "response", "status": "completed", "output": list(output), **more}
    return {"request": {"model": "m", "input": asked, "tools": [FLAT]}, "response": response}


def messages(*turns: dict[str, Any], answer: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """A log of the Messages API."""
    request = {"model": "m", "messages": list(turns), "tools": [NATIVE]}
    return {"request": request, "response": {"type": "message", "content": answer or [], **more}}


def golden(name: str, identity: str) -> Reading:
    found = [r for r in joined_records(name) if identity in (r.get("id"), r.get("custom_id"))]
    assert len(found) == 1
    return FORMATS[name].read(found[0])


def steps(reading: Reading, i: int = 0) -> list[tuple[str, Any]]:
    plan = reading.drafts[i].plan
    assert plan is not None
    return [(step["pluginId"], step["api_request_parameters"]) for step in json.loads(plan)["plugins"]]


def test_one_exchange_gives_one_sample_whichever_api_logged_it() -> None:
    chat = {
        "request": {"messages": [USER], "tools": [{"type": "function", "function": {**FLAT, "type": "function"}}]},
        "response": {
            "choices": [
                {
                    "message": {
                        "role": "assistant",
                        "content": None,
                        "reasoning_content": "Ask.",
                        "tool_calls": [
                            {"id": "c1", "function": {"name": "get_tide", "arguments": '{"place":"Brest"}'}}
                        ],
                    }
                }
            ]
        },
    }
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Ask."}]}
    readings = [
        openai(chat),
        openai(responses(thought, CALL)),
        anthropic(messages(USER, answer=[{"type": "thinking", "thinking": "Ask."}, USE])),
    ]
    (first,) = readings[0].drafts
    assert first.thinking == "Ask."
    assert steps(readings[0]) == [("get_tide", {"place": "Brest"})]
    assert all(reading.drafts == (first,) for reading in readings)


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_a_whole_stream_reads_like_the_response_that_it_was(name: str) -> None:
    reading = golden(name, {"openai": "r-chunks", "anthropic": "stream"}[name])
    assert steps(reading) == [("get_tide", {"place": "Brest"})]
    assert reading.drafts[0].thinking == {"openai": "Ask for the tide.", "anthropic": "First the tide."}[name]
    assert reading.metadata["finish_reason"] in ("tool_calls", "tool_use")
    assert 9 in reading.metadata["usage"].values()
    assert "truncated" not in dict(reading.lost)


@pytest.mark.parametrize("kept", range(1, 9))
def test_a_message_stream_cut_anywhere_is_truncated_and_never_an_error(kept: int) -> None:
    (whole,) = (r for r in joined_records("anthropic") if r.get("id") == "stream")
    reading = anthropic({**whole, "response": whole["response"][:kept]})
    assert "truncated" in dict(reading.lost)
    assert len(reading.drafts) == 1


def test_a_cut_stream_of_responses_keeps_what_came() -> None:
    events = [
        {"type": "response.created", "response": {"id": "r", "status": "in_progress"}},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "a"}},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "As"},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "k."},
        {"type": "response.output_item.added", "output_index": 1, "item": {"type": "message", "content": []}},
        {"type": "response.output_text.delta", "output_index": 1, "delta": "The ti"},
    ]
    reading = openai({"request": {"input": "The tide?", "tools": [FLAT]}, "response": events})
    assert (reading.drafts[0].thinking, reading.drafts[0].plan) == ("Ask.", "The ti")
    assert ("truncated", "response") in reading.lost
    done = {"type": "response.completed", "response": responses(CALL)["response"]}
    whole = openai({"request": {"input": "The tide?", "tools": [FLAT]}, "response": [*events, done]})
    assert steps(whole) == [("get_tide", {"place": "Brest"})]
    assert whole.lost == ()


def test_items_between_two_events_from_outside_are_one_turn() -> None:
    text = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I ask."}]}
    second = {**CALL, "call_id": "c2"}
    reading = openai(responses(text, asked=[USER, text, CALL, second, RESULT, {**RESULT, "call_id": "c2"}]))
    roles = [message["role"] for message in reading.drafts[0].messages]
    assert roles == ["user", "assistant", "tool", "tool", "assistant"]
    assert [draft.kind for draft in reading.drafts] == ["trajectory", "plan"]
    assert len(steps(reading, 1)) == 2


def test_a_server_that_lists_its_tools_and_fails_offers_them_and_is_counted() -> None:
    reading = golden("openai", "r-server-tools")
    candidates = reading.drafts[0].candidates
    assert candidates is not None
    assert [candidate["pluginId"] for candidate in candidates] == ["read_log"]
    assert reading.metadata["tool_errors"] == 1
    assert reading.drafts[0].messages[2]["content"] == "the log is locked"


@pytest.mark.parametrize(
    "reading",
    [
        openai(responses(CALL, status="incomplete", incomplete_details={"reason": "max_output_tokens"})),
        openai({"messages": [USER], "choices": [{"message": {"role": "assistant"}, "finish_reason": "length"}]}),
        anthropic(messages(USER, answer=[USE], stop_reason="max_tokens")),
        golden("openai", "r-cut-chunks"),
    ],
)
def test_a_cut_answer_is_noted_as_truncated(reading: Reading) -> None:
    assert [what for what, _ in reading.lost] == ["truncated"]


@pytest.mark.parametrize(
    "record",
    [
        {**responses(), "response": {"object": "response", "status": "failed", "error": {"code": "x"}, "output": []}},
        {**messages(USER), "response": {"type": "error", "error": {"type": "overloaded_error"}}},
        {**messages(USER), "response": {"status_code": 529, "body": {"error": {"type": "overloaded_error"}}}},
    ],
)
def test_a_request_that_failed_is_a_prompt_whatever_the_api(record: dict[str, Any]) -> None:
    format_ = recognise([record])
    assert format_ is not None
    reading = format_.read(record)
    assert [draft.kind for draft in reading.drafts] == ["prompt"]
    assert reading.metadata["outcome"] == "failed"


def test_a_batch_file_that_was_only_sent_is_prompts() -> None:
    record = {"custom_id": "b1", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": [USER]}}
    assert recognise([record]) is FORMATS["openai"]
    reading = openai(record)
    assert ([draft.kind for draft in reading.drafts], reading.trace_id) == (["prompt"], "b1")


def test_an_error_of_a_tool_is_counted_and_its_words_stay() -> None:
    run = golden("anthropic", "run")
    assert run.metadata["tool_errors"] == 1
    assert [m["content"] for m in run.drafts[0].messages if m["role"] == "tool"] == ["6.4 m", "all berths are taken"]
    assert [m["tool_call_id"] for m in run.drafts[0].messages if m["role"] == "tool"] == ["t1", "t2"]


def test_a_search_of_the_platform_is_a_call_with_its_result_inside_one_turn() -> None:
    run = golden("anthropic", "vertex")
    assert [m["role"] for m in run.drafts[0].messages] == ["user", "assistant", "tool", "assistant"]
    assert ("undefined_tool", "request.tools.web_search") in run.lost
    assert "tide.example.org" in run.drafts[0].messages[2]["content"]


@pytest.mark.parametrize(
    ("part", "loss"),
    [
        ({"type": "image_url", "image_url": {"url": "https://x.example.org/a.png"}}, "by_reference"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}, "dropped"),
        ({"type": "input_image", "file_id": "f1"}, "by_reference"),
        ({"type": "image", "source": {"type": "base64", "data": "AA"}}, "dropped"),
        ({"type": "document", "source": {"type": "file", "file_id": "f1"}}, "by_reference"),
        ({"type": "input_audio", "input_audio": {"data": "AA"}}, "dropped"),
    ],
)
def test_content_that_is_no_text_is_dropped_or_only_pointed_at(part: dict[str, Any], loss: str) -> None:
    reading = openai({"messages": [{"role": "user", "content": [part, {"type": "text", "text": "?"}]}], "tools": []})
    assert reading.lost == ((loss, f"messages.content.{part['type']}"),)
    assert reading.drafts[0].messages[0]["content"] == "?"


@pytest.mark.parametrize(
    ("audio", "content", "loss", "text"),
    [
        ({"id": "a", "data": "AA", "transcript": "High."}, None, "dropped", "High."),
        ({"id": "a"}, "High.", "by_reference", "High."),
        ({"id": "a"}, None, "by_reference", ""),
    ],
)
def test_of_a_spoken_answer_the_words_stay(audio: dict[str, Any], content: str | None, loss: str, text: str) -> None:
    answer = {"role": "assistant", "content": content, "audio": audio}
    reading = openai({"messages": [USER, answer], "tools": []})
    assert reading.drafts[0].plan == text
    assert reading.lost == ((loss, "messages.audio"),)


def test_every_field_without_a_place_is_named_once_and_without_its_index() -> None:
    turn: dict[str, Any] = {**USER, "name": "Ines", "refusal": None, "annotations": []}
    logprobs = [{"message": {"role": "assistant", "content": "x"}, "logprobs": {"content": []}}]
    tools = [{**FLAT, "strict": True}, {"type": "function", "function": {"name": "ping"}}]
    record = {
        "request": {"messages": [turn, turn], "tools": tools, "temperature": 0, "stop": ["."]},
        "response": {"choices": logprobs},
        "raw_headers": {"a": 1},
    }
    reading = openai(record)
    assert reading.lost == (
        ("dropped", "raw_headers"),
        ("dropped", "request.stop"),
        ("dropped", "request.messages.name"),
        ("dropped", "request.tools.strict"),
        ("undefined_tool", "request.tools.ping"),
        ("dropped", "choices.logprobs"),
    )
    assert reading.metadata == {"temperature": 0}


def test_a_tool_that_was_called_and_never_offered_is_named() -> None:
    call = {"id": "c1", "function": {"name": "moor", "arguments": "{}"}}
    told: list[tuple[dict[str, Any], list[Any] | None]] = [({"tools": []}, []), ({}, None)]
    for tools, candidates in told:
        reading = openai({"messages": [USER, {"role": "assistant", "tool_calls": [call]}], **tools})
        assert reading.lost == (("undefined_tool", "tool_calls.moor"),)
        assert reading.drafts[0].candidates == candidates


def test_a_result_without_an_id_answers_the_open_call_of_its_tool() -> None:
    calls: list[Any] = [{"function": {"name": name, "arguments": {}}} for name in ("find", "send", "find")]
    results = [{"role": "tool", "name": name, "content": "x"} for name in ("send", "find", "find", "find")]
    reading = openai({"messages": [USER, {"role": "assistant", "tool_calls": calls}, *results], "tools": []})
    answered = [m.get("tool_call_id") for m in reading.drafts[0].messages[2:]]
    assert answered == ["call_1_1", "call_1_0", "call_1_2", None]


def test_losses_are_of_a_known_kind_and_leave_the_metadata() -> None:
    metadata: dict[str, Any] = {}
    for kind in LOSSES:
        lose(metadata, kind, "messages[3].content[0].x")
        lose(metadata, kind, "messages[4].content[1].x")
    assert lost_of(metadata) == tuple((kind, "messages.content.x") for kind in LOSSES)
    assert metadata == {}
    with pytest.raises(KeyError, match="'gone' is no kind of loss"):
        lose(metadata, "gone", "x")


@pytest.mark.parametrize("name", [name for name, format_ in FORMATS.items() if format_.parts is None])
def test_no_golden_reading_leaves_its_losses_among_the_metadata(name: str) -> None:
    for record in joined_records(name):
        reading = FORMATS[name].read(record)
        assert GATHERED not in reading.metadata
        assert {what for what, _ in reading.lost} <= set(LOSSES)


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"system": "x", "messages": [USER]}, "anthropic"),
        ({"messages": [{"role": "assistant", "content": [USE]}]}, "anthropic"),
        ({"messages": [USER], "tools": [NATIVE]}, "anthropic"),
        ({"system": "x", "messages": [USER], "tools": [{"type": "function", "function": FLAT}]}, "openai"),
        ({"request": {"messages": [USER]}, "response": {"type": "message", "content": []}}, "anthropic"),
        ({"object": "response", "output": [CALL], "input": "x"}, "openai"),
        ({"input": [USER, CALL], "model": "m"}, "openai"),
        ({"messages": [USER], "result": "fine"}, "ondemand"),
        ({"input": "x", "output": "y"}, None),
    ],
)
def test_logs_are_told_apart(record: dict[str, Any], name: str | None) -> None:
    ours = {key: FORMATS[key] for key in ("ondemand", "openai", "anthropic", "trl", "sharegpt", "xlam", "atif", "sgd")}
    assert next((key for key, format_ in ours.items() if format_.recognises(record)), None) == name


@pytest.mark.parametrize("wrapped", ["body", "text", "text of a body"])
def test_a_body_may_be_wrapped_or_written_as_text(wrapped: str) -> None:
    plain = messages(USER, answer=[USE])
    sent, came = plain["request"], plain["response"]
    ways: dict[str, dict[str, Any]] = {
        "body": {"request": {"url": "u", "body": sent}, "response": {"status": 200, "body": came}},
        "text": {"full_request": json.dumps(sent), "full_response": json.dumps(came)},
        "text of a body": {"request": {"body": json.dumps(sent)}, "response": {"body": json.dumps(came)}},
    }
    record = ways[wrapped]
    assert sides(record).request == sent
    assert recognise([record]) is FORMATS["anthropic"]
    assert anthropic(record).drafts == anthropic(plain).drafts


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "request.input is missing": ("openai", {"request": {"instructions": "x"}, "response": {"object": "response"}}),
    "request.input[0].call_id is missing": ("openai", responses(asked=[{"type": "function_call_output"}])),
    "response.output[0].name is missing": ("openai", responses({"type": "function_call", "call_id": "c"})),
    "response.output[0].role is 'robot', not one of": ("openai", responses({"type": "message", "role": "robot"})),
    "response is a list of no known kind": ("openai", {"request": {"messages": [USER]}, "response": [{"a": 1}]}),
    "request.messages[0].role is 'tool', not one of": ("anthropic", messages({"role": "tool", "content": "x"})),
    "request.messages[0].content is an int, not": ("anthropic", messages({"role": "user", "content": 7})),
    "response.content[0].name is null": ("anthropic", messages(USER, answer=[{"type": "tool_use", "id": "c"}])),
    "request.messages[0].content[0].tool_use_id is null": (
        "anthropic",
        messages({"role": "user", "content": [{"type": "tool_result"}]}),
    ),
    "response has neither content nor an error": ("anthropic", {"request": {"messages": [USER]}, "response": {}}),
}


@pytest.mark.parametrize("why", WRONG)
def test_a_wrong_type_is_named_with_its_place(why: str) -> None:
    name, record = WRONG[why]
    with pytest.raises(FormatError) as refused:
        FORMATS[name].read(record)
    assert str(refused.value).startswith(why)
