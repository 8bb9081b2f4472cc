"""How near a plan is to the one wanted: three F1 scores over steps, their values and their dependencies."""

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import permutations, product
from typing import NamedTuple

from trainers.evaluation.field import Overlap
from trainers.evaluation.gold import Gold
from trainers.plans import Answer

Pairs = dict[int, int]  # place of a step of the answer -> place of the gold's step that it stands for
MOST = 24  # ways of pairing that are tried: a plugin called four times by both has so many


class Nearness(NamedTuple):
    """Each from 0 to 1. `selection`: F1 of the plugins called. `parameters`: the same, where a step that is right
    counts only as much as the F1 of its values. `dependencies`: F1 of the edges between steps that stand for each
    other, to earlier steps only, times `selection`, since a plan without steps has no wrong edges either."""

    selection: float
    parameters: float
    dependencies: float


def nearness(answer: Answer, gold: Gold, worth: Callable[[Nearness], float]) -> Nearness:
    """How near the answer is. Of several ways to pair its steps with the gold's, that which is `worth` most."""
    given, wanted = gold.arguments_of(answer), gold.arguments
    said = sum(len(set(needed)) for needed in answer.needed)
    asked = sum(len(set(needed)) for needed in gold.answer.needed)
    both = len(answer.steps) + len(gold.answer.steps)

    def measured(pairs: Pairs) -> Nearness:
        values = math.fsum(likeness(given[i], wanted[j]) for i, j in pairs.items())
        right = sum(to < step and (pairs.get(step), pairs.get(to)) in gold.answer.links for step, to in answer.links)
        selection = Overlap(len(pairs), len(answer.steps), len(gold.answer.steps)).f1
        return Nearness(selection, 2 * values / both if both else 1.0, Overlap(right, said, asked).f1 * selection)

    return max(map(measured, pairings(answer.ids, gold.answer.ids, given, wanted)), key=worth)


def likeness(given: Mapping[str, Hashable], wanted: Mapping[str, Hashable]) -> float:
    """F1 of a step's values: the names under which both say the same."""
    if given == wanted:
        return 1.0
    same = sum(name in wanted and wanted[name] == value for name, value in given.items())
    return Overlap(same, len(given), len(wanted)).f1


def pairings(
    said: Sequence[str],
    wanted: Sequence[str],
    given: Sequence[Mapping[str, Hashable]],
    asked: Sequence[Mapping[str, Hashable]],
) -> Iterator[Pairs]:
    """Every way to pair steps with the gold's of the same plugin, or the one that values suggest where there are many."""
    if len(set(said)) == len(said) and len(set(wanted)) == len(wanted):
        places = {plugin: j for j, plugin in enumerate(wanted)}
        yield {i: places[plugin] for i, plugin in enumerate(said) if plugin in places}
        return
    ways: list[list[Pairs]] = []
    for plugin in dict.fromkeys(said):
        mine = [i for i, other in enumerate(said) if other == plugin]
        theirs = [j for j, other in enumerate(wanted) if other == plugin]
        if math.perm(max(len(mine), len(theirs)), min(len(mine), len(theirs))) > MOST:
            ways.append([_nearest(mine, theirs, given, asked)])
        elif len(mine) <= len(theirs):
            ways.append([dict(zip(mine, chosen, strict=True)) for chosen in permutations(theirs, len(mine))])
        else:
            ways.append([dict(zip(chosen, theirs, strict=True)) for chosen in permutations(mine, len(theirs))])
    if math.prod(map(len, ways)) > MOST:
        ways = [[max(way, key=lambda pairs: _alike(pairs, given, asked))] for way in ways]
    for chosen in product(*ways):
        yield {i: j for part in chosen for i, j in part.items()}


def _alike(pairs: Pairs, given: Sequence[Mapping[str, Hashable]], asked: Sequence[Mapping[str, Hashable]]) -> float:
    return math.fsum(likeness(given[i], asked[j]) for i, j in pairs.items())


def _nearest(
    mine: list[int],
    theirs: list[int],
    given: Sequence[Mapping[str, Hashable]],
    asked: Sequence[Mapping[str, Hashable]],
) -> Pairs:
    """One pair after the other, the most alike first."""
    pairs: Pairs = {}
    taken: set[int] = set()
    for i, j in sorted(product(mine, theirs), key=lambda pair: -likeness(given[pair[0]], asked[pair[1]])):
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return pairs
