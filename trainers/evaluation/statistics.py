"""Error bars: bootstrap intervals of means, and tests of whether two models differ on the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt
from typing import Any

import numpy as np

Column = np.ndarray[Any, np.dtype[np.float64]]

DRAWS = 10_000  # resamples: the ends of a 95% interval then move by less than 2% of its width
CHUNK = 1_000  # resamples drawn at a time: 8 MB of counts for 1,000 rows
LEVEL = 0.95
Z = 1.959964  # of a normal distribution, for LEVEL


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` rows with its 95% interval; mean and ends are None where n is 0."""

    n: int
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Difference:
    """How much more the first model scores than the second on the same `n` rows, with its 95% interval.

    `p`: how likely a difference as large as this is where there is none; McNemar's exact test for measures that are 0
    or 1, the paired bootstrap for the others. `won` and `lost`: rows on which the first scores more, and less.
    """

    n: int
    mean: float | None
    low: float | None
    high: float | None
    p: float | None
    won: int
    lost: int
    test: str

    @property
    def is_real(self) -> bool:
        """Whether 0 lies outside the interval and the test says so too: of few rows that differ, either can err."""
        if self.low is None or self.high is None or self.p is None:
            return False
        return not self.low <= 0 <= self.high and self.p < 1 - LEVEL


def resampled(columns: Column, seed: int, draws: int = DRAWS) -> Column:
    """The mean of each column over `draws` resamples of the rows, shape (draws, columns); NaN cells are left out.

    All columns are resampled together: a row is drawn with all that was measured of it.
    """
    rows, width = columns.shape
    there = ~np.isnan(columns)
    sums = np.hstack([np.where(there, columns, 0.0), there])
    random = np.random.default_rng(seed)
    means = np.full((draws, width), np.nan)
    for begin in range(0, draws if rows else 0, CHUNK):
        size = min(CHUNK, draws - begin)
        drawn = random.integers(rows, size=(size, rows)) + rows * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * rows).reshape(size, rows)  # how often each row is in each
        total = counts.astype(np.float64) @ sums
        np.divide(total[:, :width], total[:, width:], out=means[begin : begin + size], where=total[:, width:] > 0)
    return means


def estimate(values: Column, means: Column) -> Estimate:
    """The mean of `values` (NaN: not measured) with the interval that its resampled `means` give.

    Where every value is 0, or every value 1, resampling shows no spread at all; the interval is then Wilson's.
    """
    measured = values[~np.isnan(values)]
    if not measured.size:
        return Estimate(0, None, None, None)
    mean = float(measured.mean())
    if np.all(measured == 0.0) or np.all(measured == 1.0):
        return Estimate(measured.size, mean, *wilson(int(measured.sum()), measured.size))
    return Estimate(measured.size, mean, *ends(means))


def ends(means: Column) -> tuple[float, float]:
    """The percentile interval of resampled means."""
    low, high = np.nanquantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share."""
    centre = (hits + Z**2 / 2) / (n + Z**2)
    half = Z / (n + Z**2) * sqrt(hits * (n - hits) / n + Z**2 / 4)
    return (0.0 if hits == 0 else centre - half), (1.0 if hits == n else centre + half)


def mean_of(groups: Sequence[Estimate], drawn: Sequence[Column]) -> Estimate:
    """The mean of the groups' means, in which each group counts alike; `drawn`: the resampled means of each.

    Groups are resampled apart, since their sizes are given. `n` is that of all rows.
    """
    found = [(one, means) for one, means in zip(groups, drawn, strict=True) if one.mean is not None]
    if not found:
        return Estimate(0, None, None, None)
    middle = float(np.mean([one.mean for one, _ in found if one.mean is not None]))
    low, high = ends(np.mean([means for _, means in found], axis=0))
    if low == high:  # every group is at an end of the scale, where resampling shows no spread
        low, high = (float(np.mean([getattr(one, end) for one, _ in found])) for end in ("low", "high"))
    return Estimate(sum(one.n for one, _ in found), middle, low, high)


def compare(first: Column, second: Column, binary: bool, seed: int, draws: int = DRAWS) -> Difference:
    """Two models on the same rows, in the same order; a row that either was not measured on is left out."""
    gaps = (first - second)[~np.isnan(first - second)]
    won, lost = int((gaps > 0).sum()), int((gaps < 0).sum())
    test = "mcnemar" if binary else "bootstrap"
    if not gaps.size:
        return Difference(0, None, None, None, None, won, lost, test)
    means = resampled(gaps[:, None], seed, draws)[:, 0]
    p = mcnemar(won, lost) if binary else two_sided(means)
    return Difference(gaps.size, float(gaps.mean()), *ends(means), p, won, lost, test)


def two_sided(means: Column) -> float:
    """The p-value of resampled mean differences: twice the share on the rarer side of 0, never below 2 in all draws."""
    rarer = min(int((means <= 0).sum()), int((means >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (means.size + 1))


def mcnemar(won: int, lost: int) -> float:
    """McNemar's exact two-sided p-value, from the rows on which two models differ."""
    n = won + lost
    tail = sum(comb(n, k) for k in range(min(won, lost) + 1))
    return min(1.0, 2 * tail / 2**n) if n else 1.0


def fisher(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """Fisher's exact two-sided p-value of two shares measured on different rows, such as a published one and ours."""
    total, drawn = n + other_n, hits + other_hits

    def ways(k: int) -> int:
        return comb(n, k) * comb(other_n, drawn - k)

    seen = ways(hits)
    least, most = max(0, drawn - other_n), min(n, drawn)
    return sum(ways(k) for k in range(least, most + 1) if ways(k) <= seen) / comb(total, drawn)
