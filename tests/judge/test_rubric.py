"""The rubric: what it sends, what makes another specification, and how scores fold into one number."""

import dataclasses
import json
import subprocess
import sys

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.claude.schema import NOT_ENFORCED
from curation.judge.rubric import Fold, load_rubric
from curation.judge.specification import BACKENDS, specify
from tests.servers.claude_protocol import unsupported

RUBRIC = load_rubric()

SCORES = st.dictionaries(st.sampled_from(sorted(RUBRIC.criteria)), st.one_of(st.none(), st.integers(0, 10)))


def test_every_criterion_is_explained_and_anchored_at_both_ends():
    for name in RUBRIC.criteria:
        section = RUBRIC.system.split(f"## {name}\n")[1].split("\n## ")[0]
        assert "?" in section
        assert "- 0: " in section
        assert "- 10: " in section
    assert "$" not in RUBRIC.system


def worked_examples() -> list[str]:
    """The replies that the prompt shows as examples."""
    return [line for line in RUBRIC.system.splitlines() if line.startswith('{"criteria"')]


def test_every_worked_example_is_a_reply_that_the_parser_reads():
    assert len(worked_examples()) >= 8
    for text in worked_examples():
        jsonschema.validate(json.loads(text), RUBRIC.reply_schema)


def test_the_worked_examples_use_the_whole_scale_and_say_that_they_cannot_judge():
    given = [entry["score"] for text in worked_examples() for entry in json.loads(text)["criteria"].values()]
    assert None in given
    assert min(score for score in given if score is not None) == 0
    assert len(set(given)) >= 7
    overalls = [
        RUBRIC.fold.overall({name: entry["score"] for name, entry in json.loads(text)["criteria"].items()})
        for text in worked_examples()
    ]
    assert sum(overall is not None and overall >= 8 for overall in overalls) >= 3
    assert sum(overall is not None and overall < 8 for overall in overalls) >= 3


def test_what_is_the_same_for_every_sample_is_long_enough_for_the_cache():
    assert len(RUBRIC.system) / 4.4 > 4_096, "4.4 characters a token is more than English or JSON have"


def test_weights_and_lift_are_not_sent():
    assert "weight" not in RUBRIC.system
    assert "lift" not in RUBRIC.system


@pytest.mark.parametrize(
    "change",
    [
        {"system": "other"},
        {"user": "other"},
        {"absent": "other"},
        {"max_tokens": 1},
        {"criteria": ("selection",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_is_sent_makes_another_specification(change):
    assert dataclasses.replace(RUBRIC, **change).spec("claude", "m") != RUBRIC.spec("claude", "m")


def test_another_model_is_another_specification_and_another_weight_is_not():
    reweighted = dataclasses.replace(RUBRIC, fold=Fold(dict.fromkeys(RUBRIC.criteria, 1.0), 2))
    assert RUBRIC.spec("claude", "m") != RUBRIC.spec("claude", "n")
    assert RUBRIC.spec("claude", "m") != RUBRIC.spec("openai", "m")
    assert reweighted.spec("claude", "m") == RUBRIC.spec("claude", "m")


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_specification_is_the_same_in_another_process(backend):
    code = (
        "from curation.judge.specification import specify; from curation.judge.rubric import load_rubric;"
        f"print(specify({backend!r}, 'm', load_rubric()).spec)"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == specify(backend, "m", RUBRIC).spec


def test_what_was_judged_before_is_not_asked_again():
    """Another prompt, rubric or form of the request asks about every sample again: a change of this line costs money."""
    assert specify("vertex", "claude-opus-4-6", RUBRIC).spec == "plan-39aeb85e691b4e3c"


def test_the_offline_rubric_is_never_taken_for_another_judge():
    specs = {backend: specify(backend, "claude-opus-4-6", RUBRIC).spec for backend in BACKENDS}
    assert specs["vertex"] == specs["anthropic"] != specs["offline"]


def test_the_schema_that_is_sent_is_one_that_the_service_takes():
    assert unsupported(RUBRIC.sent_schema) is None
    assert not any(f'"{keyword}"' in json.dumps(RUBRIC.sent_schema) for keyword in NOT_ENFORCED)
    jsonschema.Draft202012Validator.check_schema(RUBRIC.sent_schema)


def test_no_boolean_or_enum_carries_a_verdict():
    text = json.dumps(RUBRIC.reply_schema)
    assert '"enum"' not in text
    assert '"boolean"' not in text
    assert text.index('"evidence"') < text.index('"score"'), "the evidence is written before the score"


def test_one_broken_part_cannot_be_bought_back():
    perfect = dict.fromkeys(RUBRIC.criteria, 10)
    assert RUBRIC.fold.overall(perfect) == 10.0
    for name in RUBRIC.criteria:
        assert RUBRIC.fold.overall({**perfect, name: 3}) <= 7


def test_a_criterion_that_cannot_be_judged_is_left_out():
    scores = dict.fromkeys(RUBRIC.criteria, 8)
    assert RUBRIC.fold.overall({**scores, "reasoning": None}) == 8.0


def test_where_too_little_could_be_judged_there_is_no_overall():
    nothing = dict.fromkeys(RUBRIC.criteria)
    assert RUBRIC.fold.overall(nothing) is None
    assert RUBRIC.fold.overall({}) is None
    assert RUBRIC.fold.overall({**nothing, "form": 10}) is None
    assert RUBRIC.fold.overall({**nothing, "selection": 10}) is None
    assert RUBRIC.fold.overall({**nothing, "selection": 10, "order": 10}) == 10.0


@given(SCORES)
def test_the_overall_lies_between_the_worst_and_the_best_score(scores):
    overall = RUBRIC.fold.overall(scores)
    told = [score for score in scores.values() if score is not None]
    if overall is not None:
        assert min(told) <= overall <= max(told)
        assert overall <= min(told) + RUBRIC.fold.lift
