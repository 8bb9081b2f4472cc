"""The rewards of two published systems, to the letter where there is one, so that ours can be held against them."""

from trainers.evaluation.field import Overlap
from trainers.evaluation.gold import Gold
from trainers.evaluation.published import has_hollow, schema_of
from trainers.plans import PARAMETERS, Answer
from trainers.rewards.plan import LAST, At, Parts
from trainers.rewards.reading import Written

MOST_WRONG = 3  # wrong picks beyond which no more is taken off
FIELDS = ("pluginId", PARAMETERS, "dependencies")

# What each phase of the published curriculum pays. Its card names the phases; the weights are ours.
PHASES = (
    {"json": 1.0},
    {"json": 0.4, "fields": 0.6},
    {"json": 0.2, "fields": 0.2, "tool": 0.6},
    {"json": 0.1, "fields": 0.1, "tool": 0.4, "parameters": 0.4},
)


def plugin_selection_published(written: Written, gold: Gold, at: At = LAST) -> Parts:
    """The orchestrator's reward (gemma-4-E2B).

    0.10 valid JSON + 0.15 all picks among the candidates + 0.25 × correct/total + 0.20 no wrong pick − 0.10 × wrong
    picks, three at most + 0.10 exact count + 0.15 × hydration ratio. Its most is 0.95. What was not published is read
    so: `total` is what is wanted, a pick counts as correct as often as it is wanted, a copy of a right pick is no wrong
    one, and of no steps all are hydrated.
    """
    answer = written.answer
    if answer.problem is not None:
        return dict.fromkeys(("json", "candidates", "correct", "none_wrong", "wrong", "count", "hydration"), 0.0)
    wanted = gold.answer.ids
    correct = sum(min(answer.ids.count(plugin), wanted.count(plugin)) for plugin in set(wanted))
    wrong = sum(plugin not in wanted for plugin in answer.ids)
    return {
        "json": 0.10,
        "candidates": 0.15 * (gold.offer is None or all(plugin in gold.offer.plugins for plugin in answer.ids)),
        "correct": 0.25 * (correct / len(wanted) if wanted else 1.0),
        "none_wrong": 0.20 * (wrong == 0),
        "wrong": -0.10 * min(wrong, MOST_WRONG),
        "count": 0.10 * (len(answer.steps) == len(wanted)),
        "hydration": 0.15 * hydration_ratio(answer, gold, 1.0),
    }


def curriculum_published(written: Written, gold: Gold, at: At = LAST) -> Parts:
    """The planner's reward (Qwen3.5-0.8B), in the phase that `at` says.

    The phases are JSON validity, required fields, the correct tool, the parameters' quality and completeness. How each
    is measured is ours: the share of steps with every required field, the F1 of the plugins picked (each once), the
    share of steps with all their parameters filled.
    """
    answer = written.answer
    if answer.problem is not None:
        return dict.fromkeys(PHASES[at.stage - 1], 0.0)
    nothing = float(gold.is_empty)
    said, wanted = set(answer.ids), set(gold.answer.ids)
    measured = {
        "json": 1.0,
        "fields": share([all(field in step for field in FIELDS) for step in answer.steps], nothing),
        "tool": Overlap(len(said & wanted), len(said), len(wanted)).f1,
        "parameters": hydration_ratio(answer, gold, nothing),
    }
    return {name: weight * measured[name] for name, weight in PHASES[at.stage - 1].items()}


def hydration_ratio(answer: Answer, gold: Gold, nothing: float) -> float:
    """The share of steps with every required parameter given and none null or blank; `nothing` where there are none.

    Whether a value is right, or of the right type, does not matter: neither reward compares values.
    """
    return share([is_filled(answer, gold, place) for place in range(len(answer.steps))], nothing)


def is_filled(answer: Answer, gold: Gold, place: int) -> bool:
    """Whether a step gives what its plugin, as far as it is known, asks for, and no value is null or blank."""
    schema, values = schema_of(gold, answer.ids[place]), answer.parameters[place]
    required = schema.schema.get("required", ()) if schema else ()
    return all(name in values for name in required) and not has_hollow(values, schema)


def share(found: list[bool], nothing: float) -> float:
    """How many of them hold; `nothing` of none."""
    return sum(found) / len(found) if found else nothing
