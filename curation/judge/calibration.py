"""How far a judge can be believed: its scores held against people's, and the threshold that follows from that."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atanh, sqrt, tanh
from typing import Any

import numpy as np
import polars as pl

Column = np.ndarray[Any, np.dtype[np.float64]]

LEVEL = 0.95  # of every interval
Z = 1.959964  # of a normal distribution, for LEVEL
DRAWS = 2_000  # resamples: the ends of an interval then move by a few hundredths of its width
SEED = 11  # the same intervals whenever they are asked for
FEWEST = 20  # labelled samples below which nothing is said: an interval of so few covers half the scale

STEP = 0.5  # between two thresholds of the curve
PRECISION = 0.8  # of what is accepted, the share that people accept too, of which one wants to be sure


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well the judge and people agree on one criterion over `pairs` samples.

    `kappa` is Cohen's with quadratic weights: 1 is full agreement, 0 what chance gives; `low` to `high` is its interval.
    None where it is not defined: nobody's scores vary. `people` is the same among people, where several scored the same.
    """

    criterion: str
    pairs: int
    kappa: float | None
    low: float | None
    high: float | None
    judge_mean: float
    people_mean: float
    people: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """What comes of a threshold: of `accepted` samples people accept `right`; `low` to `high` is precision's interval.

    Precision is None where nothing is accepted, recall where people accept nothing.
    """

    threshold: float
    accepted: int
    right: int
    precision: float | None
    low: float | None
    high: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Bias:
    """Whether the judge is kinder than people to samples with more of something: Spearman's rank correlation.

    1: the more there is, the more it scores above people; None where either does not vary.
    """

    feature: str
    pairs: int
    rho: float | None
    low: float | None
    high: float | None

    @property
    def is_real(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def kappa(judge: Column, people: Column) -> Column:
    """Cohen's kappa with quadratic weights, over the last axis of two arrays of the same shape; NaN: not defined.

    1 minus the mean squared difference of the pairs over that of all judge's scores with all of people's, which is what
    chance would give: the table of categories need not be made, and means of several people can stand among them.
    """
    observed = ((judge - people) ** 2).mean(axis=-1)
    by_chance = judge.var(axis=-1) + people.var(axis=-1) + (judge.mean(axis=-1) - people.mean(axis=-1)) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(by_chance > 0, 1 - observed / by_chance, np.nan))


def agreement(criterion: str, judge: Column, people: Column, among_people: float | None = None) -> Agreement:
    """The agreement of paired scores, with an interval by bootstrap over the pairs; at least one pair."""
    drawn = np.random.default_rng(SEED).integers(0, len(judge), (DRAWS, len(judge)))
    again = kappa(judge[drawn], people[drawn])
    again = again[~np.isnan(again)]
    point, means = float(kappa(judge, people)), (float(judge.mean()), float(people.mean()))
    if np.isnan(point) or not len(again):
        return Agreement(criterion, len(judge), None, None, None, *means, among_people)
    low, high = np.quantile(again, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Agreement(criterion, len(judge), point, float(low), float(high), *means, among_people)


def curve(overall: Column, accepted: np.ndarray[Any, np.dtype[np.bool_]]) -> list[Point]:
    """Precision and recall of "accept" against people's, for every threshold from 0 to 10."""
    points = []
    for threshold in np.arange(0, 10 + STEP, STEP):
        above = overall >= threshold
        number, right = int(above.sum()), int((above & accepted).sum())
        low, high = wilson(right, number)
        precision = right / number if number else None
        recall = right / int(accepted.sum()) if accepted.any() else None
        points.append(Point(float(threshold), number, right, precision, low, high, recall))
    return points


def wilson(right: int, number: int) -> tuple[float | None, float | None]:
    """Wilson's interval of a share; (None, None) of nothing."""
    if not number:
        return None, None
    share, spread = right / number, Z * Z / number
    middle = share + spread / 2
    half = Z * sqrt(share * (1 - share) / number + spread / number / 4)
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def recommended(points: Sequence[Point], precision: float) -> Point | None:
    """The lowest threshold whose precision is surely (by its interval) at least this: it keeps the most. None: no such."""
    return next((point for point in points if point.low is not None and point.low >= precision), None)


def bias(feature: str, values: Sequence[float | None], kinder: Sequence[float]) -> Bias:
    """Whether `kinder` (the judge's overall score less people's) goes with a feature of the samples; None: not known."""
    known = [(value, more) for value, more in zip(values, kinder, strict=True) if value is not None]
    pairs = len(known)
    rho = spearman([value for value, _ in known], [more for _, more in known]) if pairs > 3 else None
    if rho is None:
        return Bias(feature, pairs, None, None, None)
    if abs(rho) == 1.0:
        return Bias(feature, pairs, rho, rho, rho)
    half = Z * sqrt((1 + rho * rho / 2) / (pairs - 3))  # Bonett and Wright's, on Fisher's scale
    return Bias(feature, pairs, rho, tanh(atanh(rho) - half), tanh(atanh(rho) + half))


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """The correlation of the ranks, ties sharing theirs; None where one side does not vary."""
    ranks = [pl.Series(side, dtype=pl.Float64).rank("average").to_numpy() for side in (first, second)]
    if any(side.std() == 0 for side in ranks):
        return None
    return float(np.clip(np.corrcoef(ranks[0], ranks[1])[0, 1], -1.0, 1.0))
