"""What every reward promises, and what ours does: a better plan never earns less, and nothing degenerate pays."""

import pickle
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainers.evaluation.cases import CANDIDATES, Step, gold, step, text
from tests.trainers.evaluation.test_metric_promises import plans, reordered, wild_steps
from trainers.evaluation.gold import Gold
from trainers.rewards.gate import closed_by
from trainers.rewards.plan import STAGES, At
from trainers.rewards.reading import read
from trainers.rewards.table import REWARDS, reward

seeds = st.integers(0, 2**63)
OFFERED = [candidate["pluginId"] for candidate in CANDIDATES]
CITIES = ("Oslo", "Rome", "Bern")
AT_ONCE = 20  # pairs that one seed makes


def drawn_plan(dice: random.Random) -> list[Step]:
    """A right plan of one to four plugins, one of which may be called twice."""
    chosen = dice.sample(OFFERED, dice.randint(1, 4))
    if len(chosen) < 4 and dice.random() < 0.2:
        chosen.append(dice.choice(chosen))
    made: list[Step] = []
    for place, plugin in enumerate(chosen):
        needs = tuple(p for p in dict.fromkeys(chosen[:place]) if dice.random() < 0.5)
        values: dict[str, Any] = {"city": dice.choice(CITIES)}
        if needs and dice.random() < 0.5:
            values["city"] = f"{{{{{needs[0]}.output.city}}}}"
        if dice.random() < 0.5:
            values["days"] = dice.randint(1, 9)
        made.append(step(plugin, needs, **values))
    return made


def damaged(steps: list[Step], dice: random.Random) -> list[tuple[Step, str]]:
    """Some of the steps, with wrong values and dependencies, and wrong steps between; each with what it is."""
    made: list[tuple[Step, str]] = []
    for one in steps:
        if dice.random() < 0.3:
            continue
        values, needs = dict(one["api_request_parameters"]), list(one["dependencies"])
        if dice.random() < 0.4:
            values[dice.choice(["city", "who", "days"])] = "wrong"
        if needs and dice.random() < 0.4:
            needs.remove(dice.choice(needs))
        made.append(({**one, "api_request_parameters": values, "dependencies": needs}, "right"))
    spare = [plugin for plugin in OFFERED if plugin not in {one["pluginId"] for one in steps}]
    for plugin in dice.sample(spare, dice.randint(0, min(2, len(spare)))):
        made.insert(dice.randint(0, len(made)), (step(plugin, city=dice.choice(CITIES)), "surplus"))
    return made


def bettered(worse: list[tuple[Step, str]], wanted: list[Step], dice: random.Random) -> list[Step] | None:
    """The plan with one thing put right; None where the thing drawn is right already."""
    steps, by_place = [one for one, _ in worse], {}
    left = list(wanted)
    for place, (one, kind) in enumerate(worse):
        if kind == "right":
            match = next((w for w in left if w["pluginId"] == one["pluginId"]), None)
            if match is None:
                return None
            left.remove(match)
            by_place[place] = match
    ways: list[Callable[[], list[Step] | None]] = [
        lambda: _without_surplus(worse, dice),
        lambda: _with_its_values(steps, by_place, dice),
        lambda: _with_its_edge(steps, by_place, dice),
        lambda: _with_a_missing_step(steps, left, dice),
        lambda: _with_a_missing_step(steps, [{**w, "api_request_parameters": {"city": "no"}} for w in left], dice),
        lambda: _right_instead_of_surplus(worse, left, dice),
    ]
    return dice.choice(ways)()


def _without_surplus(worse: list[tuple[Step, str]], dice: random.Random) -> list[Step] | None:
    places = [place for place, (_, kind) in enumerate(worse) if kind == "surplus"]
    if not places or len(worse) == 1:  # an empty plan is no better one: the check `schema` refuses it
        return None
    gone = dice.choice(places)
    return [one for place, (one, _) in enumerate(worse) if place != gone]


def _with_its_values(steps: list[Step], by_place: dict[int, Step], dice: random.Random) -> list[Step] | None:
    places = [i for i, w in by_place.items() if steps[i]["api_request_parameters"] != w["api_request_parameters"]]
    if not places:
        return None
    place = dice.choice(places)
    mended = {**steps[place], "api_request_parameters": by_place[place]["api_request_parameters"]}
    return [*steps[:place], mended, *steps[place + 1 :]]


