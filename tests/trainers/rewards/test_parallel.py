"""The terms after PARL: what can run at once, what can run at all, and how both fade."""

import pytest

from tests.trainers.evaluation.cases import GOLD_STEPS, answer, gold, step, text
from trainers.rewards.parallel import critical_steps, parallel_style, waves
from trainers.rewards.plan import At
from trainers.rewards.reading import read
from trainers.rewards.table import reward


def test_a_wave_is_what_can_run_once_the_waves_before_are_done() -> None:
    assert waves(answer(*GOLD_STEPS)) == [2, 1, 1]  # p0 and p2, then p1, then p3
    assert waves(answer()) == []


@pytest.mark.parametrize(("progress", "left"), [(0.0, 0.1), (0.5, 0.05), (1.0, 0.0)])
def test_both_terms_fall_in_a_line_to_nothing(progress: float, left: float) -> None:
    parts = parallel_style(read(text(*GOLD_STEPS)), gold(*GOLD_STEPS), At(4, progress))
    assert parts == pytest.approx({"parallel": left * 1 / 3, "finish": left, "performance": 1.0})


def test_a_step_that_lacks_what_it_needs_does_not_finish() -> None:
    hollow = (GOLD_STEPS[0], step("p2"))
    assert parallel_style(read(text(*hollow)), gold(*GOLD_STEPS), At(4, 0.0))["finish"] == pytest.approx(0.05)


def test_a_closed_gate_pays_for_neither() -> None:
    copies = text(*(step("p0", city="x") for _ in range(8)))
    assert reward("parallel_style", read(copies), gold(*GOLD_STEPS), At(4, 0.0)) == 0


def test_a_run_costs_the_longest_of_what_runs_at_once() -> None:
    assert critical_steps([(1, [3, 5, 2]), (2, []), (1, [4])]) == 1 + 5 + 2 + 1 + 4
