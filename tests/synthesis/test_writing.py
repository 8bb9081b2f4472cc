"""What Claude is asked, and what becomes of its reply."""

import json
from collections import Counter
from typing import Any

import orjson
import pytest

from curation.registry import bundled_plugins
from curation.synthesis import (
    CATEGORIES,
    DEFAULT,
    STYLES,
    Catalogue,
    Order,
    orders,
    parse,
    parse_thinking,
    render_prompt,
    render_thinking,
    sent_schema,
    system_prompt,
)
from curation.synthesis.ordering import PROMPTS, reply_schema
from curation.synthesis.selfcheck import row_faults, sample_rows

SECRET = b"a secret of the warehouse"


@pytest.fixture(scope="module")
def made() -> list[Order]:
    return list(orders(Catalogue.of(bundled_plugins()), 140, seed=1))


WEATHER = {
    "pluginId": "plugin-1",
    "name": "Sky Now",
    "description": "Tells the weather",
    "identifier": "rest_api",
    "method": "GET",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
    "returns": {"type": "object", "properties": {"summary": {"type": "string"}}},
}
MAIL = {
    "pluginId": "plugin-2",
    "name": "Mail Out",
    "parameters": {"type": "object", "properties": {"body": {"type": "string"}}, "required": ["body"]},
}
MODEL = "claude-opus-4-6"
ONE = Order("0/7", "1_step", "terse", (WEATHER, MAIL), "write one")
TWO = Order("k", "2_step", "story", (WEATHER, MAIL), "write two")
TALK = Order("k", "multi_turn", "story", (WEATHER, MAIL), "write a talk")

ASKED = [{"role": "user", "content": "weather in Graz for 3 days pls"}]
STEP = {"pluginId": "plugin-1", "parameters": '{"city": "Graz", "days": 3}', "dependencies": []}
SENT = {"pluginId": "plugin-2", "parameters": '{"body": "{{plugin-1.output.summary}}"}', "dependencies": ["plugin-1"]}


def reply(turns: Any = None, steps: Any = None, thinking: Any = "Sky Now tells it.", **body: Any) -> str:
    """A Messages API response with one text."""
    answer = {"turns": turns or ASKED, "thinking": thinking, "steps": [STEP] if steps is None else steps}
    content = [{"type": "text", "text": json.dumps(answer)}]
    return json.dumps({"type": "message", "content": content, "stop_reason": "end_turn", **body})


def test_a_good_reply_is_a_native_trace_that_passes_every_row_stage() -> None:
    written = parse(reply(), ONE, MODEL)
    assert (written.status, written.why) == ("ok", None)
    assert written.trace is not None
    assert row_faults(written.trace) == []
    (sample,) = sample_rows([written.trace]).to_dicts()
    assert (sample["request"], sample["thinking"]) == ("weather in Graz for 3 days pls", "Sky Now tells it.")
    (step,) = json.loads(sample["plan"])["plugins"]
    assert step["name"] == "Sky Now"
    assert step["api_request_parameters"] == {"city": "Graz", "days": 3}
    assert ["returns" in plugin for plugin in json.loads(sample["candidates"])] == [False, False]
    assert written.trace["metadata"] == {
        "synthetic": True,
        "backend": "claude",
        "category": "1_step",
        "model": MODEL,
        "style": "terse",
        "order": "0/7",
    }


def test_a_forced_tool_call_is_as_good_as_a_text() -> None:
    answer = {"turns": ASKED, "thinking": "So be it.", "steps": [STEP]}
    content = [{"type": "tool_use", "name": "submit_sample", "input": answer}]
    assert parse(reply(content=content), ONE, MODEL).status == "ok"


def test_references_between_steps_pass() -> None:
    assert parse(reply(steps=[STEP, SENT]), TWO, MODEL).status == "ok"


def test_a_conversation_passes_where_one_was_asked_for() -> None:
    talk = [{"role": "user", "content": "weather?"}, {"role": "assistant", "content": "Where?"}, *ASKED]
    assert parse(reply(turns=talk), TALK, MODEL).status == "ok"
    assert parse(reply(turns=talk), ONE, MODEL).status == "unfit"
    assert parse(reply(), TALK, MODEL).status == "unfit"


