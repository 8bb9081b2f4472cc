"""The published rewards pay what a person reckons who has their cards, term by term."""

from collections.abc import Mapping

import pytest

from tests.trainers.evaluation.cases import GOLD_STEPS, Step, changed, gold, step, text
from trainers.evaluation.gold import gold_of
from trainers.rewards.plan import At
from trainers.rewards.published import PHASES, curriculum_published, plugin_selection_published
from trainers.rewards.reading import read

P0, P1, P2, P3 = GOLD_STEPS
# four steps wanted: p0, p1, p2, p3 of the candidates p0 to p5; p9 was not offered
BEST = {"json": 0.1, "candidates": 0.15, "correct": 0.25, "none_wrong": 0.2, "wrong": 0.0, "count": 0.1}
BEST |= {"hydration": 0.15}

# case -> the steps, what differs from BEST, the sum
SELECTION: dict[str, tuple[tuple[Step, ...], Mapping[str, float], float]] = {
    "the plan": (GOLD_STEPS, {}, 0.95),
    "an empty plan": ((), {"correct": 0, "count": 0}, 0.60),
    "one right pick": ((P0,), {"correct": 0.0625, "count": 0}, 0.6625),
    "one wrong pick": ((step("p4", city="Oslo"),), {"correct": 0, "none_wrong": 0, "wrong": -0.1, "count": 0}, 0.30),
    "one wrong pick among four": (
        changed(2, pluginId="p4"),
        {"correct": 0.1875, "none_wrong": 0, "wrong": -0.1},
        0.5875,
    ),
    "all six candidates": (
        (*GOLD_STEPS, step("p4", city="x"), step("p5", city="x")),
        {"none_wrong": 0, "wrong": -0.2, "count": 0},
        0.45,
    ),
    "four wrong picks cost no more than three": (
        tuple(step("p4", city="x") for _ in range(4)),
        {"correct": 0, "none_wrong": 0, "wrong": -0.3},
        0.20,
    ),
    "a pick that was not offered": (
        changed(2, pluginId="p9"),
        {"candidates": 0, "correct": 0.1875, "none_wrong": 0, "wrong": -0.1},
        0.4375,
    ),
    "four plugins that were not offered": (
        tuple(step("p9") for _ in range(4)),
        {"candidates": 0, "correct": 0, "none_wrong": 0, "wrong": -0.3},
        0.05,
    ),
    "copies of a right pick": ((P0,) * 8, {"correct": 0.0625, "count": 0}, 0.6625),
    "a required value is missing in one of four": (changed(2, values={}), {"hydration": 0.1125}, 0.9125),
    "a blank value in one of four": (changed(2, values={"city": " "}), {"hydration": 0.1125}, 0.9125),
    "values, order and dependencies earn nothing": (
        tuple({**one, "dependencies": [], "api_request_parameters": {"city": 7}} for one in GOLD_STEPS[::-1]),
        {},
        0.95,
    ),
}


@pytest.mark.parametrize("case", SELECTION)
def test_the_orchestrators_reward_is_its_card_term_by_term(case: str) -> None:
    steps, differs, total = SELECTION[case]
    parts = plugin_selection_published(read(text(*steps)), gold(*GOLD_STEPS))
    assert parts == pytest.approx({**BEST, **differs})
    assert sum(parts.values()) == pytest.approx(total)


@pytest.mark.parametrize("completion", ["", "no", text(*GOLD_STEPS)[:-3], f"Sure: {text(*GOLD_STEPS)}"])
def test_what_is_no_plan_earns_nothing_of_what_was_published(completion: str) -> None:
    written, held = read(completion), gold(*GOLD_STEPS)
    assert sum(plugin_selection_published(written, held).values()) == 0
    assert [sum(curriculum_published(written, held, At(k)).values()) for k in (1, 2, 3, 4)] == [0, 0, 0, 0]


def test_where_it_is_not_known_what_was_offered_every_pick_is_among_it() -> None:
    held = gold_of(text(*GOLD_STEPS), None)
    assert plugin_selection_published(read(text(step("p9", city="x"))), held)["candidates"] == 0.15


# case -> the steps, what phases 1 to 4 pay: p0, p1, p2, p3 are wanted
PHASED: dict[str, tuple[tuple[Step, ...], tuple[float, ...]]] = {
    "the plan": (GOLD_STEPS, (1, 1, 1, 1)),
    "an empty plan": ((), (1, 0.4, 0.2, 0.1)),
    "one wrong pick": ((step("p4", city="x"),), (1, 1, 0.4, 0.6)),
    "one right pick": ((P0,), (1, 1, 0.4 + 0.6 * 0.4, 0.2 + 0.4 * 0.4 + 0.4)),  # F1 of 1 in 1 and 4: 2/5
    "copies of a right pick": ((P0,) * 8, (1, 1, 0.64, 0.76)),
    "one of four misses its dependencies": (
        tuple({k: v for k, v in one.items() if k != "dependencies"} if one is P2 else one for one in GOLD_STEPS),
        (1, 0.4 + 0.6 * 0.75, 0.2 + 0.2 * 0.75 + 0.6, 0.1 + 0.1 * 0.75 + 0.8),
    ),
    "one of four misses a required value": (changed(2, values={}), (1, 1, 1, 0.6 + 0.4 * 0.75)),
    "six plugins that were not offered": (tuple(step("p9") for _ in range(6)), (1, 1, 0.4, 0.6)),
}


@pytest.mark.parametrize("case", PHASED)
def test_the_planners_reward_goes_by_its_phases(case: str) -> None:
    steps, wanted = PHASED[case]
    written, held = read(text(*steps)), gold(*GOLD_STEPS)
    found = [sum(curriculum_published(written, held, At(k)).values()) for k in (1, 2, 3, 4)]
    assert found == pytest.approx(wanted)


def test_each_phase_can_pay_one() -> None:
    assert [sum(phase.values()) for phase in PHASES] == pytest.approx([1, 1, 1, 1])


def test_an_empty_plan_is_right_where_nothing_is_wanted() -> None:
    written, held = read(text()), gold()
    assert sum(plugin_selection_published(written, held).values()) == pytest.approx(0.95)
    assert sum(curriculum_published(written, held).values()) == pytest.approx(1)
