"""On public sets with answers every metric ranks answers as it must: right, slightly wrong, copied, empty, invalid."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson
import polars as pl
import pytest

from curation.batch import Batch
from curation.filters import dependency, hydration, placeholder, plugin, schema
from curation.ingest import discover, read
from curation.recipe import Check
from tests.conftest import ROOT
from trainers.evaluation.gold import Gold, gold_of
from trainers.evaluation.metrics import NAMES, Scores, measure
from trainers.evaluation.values import OMIT
from trainers.plans import parse_answer

DATA = ROOT.parent / "shared" / "data"
SETS = {
    "bfcl": [f"bfcl_v4/BFCL_v4_{name}.json" for name in ("simple_python", "multiple", "parallel", "live_multiple")],
    "seal_tools": ["seal_tools/dev.jsonl", "seal_tools/test_in_domain.jsonl"],
    "nestful": ["nestful/executable", "nestful/non-executable"],
}
ANSWERS = ("parallel_multiple", "live_parallel", "multiple", "simple_python")  # of the BFCL, with accepted values
MOST = 120  # samples of a set: enough for every shape, few enough for seconds
STAGES = (schema, plugin, placeholder, hydration, dependency)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public sets are not at {DATA}")


def samples(paths: list[str]) -> pl.DataFrame:
    """The plans in some files, as their reader reads them."""
    found = discover([str(DATA / path) for path in paths])
    frames = [batch.samples for file in found.files for batch in read(file, None)]
    return pl.concat(frames).filter(pl.col("kind") == "plan", pl.col("n_steps") > 0, pl.col("messages").is_not_null())


@cache
def right_rows(name: str) -> list[dict[str, Any]]:
    """Samples of a set that the checks pass, as a release would hold them; some of each file."""
    listed = samples(SETS[name])
    batch = Batch(listed)
    passed = [stage.decide(batch, Check()).filter(outcome="pass")["sample_id"] for stage in STAGES]
    kept = listed.filter(*(pl.col("sample_id").is_in(ids.implode()) for ids in passed))
    return kept.gather_every(max(1, kept.height // MOST)).to_dicts()


def gold_of_sample(row: dict[str, Any]) -> Gold:
    said = " ".join(m["content"] for m in orjson.loads(row["messages"]) if isinstance(m.get("content"), str))
    return gold_of(row["plan"], row["candidates"], said)


def slightly_wrong(plan: str) -> str | None:
    """The plan with its last literal value changed; None where it has none."""
    value = json.loads(plan)
    for step in reversed(value["plugins"]):
        for name in reversed(step["api_request_parameters"]):
            old = step["api_request_parameters"][name]
            if isinstance(old, str) and "{{" not in old:
                step["api_request_parameters"][name] = f"{old} and more"
                return json.dumps(value)
            if isinstance(old, int | float) and not isinstance(old, bool):
                step["api_request_parameters"][name] = old + 977  # no value that is accepted beside it
                return json.dumps(value)
    return None


def copied(row: dict[str, Any]) -> str:
    """Every candidate as a step, as it was offered."""
    steps = [
        {"pluginId": one["pluginId"], "api_request_parameters": {}, "all_parameters_hydrated": True, "dependencies": []}
        for one in orjson.loads(row["candidates"])
    ]
    return json.dumps({"plugins": steps})


def worth(scores: Scores) -> float:
    """The mean of all metrics that apply."""
    found = [score for score in (scores[name] for name in NAMES) if score is not None]
    return sum(found) / len(found)


@pytest.mark.parametrize("name", SETS)
def test_answers_rank_as_they_must(name: str) -> None:
    rows = right_rows(name)
    assert len(rows) > 40
    changed = 0
    for row in rows:
        gold = gold_of_sample(row)
        right = measure(parse_answer(row["plan"]), gold)
        assert {score for score in right.values() if score is not None} == {1.0}, (row["trace_id"], right)
        invalid = measure(parse_answer(row["plan"][:-1]), gold)
        assert {score for score in invalid.values() if score is not None} == {0.0}
        assert {k for k, v in invalid.items() if v is None} == {k for k, v in right.items() if v is None}
        empty = measure(parse_answer('{"plugins": []}'), gold)
        assert {key for key, score in empty.items() if score} == {"json_valid", "orchestrator_score", "composite"}
        copy = measure(parse_answer(copied(row)), gold)
        wrong = slightly_wrong(row["plan"])
        between = [worth(empty), worth(copy)]
        if wrong is not None:
            changed += 1
            slight = measure(parse_answer(wrong), gold)
            assert slight["bfcl_ast"] == slight["plan_exact"] == 0.0
            assert slight["plugin_match"] == slight["param_keys"] == 1.0
            assert slight["argument_value_f1"] is not None
            assert slight["argument_value_f1"] < 1.0
            between.append(worth(slight))
            assert worth(slight) > worth(empty)
            if len(orjson.loads(row["candidates"])) > len(gold.answer.steps):
                assert worth(slight) > worth(copy)
        assert all(0.0 < one < 1.0 for one in between)
    assert changed > len(rows) / 2


def accepted_of(ground_truth: list[dict[str, Any]]) -> tuple[dict[str, list[Any]], ...]:
    """The BFCL's accepted answers in our form: its "" among the values says that the parameter may be left out."""

    def values(listed: Any) -> Any:
        if not isinstance(listed, list):
            return [listed]
        if not listed:
            return [[]]
        return [OMIT if value == "" else members(value) for value in listed]

    def members(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: values(inner) for key, inner in value.items()}
        return [members(item) for item in value] if isinstance(value, list) else value

    calls = (parameters for answer in ground_truth for parameters in answer.values())
    return tuple({name: values(listed) for name, listed in parameters.items()} for parameters in calls)


def answers(category: str) -> Iterator[tuple[dict[str, Any], tuple[dict[str, list[Any]], ...]]]:
    """(sample, accepted values) of one category."""
    path = DATA / "bfcl_v4" / "possible_answer" / f"BFCL_v4_{category}.json"
    truths = {r["id"]: r["ground_truth"] for r in map(json.loads, path.read_text(encoding="utf-8").splitlines())}
    for row in samples([f"bfcl_v4/BFCL_v4_{category}.json"]).to_dicts()[:MOST]:
        yield row, accepted_of(truths[row["trace_id"]])


@pytest.mark.parametrize("category", ANSWERS)
def test_each_accepted_answer_of_the_bfcl_is_right_and_no_other(category: str) -> None:
    count = 0
    for row, accepted in answers(category):
        gold = gold_of(row["plan"], row["candidates"], accepted=accepted)
        value = json.loads(row["plan"])
        for step, allowed in zip(value["plugins"], accepted, strict=True):
            given = step["api_request_parameters"]
            for name, options in allowed.items():
                flat = [option for option in options if option is not OMIT and not isinstance(option, dict | list)]
                if flat:
                    given[name] = flat[-1]  # another accepted value than the reader's, which takes the first
                if OMIT in options:
                    given.pop(name, None)
        alternative = json.dumps({"plugins": value["plugins"][::-1]})
        assert measure(parse_answer(row["plan"]), gold)["bfcl_ast"] == 1.0, row["trace_id"]
        assert measure(parse_answer(alternative), gold)["bfcl_ast"] == 1.0, row["trace_id"]
        wrong = slightly_wrong(row["plan"])
        if wrong is not None:
            count += 1
            assert measure(parse_answer(wrong), gold)["bfcl_ast"] == 0.0, row["trace_id"]
    assert count > 10
