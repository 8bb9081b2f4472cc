"""What OpenAI's published types allow beyond the plain exchange: preferences, its own tools, approvals, streams."""

import json
from typing import Any

import pytest

from curation.errors import FormatError
from curation.formats import FORMATS, recognise
from curation.formats.reading import Reading
from tests.formats.golden import joined_records

OPENAI = FORMATS["openai"]
SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Brest."}]}


def golden(identity: str) -> Reading:
    return OPENAI.read(next(record for record in joined_records("openai") if record.get("id") == identity))


def called(reading: Reading) -> list[tuple[str, Any]]:
    """Every call of the run with its arguments."""
    calls = [call["function"] for message in reading.drafts[0].messages for call in message.get("tool_calls", ())]
    return [(call["name"], json.loads(call["arguments"])) for call in calls]


def results(reading: Reading) -> dict[str, str]:
    found = [message for message in reading.drafts[0].messages if message["role"] == "tool"]
    return {message["tool_call_id"]: message["content"] for message in found}


def names(reading: Reading) -> list[str]:
    return [candidate["name"] for candidate in reading.drafts[0].candidates or ()]


def streamed(*events: dict[str, Any]) -> Reading:
    return OPENAI.read({"request": {"model": "m", "input": "Where?"}, "response": list(events)})


def test_a_preference_is_the_plan_that_was_preferred_and_tells_that_the_other_is_lost() -> None:
    reading = golden("p-preference")
    assert [draft.kind for draft in reading.drafts] == ["plan"]
    assert [message["role"] for message in reading.drafts[0].messages] == ["system", "user"]
    assert json.loads(reading.drafts[0].plan or "")["plugins"][0]["api_request_parameters"] == {"place": "Brest"}
    assert names(reading) == ["get_tide"]
    assert reading.lost == (("dropped", "non_preferred_output"),)


def test_a_preference_without_a_list_of_messages_says_so() -> None:
    with pytest.raises(FormatError, match="preferred_output is a str, not a list"):
        OPENAI.read({"input": {"messages": [{"role": "user", "content": "x"}]}, "preferred_output": "y"})


def test_calls_of_the_tools_that_the_platform_brings_are_calls_with_their_results() -> None:
    reading = golden("r-own-tools")
    assert [name for name, _ in called(reading)] == ["shell", "apply_patch", "computer"]
    assert called(reading)[0][1] == {"commands": ["cat tides.csv"], "timeout_ms": 2000}
    assert names(reading) == ["shell", "apply_patch", "computer"]
    assert json.loads(results(reading)["s1"])[0]["stdout"] == "Brest;6.4"
    assert results(reading)["p1"] == "the file is locked"
    assert reading.metadata["tool_errors"] == 1
    assert ("by_reference", "request.input.output.computer_screenshot") in reading.lost


def test_what_the_platform_did_itself_is_a_call_only_where_its_result_is_there() -> None:
    reading = golden("r-served")
    assert called(reading) == [
        ("file_search", {"queries": ["Brest Vigo distance"]}),
        ("code_interpreter", {"code": "420 * 1.852"}),
    ]
    assert json.loads(results(reading)["ci_1"]) == [{"type": "logs", "logs": "777.84"}]
    assert names(reading) == ["file_search", "code_interpreter", "web_search"]
    assert ("dropped", "response.output.web_search_call") in reading.lost
    assert reading.drafts[1].thinking == "Look it up, then reckon."


def test_the_sources_of_a_search_are_its_result() -> None:
    action = {"type": "search", "query": "tides", "sources": [{"type": "url", "url": "https://tide.example.org"}]}
    search = {"type": "web_search_call", "id": "w1", "action": action, "status": "completed"}
    reading = OPENAI.read(
        {"request": {"input": "Where?"}, "response": {"object": "response", "output": [search, SAID]}}
    )
    assert called(reading) == [("web_search", {"type": "search", "query": "tides"})]
    assert json.loads(results(reading)["w1"]) == action["sources"]


