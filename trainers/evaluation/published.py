"""The measures of the two published tables, each as one function of an answer and its gold.

What they were computed by was not published: the definitions here are ours, chosen to fit the figures that were.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from curation.batch import leaves
from curation.breaches import Breach, breaches
from curation.filters.hydration import BLANK, names_value
from curation.parameters import Parameters
from trainers.evaluation.gold import Gold
from trainers.evaluation.placeholders import has_placeholder
from trainers.evaluation.values import OMIT
from trainers.plans import PARAMETERS, Answer

_BLANK = re.compile(BLANK)


def json_valid(answer: Answer, gold: Gold) -> float:
    """What follows the thinking is one JSON object with a list `plugins` of objects, and nothing else."""
    return float(answer.problem is None)


def plugin_match(answer: Answer, gold: Gold) -> float:
    """The plan calls the gold's plugins, each as often, in whatever order."""
    return float(answer.problem is None and Counter(answer.ids) == Counter(gold.answer.ids))


def count_match(answer: Answer, gold: Gold) -> float:
    """The plan has as many steps as the gold."""
    return float(answer.problem is None and len(answer.steps) == len(gold.answer.steps))


def no_hallucinate(answer: Answer, gold: Gold) -> float:
    """Every step calls a plugin that was offered. No steps where some are wanted: 0, for nothing was measured."""
    if is_bare(answer, gold):
        return 0.0
    return float(gold.offer is None or all(plugin in gold.offer.plugins for plugin in answer.ids))


def hydrated(answer: Answer, gold: Gold) -> float:
    """Every step has all that its plugin asks for, and nothing that stands for a value.

    What the checks `hydration` and `placeholder` would find: nothing missing, empty, of another type, out of an enum or
    unknown to the schema; the flag is true; no placeholder. A step of a plugin that was not offered is not hydrated.
    No steps where some are wanted: 0.
    """
    if is_bare(answer, gold):
        return 0.0
    for step, plugin, values in zip(answer.steps, answer.ids, answer.parameters, strict=True):
        if step.get("all_parameters_hydrated") is not True or not isinstance(step.get(PARAMETERS), dict):
            return 0.0
        if gold.offer is not None and plugin not in gold.offer.plugins:
            return 0.0
        schema = schema_of(gold, plugin)
        if has_hollow(values, schema) or (schema and next(breaches(schema, values), None)):
            return 0.0
    return float(not has_placeholder(answer, gold))


def deps_chain(answer: Answer, gold: Gold) -> float:
    """The plan is the gold's graph: the same plugins with the same dependencies, declared and on earlier steps only.

    Never more than `plugin_match`, as in the published figures (87 to 89, 89 to 91).
    """
    return float(plugin_match(answer, gold) == 1.0 and answer.edges == gold.answer.edges and answer.is_ordered)


def correct_plugin_ids(answer: Answer, gold: Gold) -> float:
    """The plan calls the gold's plugins in the gold's order.

    It is the exact match of the table by difficulty too: 26 easy plans at 81 % and 24 medium ones at 4 % are 22 of 50,
    the 44.0 % that was published, so the two names were one measure.
    """
    return float(answer.problem is None and answer.ids == gold.answer.ids)


def params_type(answer: Answer, gold: Gold) -> float:
    """Every value has the type that the schema of its plugin asks for; that of an unknown plugin has none.

    References have every type; a candidate without a schema asks for none. No steps where some are wanted: 0.
    """
    if is_bare(answer, gold):
        return 0.0
    for step, plugin, values in zip(answer.steps, answer.ids, answer.parameters, strict=True):
        if not isinstance(step.get(PARAMETERS), dict):
            return 0.0
        if gold.offer is not None and plugin not in gold.offer.plugins:
            return 0.0
        if any(breach.reason == "hydration.type_mismatch" for breach in breaches_of(gold, plugin, values)):
            return 0.0
    return 1.0


def param_keys(answer: Answer, gold: Gold) -> float:
    """The share of steps that give just the gold's parameter names, of the steps of whichever plan has more.

    Steps are paired by plugin, those of one plugin in their order. What may be left out (see `gold_of`) may be.
    """
    if answer.problem or not (answer.steps or gold.answer.steps):
        return float(answer.problem is None)
    waiting: dict[str, list[set[str]]] = {}
    for plugin, values in zip(answer.ids, answer.parameters, strict=True):
        waiting.setdefault(plugin, []).append(set(values))
    right = 0
    for plugin, accepted in zip(gold.answer.ids, gold.accepted, strict=True):
        if waiting.get(plugin):
            names = waiting[plugin].pop(0)
            wanted = {name for name, allowed in accepted.items() if OMIT not in allowed}
            right += wanted <= names <= accepted.keys()
    return right / max(len(answer.steps), len(gold.answer.steps))


def real_ids(answer: Answer, gold: Gold) -> float:
    """Every step calls a plugin that exists in the release, offered here or not. No steps where some are wanted: 0."""
    return float(not is_bare(answer, gold) and all(plugin in gold.production for plugin in answer.ids))


def dependencies_present(answer: Answer, gold: Gold) -> float:
    """Every step says on what it depends, if only with an empty list, and some step on another where the gold's do."""
    if is_bare(answer, gold) or not all(isinstance(step.get("dependencies"), list) for step in answer.steps):
        return 0.0
    return float(bool(answer.edges) or not gold.answer.edges)


def is_bare(answer: Answer, gold: Gold) -> bool:
    """Whether the answer has no steps to look at: it is no plan, or an empty one where the gold is not."""
    return answer.problem is not None or (not answer.steps and not gold.is_empty)


def schema_of(gold: Gold, plugin: str) -> Parameters | None:
    """What the candidate takes, where that is known."""
    return gold.offer.parameters(plugin) if gold.offer else None


def breaches_of(gold: Gold, plugin: str, values: dict[str, Any]) -> Iterator[Breach]:
    """The breaches of the candidate's schema."""
    schema = schema_of(gold, plugin)
    return breaches(schema, values) if schema else iter(())


def has_hollow(values: dict[str, Any], schema: Parameters | None) -> bool:
    """Whether some value is null or blank, and the schema does not name that value."""
    hollow = (
        (at, None if kind == "null" else text)
        for at, kind, text in leaves(values, "")
        if kind == "null" or (kind == "string" and _BLANK.match(text))
    )
    return any(not names_value(schema.at(at) if schema else [], value) for at, value in hollow)
