"""The measures that the field uses: the AST match of the BFCL, and the F1 scores and edit distance of TaskBench.

BFCL: `bfcl_eval/eval_checker/ast_eval/ast_checker.py` of ShishirPatil/gorilla. TaskBench: `taskbench/evaluate.py` of
microsoft/JARVIS. Where these differ from theirs, the docstring says so.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, NamedTuple

from trainers.evaluation.gold import Gold
from trainers.evaluation.values import canonical, exact, fits_all
from trainers.plans import Answer


class Overlap(NamedTuple):
    """How many things are in both plans, in the answer and in the gold; a thing counts as often as it stands there."""

    both: int
    said: int
    wanted: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 1 where there is nothing on either side."""
        return 2 * self.both / (self.said + self.wanted) if self.said + self.wanted else 1.0


def bfcl_ast(answer: Answer, gold: Gold) -> float:
    """The calls are the gold's, in whatever order: same plugin, only accepted parameters, all that must be there.

    Text is compared loosely, types strictly, objects member by member, lists in order (see values.py). Like theirs for
    `parallel`, which leaves order and dependencies out. Unlike theirs, 7.0 fits an integer, as it does in JSON Schema,
    objects are compared at any depth, and a reference fits only the same reference.
    """
    if answer.problem or len(answer.steps) != len(gold.answer.steps):
        return 0.0
    left = list(zip(answer.ids, answer.parameters, strict=True))
    for plugin, accepted in zip(gold.answer.ids, gold.accepted, strict=True):
        found = next((call for call in left if call[0] == plugin and fits_all(call[1], accepted)), None)
        if found is None:
            return 0.0
        left.remove(found)
    return 1.0


def plan_exact(answer: Answer, gold: Gold) -> float:
    """The whole plan is the gold's but for the order of independent steps: plugins, values as written, dependencies."""
    alike = answer.problem is None and gold.calls_of(answer) == gold.calls
    return float(alike and answer.is_ordered)


def nodes(answer: Answer) -> Counter[Hashable]:
    """The plugins that a plan calls. TaskBench takes them as a set; counted, calling one twice is no gain."""
    return Counter(answer.ids)


def edges(answer: Answer) -> Counter[Hashable]:
    """The pairs of a step's plugin and one that it depends on."""
    return Counter(answer.edges)


def argument_names(answer: Answer) -> Counter[Hashable]:
    """The pairs of a plugin and a parameter's name; TaskBench joins the two with a hyphen."""
    return Counter((plugin, name) for plugin, name, _ in _arguments(answer))


def argument_values(answer: Answer) -> Counter[Hashable]:
    """The triples of a plugin, a parameter's name and its value, compared as written."""
    return Counter((plugin, name, canonical(value, exact)) for plugin, name, value in _arguments(answer))


def _arguments(answer: Answer) -> list[tuple[str, str, Any]]:
    return [
        (plugin, name, value)
        for plugin, values in zip(answer.ids, answer.parameters, strict=True)
        for name, value in values.items()
    ]


# F1 score -> the things that it counts
COUNTED: dict[str, Callable[[Answer], Counter[Hashable]]] = {
    "node_f1": nodes,
    "edge_f1": edges,
    "argument_name_f1": argument_names,
    "argument_value_f1": argument_values,
}


def overlap(name: str, answer: Answer, gold: Gold) -> Overlap:
    """What answer and gold share of the things that the F1 score `name` counts; an answer that is no plan has none."""
    said, wanted = COUNTED[name](answer), COUNTED[name](gold.answer)
    return Overlap((said & wanted).total(), said.total(), wanted.total())


def f1(name: str, answer: Answer, gold: Gold) -> float | None:
    """The F1 score of one plan; None where the gold has nothing of what it counts, though it has steps.

    TaskBench counts over all plans at once (`micro`, given beside this) and skips answers that cannot be read; here
    they score 0.
    """
    counted = overlap(name, answer, gold)
    if not counted.wanted and not gold.is_empty:
        return None
    return counted.f1 if answer.problem is None else 0.0


node_f1, edge_f1, argument_name_f1, argument_value_f1 = (partial(f1, name) for name in COUNTED)


def edit_similarity(answer: Answer, gold: Gold) -> float:
    """1 minus TaskBench's normalised edit distance between the sequences of plugins.

    The similarity is twice the longest common subsequence over the sum of the lengths, as `Levenshtein.ratio` has it.
    """
    said, wanted = answer.ids, gold.answer.ids
    if answer.problem or not (said or wanted):
        return float(answer.problem is None)
    row = [0] * (len(wanted) + 1)
    for plugin in said:
        before = row
        row = [0]
        for j, other in enumerate(wanted):
            row.append(before[j] + 1 if plugin == other else max(before[j + 1], row[j]))
    return 2 * row[-1] / (len(said) + len(wanted))
