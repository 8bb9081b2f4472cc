"""Our reward: nothing until the gate opens, then more the nearer the plan is to the one wanted."""

from typing import NamedTuple

from trainers.evaluation.gold import Gold
from trainers.rewards.gate import closed_by
from trainers.rewards.matching import Nearness, nearness
from trainers.rewards.reading import Written

Parts = dict[str, float]  # what a completion earns, and for what; the reward is the sum


class At(NamedTuple):
    """Where a training run is: its stage (from 1 on) and the share of its steps that are done."""

    stage: int = 4
    progress: float = 1.0


LAST = At()


class Stage(NamedTuple):
    """What a stage of the curriculum pays: `form` for an open gate, `exact` for the whole plan, the rest for nearness.

    No stage has a weight of 0 where a later one has more: what was learned keeps its worth, and what comes is seen.
    `selection` is never below `parameters`, so that a right pick with wrong values is worth more than none.
    """

    name: str
    form: float
    selection: float
    parameters: float
    dependencies: float
    exact: float

    def worth(self, near: Nearness) -> float:
        """How near, as one number from 0 to 1."""
        whole = self.selection + self.parameters + self.dependencies
        return (
            self.selection * near.selection + self.parameters * near.parameters + self.dependencies * near.dependencies
        ) / whole


STAGES = (
    Stage("form", 0.50, 0.25, 0.10, 0.10, 0.05),
    Stage("selection", 0.20, 0.45, 0.15, 0.10, 0.10),
    Stage("parameters", 0.10, 0.35, 0.35, 0.10, 0.10),
    Stage("whole", 0.05, 0.38, 0.30, 0.17, 0.10),
)
OUTSIDE = 0.10  # the charge for text outside the form: more than an open gate earns in the last stage


def plan(written: Written, gold: Gold, at: At = LAST) -> Parts:
    """What a completion earns, from 0 to 1, in parts.

    With a closed gate: nothing. Else the stage's weights, those of nearness taken by its square: so a copy of all k
    candidates, with an F1 of 2/(k+1), earns no more than one guess among them does on average, which nearness itself
    would let it. A better plan never earns less: every part grows with nearness, and the charge knows no plan.
    """
    stage = STAGES[at.stage - 1]
    if closed_by(written.found, gold) is not None:
        return dict.fromkeys((*Stage._fields[1:], "outside"), 0.0)
    near = nearness(written.found, gold, stage.worth)
    worth = stage.worth(near)
    parts = {
        "form": stage.form,
        "selection": worth * stage.selection * near.selection,
        "parameters": worth * stage.parameters * near.parameters,
        "dependencies": worth * stage.dependencies * near.dependencies,
        "exact": stage.exact * is_whole(near, gold),
    }
    return {**parts, "outside": -min(OUTSIDE, sum(parts.values())) if written.outside else 0.0}


def is_whole(near: Nearness, gold: Gold) -> bool:
    """Whether nothing is missing, wrong or too much, and the check `dependency` finds nothing.

    An answer that is so near declares the gold's dependencies, each on an earlier step, and has the gold's references:
    the check finds in it what it finds in the gold, which is asked once.
    """
    return near == (1.0, 1.0, 1.0) and gold.answer.is_ordered


def passes(written: Written, gold: Gold, stage: int) -> bool:
    """Whether a completion has what a stage of the curriculum teaches, and what all before it do."""
    if written.outside or closed_by(written.found, gold) is not None:
        return False
    near = nearness(written.found, gold, STAGES[-1].worth)
    wanted = (True, near.selection == 1.0, near.parameters == 1.0, is_whole(near, gold))
    return all(wanted[:stage])
