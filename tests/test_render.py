"""A rendered prompt says what the sample says, in a form that any chat template takes."""

import json
from typing import Any

import pytest

from curation.formats import FORMATS
from curation.formats.embedded import extract
from curation.render import (
    choose_candidates,
    in_call_order,
    render_answer,
    render_prompt,
    render_request,
    system_prompt,
)
from curation.sample import dumps

OFFERED = [
    {"pluginId": "p.1", "name": "Wetter", "description": 'für "heute" User Request: no\n', "parameters": {}},
    {"pluginId": "p.2", "name": "Other", "parameters": {"type": "object", "properties": {"a": {"enum": [1, 2.5]}}}},
]
ASK = {"role": "user", "content": "Is it raining? User Request: $request ${candidates}\n\nThanks"}
CALL = {"id": "c1", "type": "function", "function": {"name": "p.1", "arguments": '{"city": "Bern"}'}}


def test_the_request_is_written_exactly_in_the_platforms_form() -> None:
    assert render_request("Go", [{"pluginId": "x"}]) == (
        "YOUR TASK IS TO GENERATE A JSON STRICTLY and CORRECTLY\n"
        '[\n  {\n    "pluginId": "x"\n  }\n]\n\n'
        "User Request: Go"
    )


@pytest.mark.parametrize("offered", [OFFERED, [], OFFERED[:1]])
def test_what_was_rendered_is_read_back(offered: list[dict[str, Any]]) -> None:
    assert extract(render_request(ASK["content"], offered), "messages[0]") == (ASK["content"], offered)


def test_without_known_candidates_the_request_stands_alone() -> None:
    assert render_request("Go", None) == "Go"


@pytest.mark.parametrize("thinking", ["Rain is weather.", "", "two\nlines", None])
def test_a_rendered_trace_is_the_same_sample_again(thinking: str | None) -> None:
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello, what can I do?"}]
    plan = '{"plugins": [ {"pluginId": "p.1", "api_request_parameters": {}, "dependencies": []} ]}'
    messages = [{"role": "system", "content": "Plan."}, *history, ASK]
    answer = {"role": "assistant", "content": render_answer(thinking, plan)}
    (draft,) = FORMATS["ondemand"].read({"messages": [*render_prompt(messages, OFFERED), answer]}).drafts
    assert draft.messages == messages
    assert draft.candidates == OFFERED
    assert (draft.plan, draft.thinking) == (plan, thinking)


def test_the_samples_own_system_message_is_kept_and_the_default_fills_in() -> None:
    own = {"role": "system", "content": "You plan trips."}
    assert render_prompt([own, ASK], None)[0] == own
    assert render_prompt([ASK], None)[0] == {"role": "system", "content": system_prompt()}
    assert system_prompt().startswith("You are an AI agent orchestrator.")


RUNS: dict[str, list[dict[str, Any]]] = {
    "calls and results": [
        ASK,
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ],
    "two results, then a question": [
        ASK,
        {"role": "assistant", "content": "Looking.", "tool_calls": [CALL, CALL | {"id": "c2"}]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "tool", "tool_call_id": "c2", "content": ""},
        {"role": "user", "content": "And tomorrow?"},
    ],
    "two users in a row": [ASK, {"role": "user", "content": "Well?"}],
    "a system message in the middle": [ASK, {"role": "assistant", "content": "ok"}, {"role": "system", "content": "S"}],
    "two system messages": [{"role": "system", "content": "A"}, {"role": "system", "content": "B"}, ASK],
    "no user at all": [{"role": "system", "content": "A"}],
    "arguments that are not JSON": [
        ASK,
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "p.1", "arguments": "{bad"}}]},
    ],
    "a result that answers nothing": [ASK, {"role": "tool", "content": "rain"}],
}


@pytest.mark.parametrize("messages", RUNS.values(), ids=RUNS)
def test_any_history_becomes_text_in_alternating_turns(messages: list[dict[str, Any]]) -> None:
    rendered = render_prompt(messages, OFFERED)
    assert all(set(message) == {"role", "content"} for message in rendered)
    assert all(isinstance(message["content"], str) for message in rendered)
    roles = [message["role"] for message in rendered]
    assert roles[0] == "system"
    assert roles[1::2] == ["user"] * len(roles[1::2])
    assert roles[2::2] == ["assistant"] * len(roles[2::2])
    assert sum("YOUR TASK IS" in message["content"] for message in rendered) == 1