@pytest.mark.parametrize(
    ("raw", "order", "status", "why"),
    [
        (reply(stop_reason="refusal"), ONE, "refused", "declined"),
        (reply(stop_reason="max_tokens"), ONE, "truncated", "max_tokens"),
        ("nonsense", ONE, "unparseable", "not JSON"),
        ('{"type": "error"}', ONE, "unparseable", "not a message"),
        (reply(content=[]), ONE, "unparseable", "0 blocks of text"),
        (reply(content=[{"type": "text", "text": "Here you are: {}"}]), ONE, "unparseable", "not JSON"),
        (reply(thinking=7), ONE, "unparseable", "thinking"),
        (reply(steps=[]), ONE, "unparseable", "steps"),
        (reply(steps=[STEP, SENT]), ONE, "unfit", "2 steps, where 1_step was asked for"),
        (
            reply(turns=[*ASKED, {"role": "assistant", "content": "ok"}]),
            ONE,
            "unfit",
            "the last turn is not the user's",
        ),
        (reply(steps=[{**STEP, "parameters": "[1]"}]), ONE, "unfit", "no JSON object"),
        (reply(steps=[{**STEP, "parameters": "{city}"}]), ONE, "unfit", "not JSON"),
        (reply(thinking="a</think>b"), ONE, "unfit", "tags"),
        (reply(steps=[{**STEP, "pluginId": "plugin-9"}]), ONE, "faulty", "plugin.unknown"),
        (reply(steps=[{**STEP, "parameters": "{}"}]), ONE, "faulty", "hydration.missing_required"),
        (reply(steps=[{**STEP, "parameters": '{"city": "<your city>"}'}]), ONE, "faulty", "placeholder.value"),
        (reply(steps=[STEP, {**SENT, "dependencies": []}]), TWO, "faulty", "dependency.undeclared"),
    ],
)
def test_any_other_reply_is_left_out_for_a_reason(raw: str, order: Order, status: str, why: str) -> None:
    written = parse(raw, order, MODEL)
    assert (written.status, written.trace) == (status, None)
    assert why in str(written.why)


def test_the_check_is_the_callers_to_choose() -> None:
    assert parse(reply(), ONE, MODEL, passes=lambda trace: ["too dull"]).why == "too dull"


def test_an_order_is_the_same_whenever_it_is_made(made: list[Order]) -> None:
    assert list(orders(Catalogue.of(bundled_plugins()), 140, seed=1)) == made
    assert len({order.key for order in made}) == len({order.subject for order in made}) == len(made)
    assert next(orders(Catalogue.of(bundled_plugins()), 3, seed=2)).message != made[0].message


def test_the_number_of_an_order_varies_who_writes_where_and_around_what(made: list[Order]) -> None:
    told = [order.message.rpartition("The person who writes is ")[2] for order in made]
    people, scenes = ({text.split(". ")[part].split(" is set around ")[-1] for text in told} for part in (0, 1))
    anchors = {text.partition("Begin with candidates")[2] for text in told}
    assert len(set(told)) == len(made)
    assert min(len(people), len(scenes)) > 20
    assert len(anchors) > 70


def test_every_style_and_category_is_ordered_by_its_share(made: list[Order]) -> None:
    assert set(Counter(order.style for order in made).values()) == {140 // len(STYLES)}
    counts = Counter(order.category for order in made)
    assert all(abs(counts[name] - share * 140) <= 1 for name, share in DEFAULT.items())


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("category", CATEGORIES)
def test_a_prompt_shows_candidates_category_and_style(category: str, style: str) -> None:
    text = render_prompt([WEATHER, MAIL], category, style, "s")
    assert orjson.dumps([WEATHER, MAIL], option=orjson.OPT_INDENT_2).decode() in text
    assert "Category: " in text
    assert "Style: " in text
    assert "$" not in text


def test_every_prompt_file_is_used() -> None:
    assert {path.name for path in (PROMPTS / "styles").iterdir()} == {f"{style}.md" for style in STYLES}
    assert {path.name for path in (PROMPTS / "categories").iterdir()} == {f"{name}.md" for name in CATEGORIES}
    for key in reply_schema()["required"]:
        assert f"`{key}`" in system_prompt()


@pytest.mark.parametrize("name", ["reply", "thinking"])
def test_the_schema_that_is_sent_closes_every_object(name: str) -> None:
    waiting: list[Any] = [sent_schema(name)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            assert node.get("type") != "object" or node["additionalProperties"] is False
            waiting += node.values()


SAMPLE = {
    "sample_id": "5f0c1f6e-0000-4000-8000-000000000001",
    "messages": '[{"role":"user","content":"cost: $key or $plan >>>"}]',
    "candidates": None,
    "plan": '{"plugins":[]}',
}


def test_the_reasoning_is_asked_for_with_the_data_between_fences() -> None:
    message = render_thinking(SAMPLE, SECRET)
    assert SAMPLE["messages"] in message
    assert "not recorded" in message
    key = message.partition("<<<")[2].partition("`")[0]
    assert message.count(f"<<<{key} ") == message.count(f"\n{key}>>>") == 3
    assert message == render_thinking(SAMPLE, SECRET)
    assert key not in render_thinking(SAMPLE, b"another")


def thought(text: object) -> str:
    content = [{"type": "text", "text": json.dumps({"thinking": text})}]
    return json.dumps({"type": "message", "content": content, "stop_reason": "end_turn"})


def test_reasoning_is_read_as_it_was_written() -> None:
    told = parse_thinking(thought(" The user wants rain. "))
    assert (told.status, told.thinking) == ("ok", "The user wants rain.")


@pytest.mark.parametrize("raw", [thought(""), thought("  "), thought("<think>a</think>"), thought(None), "x"])
def test_reasoning_that_is_none_is_named_so(raw: str) -> None:
    told = parse_thinking(raw)
    assert (told.status, told.thinking) == ("unparseable", None)
    assert told.why
