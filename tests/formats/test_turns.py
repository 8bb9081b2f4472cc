"""A message means the same in every provider's words, and so do requests, answers and tools."""

import json
from typing import Any

import pytest

from curation.errors import FormatError
from curation.formats.outcomes import failed_calls
from curation.formats.spoken import answered, arguments, decoded, given, offered_in, ran, tools_of
from curation.formats.turns import turns

Record = dict[str, Any]


def call(call_id: str = "c1", name: str = "find", **given: Any) -> Record:
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(given, separators=(",", ":"))},
    }


def lc(name: str, **kwargs: Any) -> Record:
    return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", name], "kwargs": kwargs}


EXPECTED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Where is it?"},
    {"role": "assistant", "content": "<think>Look.</think>\nLooking.", "tool_calls": [call(q="it")]},
    {"role": "tool", "content": "here", "tool_call_id": "c1"},
    {"role": "assistant", "content": "Here."},
]

FORMS: dict[str, list[Any]] = {
    "chat": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Where is it?"}]},
        {"role": "assistant", "content": "Looking.", "reasoning_content": "Look.", "tool_calls": [call(q="it")]},
        {"role": "tool", "tool_call_id": "c1", "content": "here"},
        {"role": "assistant", "content": "Here.", "refusal": None},
    ],
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where is it?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Look."},
                {"type": "text", "text": "Looking."},
                {"type": "tool_use", "id": "c1", "name": "find", "input": {"q": "it"}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "here"}]}],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "Here."}]},
    ],
    "responses": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "Where is it?"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Look."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Looking."}]},
        {"type": "function_call", "id": "fc", "call_id": "c1", "name": "find", "arguments": '{"q":"it"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "here"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Here."}]},
    ],
    "genai": [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]},
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Look."},
                {"type": "text", "content": "Looking."},
                {"type": "tool_call", "id": "c1", "name": "find", "arguments": {"q": "it"}},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "here"}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "Here."}], "finish_reason": "stop"},
    ],
    "langchain": [
        lc("SystemMessage", content="Be brief."),
        lc("HumanMessage", content="Where is it?"),
        lc(
            "AIMessage",
            content="Looking.",
            additional_kwargs={"reasoning_content": "Look.", "tool_calls": [call(q="it")]},
            tool_calls=[{"name": "find", "args": {"q": "it"}, "id": "c1", "type": "tool_call"}],
        ),
        lc("ToolMessage", content="here", tool_call_id="c1"),
        {"type": "ai", "data": {"content": "Here."}},
    ],
    "the AI SDK": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Where is it?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "reasoning", "text": "Look."},
                {"type": "text", "text": "Looking."},
                {"type": "tool-call", "toolCallId": "c1", "toolName": "find", "input": {"q": "it"}},
            ],
        },
        {
            "role": "tool",
            "content": [
                {
                    "type": "tool-result",
                    "toolCallId": "c1",
                    "toolName": "find",
                    "output": {"type": "text", "value": "here"},
                }
            ],
        },
        {"role": "assistant", "content": "Here."},
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_providers_form_of_a_conversation_gives_the_same_messages(form: str) -> None:
    metadata: Record = {}
    assert turns(FORMS[form], metadata, "messages") == EXPECTED
    assert metadata.get("curation.lost", []) == []


def test_gemini_has_no_ids_so_that_calls_and_results_are_joined_by_name_and_order() -> None:
    said = [
        {"role": "user", "parts": [{"text": "Where?"}]},
        {
            "role": "model",
            "parts": [{"functionCall": {"name": "a", "args": {}}}, {"functionCall": {"name": "b", "args": {}}}],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "b", "response": {"x": 1}}},
                {"functionResponse": {"name": "a", "response": {"x": 2}}},
            ],
        },
    ]
    messages = turns(said, {}, "contents")
    first, second = messages[1]["tool_calls"]
    assert [(message["content"], message["tool_call_id"]) for message in messages[2:]] == [
        ('{"x":1}', second["id"]),
        ('{"x":2}', first["id"]),
    ]


SERVED: dict[str, list[Any]] = {
    "the Messages API": [
        {"type": "text", "text": "Looking."},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": "it"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": "here"},
        {"type": "text", "text": "Here."},
    ],
    "the GenAI conventions": [
        {"type": "text", "content": "Looking."},
        {"type": "server_tool_call", "id": "s1", "name": "web_search", "server_tool_call": {"q": "it"}},
        {"type": "server_tool_call_response", "id": "s1", "server_tool_call_response": "here"},
        {"type": "text", "content": "Here."},
    ],
    "the Responses API": [
        {"type": "output_text", "text": "Looking."},
        {"type": "mcp_call", "id": "s1", "name": "web_search", "arguments": '{"q":"it"}', "output": "here"},
        {"type": "output_text", "text": "Here."},
    ],
}