def test_a_call_of_the_history_reads_as_the_plan_that_it_was() -> None:
    rendered = render_prompt(RUNS["calls and results"], OFFERED)
    step = {
        "pluginId": "p.1",
        "name": "Wetter",
        "description": OFFERED[0]["description"],
        "identifier": "",
        "method": "",
        "api_request_parameters": {"city": "Bern"},
        "all_parameters_hydrated": True,
        "dependencies": [],
    }
    assert rendered[2]["content"] == dumps({"plugins": [step]})
    assert rendered[3] == {"role": "user", "content": "Result of p.1:\nrain"}


@pytest.mark.parametrize("limit", [None, 1])
def test_an_earlier_turn_is_written_exactly_as_the_answer_that_was_taught_for_it(limit: int | None) -> None:
    weather = {"name": "weather", "description": "Of a city", "parameters": {"type": "object", "properties": {}}}
    tools = [{"type": "function", "function": weather | {"name": name}} for name in ("mail", "weather", "find")]

    def call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
        return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}

    both = [call("c1", "find", '{"q":"x"}'), call("c2", "weather", '{"city":"{{c1.output.city}}"}')]
    messages = [
        {"role": "user", "content": "How is it there?"},
        {"role": "assistant", "content": "", "tool_calls": both},
        {"role": "tool", "tool_call_id": "c1", "content": "Bern"},
        {"role": "tool", "tool_call_id": "c2", "content": "rain"},
        {"role": "assistant", "content": "", "tool_calls": [call("c3", "mail", "{}")]},
        {"role": "tool", "tool_call_id": "c3", "content": "sent"},
        {"role": "assistant", "content": "I have told them."},
    ]
    drafts = FORMATS["openai"].read({"messages": messages, "tools": tools}).drafts
    first, second = (draft for draft in drafts if draft.kind == "plan")
    assert json.loads(first.plan or "")["plugins"][1]["dependencies"] == ["find"]
    offered = choose_candidates(second.candidates or [], second.plan or "", limit)
    history = render_prompt(second.messages, offered, second.candidates)
    assert history[2] == {"role": "assistant", "content": first.plan}


@pytest.mark.parametrize(
    ("called", "limit", "kept"),
    [
        (["e"], 2, ["a", "e"]),
        (["c", "e"], 2, ["c", "e"]),
        (["a", "b", "c"], 2, ["a", "b", "c"]),
        (["d", "d"], 3, ["a", "b", "d"]),
        ([], 2, ["a", "b"]),
        (["e"], None, ["a", "b", "c", "d", "e"]),
        (["e"], 9, ["a", "b", "c", "d", "e"]),
        (["unknown"], 1, ["a"]),
    ],
)
def test_a_limit_keeps_what_the_plan_calls_and_then_the_first_others(
    called: list[str], limit: int | None, kept: list[str]
) -> None:
    plan = json.dumps({"plugins": [{"pluginId": plugin} for plugin in called]})
    chosen = choose_candidates([{"pluginId": plugin} for plugin in "abcde"], plan, limit)
    assert [candidate["pluginId"] for candidate in chosen] == kept


@pytest.mark.parametrize("plan", ["no JSON", "[]", '{"plugins": 3}', '{"plugins": [1, {"pluginId": 2}]}', "{}"])
def test_a_plan_that_is_none_calls_nothing(plan: str) -> None:
    assert choose_candidates([{"pluginId": "a"}, {"pluginId": "b"}], plan, 1) == [{"pluginId": "a"}]


def test_results_of_parallel_calls_stand_in_the_order_of_the_calls() -> None:
    calls = [{"id": i, "type": "function", "function": {"name": "get", "arguments": "{}"}} for i in ("a", "b", "c")]
    results = [{"role": "tool", "tool_call_id": i, "content": i} for i in ("c", "a", "b")]
    said = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "tool_calls": calls}, *results]
    assert [message["content"] for message in in_call_order(said)[2:]] == ["a", "b", "c"]
