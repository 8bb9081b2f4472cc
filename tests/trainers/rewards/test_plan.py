"""Our reward pays what a person reckons who has its weights, and nothing through a closed gate."""

import pytest

from tests.trainers.evaluation.cases import GOLD_STEPS, Step, changed, gold, step, text
from trainers.rewards.gate import CLOSED, closed_by
from trainers.rewards.plan import OUTSIDE, STAGES, At, passes, plan
from trainers.rewards.reading import read
from trainers.rewards.table import reward

P0, P1, P2, P3 = GOLD_STEPS  # p1 needs p0, p3 needs p1 and p2: three edges; values: 1 (a default), 2, 1, 2
EVERY_STAGE = range(1, len(STAGES) + 1)


def near(selection: float, parameters: float, dependencies: float) -> float:
    """What the last stage pays for being so near, without being whole."""
    worth = (0.38 * selection + 0.30 * parameters + 0.17 * dependencies) / 0.85
    return 0.05 + 0.85 * worth**2


# case -> the steps, what they earn where p0, p1, p2, p3 are wanted
WORTH: dict[str, tuple[tuple[Step, ...], float]] = {
    "the plan": (GOLD_STEPS, 1.0),
    "independent steps in another order": ((P2, P0, P1, P3), 1.0),
    "a default left out": (changed(0, values={"city": "Oslo"}), 1.0),
    "a number written with a point": (changed(3, values={"city": "{{p2.output}}", "days": 5.0}), 1.0),
    "blanks around a text": (changed(2, values={"city": " Rome "}), 1.0),
    "a number as text": (changed(3, values={"city": "{{p2.output}}", "days": "5"}), near(1, 3.5 / 4, 1)),
    "another value": (changed(2, values={"city": "Bern"}), near(1, 3 / 4, 1)),
    "the value instead of the reference": (changed(3, values={"city": "Rome", "days": 5}), near(1, 3.5 / 4, 1)),
    "a parameter too many": (changed(2, values={"city": "Rome", "who": "Bo"}), near(1, (3 + 2 / 3) / 4, 1)),
    "a dependency missing": (changed(3, dependencies=["p2"]), near(1, 1, 0.8)),
    "a dependency too many": (changed(2, dependencies=["p0"]), near(1, 1, 6 / 7)),
    "a dependency that no step answers to": (changed(2, dependencies=["p5"]), near(1, 1, 6 / 7)),
    "dependent steps reversed": ((P3, P2, P1, P0), near(1, 1, 0)),
    "no dependencies": (tuple({**one, "dependencies": []} for one in GOLD_STEPS), near(1, 1, 0)),
    "one right pick": ((P0,), near(0.4, 0.4, 0)),
    "one wrong pick": ((step("p5", city="Oslo"),), 0.05),
    "the plan and one more": ((*GOLD_STEPS, step("p5", city="Oslo")), near(8 / 9, 8 / 9, 8 / 9)),
}


@pytest.mark.parametrize("case", WORTH)
def test_a_plan_earns_what_its_weights_say(case: str) -> None:
    steps, wanted = WORTH[case]
    assert reward("plan", read(text(*steps)), gold(*GOLD_STEPS)) == pytest.approx(wanted)


GATED: dict[str, str] = {
    "shapeless": '{"plugins": [{"pluginId": "p0", "api_request_parameters": {}}]}',
    "empty": text(),
    "foreign": text(step("p9", city="Oslo")),
    "repeating": text(P0, P0),
    "cyclic": text(step("p0", ("p1",), city="Oslo"), step("p1", ("p0",), city="Oslo")),
}


@pytest.mark.parametrize("reason", CLOSED)
@pytest.mark.parametrize("stage", EVERY_STAGE)
def test_a_closed_gate_pays_nothing_in_any_stage(reason: str, stage: int) -> None:
    written, held = read(GATED[reason]), gold(*GOLD_STEPS)
    assert closed_by(written.found, held) == reason
    assert reward("plan", written, held, At(stage)) == 0
    assert not passes(written, held, 1)


