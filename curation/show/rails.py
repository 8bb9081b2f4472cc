"""Rails are the lines beside the steps of a plan that lead from each step to those that wait for it."""

from collections.abc import Iterable
from typing import NamedTuple

NODE, DOWN, ACROSS, GAP = "○", "│", "─", " "
GOING = {"first": "├", "middle": "┼", "last": "┤"}  # a rail that is joined here and goes on
ENDING = {"first": "└", "middle": "┴", "last": "┘"}  # one that nobody below is waiting for


class Rails(NamedTuple):
    """What stands left of a step's own line, and left of the lines under it."""

    node: str
    below: str


def rails(needs: Iterable[tuple[int, list[int]]]) -> list[Rails]:
    """The rails of steps in their order, each (step, the earlier steps that it waits for), all of one width.

    A step stands on its own rail, which goes on until the last step that waits for it: a chain is one straight line, two
    steps that wait for the same one stand beside each other, and what waits for both ties their rails together.
    """
    listed = list(needs)
    last = {earlier: step for step, waits in listed for earlier in waits}
    lanes: list[int | None] = []
    drawn = []
    for step, waits in listed:
        joined = [lane for lane, owner in enumerate(lanes) if owner in waits]
        ended = [lane for lane in joined if last[lanes[lane] or 0] == step]
        own = ended[0] if ended else free_lane(lanes, joined)
        if own == len(lanes):
            lanes.append(None)
        node = row(lanes, own, joined, ended)
        for lane in ended:
            lanes[lane] = None
        lanes[own] = step if step in last else None
        while lanes and lanes[-1] is None:
            lanes.pop()
        drawn.append(Rails(node, GAP.join(GAP if owner is None else DOWN for owner in lanes)))
    width = max((len(text) for pair in drawn for text in pair), default=0)
    return [Rails(node.ljust(width), below.ljust(width)) for node, below in drawn]


def free_lane(lanes: list[int | None], joined: list[int]) -> int:
    """The first empty lane right of all that are joined, perhaps a new one."""
    beyond = max(joined, default=-1) + 1
    return next((lane for lane in range(beyond, len(lanes)) if lanes[lane] is None), len(lanes))


def row(lanes: list[int | None], own: int, joined: list[int], ended: list[int]) -> str:
    """The line of a step: its node, and the line across that ties it to the rails that it waits for."""
    first, past = min([own, *joined]), max([own, *joined])
    cells = []
    for lane, owner in enumerate(lanes):
        place = "first" if lane == first else "last" if lane == past else "middle"
        if lane == own:
            cells.append(NODE)
        elif lane in joined:
            cells.append((ENDING if lane in ended else GOING)[place])
        elif first < lane < past and owner is None:
            cells.append(ACROSS)
        else:
            cells.append(GAP if owner is None else DOWN)
    between = [ACROSS if first <= lane < past else GAP for lane in range(len(lanes))]
    return "".join(cell + line for cell, line in zip(cells, between, strict=True)).rstrip(GAP)
