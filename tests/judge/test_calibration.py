"""Statistics by hand: agreement, intervals, the curve of thresholds and ranks, against cases worked out on paper."""

import numpy as np
import pytest

from curation.judge.calibration import (
    DRAWS,
    agreement,
    bias,
    curve,
    kappa,
    recommended,
    spearman,
    wilson,
)


def array(*values: float) -> np.ndarray:  # type: ignore[type-arg]
    return np.array(values, dtype=float)


def by_table(judge: list[int], people: list[int]) -> float:
    """Cohen's weighted kappa by its definition: over the table of the eleven categories."""
    table = np.zeros((11, 11))
    for first, second in zip(judge, people, strict=True):
        table[first, second] += 1 / len(judge)
    weights = (np.arange(11)[:, None] - np.arange(11)[None, :]) ** 2
    chance = np.outer(table.sum(axis=1), table.sum(axis=0))
    return float(1 - (weights * table).sum() / (weights * chance).sum())


def test_kappa_of_a_case_worked_out_on_paper() -> None:
    # Pairs (1,1) (2,1) (3,3) (4,4). Squared differences 0 1 0 0, mean 1/4. Each of the judge's with each of people's:
    # 1: 0 0 4 9; 2: 1 1 1 4; 3: 4 4 0 1; 4: 9 9 1 0: together 48, mean 3. So 1 - (1/4) / 3 = 11/12.
    assert float(kappa(array(1, 2, 3, 4), array(1, 1, 3, 4))) == pytest.approx(11 / 12)


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_cohens_with_quadratic_weights(seed: int) -> None:
    dice = np.random.default_rng(seed)
    judge = dice.integers(0, 11, 60)
    people = np.clip(judge + dice.integers(-3, 4, 60), 0, 10)
    found = float(kappa(judge.astype(float), people.astype(float)))
    assert found == pytest.approx(by_table(judge.tolist(), people.tolist()))


def test_kappa_at_its_ends() -> None:
    assert float(kappa(array(0, 5, 10), array(0, 5, 10))) == 1.0
    assert float(kappa(array(0, 10), array(10, 0))) == -1.0
    assert float(kappa(array(0, 0, 10, 10), array(0, 10, 0, 10))) == 0.0
    assert np.isnan(float(kappa(array(8, 8), array(8, 8)))), "nothing varies, so chance agrees as much"


def test_a_judge_that_is_off_by_a_constant_agrees_less() -> None:
    people = array(*range(9))
    assert float(kappa(people + 2, people)) < float(kappa(people + 1, people)) < 1.0


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    dice = np.random.default_rng(1)
    people = dice.normal(6, 2, 200_000)
    judge = people + dice.normal(0, 1.5, 200_000)
    truth = float(kappa(judge, people))
    held = 0
    for start in range(0, 100 * 80, 80):
        found = agreement("overall", judge[start : start + 80], people[start : start + 80])
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    assert held >= 88
    assert DRAWS >= 1000


def test_an_agreement_tells_both_means_and_nothing_where_nothing_varies() -> None:
    found = agreement("form", array(8, 8, 8), array(8, 8, 8))
    assert (found.kappa, found.low, found.high) == (None, None, None)
    assert (found.judge_mean, found.people_mean, found.pairs) == (8.0, 8.0, 3)


def test_the_curve_counts_what_is_accepted_and_what_people_accept() -> None:
    overall = array(2.0, 6.0, 7.5, 8.0, 9.5)
    points = {point.threshold: point for point in curve(overall, np.array([False, True, False, True, True]))}
    assert len(points) == 21
    told = {at: (points[at].accepted, points[at].right, points[at].precision, points[at].recall) for at in (0, 7.5, 8)}
    assert told == {
        0: (5, 3, 0.6, 1.0),
        7.5: (3, 2, pytest.approx(2 / 3), pytest.approx(2 / 3)),
        8: (2, 2, 1.0, pytest.approx(2 / 3)),
    }
    assert (points[10.0].accepted, points[10.0].precision, points[10.0].low) == (0, None, None)
    assert all(point.recall is None for point in curve(overall, np.array([False] * 5)))


def test_wilsons_interval_of_cases_from_the_table() -> None:
    # 10 of 10: the upper end is 1, the lower 1 / (1 + z²/10).
    low, high = wilson(10, 10)
    assert (low, high) == (pytest.approx(0.7225, abs=1e-4), pytest.approx(1.0))
    low, high = wilson(50, 100)
    assert (low, high) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))
    assert wilson(0, 0) == (None, None)


def test_the_recommended_threshold_is_the_lowest_that_is_surely_good_enough() -> None:
    overall = np.repeat(np.arange(0.0, 11.0), 10)
    points = curve(overall, overall >= 6)
    best = recommended(points, 0.8)
    # from 6 on all 50 are right (lower end .929); from 5.5 the same; from 5 on 50 of 60 (.833, lower end .720)
    assert best is not None
    assert (best.threshold, best.accepted, best.right, best.recall) == (5.5, 50, 50, 1.0)
    assert recommended(points, 0.95) is None, "50 right ones are too few to be that sure"
    assert recommended(curve(overall, overall > 20), 0.5) is None


def test_ranks_share_their_ties() -> None:
    assert spearman([1, 2, 3], [10, 100, 1000]) == 1.0
    assert spearman([1, 2, 3], [3, 2, 1]) == -1.0
    # ranks 1 2.5 2.5 4 and 1 2 3 4: covariance 4.5 / 4, variances 4.5 / 4 and 5 / 4
    assert spearman([1, 5, 5, 9], [1, 2, 3, 4]) == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    assert spearman([1, 1, 1], [1, 2, 3]) is None


def test_a_judge_that_likes_length_is_found_and_one_that_does_not_is_not() -> None:
    dice = np.random.default_rng(5)
    lengths = dice.uniform(100, 4000, 120)
    noise = dice.normal(0, 1, 120)
    fond = bias("length", list(lengths), list(lengths / 1500 + noise))
    assert fond.is_real
    assert fond.rho is not None
    assert fond.rho > 0.4
    assert not bias("length", list(lengths), list(noise)).is_real
    assert bias("position", [None, 0.5, 0.5, 0.5, 0.5, None], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).rho is None
    assert bias("position", [None, 1.0], [1.0, 2.0]).pairs == 1
