"""OpenTelemetry's spans and events mean the same in every envelope and under every version of the conventions."""

import json
from typing import Any

import pytest

from curation.errors import FormatError
from curation.formats import FORMATS, recognise
from curation.formats.attributes import attributes_of, nested
from curation.formats.envelopes import hex_id
from curation.formats.reading import Reading
from curation.gathering import gather

Record = dict[str, Any]

TRACE = "AB" * 16
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q":"it"}'}}
BASE = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
ASKED = [{"role": "user", "parts": [{"type": "text", "content": "Where?"}]}]
SAID = [
    {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c1", "name": "find", "arguments": {"q": "it"}}],
        "finish_reason": "tool_call",
    }
]


def span(attributes: Record, **more: Any) -> Record:
    own = {"traceId": TRACE, "spanId": "CD" * 8, "name": "chat", "startTimeUnixNano": "5", "endTimeUnixNano": "6"}
    return {**own, "attributes": attributes, **more}


def event(name: str, body: Any = None, **attributes: Any) -> Record:
    own = {"timeUnixNano": "5", "traceId": TRACE.lower(), "spanId": "cd" * 8, "attributes": listed(attributes)}
    return {**own, "eventName": name, **({} if body is None else {"body": value(body)})}


def listed(attributes: Record) -> list[Record]:
    return [{"key": key, "value": value(each)} for key, each in attributes.items()]


def value(plain: Any) -> Record:
    if isinstance(plain, dict):
        return {"kvlistValue": {"values": listed(plain)}}
    if isinstance(plain, list):
        return {"arrayValue": {"values": [value(each) for each in plain]}}
    return {"intValue": str(plain)} if isinstance(plain, int) else {"stringValue": plain}


def read(*records: Record, name: str = "otlp") -> Reading:
    format_ = FORMATS[name]
    assert format_.parts is not None
    lines = [(i, json.dumps(record).encode()) for i, record in enumerate(records)]
    (piece,) = gather(lines, format_.parts)
    return format_.read(json.loads(piece.raw))


WAYS: dict[str, list[Record]] = {
    "structured attributes": [span({**BASE, "gen_ai.input.messages": ASKED, "gen_ai.output.messages": SAID})],
    "attributes as OTLP lists them": [
        span({}) | {"attributes": listed({**BASE, "gen_ai.input.messages": ASKED, "gen_ai.output.messages": SAID})}
    ],
    "JSON text": [
        span({**BASE, "gen_ai.input.messages": json.dumps(ASKED), "gen_ai.output.messages": json.dumps(SAID)})
    ],
    "the log event beside its span": [
        event(
            "gen_ai.client.inference.operation.details",
            **{"gen_ai.input.messages": ASKED, "gen_ai.output.messages": SAID},
        ),
        span(BASE),
    ],
    "the log event alone": [
        event(
            "gen_ai.client.inference.operation.details",
            **{**BASE, "gen_ai.input.messages": ASKED, "gen_ai.output.messages": SAID},
        )
    ],
    "older events of the span": [
        span(
            BASE,
            events=[
                {"name": "gen_ai.user.message", "timeUnixNano": 5, "attributes": listed({"content": "Where?"})},
                {
                    "name": "gen_ai.choice",
                    "timeUnixNano": 6,
                    "attributes": listed(
                        {"index": 0, "finish_reason": "tool_call", "message": json.dumps({"tool_calls": [CALL]})}
                    ),
                },
            ],
        )
    ],
    "older log events beside the span": [
        span(BASE),
        event("gen_ai.user.message", {"content": "Where?"}),
        event(
            "gen_ai.choice",
            {"index": 0, "finish_reason": "tool_call", "message": {"role": "assistant", "tool_calls": [CALL]}},
        ),
    ],
    "older log events alone": [
        event("gen_ai.user.message", {"content": "Where?"}),
        event(
            "gen_ai.choice",
            {"index": 0, "finish_reason": "tool_call", "message": {"role": "assistant", "tool_calls": [CALL]}},
        ),
    ],
    "the events of the first conventions": [
        span(
            BASE,
            events=[
                {
                    "name": "gen_ai.content.prompt",
                    "attributes": listed({"gen_ai.prompt": json.dumps([{"role": "user", "content": "Where?"}])}),
                },
                {
                    "name": "gen_ai.content.completion",
                    "attributes": listed(
                        {
                            "gen_ai.completion": json.dumps(
                                [{"role": "assistant", "tool_calls": [CALL], "finish_reason": "tool_call"}]
                            )
                        }
                    ),
                },
            ],
        )
    ],
    "an attribute for every field": [
        span(
            {
                "llm.request.type": "chat",
                "gen_ai.request.model": "m",
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": json.dumps([{"type": "text", "text": "Where?"}]),
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.finish_reason": "tool_call",
                "gen_ai.completion.0.tool_calls.0.id": "c1",
                "gen_ai.completion.0.tool_calls.0.name": "find",
                "gen_ai.completion.0.tool_calls.0.arguments": '{"q":"it"}',
            }
        )
    ],
}


