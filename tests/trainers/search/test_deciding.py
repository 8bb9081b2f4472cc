"""What is kept is better beyond luck of plans and of seeds; luck alone seldom convinces."""

import numpy as np

from trainers.search.deciding import Gain, gain, gains


def models(dice: np.random.Generator, better: float = 0.0, plans: int = 200, seeds: int = 3) -> np.ndarray:
    """The worth of each plan under each seed: plans differ, and so do a setting's models among each other."""
    hard = dice.uniform(0.2, 0.8, size=(plans, 1))
    luck = dice.normal(0, 0.01, size=(1, seeds))
    return np.clip(hard + luck + better + dice.normal(0, 0.2, size=(plans, seeds)), 0, 1)


def test_a_clear_gain_convinces_and_the_same_models_do_not() -> None:
    dice = np.random.default_rng(0)
    before = models(dice)
    assert gain(before + 0.2, before).convinces(24)
    same = gain(before, before)
    assert same.mean == 0
    assert same.low < 0 < same.high  # what other seeds could have made of it
    assert not same.convinces(1)
    assert not gain(before - 0.2, before).convinces(1)


def test_one_lucky_seed_of_three_does_not_convince() -> None:
    before = models(np.random.default_rng(1))
    lucky = before.copy()
    lucky[:, 0] += 0.3
    found = gain(lucky, before)
    assert found.mean > 0.09
    assert not found.convinces(1)


def test_where_seeds_differ_by_more_than_plans_tell_luck_still_hardly_ever_convinces() -> None:
    """Three seeds that are lucky together once convinced one in twelve times, however often one looked."""
    dice = np.random.default_rng(5)
    kept = 0
    for search in range(40):
        before, *others = (0.5 + np.repeat(dice.normal(0, 0.1, size=(1, 3)), 50, axis=0) for _ in range(25))
        kept += any(found.convinces(24) for found in gains(others, before, search))
    assert kept <= 6  # 0.05 of 40 are 2; more than 6 would happen once in 300 times


def test_many_trials_are_decided_as_each_alone() -> None:
    dice = np.random.default_rng(6)
    before = models(dice)
    others = [models_like(before, dice), before + 0.1]
    assert gains(others, before, 4)[1] == gain(others[1], before, 4)


def test_the_more_one_looks_the_more_it_takes() -> None:
    found = Gain(0.02, 0.004, 0.036, 0.01, 200, 3)
    assert found.convinces(1)
    assert found.convinces(4)
    assert not found.convinces(5)


def test_models_that_differ_by_luck_alone_seldom_convince_one_who_looks_once_and_hardly_ever_one_of_24_looks() -> None:
    dice = np.random.default_rng(3)
    before = models(dice)
    found = [gain(models_like(before, dice), before) for _ in range(30)]
    assert sum(one.convinces(1) for one in found) <= 4
    assert not any(one.convinces(24) for one in found)


def models_like(before: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    """Models that are as good on the same plans, with luck of their own."""
    luck = dice.normal(0, 0.01, size=(1, before.shape[1]))
    return before + luck + dice.normal(0, 0.2, size=before.shape)
