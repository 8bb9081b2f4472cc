"""The rails of a plan lead from each step to those that wait for it."""

import random

from hypothesis import given
from hypothesis import strategies as st

from curation.show.rails import ACROSS, DOWN, ENDING, GOING, NODE, rails


def drawn(*needs: list[int]) -> list[str]:
    """The lines of steps and of what stands under them, the last one's left out, without blanks at their ends."""
    lines = [line.rstrip() for pair in rails(enumerate(needs)) for line in pair]
    return lines[:-1]


def test_a_chain_is_one_line() -> None:
    assert drawn([], [0], [1]) == ["○", "│", "○", "│", "○"]


def test_steps_that_nobody_waits_for_have_nothing_under_them() -> None:
    assert drawn([], [], []) == ["○", "", "○", "", "○"]


def test_a_diamond_opens_and_closes() -> None:
    assert drawn([], [0], [0], [1, 2]) == ["○", "│", "├─○", "│ │", "○ │", "│ │", "○─┘"]


def test_a_rail_that_is_crossed_is_not_joined() -> None:
    assert drawn([], [0], [0], [0, 1, 2])[4] == "├─│─○"
    assert drawn([], [0], [0], [0, 1, 2])[6] == "○─┴─┘"


def test_no_steps_are_no_rails() -> None:
    assert rails([]) == []


@st.composite
def plans(draw: st.DrawFn) -> list[list[int]]:
    """What each of up to nine steps waits for."""
    rng = random.Random(draw(st.integers(0, 10**9)))
    return [sorted(rng.sample(range(i), rng.randint(0, min(i, 3)))) for i in range(draw(st.integers(1, 9)))]


def followed(lines: list[str]) -> list[list[int]]:
    """What each step waits for, read off the drawing alone."""
    owners: dict[int, int] = {}
    found = []
    joints = {*GOING.values(), *ENDING.values()}
    for step, line in enumerate(lines[::2]):
        own = line.index(NODE)
        waits = {owners[place] for place, sign in enumerate(line) if sign in joints}
        if own in owners:  # it stands on the rail of one that it waits for
            waits.add(owners[own])
        tied = [place for place, sign in enumerate(line) if sign in joints] + [own]
        assert all(line[place] in {NODE, DOWN, ACROSS, *joints} for place in range(min(tied), max(tied) + 1))
        below = lines[2 * step + 1]
        owners = {place: owner for place, owner in owners.items() if below[place : place + 1] == DOWN}
        if below[own : own + 1] == DOWN:
            owners[own] = step
        else:
            owners.pop(own, None)
        found.append(sorted(waits))
    return found


@given(plans())
def test_what_a_step_waits_for_can_be_read_off_the_drawing(needs: list[list[int]]) -> None:
    lines = [line for pair in rails(enumerate(needs)) for line in pair]
    assert followed(lines) == needs