@pytest.mark.parametrize("way", WAYS)
def test_every_version_of_the_conventions_gives_the_same_plan(way: str) -> None:
    found = read(*WAYS[way])
    (draft,) = found.drafts
    assert draft.messages == [{"role": "user", "content": "Where?"}]
    (step,) = json.loads(draft.plan or "")["plugins"]
    assert (step["pluginId"], step["api_request_parameters"]) == ("find", {"q": "it"})
    assert (found.trace_id, found.metadata["finish_reason"]) == (TRACE.lower(), "tool_call")
    assert found.lost == (("undefined_tool", "tool_calls.find"),)


def test_the_name_of_an_event_is_no_part_of_its_message() -> None:
    told = event("", {"content": "Where?"}, **{"event.name": "gen_ai.user.message", "gen_ai.system": "x"})
    found = read(span(BASE), told)
    assert found.drafts[0].messages == [{"role": "user", "content": "Where?"}]
    assert not [field for what, field in found.lost if what == "dropped"]


@pytest.mark.parametrize("way", WAYS)
def test_every_version_of_the_conventions_is_recognised(way: str) -> None:
    found = recognise(WAYS[way])
    assert found is not None
    assert found.name == "otlp"


def test_a_text_that_the_exporter_cut_is_truncated_and_no_half_message() -> None:
    found = read(span({**BASE, "gen_ai.input.messages": ASKED, "gen_ai.output.messages": json.dumps(SAID)[:-9]}))
    assert [draft.kind for draft in found.drafts] == ["prompt"]
    assert ("truncated", "gen_ai.output.messages") in found.lost


def test_a_trace_whose_content_was_not_recorded_is_read_and_says_what_is_missing() -> None:
    found = read(span(BASE), span({"http.request.method": "GET"}, spanId="EF" * 8, name="GET"))
    assert found.drafts == ()
    assert found.metadata["outcome"] == "succeeded"
    assert {
        ("missing", "gen_ai.input.messages"),
        ("missing", "gen_ai.output.messages"),
        ("dropped", "spans.other"),
    } <= set(found.lost)


def test_tools_told_by_name_only_offer_nothing() -> None:
    found = read(
        span(
            {
                **BASE,
                "gen_ai.input.messages": ASKED,
                "gen_ai.output.messages": SAID,
                "gen_ai.tool.definitions": [{"type": "function", "name": "find"}],
            }
        )
    )
    assert found.drafts[0].candidates is None
    assert ("undefined_tool", "gen_ai.tool.definitions.find") in found.lost


def test_every_attribute_that_is_not_carried_over_is_named_without_its_indices() -> None:
    beside = {"gen_ai.request.temperature": 0.5, "app.steps.0.name": "a", "app.steps.1.name": "b", "server.address": ""}
    found = read(span({**BASE, **beside, "gen_ai.input.messages": ASKED, "gen_ai.output.messages": SAID}))
    assert {field for what, field in found.lost if what == "dropped"} == {
        "gen_ai.request.temperature",
        "app.steps.name",
    }


@pytest.mark.parametrize("status", [{"code": 2, "message": "broke"}, {"code": "STATUS_CODE_ERROR", "message": "broke"}])
def test_a_status_that_is_an_error_is_the_outcome(status: Record) -> None:
    found = read(span({**BASE, "gen_ai.input.messages": ASKED}, status=status))
    assert (found.metadata["outcome"], found.metadata["error"]) == ("failed", "broke")


def test_an_exception_tells_what_a_bare_status_does_not() -> None:
    thrown = {"name": "exception", "attributes": listed({"exception.type": "Busy", "exception.message": "too many"})}
    found = read(span({**BASE, "gen_ai.input.messages": ASKED}, status={"code": 2}, events=[thrown]))
    assert found.metadata["error"] == "too many"


def test_a_span_without_a_trace_is_a_trace_of_its_own() -> None:
    assert FORMATS["otlp"].parts is not None
    nameless = [span(BASE, traceId=trace) for trace in ("", "0" * 32)]
    lines = [(i, json.dumps(record).encode()) for i, record in enumerate(nameless)]
    assert len(list(gather(lines, FORMATS["otlp"].parts))) == 2


def test_ids_in_base64_keep_their_case_and_hexadecimal_ones_lose_it() -> None:
    assert hex_id("0xABCDEF01") == "abcdef01"
    assert hex_id("AbCdEfGhIjK=") == "AbCdEfGhIjK="
    assert hex_id("0" * 32) is None


def test_the_conventions_of_both_families_are_read_in_one_trace() -> None:
    other = {
        "openinference.span.kind": "TOOL",
        "tool.name": "find",
        "input.value": '{"q":"it"}',
        "output.value": "here",
    }
    first = span({**BASE, "gen_ai.input.messages": ASKED, "gen_ai.output.messages": SAID})
    found = read(first, span(other, spanId="EF" * 8, startTimeUnixNano="7"))
    assert [draft.kind for draft in found.drafts] == ["trajectory", "plan"]
    assert found.drafts[0].messages[-1]["content"] == "here"


