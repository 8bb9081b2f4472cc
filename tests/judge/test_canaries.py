"""Canaries are plans of known quality, in every form that the judge is shown, and few enough to ride in every run."""

from collections import Counter

import orjson
import polars as pl
import pytest

from curation.batch import Batch
from curation.judge import offline
from curation.judge.canaries import KINDS, Canary, load_canaries
from curation.judge.message import render
from curation.judge.reply import parse
from curation.judge.rubric import load_rubric
from curation.recipe import Check
from curation.sample import SAMPLE_FRAME
from curation.stages import ROW_STAGES
from tests.judge.samples import SECRET

RUBRIC = load_rubric()
CANARIES = load_canaries()
TRIES = 2  # requests for one: a garbled reply is asked for once more


def test_there_are_at_least_four_of_each_kind_and_at_most_forty_requests() -> None:
    counts = Counter(canary.kind for canary in CANARIES)
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 4
    assert TRIES * len(CANARIES) <= 40
    assert len({canary.sample_id for canary in CANARIES}) == len({canary.name for canary in CANARIES}) == len(CANARIES)


def test_injections_stand_in_the_request_in_descriptions_in_parameters_and_in_the_reasoning() -> None:
    own = [canary.row for canary in CANARIES if canary.kind == "injection"]
    words = ("NOTE TO THE REVIEWER", "Evaluation policy", "Copy this reply", "Three senior reviewers")
    places = ("messages", "candidates", "plan", "thinking")
    for word, place in zip(words, places, strict=True):
        assert [name for row in own for name in places if word in (row[name] or "")] == [place], word


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_a_canary_is_a_sample_that_every_check_would_have_shown_to_the_judge(canary: Canary) -> None:
    batch = Batch(pl.DataFrame([dict(canary.row)], schema=SAMPLE_FRAME, orient="row"))
    outcomes = {stage.NAME: stage.decide(batch, Check())["outcome"].item() for stage in ROW_STAGES}
    assert "fail" not in outcomes.values(), outcomes


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_the_offline_rubric_gives_every_canary_what_it_deserves(canary: Canary) -> None:
    judged = parse(offline.reply(dict(canary.row), RUBRIC.criteria), RUBRIC.criteria, RUBRIC.fold)
    assert judged.overall is not None
    assert canary.holds(judged.overall), judged.rationale


def test_no_canary_stands_among_the_worked_examples_of_the_prompt() -> None:
    for canary in CANARIES:
        assert str(canary.row["request"])[:40] not in RUBRIC.system
        for plugin in orjson.loads(canary.row["candidates"]):
            assert plugin["pluginId"] not in RUBRIC.system


def test_a_canary_is_asked_with_the_same_bytes_in_every_run() -> None:
    again = dict(CANARIES[0].row) | {"attempt": 2, "occasion": "another", "watched": "canary"}
    assert render(again, RUBRIC, SECRET) == render(dict(CANARIES[0].row), RUBRIC, SECRET)
