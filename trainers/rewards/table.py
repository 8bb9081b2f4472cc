"""The table of all rewards: name -> function of what was written, what was wanted, and where training is."""

from collections.abc import Callable

from trainers.evaluation.gold import Gold
from trainers.rewards.parallel import parallel_style
from trainers.rewards.plan import LAST, STAGES, At, Parts, plan
from trainers.rewards.published import PHASES, curriculum_published, plugin_selection_published
from trainers.rewards.reading import Written

Reward = Callable[[Written, Gold, At], Parts]

REWARDS: dict[str, Reward] = {
    "plan": plan,
    "plugin_selection_published": plugin_selection_published,
    "curriculum_published": curriculum_published,
    "parallel_style": parallel_style,
}
# reward -> how many stages it has, where it has any
STAGED = {"plan": len(STAGES), "parallel_style": len(STAGES), "curriculum_published": len(PHASES)}


def reward(name: str, written: Written, gold: Gold, at: At = LAST) -> float:
    """What a completion earns in all."""
    return sum(REWARDS[name](written, gold, at).values())
