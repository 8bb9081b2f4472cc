"""Is a trial better than the best so far? A paired bootstrap, with the luck of seeds in it, says so, or it is not kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from trainers.evaluation.statistics import Column, ends, resampled

DRAWS = 20_000  # resamples: of 200 trials each is held to p < 0.00025, which is 5 of them
WRONG = 0.05  # how likely a search over settings that do nothing may keep one at all
MOST_TRIALS = 200


@dataclass(frozen=True)
class Gain:
    """How much more a trial's models earn than the best's, on the same plans with the same seeds.

    `low` and `high`: the 95% interval of `mean`; `p`: how likely resampling finds no gain.
    """

    mean: float
    low: float
    high: float
    p: float
    plans: int
    seeds: int

    def convinces(self, looks: int) -> bool:
        """Whether it is a gain, to one who looks so many times: the chance to be fooled is shared among the looks."""
        return self.mean > 0 and self.p < WRONG / looks


def gain(trial: Column, best: Column, seed: int = 0) -> Gain:
    """The gain of `trial` over `best`, both of shape (plans, seeds), rows and columns meaning the same in both."""
    return gains((trial,), best, seed)[0]


def gains(trials: Sequence[Column], best: Column, seed: int = 0) -> list[Gain]:
    """The gain of each of several trials over the same best.

    Plans are resampled in pairs. Seeds are too few for that: another order of the rows makes another model, and three
    that all happen to be good would look like a setting that is. So to each resample luck is added, drawn from
    Student's t with the spread that the models of both settings show among themselves. Of one seed nothing is known.
    """
    gaps = np.column_stack([(trial - best).mean(axis=1) for trial in trials])
    means = resampled(gaps, seed, DRAWS)
    plans, seeds = best.shape
    if seeds > 1:
        spreads = [sqrt((_variance(trial) + _variance(best)) / seeds) for trial in trials]
        luck = np.random.default_rng(seed + 1).standard_t(2 * (seeds - 1), size=DRAWS)
        means = means + luck[:, None] * np.array(spreads)
    p = ((means <= 0).sum(axis=0) + 1) / (DRAWS + 1)
    return [Gain(float(gaps[:, i].mean()), *ends(means[:, i]), float(p[i]), plans, seeds) for i in range(len(trials))]


def _variance(models: Column) -> float:
    """How much the models of one setting, a column each, differ in what they earn on the same plans."""
    return float(models.mean(axis=0).var(ddof=1))
