"""Spans of one trace become its conversations, whatever was repeated, cut, lost or written in another order."""

import itertools
import json
import random
from typing import Any

import pytest

from curation.formats import FORMATS, recognise
from curation.formats.reading import Reading, Record
from curation.formats.spans import AGENT, LLM, OTHER, TOOL, Span, Words, drafts_of_spans
from curation.sample import Draft
from tests.formats.golden import data_files, joined_records

WORDS = Words("said", "answered", "ended", "spans")
PLATFORMS = ("langfuse", "otlp", "langsmith", "openinference")

ASK = {"role": "user", "content": "Book V-3."}
FIND = {"pluginId": "find", "name": "find", "description": "Finds", "identifier": "function", "method": ""}
BOOK = {**FIND, "pluginId": "book", "name": "book"}


def call(name: str, call_id: str, **arguments: Any) -> Record:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def calling(*calls: Record, content: str = "") -> Record:
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(call_id: str, content: str = "found") -> Record:
    return {"role": "tool", "content": content, "tool_call_id": call_id}


def says(content: str) -> Record:
    return {"role": "assistant", "content": content}


def llm(order: int, said: list[Record], answered: list[Record], **more: Any) -> Span:
    return Span(LLM, "chat", (order,), id=f"s{order}", said=said, answered=answered, **more)


def tool(order: int, name: str, **more: Any) -> Span:
    return Span(TOOL, name, (order,), id=f"s{order}", **more)


def drafts(*spans: Span) -> tuple[list[Draft], dict[str, Any]]:
    metadata: dict[str, Any] = {}
    return list(drafts_of_spans(list(spans), WORDS, metadata)), metadata


def lost(metadata: dict[str, Any]) -> set[tuple[str, str]]:
    return {(what, field) for what, field in metadata.get("curation.lost", [])}


A1 = calling(call("find", "1", where="Visby"), content="<think>first</think>")
A2 = calling(call("book", "2", berth="V-3"))


def test_calls_that_repeat_one_another_are_one_trajectory_without_repeated_turns() -> None:
    repeated = {**A1, "content": ""}
    found, _ = drafts(
        llm(1, [ASK], [A1]),
        llm(3, [ASK, repeated, result("1")], [A2]),
        llm(5, [ASK, repeated, result("1"), A2, result("2")], [says("done")]),
    )
    assert [(draft.kind, draft.turn) for draft in found] == [("trajectory", None), ("plan", 1), ("plan", 3)]
    assert found[0].messages == [ASK, A1, result("1"), A2, result("2"), says("done")]
    assert found[1].thinking == "first"


def test_the_order_in_which_spans_come_changes_nothing() -> None:
    spans = [
        llm(1, [ASK], [A1]),
        tool(2, "find", result="found"),
        llm(3, [ASK, A1, result("1")], [A2]),
        tool(4, "book", result="booked"),
    ]
    expected = drafts(*spans)
    assert expected[0][0].messages[-1] == result("2", "booked")
    for order in itertools.permutations(spans):
        assert drafts(*order) == expected


def test_ids_that_differ_between_an_answer_and_its_repetition_do_not_part_a_run() -> None:
    again = calling(call("find", "other", where="Visby"))
    found, _ = drafts(llm(1, [ASK], [A1]), llm(2, [ASK, again, result("other")], [says("done")]))
    assert [draft.kind for draft in found] == ["trajectory", "plan"]
    ids = [each["id"] for message in found[0].messages for each in message.get("tool_calls", ())]
    assert ids == ["other"]
    assert found[1].thinking == "first"


def test_words_beside_a_call_that_its_repetition_leaves_out_do_not_part_a_run() -> None:
    spoken = {**A1, "content": "Looking."}
    found, _ = drafts(llm(1, [ASK], [spoken]), llm(2, [ASK, {**A1, "content": ""}, result("1")], [says("done")]))
    assert [draft.kind for draft in found] == ["trajectory", "plan"]
    assert found[0].messages[1]["content"] == "Looking."


def test_a_call_that_holds_only_the_new_results_goes_on_from_the_one_that_waits_for_them() -> None:
    found, _ = drafts(llm(1, [ASK], [A1]), llm(2, [result("1")], [A2]))
    assert found[0].messages == [ASK, A1, result("1"), A2]


def test_sub_agents_that_share_no_conversation_are_runs_of_their_own() -> None:
    other = {"role": "user", "content": "Is it windy?"}
    found, _ = drafts(llm(1, [ASK], [A1]), llm(2, [other], [A2]), llm(3, [ASK, A1, result("1")], [says("done")]))
    assert [(draft.kind, draft.parent) for draft in found] == [("trajectory", None), ("plan", 0), ("plan", None)]
    assert found[2].messages == [other]


