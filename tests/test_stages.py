"""The promise that every row stage keeps, and the labelled corpus that all of them are measured on."""

import hashlib
import json
import os
from functools import cache
from pathlib import Path

import orjson
import polars as pl
import pytest

from curation.batch import Batch
from curation.decision import DECISION_FRAME, OUTCOMES
from curation.recipe import Check
from curation.stages import ROW_STAGES, RowStage
from tests.labelled import FOLDER, Row, batch_of, corpus, faults

CHECK = Check()
DIGESTS = FOLDER / "digests.json"
every_stage = pytest.mark.parametrize("stage", ROW_STAGES, ids=lambda stage: stage.NAME)


def measured(stage: RowStage) -> list[Row]:
    """The corpus' samples of the kinds that a stage measures."""
    return [row for row in corpus() if row.get("kind", "plan") in stage.KINDS]


def told(decisions: pl.DataFrame) -> dict[str, tuple[object, ...]]:
    """What was decided of each sample."""
    return {row[0]: row[1:] for row in decisions.iter_rows()}


@cache
def found_in_corpus() -> dict[str, list[tuple[str, str]]]:
    """Every fault that the stages find in the corpus, by the sample's name; flags only where the row is about them."""
    found: dict[str, list[tuple[str, str]]] = {row["name"]: [] for row in corpus()}
    for stage in ROW_STAGES:
        rows = measured(stage)
        decisions = stage.decide(batch_of(rows), CHECK)
        for row, outcome, told_of in zip(rows, decisions["outcome"], faults(decisions), strict=True):
            if outcome != "flag" or row["name"].startswith(stage.NAME):
                found[str(row["name"])] += told_of
    return found


@pytest.mark.parametrize("row", corpus(), ids=lambda row: row["name"])
def test_a_labelled_sample_has_exactly_the_faults_that_it_is_labelled_with(row: Row) -> None:
    expected = [(reason, pointer) for reason, pointer in row["faults"]]
    assert sorted(found_in_corpus()[row["name"]]) == sorted(expected)


def test_the_corpus_names_each_sample_once_and_holds_sound_samples_too() -> None:
    names = [row["name"] for row in corpus()]
    assert len(names) == len(set(names)) > 150
    assert sum(not row["faults"] for row in corpus()) > 50


@every_stage
def test_every_reason_of_a_stage_is_in_the_corpus(stage: RowStage) -> None:
    labelled = {reason for row in corpus() for reason, _ in row["faults"]}
    assert set(stage.REASONS) <= labelled


@every_stage
def test_a_stage_says_who_it_is(stage: RowStage) -> None:
    assert all(reason.startswith(f"{stage.NAME}.") for reason in stage.REASONS)
    assert all(isinstance(path, Path) and path.is_file() for path in stage.DATA)
    assert all(hasattr(CHECK, setting) for setting in stage.SETTINGS)
    assert stage.VERSION
    assert set(stage.KINDS) <= {"plan", "trajectory", "prompt"}


@every_stage
def test_there_is_one_decision_for_each_sample_in_order(stage: RowStage) -> None:
    batch = batch_of(measured(stage))
    decisions = stage.decide(batch, CHECK)
    assert decisions.schema == pl.Schema(DECISION_FRAME)
    assert decisions["sample_id"].to_list() == batch.samples["sample_id"].to_list()
    assert set(decisions["outcome"]) <= set(OUTCOMES)


@every_stage
def test_no_samples_are_no_decisions(stage: RowStage) -> None:
    assert stage.decide(batch_of([]), CHECK).is_empty()


@every_stage
def test_faults_stand_in_the_order_of_the_stage_s_reasons(stage: RowStage) -> None:
    decisions = stage.decide(batch_of(measured(stage)), CHECK)
    for reason, found in zip(decisions["reason"], faults(decisions), strict=True):
        ranks = [stage.REASONS.index(each) for each, _ in found]
        assert ranks == sorted(ranks)
        assert reason == (found[0][0] if found else None)


