"""Is a trial better than the best so far? A paired bootstrap over plans and seeds says so, or the trial is not kept."""

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
    """The gain of `trial` over `best`, both of shape (plans, seeds), rows and columns meaning the same in both.

    Plans are resampled, and so are seeds: another order of the rows makes another model. What few seeds hide of their
    own spread is put back (√(n/(n−1)) of it); of one seed nothing is known.
    """
    gaps = trial - best
    plans, seeds = gaps.shape
    by_seed = resampled(gaps, seed, DRAWS)
    means = by_seed.mean(axis=1)
    if seeds > 1:
        drawn = np.random.default_rng(seed + 1).integers(seeds, size=(DRAWS, seeds))
        means = means + sqrt(seeds / (seeds - 1)) * (np.take_along_axis(by_seed, drawn, axis=1).mean(axis=1) - means)
    p = (int((means <= 0).sum()) + 1) / (DRAWS + 1)
    return Gain(float(gaps.mean()), *ends(means), p, plans, seeds)