def test_plans_of_a_second_run_have_their_own_trajectory_as_parent() -> None:
    other = {"role": "user", "content": "Is it windy?"}
    second = calling(call("wind", "9"))
    found, _ = drafts(
        llm(1, [ASK], [A1]),
        llm(2, [ASK, A1, result("1")], [says("done")]),
        llm(3, [other], [second]),
        llm(4, [other, second, result("9")], [says("no")]),
    )
    assert [(draft.kind, draft.parent) for draft in found] == [
        ("trajectory", None),
        ("plan", 0),
        ("trajectory", None),
        ("plan", 2),
    ]


def test_a_call_that_two_instrumentations_wrote_down_counts_once() -> None:
    found, _ = drafts(llm(1, [ASK], [A1]), llm(2, [ASK], [A1], offered=[FIND]))
    assert [draft.kind for draft in found] == ["plan"]
    assert found[0].candidates == [FIND]


def test_a_call_that_failed_and_was_tried_again_is_one_request() -> None:
    found, metadata = drafts(llm(1, [ASK], [], error="overloaded"), llm(2, [ASK], [A1]))
    assert [draft.kind for draft in found] == ["plan"]
    assert lost(metadata) == {("undefined_tool", "tool_calls.find")}


def test_every_plan_offers_what_its_own_call_was_offered() -> None:
    found, _ = drafts(
        llm(1, [ASK], [A1], offered=[FIND]),
        llm(2, [ASK, A1, result("1")], [A2], offered=[BOOK]),
    )
    assert [draft.candidates for draft in found] == [[FIND, BOOK], [FIND], [BOOK]]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([tool(2, "find", call_id="b", result="B"), tool(3, "find", call_id="a", result="A")], ["A", "B"]),
        ([tool(2, "find", result="first"), tool(3, "find", result="second")], ["first", "second"]),
        (
            [tool(2, "find", result="two", arguments='{"n": 2}'), tool(3, "find", result="one", arguments={"n": 1})],
            ["one", "two"],
        ),
        ([tool(2, "find", call_id="b", result="B"), tool(3, "find", call_id="elsewhere", result="A")], ["A", "B"]),
        ([tool(2, "find", call_id="a", error="refused")], ["refused"]),
        ([tool(2, "search", call_id="a", arguments={"n": 1}, result="by id")], ["by id"]),
        ([tool(2, "of another agent", call_id="a", arguments={"x": 9}, result="x")], []),
        ([Span(OTHER, "find", (2,), result="in a plain span")], ["in a plain span"]),
        ([tool(2, "other", result="x")], []),
    ],
)
def test_a_tool_is_matched_by_id_then_by_name_and_arguments_then_by_order(
    spans: list[Span], expected: list[str]
) -> None:
    found, _ = drafts(llm(1, [ASK], [calling(call("find", "a", n=1), call("find", "b", n=2))]), *spans)
    assert [message["content"] for message in found[0].messages if message["role"] == "tool"] == expected


def test_what_a_model_was_called_from_is_not_taken_for_the_tool_that_it_calls() -> None:
    found, _ = drafts(Span(OTHER, "find", (0,), id="root", result="all of it"), llm(1, [ASK], [A1], parent="root"))
    assert [draft.kind for draft in found] == ["plan"]


def test_a_result_whose_content_was_not_recorded_is_filled_in_from_the_tools_span() -> None:
    found, _ = drafts(
        llm(1, [ASK], [A1]), tool(2, "find", call_id="1", result="V-3"), llm(3, [ASK, A1, result("1", "")], [A2])
    )
    assert found[0].messages[2] == result("1", "V-3")


def test_an_agents_own_messages_count_only_where_no_call_of_a_model_has_any() -> None:
    agent = Span(AGENT, "agent", (0,), id="a", said=[ASK], answered=[A1])
    assert [draft.kind for draft in drafts(agent)[0]] == ["plan"]
    alone, _ = drafts(agent, llm(1, [ASK], [A2], parent="a"))
    assert [json.loads(draft.plan or "")["plugins"][0]["pluginId"] for draft in alone] == ["book"]


@pytest.mark.parametrize(
    ("spans", "outcome"),
    [
        ([llm(1, [ASK], [A1])], "succeeded"),
        ([llm(1, [ASK], [], error="refused")], "failed"),
        ([llm(1, [ASK], [], error="busy"), llm(2, [ASK], [A1])], "succeeded"),
        ([Span(OTHER, "root", (0,), id="r", error="broke"), llm(1, [ASK], [A1], parent="r")], "failed"),
        ([Span(OTHER, "root", (0,), id="r"), llm(1, [ASK], [A1], parent="r", error="broke")], "failed"),
        ([Span(OTHER, "root", (0,), id="r"), llm(1, [ASK], [A1], parent="r")], "succeeded"),
        ([llm(1, [ASK], [A1], ended=False)], None),
    ],
)
def test_the_outermost_span_and_the_last_call_decide_how_a_trace_ended(spans: list[Span], outcome: str | None) -> None:
    if len(spans) == 2 and spans[0].kind == LLM:
        spans = [Span(OTHER, "root", (0,), id="r"), *spans]
        for each in spans[1:]:
            each.parent = "r"
    assert drafts(*spans)[1].get("outcome") == outcome