@every_stage
def test_the_order_of_the_samples_changes_nothing(stage: RowStage) -> None:
    batch = batch_of(measured(stage))
    turned = Batch(batch.samples.reverse())
    assert told(stage.decide(batch, CHECK)) == told(stage.decide(turned, CHECK))


@every_stage
@pytest.mark.parametrize("size", [5, 60])
def test_the_size_of_the_batch_changes_nothing(stage: RowStage, size: int) -> None:
    batch = batch_of(measured(stage))
    parts = [stage.decide(Batch(part), CHECK) for part in batch.samples.iter_slices(size)]
    assert told(pl.concat(parts)) == told(stage.decide(batch, CHECK))


@every_stage
def test_a_stage_leaves_the_batch_as_it_was(stage: RowStage) -> None:
    batch = batch_of(measured(stage))
    before = orjson.dumps([answer.plan for answer in batch.answers])
    stage.decide(batch, CHECK)
    assert orjson.dumps([answer.plan for answer in batch.answers]) == before


@every_stage
def test_deep_plans_and_strange_shapes_are_decided_like_any_other(stage: RowStage) -> None:
    deep = '{"plugins": [{"pluginId": "p", "api_request_parameters": {"a": ' + "[" * 900 + "]" * 900 + "}}]}"
    candidates = [{"pluginId": "p", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}]
    odd = [
        '{"plugins": {}}',
        '{"plugins": null}',
        '{"plugins": [null, [], 1]}',
        "null",
        '{"plugins":[{"pluginId":[]}]}',
        deep,
    ]
    odd += ['{"plugins":[{"pluginId":"p","api_request_parameters":[],"dependencies":{"a":1}}]}', "[" * 2000, deep[:-1]]
    rows = [{"plan": text, "candidates": candidates, "thinking": "x"} for text in odd]
    assert stage.decide(batch_of(rows), CHECK).height == len(odd)


def test_no_fault_shows_a_credential() -> None:
    secret = "".join(("gh", "p_", "x9TqLw2ZrVb7NcKd4Ms8HyPf1GjEa6UoRi3Q"))
    parameters = {"city": f"<your city> {secret}", "days": secret, secret: 1, "api_key": secret[5:]}
    row = {**corpus()[0], "plan": {"plugins": [{"pluginId": secret, "api_request_parameters": parameters}]}}
    row["plan"]["plugins"].append({**row["plan"]["plugins"][0], "pluginId": "plugin-1", "dependencies": [secret]})
    for stage in ROW_STAGES:
        decisions = stage.decide(batch_of([row]), CHECK)
        assert secret[5:] not in "".join(text for column in ("detail", "faults") for text in decisions[column] if text)


def digest(stage: RowStage) -> str:
    """A hash of all that a stage decides on the corpus, apart from the words by which an error is described."""
    decisions = stage.decide(batch_of(measured(stage)), CHECK)
    content = [
        [row["outcome"], found] for row, found in zip(decisions.iter_rows(named=True), faults(decisions), strict=True)
    ]
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()


@every_stage
def test_a_stage_decides_the_corpus_as_its_version_says(stage: RowStage) -> None:
    """After a change on purpose: raise the stage's VERSION, then run this test once with CURATION_REFRESH_DIGESTS=1."""
    pinned = json.loads(DIGESTS.read_text(encoding="utf-8"))
    now = {"version": stage.VERSION, "digest": digest(stage)}
    if os.environ.get("CURATION_REFRESH_DIGESTS") == "1":
        pinned[stage.NAME] = now
        DIGESTS.write_text(json.dumps(pinned, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    assert pinned[stage.NAME] == now, f"{stage.NAME} decides otherwise than version {stage.VERSION} did"


@every_stage
def test_the_page_on_checks_explains_every_reason(stage: RowStage) -> None:
    page = (Path(__file__).parent.parent / "docs" / "checks.md").read_text(encoding="utf-8")
    assert all(f"| `{reason}` |" in page for reason in stage.REASONS)
