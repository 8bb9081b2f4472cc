"""Intervals cover what they should, tests say what they should, and the published gains lie inside noise."""

import numpy as np
import pytest

from trainers.evaluation.statistics import (
    Estimate,
    compare,
    ends,
    estimate,
    fisher,
    mcnemar,
    mean_of,
    resampled,
    wilson,
)

# What was published as a gain: hits of 100 before and after, and the p-value of the difference.
GAINS = {"JSON valid": (95, 97, 0.72), "plugin-ID match": (89, 91, 0.81)}


def hits(right: int, n: int) -> np.ndarray:
    """A measure that `right` of `n` rows have."""
    return np.array([1.0] * right + [0.0] * (n - right))


@pytest.mark.parametrize("name", GAINS)
def test_the_published_gains_lie_inside_noise(name: str) -> None:
    before, after, p = GAINS[name]
    assert fisher(before, 100, after, 100) == pytest.approx(p, abs=0.005)
    values = [hits(n, 100) for n in (before, after)]
    low, high = (ends(resampled(one[:, None], 0)[:, 0]) for one in values)
    assert low[1] > high[0], "the intervals overlap"


def test_the_same_gain_on_enough_rows_is_none_of_noise() -> None:
    assert fisher(1900, 2000, 1940, 2000) < 0.05


@pytest.mark.parametrize(
    ("table", "p"),
    [
        ((1, 10, 9, 10), 0.00109),
        ((8, 10, 1, 6), 0.03497),
        ((5, 5, 0, 5), 0.00794),
        ((3, 7, 3, 7), 1.0),
        ((0, 9, 0, 4), 1.0),
    ],
)
def test_fishers_p_is_the_one_in_the_books(table: tuple[int, int, int, int], p: float) -> None:
    assert fisher(*table) == pytest.approx(p, abs=1e-5)


@pytest.mark.parametrize(
    ("won", "lost", "p"), [(10, 1, 0.01171875), (1, 10, 0.01171875), (5, 3, 0.7265625), (0, 0, 1.0)]
)
def test_mcnemars_p_is_the_binomial_one(won: int, lost: int, p: float) -> None:
    assert mcnemar(won, lost) == p


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    values = np.random.default_rng(1).random(400)
    found = estimate(values, resampled(values[:, None], 0)[:, 0])
    error = 1.96 * values.std() / 20
    assert (found.n, found.mean) == (400, pytest.approx(values.mean()))
    assert found.low == pytest.approx(values.mean() - error, abs=error * 0.06)
    assert found.high == pytest.approx(values.mean() + error, abs=error * 0.06)


def test_nine_or_more_of_ten_intervals_hold_the_true_mean() -> None:
    random = np.random.default_rng(0)
    held = 0
    for seed in range(100):
        values = (random.random(200) < 0.8).astype(float)
        low, high = ends(resampled(values[:, None], seed, 500)[:, 0])
        held += low <= 0.8 <= high
    assert held >= 90


def test_a_seed_gives_the_same_figures_and_another_gives_others() -> None:
    values = np.random.default_rng(1).random((50, 2))
    assert np.array_equal(resampled(values, 7), resampled(values, 7))
    assert not np.array_equal(resampled(values, 7), resampled(values, 8))


def test_what_was_not_measured_is_left_out_of_mean_and_n() -> None:
    values = np.array([1.0, np.nan, 0.0, np.nan, 1.0, 1.0])
    found = estimate(values, resampled(values[:, None], 0)[:, 0])
    assert (found.n, found.mean) == (4, 0.75)
    assert estimate(np.array([np.nan]), np.array([np.nan])) == Estimate(0, None, None, None)
    assert np.isnan(resampled(np.empty((0, 2)), 0, 3)).all()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_measure_at_the_end_of_the_scale_is_not_certain(share: float) -> None:
    values = np.full(100, share)
    found = estimate(values, resampled(values[:, None], 0)[:, 0])
    assert (found.low, found.high) == pytest.approx(sorted((share, abs(share - 0.037))), abs=1e-3)


def test_wilsons_interval_is_the_one_in_the_books() -> None:
    assert wilson(50, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert wilson(1, 10) == pytest.approx((0.0179, 0.4042), abs=1e-4)


def test_a_mean_of_groups_counts_each_alike() -> None:
    large, small = hits(90, 100), hits(1, 4)
    drawn = [resampled(group[:, None], 0)[:, 0] for group in (large, small)]
    each = [estimate(group, means) for group, means in zip((large, small), drawn, strict=True)]
    found = mean_of(each, drawn)
    assert (found.n, found.mean) == (104, pytest.approx((0.9 + 0.25) / 2))
    assert found.low is not None
    assert found.low < found.mean < (found.high or 0)  # type: ignore[operator]
    assert mean_of([], []) == Estimate(0, None, None, None)


def test_two_models_are_compared_row_by_row() -> None:
    same = hits(95, 100)
    shuffled = same[::-1]
    assert compare(same, same, True, 0).p == 1.0
    found = compare(same, shuffled, True, 0)
    assert (found.mean, found.won, found.lost, found.test) == (0.0, 5, 5, "mcnemar")
    better = np.minimum(1, hits(60, 100) + hits(80, 100))
    gain = compare(better, hits(60, 100), True, 0)
    assert (gain.won, gain.lost, gain.is_real) == (20, 0, True)
    assert gain.p == pytest.approx(2 / 2**20)


def test_a_small_steady_gain_is_found_that_separate_intervals_hide() -> None:
    before = np.random.default_rng(0).random(500) * 0.9
    found = compare(before + 0.02, before, False, 0)
    assert found.is_real
    assert found.p == pytest.approx(2 / 10_001)
    intervals = [ends(resampled(one[:, None], 0)[:, 0]) for one in (before, before + 0.02)]
    assert intervals[0][1] > intervals[1][0]


def test_four_rows_of_a_hundred_are_no_real_difference() -> None:
    found = compare(hits(4, 100), hits(0, 100), True, 0)
    assert (found.won, found.lost, found.p) == (4, 0, 0.125)
    assert not found.is_real


def test_noise_is_called_real_no_more_often_than_it_should_be() -> None:
    random = np.random.default_rng(3)
    called = sum(
        compare(*(random.random((2, 150)) < 0.7).astype(float), True, seed, 500).is_real  # type: ignore[misc]
        for seed in range(100)
    )
    assert called <= 9


def test_what_one_model_was_not_measured_on_is_left_out_of_the_comparison() -> None:
    found = compare(np.array([1.0, np.nan, 1.0]), np.array([0.0, 1.0, np.nan]), True, 0)
    assert (found.n, found.won, found.lost) == (1, 1, 0)
    assert compare(np.array([np.nan]), np.array([1.0]), True, 0).mean is None
