"""The benchmark of the search's own honesty: rules that look at luck are fooled, and the search's own hardly ever."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import search_null
from benchmarks.plan_task import read_task


def lucky(spread: float, plans: int = 60) -> np.ndarray:
    """What 24 models earn for plans, each with luck of its own."""
    dice = np.random.default_rng(0)
    hard = dice.uniform(0.2, 0.6, size=(plans, 1))
    return np.clip(hard + dice.normal(0, spread, size=(1, 24)) + dice.normal(0, 0.1, size=(plans, 24)), 0, 1)


def test_only_the_rule_that_knows_the_luck_of_seeds_is_seldom_fooled() -> None:
    told = search_null.counted(lucky(0.05), trials=24, seeds=3, number=20)
    assert told["fooled"]["the higher mean"] > 0.9
    assert told["fooled"]["bootstrap over plans"] > 0.5
    assert told["fooled"]["bootstrap over plans, 0.05 shared"] > 0.5
    assert told["fooled"]["curation search"] <= 0.2
    assert search_null.said(told).count("| curation search |") == 1


def test_a_large_gain_is_kept_where_seeds_differ_little() -> None:
    told = search_null.counted(lucky(0.003, 400), trials=24, seeds=3, number=3)
    kept = told["found"]["curation search"]
    assert kept["0.1"] > 0.5
    assert kept["0.1"] >= kept["0.05"] >= kept["0.02"]


def test_a_bettered_trial_earns_what_it_should_more() -> None:
    trial = lucky(0.01)[:, :3]
    dice = np.random.default_rng(1)
    more = [search_null.bettered(trial, 0.1, dice).mean() - trial.mean() for _ in range(50)]
    assert np.mean(more) == pytest.approx(0.1, abs=0.02)


def test_too_few_models_are_told() -> None:
    with pytest.raises(SystemExit, match="set --models 6 or more"):
        search_null.counted(lucky(0.01)[:, :4], 24, 3, 1)


@pytest.mark.slow
def test_the_models_are_trained_as_a_searchs_are_and_their_scores_are_kept(tmp_path: Path) -> None:
    task = read_task(search_null.TASK)
    task["requests"]["count"], task["splits"] = 80, {"validation": 30, "test": 4}
    task["model"] |= {"first": ["sft.max_steps=3"], "again": ["sft.max_steps=2"]}
    table = search_null.scored(task, tmp_path, 2)
    assert table.shape[1] == 2
    assert table.shape[0] >= 8
    assert (search_null.scored(task, tmp_path, 2) == table).all()
    assert list(tmp_path.glob("model-*")) == []