@pytest.mark.parametrize("form", SERVED)
def test_what_a_provider_ran_itself_is_a_call_with_its_result_between_two_messages(form: str) -> None:
    metadata: Record = {}
    messages = turns([{"role": "assistant", "content": SERVED[form]}], metadata, "m")
    assert messages == [
        {"role": "assistant", "content": "Looking.", "tool_calls": [call("s1", "web_search", q="it")]},
        {"role": "tool", "content": "here", "tool_call_id": "s1"},
        {"role": "assistant", "content": "Here."},
    ]
    assert metadata == {}


@pytest.mark.parametrize(
    "failed",
    [
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "no", "is_error": True}]},
        lc("ToolMessage", content="no", tool_call_id="c1", status="error"),
        {"role": "tool", "tool_call_id": "c1", "content": None, "error": "no"},
        {"type": "mcp_call", "id": "c1", "name": "find", "arguments": "{}", "error": "no"},
    ],
)
def test_a_result_that_is_an_error_counts_once_however_often_it_is_repeated(failed: Record) -> None:
    metadata: Record = {}
    for _ in range(2):
        assert turns([failed], metadata, "m")[-1]["content"] == "no"
    assert failed_calls(metadata) == 1
    assert metadata == {}


def test_an_item_that_is_no_message_is_named_and_nobody_says_it() -> None:
    metadata: Record = {}
    said = [
        {"role": "user", "content": "x"},
        {"type": "web_search_call", "id": "w"},
        {"type": "item_reference", "id": "r"},
    ]
    assert turns(said, metadata, "input") == [{"role": "user", "content": "x"}]
    assert metadata["curation.lost"] == [["dropped", "input.web_search_call"], ["by_reference", "input.item_reference"]]


PIECES: dict[str, list[Any]] = {
    "texts": ["Six ", "metres."],
    "chunks": [
        {"choices": [{"delta": {"content": "Six "}}]},
        {"choices": [{"delta": {"content": "metres."}, "finish_reason": "stop"}]},
    ],
    "events": [
        {"type": "message_start", "message": {"type": "message", "role": "assistant", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Six "}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "metres."}},
        {"type": "message_stop"},
    ],
}


@pytest.mark.parametrize("kind", PIECES)
def test_an_answer_that_was_recorded_in_pieces_is_joined(kind: str) -> None:
    metadata: Record = {}
    assert answered(PIECES[kind], metadata, "output").messages == [{"role": "assistant", "content": "Six metres."}]
    assert metadata == {}


def test_calls_without_ids_are_numbered_by_their_place_in_the_conversation() -> None:
    raw = {"role": "assistant", "tool_calls": [{"name": "find", "args": {}}]}
    history = turns(["a", raw], {}, "m")
    alone = turns([raw], {}, "m", begin=1)
    assert history[1] == alone[0]


@pytest.mark.parametrize(
    ("part", "lost"),
    [
        (
            {"type": "image_url", "image_url": {"url": "https://x.invalid/1.png"}},
            ["by_reference", "m.content.image_url"],
        ),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, ["dropped", "m.content.image_url"]),
        ({"type": "uri", "modality": "image", "uri": "s3://b/1"}, ["by_reference", "m.content.uri"]),
        ({"type": "file", "file_id": "f1"}, ["by_reference", "m.content.file"]),
        ({"type": "blob", "modality": "image", "content": "AAAA"}, ["dropped", "m.content.blob"]),
        ({"type": "redacted_thinking", "data": "x"}, ["dropped", "m.content.redacted_thinking"]),
        ("@@@langfuseMedia:type=image/png|id=1|source=bytes@@@", ["by_reference", "m.content"]),
    ],
)
def test_a_part_without_text_is_named_as_lost(part: Any, lost: list[str]) -> None:
    metadata: Record = {}
    messages = turns([{"role": "user", "content": [{"type": "text", "text": "See:"}, part]}], metadata, "m")
    assert messages == [{"role": "user", "content": "See:"}]
    assert metadata["curation.lost"] == [lost]


@pytest.mark.parametrize(
    "bad",
    [
        7,
        [1],
        {"role": 7},
        {"role": "user", "content": 7},
        {"role": "assistant", "tool_calls": "x"},
        {"role": "assistant", "tool_calls": [{"id": "1"}]},
    ],
)
def test_what_is_no_message_is_refused_with_its_place(bad: Any) -> None:
    with pytest.raises(FormatError, match=r"m\[1\]"):
        turns(["ok", bad], {}, "m")


def test_a_call_whose_arguments_are_no_json_keeps_their_text() -> None:
    said = lc(
        "AIMessage", content="", invalid_tool_calls=[{"name": "find", "args": '{"q": ', "id": "c1", "error": "cut"}]
    )
    (message,) = turns([said], {}, "m")
    assert message["tool_calls"][0]["function"]["arguments"] == '{"q": '


ASKED = [{"role": "user", "content": "Where?"}]
REQUESTS: list[Any] = [
    ASKED,
    "Where?",
    json.dumps(ASKED),
    {"messages": ASKED},
    {"messages": [ASKED]},
    json.dumps({"messages": ASKED, "model": "m"}),
    {"input": "Where?"},
    {"contents": [{"role": "user", "parts": [{"text": "Where?"}]}]},
    {"prompts": ["Where?"]},
    {"question": "Where?"},
    ASKED[0],
]


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_a_request_is_found_in_whatever_holds_it(request_: Any) -> None:
    assert given(request_, {}, "input") == ASKED


@pytest.mark.parametrize("key", ["system", "instructions", "system_instruction"])
def test_instructions_beside_the_messages_come_first(key: str) -> None:
    said = given({key: "Be brief.", "messages": ASKED}, {}, "input")
    assert said == [{"role": "system", "content": "Be brief."}, *ASKED]


CALLED = [{"role": "assistant", "content": "", "tool_calls": [call(q="it")]}]
RESPONSES: list[Any] = [
    CALLED[0],
    CALLED,
    json.dumps(CALLED[0]),
    {"tool_calls": [call(q="it")]},
    {"choices": [{"message": CALLED[0], "finish_reason": "stop"}]},
    {"messages": CALLED},
    {"message": CALLED[0]},
    {
        "object": "response",
        "output": [{"type": "function_call", "call_id": "c1", "name": "find", "arguments": '{"q":"it"}'}],
    },
    {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "c1", "name": "find", "input": {"q": "it"}}],
        "stop_reason": "tool_use",
    },
    [{"type": "tool_use", "id": "c1", "name": "find", "input": {"q": "it"}}],
    {
        "generations": [
            [
                {
                    "text": "",
                    "message": lc(
                        "AIMessage", content="", tool_calls=[{"name": "find", "args": {"q": "it"}, "id": "c1"}]
                    ),
                }
            ]
        ]
    },
]


