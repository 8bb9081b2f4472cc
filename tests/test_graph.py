"""The graph of a plan is made of what its steps declare."""

from typing import Any

from curation.graph import plan_graph
from curation.sample import dumps
from tests.corpus.handmade import HANDMADE
from tests.labelled import step


def graph(steps: list[Any]) -> list[tuple[int, list[int], int]]:
    """(step, what it needs, its round) of each step."""
    return [(node["step"], node["needs"], node["round"]) for node in plan_graph(dumps({"plugins": steps}))]


def test_steps_that_wait_for_nobody_are_of_the_first_round() -> None:
    assert graph([step("a", {}), step("b", {})]) == [(0, [], 1), (1, [], 1)]


def test_a_diamond_has_three_rounds() -> None:
    assert graph(HANDMADE["diamond"][2]) == [(0, [], 1), (1, [0], 2), (2, [0], 2), (3, [0, 1, 2], 3)]


def test_an_id_that_stands_twice_is_its_nearest_earlier_step() -> None:
    assert graph(HANDMADE["repeated"][2]) == [(0, [], 1), (1, [0], 2), (2, [1], 3), (3, [2], 4), (4, [2], 4)]


def test_loops_and_steps_that_come_later_are_no_edges() -> None:
    loop = [{**step("a", {}), "dependencies": ["b", "a", "z"]}, {**step("b", {}), "dependencies": ["a", 7]}]
    assert graph(loop) == [(0, [], 1), (1, [0], 2)]


def test_what_is_no_plan_has_no_graph() -> None:
    assert plan_graph(None) == plan_graph("{") == plan_graph('{"plugins": [1, null]}') == []