def test_a_key_beside_the_plugins_closes_the_gate_as_it_fails_the_check() -> None:
    written = read(text(P0)[:-1] + ', "note": 1}')
    assert closed_by(written.found, gold(P0)) == "shapeless"


def test_a_plugin_may_be_called_as_often_as_is_wanted_and_each_call_counts_where_it_fits_best() -> None:
    one, two = step("p0", city="Oslo"), step("p0", city="Rome")
    last = step("p1", ("p0",), city="{{p0.output}}")
    held = gold(one, two, last)
    assert reward("plan", read(text(one, two, last)), held) == 1.0
    # the last step now takes the output of the other call
    assert reward("plan", read(text(two, one, last)), held) == pytest.approx(near(1, 1, 0))
    assert reward("plan", read(text(two, last)), held) > reward("plan", read(text(one, last)), held)
    assert reward("plan", read(text(one, two, two, last)), held) == 0


def test_nothing_to_call_is_answered_by_an_empty_plan_alone() -> None:
    assert reward("plan", read(text()), gold()) == 1.0
    assert reward("plan", read(text(P0)), gold()) == pytest.approx(0.05)


AROUND = {
    "words before": "Here: {}",
    "words after": "{}\nDone.",
    "a fence": "```json\n{}\n```",
    "a second object": '{} {{"note": 1}}',
    "thinking that never ends": "<think>{}",
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("stage", EVERY_STAGE)
def test_text_outside_the_form_is_charged(around: str, stage: int) -> None:
    held = gold(*GOLD_STEPS)
    written = read(AROUND[around].format(text(*GOLD_STEPS)))
    assert written.outside
    assert reward("plan", written, held, At(stage)) == pytest.approx(1.0 - OUTSIDE)
    assert not passes(written, held, 1)
    poor = read(AROUND[around].format(text(step("p5", city="x"))))
    assert 0 <= reward("plan", poor, held) < reward("plan", read(text(step("p5", city="x"))), held)


@pytest.mark.parametrize("completion", ["{0}{0}", "<think>{0}</think>", "<think>{0}</think>\nDone.", "{0} or {0}"])
def test_two_plans_or_a_plan_in_the_thinking_alone_are_none(completion: str) -> None:
    assert reward("plan", read(completion.format(text(*GOLD_STEPS))), gold(*GOLD_STEPS)) == 0


def test_a_draft_within_the_thinking_neither_pays_nor_costs() -> None:
    drafted = read(f"<think>{text(P0)}</think>\n{text(*GOLD_STEPS)}")
    assert reward("plan", drafted, gold(*GOLD_STEPS)) == 1.0


@pytest.mark.parametrize("stage", STAGES, ids=[stage.name for stage in STAGES])
def test_every_stage_pays_one_at_most_keeps_every_weight_and_values_picks_no_less_than_parameters(
    stage: object,
) -> None:
    weights = stage[1:]  # type: ignore[index]
    assert sum(weights) == pytest.approx(1)
    assert min(weights) > 0
    assert stage.selection >= stage.parameters  # type: ignore[attr-defined]


def test_a_stage_is_passed_by_what_it_teaches_and_all_before() -> None:
    held = gold(*GOLD_STEPS)
    learned = {
        0: text(),
        1: text(P0),
        2: text(*changed(2, values={"city": "Bern"})),
        3: text(*changed(3, dependencies=["p2"])),
        4: text(*GOLD_STEPS),
    }
    for most, completion in learned.items():
        assert [passes(read(completion), held, k) for k in EVERY_STAGE] == [k <= most for k in EVERY_STAGE]


def test_the_parts_say_what_the_reward_is_paid_for() -> None:
    parts = plan(read("Here: " + text(*changed(2, values={"city": "Bern"}))), gold(*GOLD_STEPS))
    assert list(parts) == ["form", "selection", "parameters", "dependencies", "exact", "outside"]
    assert (parts["form"], parts["exact"], parts["outside"]) == (0.05, 0.0, -0.1)
    assert parts["selection"] > parts["parameters"] > parts["dependencies"] > 0
