"""The offline rubric tells good plans from bad ones, without ever passing for Claude."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from curation.judge import offline
from curation.judge.reply import parse
from curation.judge.rubric import load_rubric
from curation.sample import dumps, request_of
from tests.judge.samples import CANDIDATES, FLIGHT, HOTEL, THINKING, Row, sample, step

RUBRIC = load_rubric()
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def judge(row: Row):
    return parse(offline.reply(row, RUBRIC.criteria), RUBRIC.criteria, RUBRIC.fold)


def changed(base: Row, **values: Any) -> Row:
    return {**copy.deepcopy(base), **values}


WEATHER = step("plugin-14", city="Oslo")

GOOD = {
    "two linked steps": sample(),
    "no thinking recorded": sample(thinking=None),
    "one step": sample(
        "What will the weather be like in Oslo?", [WEATHER], "The Weather Report tells Oslo's forecast."
    ),
    "two independent steps": sample(
        "Tell me the weather in Oslo, and convert 250 euros of money into dollars.",
        [WEATHER, step("plugin-13", amount=250)],
        "Oslo's weather comes from the Weather Report; the Currency Converter converts the 250 euros.",
    ),
    "a number in words": sample(
        "Book a hotel room in Oslo for two nights",
        [step("plugin-12", city="Oslo", nights=2)],
        "The Hotel Booker books the room in Oslo.",
    ),
    "one turn of a run": {
        **sample(steps=[FLIGHT], thinking="The Flight Finder searches flights from Lisbon to Oslo."),
        "parent_id": "a run",
        "turn": 2,
    },
    "an order other than the list's": sample(candidates=CANDIDATES[::-1]),
}

BAD = {
    "the wrong plugin": sample(steps=[FLIGHT, changed(step("plugin-15", ("plugin-11",), recipient="Oslo", invoice="Lisbon"))]),
    "a plugin that was not offered": sample(steps=[changed(FLIGHT, pluginId="plugin-99")]),
    "a missing step": sample(steps=[step("plugin-14", city="Oslo")]),
    "an invented value": sample(steps=[changed(FLIGHT, api_request_parameters={
        "origin": "Lisbon", "destination": "Buenos Aires", "date": "12 May"}), HOTEL]),
    "an invented number": sample(steps=[FLIGHT, step("plugin-12", ("plugin-11",), city="Oslo", nights=14)]),
    "an invented address": sample(
        "Send the invoice 4711 to Ada by e-mail", [step("plugin-15", recipient="ada.l@corp-mail.io", invoice="4711")],
        "The Invoice Mailer sends an invoice by e-mail.",
    ),
    "words in place of a reference": sample(steps=[FLIGHT, step("plugin-12", ("plugin-11",), city="the previous result", nights=3)]),
    "no dependency where the request has one": sample(steps=[FLIGHT, step("plugin-12", city="Oslo", nights=3)]),
    "an undeclared reference": sample(steps=[FLIGHT, changed(HOTEL, dependencies=[])]),
    "the wrong order": sample(steps=[HOTEL, FLIGHT]),
    "reasoning about something else": sample(
        thinking="The user would like a cake recipe with chocolate, so I look up ingredients and preheat the oven."
    ),
    "no reasoning to speak of": sample(thinking="Ok."),
    "an empty plan where a candidate would serve": sample(steps=[]),
}  # fmt: skip


@pytest.mark.parametrize("row", GOOD.values(), ids=GOOD.keys())
def test_a_good_plan_gets_at_least_8(row):
    judged = judge(row)
    assert judged.status == "ok"
    assert judged.overall >= 8, judged.rationale


@pytest.mark.parametrize("row", BAD.values(), ids=BAD.keys())
def test_a_bad_plan_is_clearly_under_8(row):
    judged = judge(row)
    assert judged.status == "ok"
    assert judged.overall <= 7.2, judged.rationale


FAULTY = {
    "the wrong plugin": "selection",
    "an invented number": "parameters",
    "the wrong order": "order",
    "reasoning about something else": "reasoning",
}


@pytest.mark.parametrize(("case", "criterion"), FAULTY.items())
def test_a_fault_lowers_the_criterion_that_asks_about_it(case, criterion):
    scores = judge(BAD[case]).scores
    assert scores[criterion] == min(score for score in scores.values() if score is not None) <= 3


def test_the_same_sample_gets_the_same_reply_whatever_else_is_known_of_it():
    row = sample()
    other = {**row, "trace_id": "t", "source": "s", "attempt": 2, "category": "2_step"}
    assert offline.reply(row, RUBRIC.criteria) == offline.reply(other, RUBRIC.criteria)


def test_every_piece_of_evidence_names_the_offline_rubric():
    reply = json.loads(json.loads(offline.reply(sample(), RUBRIC.criteria))["content"][0]["text"])
    assert set(reply["criteria"]) == set(RUBRIC.criteria)
    assert all(entry["evidence"].startswith("offline rubric: ") for entry in reply["criteria"].values())


UNREADABLE = {
    "no plan": {"plan": ""},
    "broken JSON": {"plan": '{"plugins": ['},
    "another object": {"plan": '{"steps": []}'},
    "steps that are none": {"plan": '{"plugins": [1, "two", null]}'},
    "ids of other types": {"plan": '{"plugins": [{"pluginId": 5, "dependencies": 7, "api_request_parameters": []}]}'},
    "dependencies of other types": {"plan": '{"plugins": [{"pluginId": "plugin-11", "dependencies": [{}, [], 1]}]}'},
    "candidates without words": {"candidates": [{"pluginId": "x"}]},
    "candidates of other shapes": {
        "candidates": [{"pluginId": "x", "name": 5, "parameters": {"properties": []}}, {"a": 1}]
    },
    "odd schemas": {
        "candidates": [{"pluginId": "plugin-11", "parameters": {"properties": {"origin": 1, "date": {"enum": 3}}}}]
    },
    "no candidates": {"candidates": []},
    "unknown candidates": {"candidates": None},
    "an empty request": {"request": ""},
    "another script": {"request": "请帮我预订从里斯本到奥斯陆的航班"},
}


@pytest.mark.parametrize("given", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_the_strangest_sample_gets_a_reply(given):
    judged = judge(sample(**given))
    assert judged.status in ("ok", "cannot_judge")


@pytest.mark.skipif(not DATA.is_dir(), reason="the public data are not here")
def test_on_public_plans_a_wrong_plugin_or_an_invented_value_is_told_from_the_right_one():
    from curation.formats import FORMATS

    path = DATA / "seal_tools" / "test_in_domain.jsonl"
    reader = FORMATS["seal_tools"]
    join = reader.join(path)
    rows = []
    for line in path.read_text().splitlines()[:1000:5]:
        for draft in reader.read(join(json.loads(line))).drafts:
            messages, offered = dumps(draft.messages), dumps(draft.candidates)
            rows.append({**sample(), "messages": messages, "request": request_of(draft.messages),
                         "candidates": offered, "thinking": draft.thinking, "plan": draft.plan})  # fmt: skip
    good = [judge(row).overall >= 8 for row in rows]
    exchanged = [judge(other).overall >= 8 for row in rows if (other := with_another_plugin(row))]
    invented = [judge(other).overall >= 8 for row in rows if (other := with_an_invention(row))]

    assert sum(good) / len(good) > 0.8
    assert sum(exchanged) / len(exchanged) < 0.25
    assert sum(invented) / len(invented) < 0.05


def with_another_plugin(row: Row) -> Row | None:
    """The plan with its last step given to the first candidate that was not chosen."""
    plan = json.loads(row["plan"])
    chosen = {entry["pluginId"] for entry in plan["plugins"]}
    others = [candidate for candidate in json.loads(row["candidates"]) if candidate["pluginId"] not in chosen]
    if not others or not plan["plugins"]:
        return None
    plan["plugins"][-1].update(pluginId=others[0]["pluginId"], name=others[0].get("name"))
    return {**row, "plan": dumps(plan)}


def with_an_invention(row: Row) -> Row | None:
    """The plan with its first literal value replaced by one from nowhere."""
    plan = json.loads(row["plan"])
    for entry in plan["plugins"]:
        for name, value in entry["api_request_parameters"].items():
            if isinstance(value, str) and value and "{{" not in value:
                entry["api_request_parameters"][name] = "Brumfield Harbour"
                return {**row, "plan": dumps(plan)}
    return None


THINKING_OF_ANOTHER_PLAN = THINKING.replace("Hotel Booker", "Weather Report")


def test_thinking_is_compared_with_the_plan_and_not_only_with_the_request():
    weather = sample(steps=[FLIGHT, WEATHER], thinking=THINKING)
    assert judge(weather).scores["reasoning"] < judge(sample()).scores["reasoning"]