def test_what_a_trace_lacks_is_named_in_the_platforms_words() -> None:
    _, metadata = drafts(llm(1, [], [A1]), llm(2, [ASK], [], ended=True), tool(3, "unasked", result="x"))
    assert lost(metadata) == {("missing", "said"), ("missing", "answered"), ("dropped", "spans.tool")}
    found, metadata = drafts(Span(OTHER, "GET /", (0,), word="http"))
    assert found == []
    assert lost(metadata) == {("missing", "spans.llm"), ("dropped", "spans.http")}


@pytest.mark.parametrize("cut", ["length", "max_tokens", "MAX_TOKENS"])
def test_a_cut_answer_is_kept_and_named_as_truncated(cut: str) -> None:
    found, metadata = drafts(llm(1, [ASK], [says("The berth li")], finish=cut, ended=False))
    assert found[0].plan == "The berth li"
    assert metadata["finish_reason"] == cut
    assert lost(metadata) == {("truncated", "answered"), ("truncated", "ended")}


def reading(name: str, trace_id: str) -> Reading:
    found = (FORMATS[name].read(record) for record in joined_records(name))
    return next(each for each in found if each.trace_id == trace_id)


AGENT_RUNS = {
    "langfuse": "lf-agent",
    "otlp": "5b8efff798038103d269b633813fc60c",
    "langsmith": "ls-agent",
    "openinference": "b1" * 16,
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_same_run_gives_the_same_samples_on_every_platform(name: str) -> None:
    """Two parallel calls, one of which fails, then a booking whose result only the tool's own span holds."""
    found = reading(name, AGENT_RUNS[name])
    trajectory, first, second = found.drafts
    assert [message["role"] for message in trajectory.messages] == [
        *("system", "user", "assistant", "tool", "tool", "assistant", "tool"),
    ]
    assert trajectory.messages[4]["content"] == "no tide table"
    assert json.loads(trajectory.messages[6]["content"]) == {"booked": True}
    steps = [json.loads(draft.plan or "")["plugins"] for draft in (first, second)]
    assert [[step["pluginId"] for step in each] for each in steps] == [["find_berth", "tide"], ["book_berth"]]
    assert steps[0][0]["api_request_parameters"] == {"harbour": "Visby", "length": 9}
    assert [candidate["pluginId"] for candidate in second.candidates or []] == ["find_berth", "tide", "book_berth"]
    assert (found.conversation, found.metadata["outcome"], found.metadata["tool_errors"]) == (
        "season-1",
        "succeeded",
        1,
    )
    assert found.timestamp == "2026-06-01T09:00:00+00:00"


CUT = {"langfuse": "lf-cut", "otlp": "a4" * 16, "langsmith": "ls-cut", "openinference": "b3" * 16}


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_cut_answer_is_told_on_every_platform(name: str) -> None:
    found = reading(name, CUT[name])
    assert found.metadata["finish_reason"] == "length"
    assert any(what == "truncated" for what, _ in found.lost)
    assert found.drafts[-1].plan or found.drafts[0].messages[-1]["content"]


FEEDBACK = {
    "langfuse": ("lf-export", {"tone": "friendly"}),
    "otlp": ("a2" * 16, {"relevance": 0.9}),
    "langsmith": ("ls-agent", {"helpful": 0.5, "tone": "friendly", "correct": 1}),
    "openinference": ("b2" * 16, {"correct": 1.0}),
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_feedback_can_be_asked_for_on_every_platform(name: str) -> None:
    trace_id, expected = FEEDBACK[name]
    assert reading(name, trace_id).metadata["feedback"] == expected


REFERENCES = {
    "langfuse": ("lf-cut", "observations.input.content.image_url"),
    "otlp": ("a5" * 16, "gen_ai.output.messages"),
    "langsmith": ("ls-away", "runs.outputs"),
    "openinference": ("b2" * 16, "llm.input_messages.content.image"),
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_content_that_is_only_pointed_at_is_named_on_every_platform(name: str) -> None:
    trace_id, field = REFERENCES[name]
    assert ("by_reference", field) in reading(name, trace_id).lost


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_file_is_recognised_whichever_of_its_records_come_first(name: str) -> None:
    lines = [json.loads(line) for file in data_files(name) for line in file.path.read_bytes().splitlines()]
    for seed in range(5):
        random.Random(seed).shuffle(lines)
        found = recognise(lines[:20])
        assert found is not None
        assert found.name == name


@pytest.mark.parametrize("named", ["sessionId", "userId", "htmlPath"])
def test_a_page_of_langfuse_is_known_by_any_of_what_only_its_traces_say(named: str) -> None:
    trace = {"id": "t", "timestamp": "2026-01-01T00:00:00Z", "input": "Where?", "output": "Here.", named: None}
    for record in ({"data": [trace], "meta": {"page": 1}}, trace):
        found = recognise([record])
        assert found is not None
        assert found.name == "langfuse"
    del trace[named]
    assert recognise([{"data": [trace]}]) is None