def test_values_are_what_their_otlp_types_say() -> None:
    said = [
        {"key": "a", "value": {"intValue": "-7"}},
        {"key": "b", "value": {"doubleValue": 1.5}},
        {"key": "c", "value": {"boolValue": False}},
        {
            "key": "d",
            "value": {
                "arrayValue": {"values": [{"kvlistValue": {"values": [{"key": "x", "value": {"intValue": 1}}]}}]}
            },
        },
        {"key": "e", "value": {}},
        {"key": "f", "value": {"arrayValue": {}}},
    ]
    assert attributes_of(said, "attributes") == {"a": -7, "b": 1.5, "c": False, "d": [{"x": 1}], "e": None, "f": []}


def test_dotted_names_become_a_tree_however_much_of_it_was_flat() -> None:
    tree = {"a": {"b": [{"c": 1}, {"c": 2}]}, "d": {"": "own", "e": 3}}
    assert nested({"a.b.1.c": 2, "a.b.0.c": 1, "d": "own", "d.e": 3}) == tree
    assert nested({"a": {"b": [{"c": 1}, {"c": 2}]}, "d.e": 3, "d": "own"}) == tree
    assert nested({"a.b": [{"c": 1}, {"c": 2}], "d": "own", "d.e": 3}) == tree
    assert nested({"x." * 500: 1})


BROKEN: dict[str, list[tuple[Record, str]]] = {
    "langfuse": [
        ({"data": []}, "holds no trace, observation or score"),
        ({"data": [7]}, "a part is an int, not an object"),
        ({"id": "t", "timestamp": "x", "sessionId": None, "observations": "o"}, "observations is a str, not a list"),
        (
            {"traceId": "t", "startTime": "x", "type": "GENERATION", "input": [7]},
            r"observations.input\[0\] is an int, not an object",
        ),
    ],
    "otlp": [
        ({"resourceSpans": []}, "holds no span and no log event"),
        (span({}) | {"attributes": "x"}, "attributes is a str, not a list or an object"),
        (span({}) | {"attributes": [{"value": {}}]}, "attributes holds an attribute without a key"),
        (span({**BASE, "gen_ai.input.messages": [7]}), r"gen_ai.input.messages\[0\] is an int, not an object"),
    ],
    "langsmith": [
        ({"runs": []}, "holds no run, no feedback and no example"),
        ({"id": "r", "run_type": "llm", "start_time": "x", "child_runs": "c"}, "child_runs is a str, not a list"),
        (
            {"id": "r", "run_type": "llm", "start_time": "x", "inputs": {"messages": [7]}},
            r"runs.inputs.messages\[0\] is an int",
        ),
    ],
    "openinference": [
        ({"data": []}, "holds no span and no log event"),
        (
            span({"openinference.span.kind": "LLM", "llm.input_messages.0.message.role": 7}),
            r"llm.input_messages\[0\].role is an int, not a string",
        ),
    ],
}


@pytest.mark.parametrize(
    ("name", "record", "why"), [(name, *each) for name, listed in BROKEN.items() for each in listed]
)
def test_a_broken_record_is_refused_with_the_field_at_fault(name: str, record: Record, why: str) -> None:
    with pytest.raises(FormatError, match=why):
        FORMATS[name].read(record)


SCOPES = [{"spans": [span({}) | {"attributes": listed({**BASE, "gen_ai.input.messages": ASKED})}]}]


@pytest.mark.parametrize(
    "record",
    [
        {"resourceSpans": [{"scopeSpans": SCOPES}]},
        {"resource_spans": [{"scope_spans": SCOPES}]},
        {"batches": [{"scopeSpans": SCOPES}]},
        {"batches": [{"instrumentationLibrarySpans": SCOPES}]},
        {"trace": {"resourceSpans": [{"scopeSpans": SCOPES}]}},
        {"trace": {"batches": [{"scopeSpans": SCOPES}]}},
        {"resource": {}, "scopeSpans": SCOPES},
    ],
    ids=lambda record: "-".join(record),
)
def test_an_envelope_is_known_under_each_of_its_names(record: Record) -> None:
    found = recognise([record])
    assert found is not None
    assert found.name == "otlp"
    assert [draft.messages for draft in read(record).drafts] == [[{"role": "user", "content": "Where?"}]]


@pytest.mark.parametrize("held", [None, 5, [], [5], [None], {"spans": 5}, [{"scopeSpans": [7]}]])
def test_an_envelope_that_holds_something_else_is_refused(held: object) -> None:
    for record in ({"batches": held}, {"trace": {"batches": held}}, {"scopeSpans": held}, {"trace": held}):
        assert recognise([record]) is None
        with pytest.raises(FormatError, match="holds no span"):
            read(record)
