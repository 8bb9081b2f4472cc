"""The watch over the judge: what it says of plans of known quality, and whether it says of the same plans the same."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from curation.judge.canaries import KINDS, Canary

NAMED = 3  # canaries that a sentence names: enough to see what goes wrong

SENTINELS = 24  # samples frozen: a shift of half a point stands out of the noise of a judge that is off by one point
FEWEST = 8  # pairs of scores below which nothing is said of a shift

SURE = 0.99  # of the interval: some three false alarms a year of nightly runs
DRAWS = 4_000  # of the bootstrap: the interval's ends are then good to a few hundredths of a point
SEED = 7  # the same interval whenever it is asked for

Scores = Mapping[str, float | None]  # sample_id -> overall score; None: asked about, and no score came of it


def misjudged(canaries: tuple[Canary, ...], scores: Scores) -> Iterator[str]:
    """What is wrong with a judge that gave the canaries these scores, each as a sentence; none: it can be believed."""
    wrong = [(canary, score) for canary, score in given(canaries, scores) if not canary.holds(score)]
    if wrong:
        told = [f"{one.name} ({one.kind}) got {score:g}, right is {one.low:g} to {one.high:g}" for one, score in wrong]
        more = f"; and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        yield f"{len(wrong)} of {len(given(canaries, scores))} canaries were misjudged: {'; '.join(told[:NAMED])}{more}"
    there = Counter(canary.kind for canary in canaries if canary.sample_id in scores)
    scored = Counter(canary.kind for canary, _ in given(canaries, scores))
    for kind in KINDS:
        if scored[kind] * 2 < there[kind]:
            yield f"of {there[kind]} canaries of the kind {kind} only {scored[kind]} got a score at all"


def given(canaries: tuple[Canary, ...], scores: Scores) -> list[tuple[Canary, float]]:
    """The canaries that have a score."""
    found = ((canary, scores.get(canary.sample_id)) for canary in canaries)
    return [(canary, score) for canary, score in found if score is not None]


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much the same samples are scored higher than before, in points: the mean, and its interval."""

    pairs: int
    mean: float
    low: float
    high: float

    @property
    def is_real(self) -> bool:
        """Whether the interval leaves 0 out: chance hardly does this."""
        return self.low > 0 or self.high < 0


def shift(before: Scores, now: Scores) -> Shift | None:
    """The shift of the samples that both have a score for; None for fewer than FEWEST.

    The interval is that of a bootstrap over the samples, so each is held against itself.
    """
    pairs = [(before[key], now.get(key)) for key in sorted(before)]
    more = np.array([after - then for then, after in pairs if then is not None and after is not None])
    if len(more) < FEWEST:
        return None
    drawn = np.random.default_rng(SEED).choice(more, (DRAWS, len(more))).mean(axis=1)
    low, high = np.quantile(drawn, [(1 - SURE) / 2, (1 + SURE) / 2])
    return Shift(len(more), float(more.mean()), float(low), float(high))


def spread(scores: Mapping[str, float], number: int = SENTINELS) -> list[str]:
    """So many of these samples, spread evenly over the range of their scores; all where there are not more.

    Among like scores the ids decide, which are hashes: the same choice whenever it is made.
    """
    ordered = sorted(scores, key=lambda key: (scores[key], key))
    if len(ordered) <= number:
        return ordered
    return [ordered[round(at)] for at in np.linspace(0, len(ordered) - 1, number)]
