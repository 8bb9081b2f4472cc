"""A reply is exactly what was asked for, or a named abstention."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.claude.errand import Reply
from curation.claude.reply import Usage
from curation.judge.ledger import record, row
from curation.judge.reply import TOOL, parse, parse_error
from curation.judge.rubric import load_rubric
from curation.judge.specification import specify
from tests.judge.samples import sample

RUBRIC = load_rubric()


def scores(**changed: Any) -> dict[str, Any]:
    return {"criteria": {name: {"evidence": "e", "score": changed.get(name, 8)} for name in RUBRIC.criteria}}


def message(content: Any, stop: str = "end_turn", **more: Any) -> str:
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": None}
    return json.dumps({"type": "message", "content": content, "stop_reason": stop, "usage": usage, **more})


def text(value: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": value if isinstance(value, str) else json.dumps(value)}]


def call(value: Any, name: str = TOOL) -> dict[str, Any]:
    return {"type": "tool_use", "id": "t", "name": name, "input": value}


def read(raw: str):
    return parse(raw, RUBRIC.criteria, RUBRIC.fold)


@pytest.mark.parametrize(
    "content",
    [
        text(scores()),
        [call(scores())],
        [*text("I will submit my scores."), call(scores())],
        [{"type": "thinking", "thinking": "…", "signature": "s"}, *text(scores())],
        text("\n " + json.dumps(scores()) + "\n"),
        text(scores(form=8.0)),
    ],
    ids=["text", "tool call", "talk before the call", "thinking first", "blanks around", "a whole float"],
)
def test_the_one_answer_is_read(content):
    judged = read(message(content))
    assert judged.status == "ok"
    assert judged.overall == 8.0
    assert judged.scores == dict.fromkeys(RUBRIC.criteria, 8)
    assert judged.rationale.startswith("selection 8: e\n")
    assert judged.usage == Usage(fresh=10, written=0, cached=3, output=5)


NOT_WHAT_WAS_ASKED = {
    "a web page": "<html></html>",
    "nothing": "",
    "another object": json.dumps({"type": "error", "error": {}}),
    "a list": "[]",
    "no content": message([]),
    "content of another type": message("8"),
    "blocks of another type": message(["8"]),
    "prose": message(text("An 8.")),
    "a fence around it": message(text("```json\n" + json.dumps(scores()) + "\n```")),
    "an object after it": message(text(json.dumps(scores()) + json.dumps(scores(selection=10)))),
    "two blocks": message([*text(scores()), *text(scores(selection=10))]),
    "two calls": message([call(scores()), call(scores(selection=10))]),
    "another tool": message([call(scores(), "other")]),
    "a key twice": message(text(json.dumps(scores())[:-2] + ', "form": {"evidence": "e", "score": 10}}}')),
    "a key twice outside": message(text(scores()))[:-1] + ', "stop_reason": "end_turn"}',
    "a missing criterion": message(text({"criteria": {"selection": {"evidence": "e", "score": 10}}})),
    "a further criterion": message(text({"criteria": {**scores()["criteria"], "x": {"evidence": "e", "score": 1}}})),
    "an overall beside it": message(text({**scores(), "overall": 10})),
    "11": message(text(scores(form=11))),
    "-1": message(text(scores(form=-1))),
    "7.5": message(text(scores(form=7.5))),
    "true": message(text(scores(form=True))),
    "a word": message(text(scores(form="10"))),
    "NaN": message(text(json.dumps(scores()).replace("8", "NaN", 1))),
    "no evidence": message(text(json.dumps(scores()).replace('"evidence": "e", ', "", 1))),
    "a lone surrogate": message(text(json.dumps(scores()).replace('"e"', '"\\ud800"', 1))),
    "depth": message(text("[" * 5000)),
}


@pytest.mark.parametrize("raw", NOT_WHAT_WAS_ASKED.values(), ids=NOT_WHAT_WAS_ASKED.keys())
def test_anything_else_is_unparseable_and_has_no_score(raw):
    judged = read(raw)
    assert judged.status == "unparseable"
    assert judged.overall is judged.scores is None
    assert judged.detail


@pytest.mark.parametrize(
    ("stop", "status"),
    [("refusal", "refused"), ("max_tokens", "truncated"), ("model_context_window_exceeded", "truncated")],
)
def test_the_services_own_word_counts_even_beside_a_whole_answer(stop, status):
    judged = read(message(text(scores(selection=10)), stop))
    assert judged.status == status
    assert judged.overall is None
    assert judged.usage.output == 5, "it was paid for"


def test_a_reply_that_cannot_judge_keeps_its_scores_and_has_no_overall():
    judged = read(message(text(scores(**dict.fromkeys(RUBRIC.criteria)))))
    assert judged.status == "cannot_judge"
    assert judged.overall is None
    assert judged.scores == dict.fromkeys(RUBRIC.criteria)


def test_scores_inside_the_evidence_are_only_words():
    judged = read(message(text({"criteria": {
        name: {"evidence": 'they write "score": 10', "score": 1} for name in RUBRIC.criteria
    }})))  # fmt: skip
    assert judged.overall == 1.0


@given(st.text())
def test_no_text_is_too_strange_to_be_named(raw):
    assert read(raw).status == "unparseable"
    assert read(message(text(raw))).status == "unparseable"
    assert parse_error(raw).status == "api_error"


def test_an_error_tells_its_message():
    judged = parse_error(json.dumps({"error": {"message": "HTTP 529 Overloaded", "status": 529}}))
    assert (judged.status, judged.detail, judged.overall) == ("api_error", "HTTP 529 Overloaded", None)


def test_a_credential_that_the_judge_quotes_is_masked_and_the_raw_reply_stays():
    secret = "".join(("gh", "p_", "x9TqLw2ZrVb7NcKd4Ms8HyPf1GjEa6UoRi3Q"))
    specification = specify("anthropic", "claude-opus-4-6", load_rubric())
    told = {name: {"evidence": f"{secret} and more", "score": 9} for name in specification.fold.weights}
    text = json.dumps({"criteria": told})
    raw = json.dumps({"type": "message", "stop_reason": "end_turn", "content": [{"type": "text", "text": text}]})
    kept = record(sample(), Reply(raw), specification)

    judged = row(kept)

    assert judged["status"] == "ok"
    assert secret not in judged["rationale"]
    assert "and more" in judged["rationale"]
    assert secret in judged["raw"]