def _with_its_edge(steps: list[Step], by_place: dict[int, Step], dice: random.Random) -> list[Step] | None:
    for place in dice.sample(sorted(by_place), len(by_place)):
        there = {steps[i]["pluginId"] for i in by_place if i < place}
        more = [d for d in by_place[place]["dependencies"] if d in there and d not in steps[place]["dependencies"]]
        if more:
            mended = {**steps[place], "dependencies": [*steps[place]["dependencies"], more[0]]}
            return [*steps[:place], mended, *steps[place + 1 :]]
    return None


def _with_a_missing_step(steps: list[Step], left: list[Step], dice: random.Random) -> list[Step] | None:
    """A step more, at the end, where what others depend on stays what it was; it depends on nothing."""
    fresh = [w for w in left if w["pluginId"] not in {one["pluginId"] for one in steps}]
    return [*steps, {**dice.choice(fresh), "dependencies": []}] if fresh else None


def _right_instead_of_surplus(
    worse: list[tuple[Step, str]], left: list[Step], dice: random.Random
) -> list[Step] | None:
    fresh = [w for w in left if w["pluginId"] not in {one["pluginId"] for one, _ in worse}]
    places = [place for place, (_, kind) in enumerate(worse) if kind == "surplus"]
    if not (fresh and places):
        return None
    place, put = dice.choice(places), {**dice.choice(fresh), "dependencies": []}
    return [put if i == place else one for i, (one, _) in enumerate(worse)]


def has_repeats(steps: list[Step]) -> bool:
    return len({one["pluginId"] for one in steps}) < len(steps)


@settings(max_examples=500, deadline=None)
@given(seeds)
def test_a_strictly_better_plan_never_earns_less_in_any_stage(seed: int) -> None:
    for n in range(AT_ONCE):  # 10,000 pairs
        better_earns_no_less(random.Random(f"{seed} {n}"))


def better_earns_no_less(dice: random.Random) -> None:
    better = None
    while better is None:
        wanted = drawn_plan(dice)
        worse = damaged(wanted, dice)
        if worse and has_repeats(wanted):  # it is not certain which of two damaged calls stands for which
            better = _without_surplus(worse, dice)
        elif worse:
            better = bettered(worse, wanted, dice)
    held, stage = gold(*wanted), At(dice.randint(1, len(STAGES)))
    before = reward("plan", read(text(*(one for one, _ in worse))), held, stage)
    after = reward("plan", read(text(*better)), held, stage)
    assert after >= before - 1e-12
    whole = reward("plan", read(text(*wanted)), held, stage)
    assert whole == pytest.approx(1)
    assert after <= whole + 1e-12


def earned(steps: list[Step], held: Gold) -> float:
    return reward("plan", read(text(*steps)), held)


def empty(wanted: list[Step], held: Gold, dice: random.Random) -> None:
    """Nothing, where something is wanted, earns nothing; a plan with a right pick more."""
    assert earned([], held) == 0
    kept = [{**one, "dependencies": []} for one in dice.sample(wanted, dice.randint(1, len(wanted)))]
    if closed_by(read(text(*kept)).found, held) is None:
        assert earned(kept, held) > 0


def copied(wanted: list[Step], held: Gold, dice: random.Random) -> None:
    """All candidates earn less than the right ones; where one is wanted, no more than a guess among them on average."""
    there = {one["pluginId"] for one in wanted}
    rest = [step(plugin, city=dice.choice(CITIES)) for plugin in OFFERED if plugin not in there]
    assert earned([*wanted, *rest], held) < earned(wanted, held)
    if len(wanted) == 1:
        guess = earned(wanted, held) / len(OFFERED) + earned(rest[:1], held) * (1 - 1 / len(OFFERED))
        assert earned([*wanted, *rest], held) <= guess


def duplicated(wanted: list[Step], held: Gold, dice: random.Random) -> None:
    """A copy of a pick is never a gain, be the pick right or wrong."""
    steps = [one for one, _ in damaged(wanted, dice)] or wanted
    again = dice.choice(steps)
    assert earned([*steps, again], held) <= earned(steps, held) + 1e-12 or has_repeats(wanted)
    assert earned([*wanted, dice.choice(wanted)], held) == 0


