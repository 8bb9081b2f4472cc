"""The gate of our reward: what a plan must be before anything in it is worth something."""

from collections import Counter
from collections.abc import Callable

from curation.filters.dependency import entry_faults
from curation.filters.schema import plan_validator
from trainers.evaluation.gold import Gold
from trainers.plans import Answer


def is_shapeless(answer: Answer, gold: Gold) -> bool:
    """It is no plan, or not of the shape that the check `schema` asks for."""
    return answer.plan is None or not plan_validator().is_valid(answer.plan)


def is_empty(answer: Answer, gold: Gold) -> bool:
    """It calls nothing where something is wanted."""
    return not answer.steps and not gold.is_empty


def is_foreign(answer: Answer, gold: Gold) -> bool:
    """It calls a plugin that was not offered; where it is not known what was, none is foreign."""
    return gold.offer is not None and not all(plugin in gold.offer.plugins for plugin in answer.ids)


def is_repeating(answer: Answer, gold: Gold) -> bool:
    """It calls a plugin more than once, and more often than is wanted: a second guess, or a copy."""
    if len(set(answer.ids)) == len(answer.ids):
        return False
    wanted = Counter(gold.answer.ids)
    return any(n > max(1, wanted[plugin]) for plugin, n in Counter(answer.ids).items())


def is_cyclic(answer: Answer, gold: Gold) -> bool:
    """A step needs itself, straight or through others."""
    if all(to < step for step, to in answer.links):
        return False
    return any(fault.reason == "dependency.cycle" for fault in entry_faults(0, enumerate(answer.steps)))


# What closes the gate, in the order in which it is told.
CLOSED: dict[str, Callable[[Answer, Gold], bool]] = {
    "shapeless": is_shapeless,
    "empty": is_empty,
    "foreign": is_foreign,
    "repeating": is_repeating,
    "cyclic": is_cyclic,
}


def closed_by(answer: Answer, gold: Gold) -> str | None:
    """The first thing that closes the gate; None where it is open."""
    return next((name for name, holds in CLOSED.items() if holds(answer, gold)), None)
