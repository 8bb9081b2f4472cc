"""A curriculum goes up by what is learned or by time, never down, and goes on where a checkpoint left it."""

from trainers.curriculum import Curriculum
from trainers.presets import Grpo


def test_a_stage_is_left_once_enough_completions_passed_over_a_whole_window() -> None:
    curriculum = Curriculum(Grpo(window=3, advance=0.8))
    assert [curriculum.record(share) for share in (1.0, 1.0)] == [None, None]
    said = curriculum.record(0.5)
    assert said is not None
    assert said.startswith("stage 1 of 4 (form) is learned: 83% of the completions of the last 3 steps passed it")
    assert curriculum.stage == 2
    assert [curriculum.record(share) for share in (1.0, 0.0, 1.0, 0.0)] == [None] * 4  # two of three at best
    assert (curriculum.stage, round(curriculum.pass_rate, 2)) == (2, 0.33)


def test_the_last_stage_is_never_left_and_none_is_gone_back_to() -> None:
    curriculum = Curriculum(Grpo(window=1))
    stages = []
    for share in (1.0, 0.0, 1.0, 1.0, 0.0, 1.0):
        curriculum.record(share)
        stages.append(curriculum.stage)
    assert stages == [2, 2, 3, 4, 4, 4]


def test_the_published_phases_go_by_time() -> None:
    curriculum = Curriculum(Grpo(reward="curriculum_published", curriculum="steps", max_steps=1250))
    assert [curriculum.at(step).stage for step in (0, 312, 313, 625, 938, 1249)] == [1, 1, 2, 3, 4, 4]
    assert curriculum.record(1.0) is None


def test_without_a_curriculum_or_stages_the_last_is_the_first() -> None:
    assert Curriculum(Grpo(curriculum="none")).at(0).stage == 4
    assert Curriculum(Grpo(reward="plugin_selection_published")).at(0).stage == 1
    assert Curriculum(Grpo()).at(250).progress == 0.5


def test_it_goes_on_where_a_checkpoint_left_it() -> None:
    whole, again = Curriculum(Grpo(window=3)), Curriculum(Grpo(window=3))
    for share in (1.0, 1.0, 1.0, 1.0, 0.9):
        whole.record(share)
    again.restore(whole.state)
    assert again.state == whole.state == {"stage": 2, "shares": [1.0, 0.9]}
    assert whole.record(1.0) == again.record(1.0) is not None
