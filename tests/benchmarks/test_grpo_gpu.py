"""The benchmark of GRPO on a GPU runs its whole path on a CPU, and says what failed."""

from pathlib import Path

import pytest

from benchmarks import grpo_gpu
from benchmarks.plan_task import read_task
from trainers.presets import load_preset
from trainers.release import open_release


@pytest.fixture(scope="module")
def model(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grpo_gpu.make_model(open_release(release), tmp_path_factory.mktemp("model") / "tiny", tiny=True)


@pytest.mark.parametrize("name", grpo_gpu.RECIPES)
def test_a_recipe_is_measured_in_the_real_trainer(name: str, release: Path, model: Path) -> None:
    told = grpo_gpu.recipe(name, open_release(release), model, tiny=True)
    assert told["completions_a_step"] == 4
    assert told["tokens_per_second"] == pytest.approx(told["steps_per_second"] * 4 * 8, rel=0.6)  # some end early
    assert sum(told["shares"].values()) == pytest.approx(1)
    assert min(told["shares"].values()) > 0
    assert told["bare_seconds"] > 0
    lines = grpo_gpu.said(name, told)
    assert "steps/s of 4 completions" in lines
    assert "of what it takes alone" in lines


def test_the_recipes_are_ours_and_the_published_one_at_their_own_sizes() -> None:
    for name in grpo_gpu.RECIPES:
        preset, sized = load_preset(name), grpo_gpu.sized(load_preset(name), tiny=False)
        for key in ("prompts", "generations", "rows", "reward", "loss", "beta", "temperature", "top_p"):
            assert getattr(sized.grpo, key) == getattr(preset.grpo, key)
        assert sized.sft == preset.sft
    assert read_task(grpo_gpu.TASK)["splits"]["train"] >= 8 * (grpo_gpu.WARM + grpo_gpu.STEPS)


def test_what_fails_is_a_result_and_no_ratio_is_told_of_it() -> None:
    failed = {"failed": "OutOfMemoryError"}
    assert grpo_gpu.said("ours", failed).endswith("failed: OutOfMemoryError")
    assert grpo_gpu.ratio({"published": failed, "ours": {"completions_per_second": 3.0}}).endswith("a recipe failed")
    two = {"published": {"completions_per_second": 2.0}, "ours": {"completions_per_second": 3.0}}
    assert "1.50 times" in grpo_gpu.ratio(two)