@pytest.mark.parametrize("response", RESPONSES, ids=str)
def test_an_answer_is_found_in_whatever_holds_it(response: Any) -> None:
    assert answered(response, {}, "output").messages == CALLED


@pytest.mark.parametrize("text", ["Here.", '{"plugins": [{"pluginId": "a"}]}', "[1, 2", '{"role": '])
def test_an_answer_that_is_text_stays_the_text_that_it_is(text: str) -> None:
    assert answered(text, {}, "output").messages == [{"role": "assistant", "content": text}]
    assert decoded(text) == text


def test_of_several_answers_the_first_counts_and_the_others_are_named() -> None:
    metadata: Record = {}
    choices = [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"} for text in "ab"]
    found = answered({"choices": choices}, metadata, "output")
    assert (found.messages[0]["content"], found.finish) == ("a", "stop")
    assert metadata == {"choices": 2, "curation.lost": [["dropped", "output.choices"]]}


SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}}
TOOLS: list[Any] = [
    [{"type": "function", "function": {"name": "find", "description": "Finds", "parameters": SCHEMA}}],
    [{"name": "find", "description": "Finds", "input_schema": SCHEMA}],
    [{"functionDeclarations": [{"name": "find", "description": "Finds", "parameters": SCHEMA}]}],
    {"find": json.dumps({"description": "Finds", "parameters": SCHEMA})},
    json.dumps([{"name": "find", "description": "Finds", "parameters": SCHEMA}]),
    [json.dumps({"name": "find", "description": "Finds", "inputSchema": SCHEMA})],
]


@pytest.mark.parametrize("tools", TOOLS, ids=str)
def test_tools_are_candidates_in_every_providers_form(tools: Any) -> None:
    offered = {"pluginId": "find", "name": "find", "description": "Finds", "identifier": "function", "method": ""}
    assert tools_of(tools, {}, "tools") == [{**offered, "parameters": SCHEMA}]
    assert offered_in({"messages": [], "tools": tools}, {}, "input") == [{**offered, "parameters": SCHEMA}]


def test_tools_of_which_only_names_are_told_are_none_and_are_named() -> None:
    metadata: Record = {}
    assert tools_of(["find", {"name": "book"}], metadata, "tools") is None
    assert metadata["curation.lost"] == [["undefined_tool", "tools.find"], ["undefined_tool", "tools.book"]]


def test_a_tools_own_span_tells_its_arguments_its_result_and_sometimes_the_call() -> None:
    assert arguments({"type": "tool_call", "id": "c1", "name": "find", "args": {"q": 1}}) == ({"q": 1}, "c1")
    assert arguments({"input": '{"q": 1}'}) == ('{"q": 1}', None)
    assert ran({"output": lc("ToolMessage", content="here", tool_call_id="c1")}, {}, "output") == ("here", "c1")
    assert ran({"x": 1}, {}, "output") == ('{"x":1}', None)
    assert ran(None, {}, "output") == (None, None)