def test_a_function_of_a_namespace_is_called_by_the_name_that_it_was_offered_under() -> None:
    reading = golden("r-namespaces")
    assert names(reading) == ["tool_search", "sea.get_tide"]
    assert called(reading)[-1] == ("sea.get_tide", {"place": "Brest"})
    assert set(results(reading)) == {"ts_1"}
    assert not any(what == "undefined_tool" and "get_tide" in field for what, field in reading.lost)


def test_a_refused_approval_is_the_result_of_its_call_and_a_granted_one_is_no_second_call() -> None:
    reading = golden("r-approval")
    assert [name for name, _ in called(reading)] == ["wipe_log", "read_log"]
    assert results(reading) == {"ar_1": '{"approve":false,"reason":"keep it"}', "ar_2": "empty"}


def test_a_spoken_answer_that_is_streamed_is_all_of_its_words() -> None:
    assert golden("c-spoken-chunks").drafts[0].plan == "It is 6.4 metres."


def test_the_text_of_a_custom_tool_is_put_together_from_its_pieces() -> None:
    step = json.loads(golden("c-custom-chunks").drafts[0].plan or "")["plugins"][0]
    assert step["api_request_parameters"] == {"input": "moored at V-3"}


def test_a_stream_whose_end_leaves_the_items_out_has_those_that_came_before() -> None:
    done = {"type": "response.output_item.done", "output_index": 0, "item": SAID}
    end = {"type": "response.completed", "response": {"id": "r", "status": "completed", "output": []}}
    reading = streamed(done, end)
    assert reading.drafts[0].plan == "Brest."
    assert "truncated" not in dict(reading.lost)


def test_a_stream_that_fails_keeps_what_came_and_says_why() -> None:
    words = {"type": "response.output_text.delta", "output_index": 0, "delta": "Bre"}
    reading = streamed(words, {"type": "error", "code": "server_error", "message": "overloaded"})
    assert reading.drafts[0].plan == "Bre"
    assert reading.metadata["outcome"] == "failed"
    assert reading.metadata["error"]["message"] == "overloaded"
    assert ("truncated", "response") in reading.lost


def test_a_refusal_that_is_streamed_is_no_words_of_an_answer() -> None:
    reading = streamed({"type": "response.refusal.delta", "output_index": 0, "delta": "I cannot."})
    assert reading.metadata["refusal"] == "I cannot."
    assert reading.drafts[0].plan == ""


def test_the_parts_of_a_streamed_summary_are_as_far_apart_as_those_of_a_whole_one() -> None:
    item = {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "summary": []}}
    part = {"type": "response.reasoning_summary_part.added", "output_index": 0}
    first, second = ({"type": "response.reasoning_summary_text.delta", "delta": text} for text in ("One.", "Two."))
    said = {"type": "response.output_text.delta", "output_index": 1, "delta": "Brest."}
    assert streamed(item, part, first, part, second, said).drafts[0].thinking == "One.\n\nTwo."


def test_a_message_that_was_cut_in_an_earlier_turn_is_told() -> None:
    earlier = [{**SAID, "status": "incomplete"}, {"role": "user", "content": "Go on."}]
    reading = OPENAI.read({"request": {"input": earlier}, "response": {"object": "response", "output": [SAID]}})
    assert ("truncated", "request.input.content") in reading.lost


STORED = {"object": "chat.completion", "id": "s", "choices": [{"message": {"role": "assistant", "content": "x"}}]}


@pytest.mark.parametrize(
    "record",
    [
        STORED,
        {"id": "b", "custom_id": "1", "response": {"status_code": 200, "request_id": "q", "body": STORED}},
        {"object": "response", "id": "r", "output": [SAID]},
    ],
    ids=["stored completion", "batch output", "stored response"],
)
def test_an_answer_without_its_request_says_what_to_put_beside_it(record: dict[str, Any]) -> None:
    assert recognise([record]) is OPENAI
    with pytest.raises(FormatError, match="without its request; put the request beside it"):
        OPENAI.read(record)


def test_a_stored_completion_with_its_messages_is_read() -> None:
    reading = OPENAI.read({**STORED, "messages": [{"role": "user", "content": "Where?"}], "request_id": "req_1"})
    assert reading.drafts[0].plan == "x"