def wrong_values(wanted: list[Step], held: Gold, dice: random.Random) -> None:
    """Right picks with a wrong value earn less than with the right one, and more than wrong picks."""
    place = dice.randrange(len(wanted))
    values = {**wanted[place]["api_request_parameters"], "city": "elsewhere"}
    changed = [{**one, "api_request_parameters": values} if i == place else one for i, one in enumerate(wanted)]
    assert earned([], held) < earned(changed, held) < earned(wanted, held)


def independent(wanted: list[Step], held: Gold, dice: random.Random) -> None:
    """Steps may stand in any order that their dependencies allow."""
    if not has_repeats(wanted):
        assert earned(reordered(tuple(wanted), dice), held) == pytest.approx(1)


def dependent(wanted: list[Step], held: Gold, dice: random.Random) -> None:
    """A step before one that it needs costs."""
    needy = [i for i, one in enumerate(wanted) if one["dependencies"]]
    if needy:
        place = dice.choice(needy)
        moved = [wanted[place], *wanted[:place], *wanted[place + 1 :]]
        assert earned(moved, held) < 1


def surplus(wanted: list[Step], held: Gold, dice: random.Random) -> None:
    """Each step too many costs more."""
    there = {one["pluginId"] for one in wanted}
    rest = [step(plugin, city="Oslo") for plugin in OFFERED if plugin not in there]
    sums = [earned([*wanted, *rest[:n]], held) for n in range(len(rest) + 1)]
    assert all(more < fewer for fewer, more in pairwise(sums))


def prose(wanted: list[Step], held: Gold, dice: random.Random) -> None:
    """Words around a plan cost, whatever the plan earns."""
    steps = [one for one, _ in damaged(wanted, dice)]
    bare = reward("plan", read(text(*steps)), held)
    around = dice.choice(["Sure! {}", "{}\nThat is all.", "```json\n{}\n```", "Plan: {} Good?"])
    wordy = reward("plan", read(around.format(text(*steps))), held)
    assert 0 <= wordy < bare or bare == wordy == 0


def within_thinking(wanted: list[Step], held: Gold, dice: random.Random) -> None:
    """A plan that is only thought earns nothing; one thought and then written what it earns when written."""
    draft = f"<think>{text(*wanted)}</think>\n"
    assert reward("plan", read(draft), held) == 0
    steps = [one for one, _ in damaged(wanted, dice)]
    assert reward("plan", read(draft + text(*steps)), held) == earned(steps, held)
    assert reward("plan", read(f"<think>{text(*wanted)}"), held) < earned(wanted, held)


KINDS = (
    empty, copied, duplicated, wrong_values, independent, dependent, surplus, prose, within_thinking
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_nothing_degenerate_pays(kind: Callable[[list[Step], Gold, random.Random], None]) -> None:
    @settings(max_examples=60, deadline=None)
    @given(seeds)
    def holds(seed: int) -> None:
        for n in range(AT_ONCE):  # over all kinds 10,000 pairs
            dice = random.Random(f"{seed} {n}")
            wanted = drawn_plan(dice)
            kind(wanted, gold(*wanted), dice)

    holds()


@pytest.mark.parametrize("name", REWARDS)
def test_every_reward_says_what_it_pays_for_and_travels_to_other_processes(name: str) -> None:
    assert (REWARDS[name].__doc__ or "").strip().endswith(".")
    assert pickle.loads(pickle.dumps(REWARDS[name])) is REWARDS[name]


@pytest.mark.parametrize("name", REWARDS)
def test_every_reward_is_a_small_number_with_the_same_parts_for_whatever_was_written(name: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(plans(), st.lists(wild_steps, max_size=4) | st.text(max_size=80), st.integers(1, 4), st.floats(0, 1))
    def holds(wanted: tuple[Step, ...], written: Any, stage: int, progress: float) -> None:
        completion = written if isinstance(written, str) else text(*written)
        parts = REWARDS[name](read(completion), gold(*wanted), At(stage, progress))
        assert -0.3 <= sum(parts.values()) <= 1.2
        assert parts.keys() == REWARDS[name](read(text(*wanted)), gold(*wanted), At(stage, progress)).keys()

    holds()
