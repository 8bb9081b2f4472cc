"""Learning from rewards, by TRL's own trainer on tiny models: it learns, samples, resumes, keeps the best, and refuses."""

import inspect
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from trl.import_utils import is_vllm_available
from typer.testing import CliRunner

from curation.cli import app
from curation.errors import InputError, MachineError
from tests.trainers.learnable import LEARNABLE, STEPS, job, learning, made_model
from trainers.grpo import SAMPLES, VLLM, require_vllm, train
from trainers.loop import WHOLE, read_metrics
from trainers.presets import LOSSES, PresetError, load_preset
from trainers.release import Release
from trainers.rewards.table import REWARDS
from trainers.run import Run, preset_of
from trainers.sft import Job

ROOT = Path(__file__).resolve().parents[2]
PRESETS = (
    "gemma4-e2b-grpo-published",
    "tiny-gemma4-grpo",
    "qwen3.5-0.8b-grpo-published",
    "tiny-qwen3.5-grpo",
    pytest.param("gemma4-e2b-grpo", marks=pytest.mark.slow),
    pytest.param("qwen3.5-0.8b-grpo", marks=pytest.mark.slow),
)
Reads = set[tuple[str, str]]  # configuration and split
TINY = {"gemma4": "tiny-gemma4", "qwen3.5": "tiny-qwen3.5"}


@pytest.fixture(autouse=True)
def learnable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rewards that a random model can learn, beside the real ones."""
    for name, reward in LEARNABLE.items():
        monkeypatch.setitem(REWARDS, name, reward)


@pytest.fixture(scope="module")
def models(release: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny model of each family."""
    home = tmp_path_factory.mktemp("models")
    return {family: made_model(release, home / family, name) for family, name in TINY.items()}


@pytest.fixture(scope="module")
def model(models: dict[str, Path]) -> Path:
    return models["gemma4"]


@pytest.fixture(scope="module")
def trained(release: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """An uninterrupted run."""
    REWARDS.update(LEARNABLE)
    out = tmp_path_factory.mktemp("runs") / "whole"
    return out, train(learning(release, model, out))


@pytest.fixture(scope="module")
def commanded(release: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path, Reads]:
    """(what the command printed, the run's folder, what was read of the release) of a run of one step."""
    out, read, rows = tmp_path_factory.mktemp("command") / "run", set(), Release.rows

    def told(self: Release, config: str, split: str) -> Any:
        read.add((config, split))
        return rows(self, config, split)

    sets = ["max_steps=1", "max_new_tokens=4", "evaluate_rows=2", "prompts=2", "generations=2", "rows=4"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Release, "rows", told)
        done = CliRunner().invoke(app, command(release, model, out, "--json", *sets))
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), out, read


def command(release: Path, model: Path | str, out: Path, *more: str) -> list[str]:
    """`curation train grpo …`; of `more`, what holds a = is a setting."""
    words = [word for one in more for word in (("--set", f"grpo.{one}") if "=" in one else (one,))]
    where = ["--release", str(release), "--model", str(model), "--out", str(out)]
    return ["train", "grpo", "--preset", "tiny-gemma4-grpo", *where, *words]


def lines(out: Path) -> list[dict[str, Any]]:
    """The metrics of each step, without times."""
    timed = ("step_time", "tokens_per_second", "mfu", "seconds/generation", "seconds/reward")
    return [{k: v for k, v in line.items() if k not in timed} for line in read_metrics(out / "metrics.jsonl")]


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_trains(preset: str, release: Path, models: dict[str, Path], tmp_path: Path) -> None:
    changes = {"max_steps": 2, "rows": load_preset(preset).grpo.generations}
    run = train(job(release, models[load_preset(preset).family], tmp_path / "run", preset, **changes))
    assert (run["kind"], run["state"], run["steps"]) == ("grpo", "finished", 2)
    told = lines(tmp_path / "run")
    assert [line["step"] for line in told] == [1, 2]
    assert all(-0.05 <= line["reward"] <= 1.05 for line in told)  # the noise of one is in it
    noisy = load_preset(preset).grpo.noise > 0
    assert (told[0]["frac_reward_zero_std"] < told[0]["zero_variance/trained"]) is noisy


def test_every_step_says_what_the_reward_was_paid_for_and_where_training_is(trained: tuple[Path, Run]) -> None:
    out, _ = trained
    told = lines(out)
    assert [line["step"] for line in told] == list(range(1, STEPS + 1))
    said = {"part/e", "part/t", "stage", "pass_rate", "zero_variance/drawn", "zero_variance/trained", "kl", "reward"}
    assert all(said | {"completions/mean_length", "entropy", "grad_norm"} <= line.keys() for line in told)
    assert all(line["part/e"] + line["part/t"] == pytest.approx(line["reward"], abs=1e-5) for line in told)
    assert told[-1]["kl"] > 0
    assert [line["step"] for line in told if "held_out/plan" in line] == [2, 4, 6]
    kept = read_metrics(out / SAMPLES)
    assert {line["step"] for line in kept} == set(range(1, STEPS + 1))
    assert all(sum(line["parts"].values()) == pytest.approx(line["reward"]) for line in kept)
    assert len(kept) == STEPS * 8


def test_a_run_folder_is_a_model_with_its_preset_and_card(trained: tuple[Path, Run], model: Path) -> None:
    out, run = trained
    assert run == json.loads((out / "run.json").read_text())
    text = (out / "preset.toml").read_text()
    assert preset_of(model).system in text
    assert 'reward = "letters"' in text
    card = (out / "README.md").read_text()
    assert str(model) in card
    assert "Measured on validation" in card
    assert list(out.glob("best-*")) == []


@pytest.mark.slow
def test_a_learnable_reward_rises(release: Path, model: Path, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"generations": 8, "prompts": 4, "rows": 32, "max_steps": 14, "max_new_tokens": 8}
    changes |= {"beta": 0.0, "learning_rate": 0.1, "evaluate_every": 99, "evaluate_rows": 1}
    train(job(release, model, tmp_path / "run", reward="letters", **changes))
    rewards = [line["reward"] for line in lines(tmp_path / "run")]
    assert fmean(rewards[-3:]) > 2 * fmean(rewards[:3])


def test_dynamic_sampling_leaves_fewer_groups_without_variance(release: Path, model: Path, tmp_path: Path) -> None:
    shares = {}
    for sampling in ("all", "variance"):
        changes = {"sampling": sampling, "prompts": 4, "rows": 16, "max_steps": 3, "evaluate_every": 99}
        train(job(release, model, tmp_path / sampling, reward="letters_of_some", **changes))
        told = lines(tmp_path / sampling)
        shares[sampling] = fmean(line["frac_reward_zero_std"] for line in told)
        drawn, kept = (fmean(line[f"zero_variance/{which}"] for line in told) for which in ("drawn", "trained"))
        assert (kept < drawn) is (sampling == "variance")
        assert drawn > 0.2
    assert shares["variance"] < shares["all"]


def test_where_nothing_varies_nothing_moves_but_by_noise(release: Path, model: Path, tmp_path: Path) -> None:
    """A random model earns nothing from our reward: without noise it stays, to the bit; with noise it walks."""
    for noise in (0.0, 0.01):
        changes = {"noise": noise, "beta": 0.0, "max_steps": 2, "patience": None, "evaluate_every": 99}
        out = tmp_path / f"noise-{noise}"
        train(job(release, model, out, learning_rate=1e-3, **changes))
        assert (weights(out / "checkpoints" / "checkpoint-2") == weights(model)) is (noise == 0)
        assert all(line["zero_variance/trained"] == 1 for line in lines(out))


def test_training_that_gets_no_better_stops_and_the_best_state_is_kept(
    release: Path, model: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    drifting = job(release, model, tmp_path / "run", reward="letters", learning_rate=1e-2, patience=2)
    run = train(drifting, said.append)
    assert (run["steps"], run["kept_step"]) == (4, 0)  # measured at 0, 2 and 4: never better than at first
    assert weights(tmp_path / "run") == weights(model)
    assert any(line.startswith("step 4: no better than at step 0 for 2 measurements") for line in said)


def test_the_best_state_is_the_one_that_the_checkpoint_knows(model: Path, tmp_path: Path) -> None:
    """A run was killed after a better state was found and before the next checkpoint was whole."""
    from trainers.heldout import HeldOut

    held_out = HeldOut([], None, load_preset("tiny-gemma4-grpo"), tmp_path, 0, print)
    for step in (0, 5, 15):
        (tmp_path / f"best-{step}").mkdir()
    held_out.restore([[0, 0.1, 0.0], [5, 0.3, 0.1], [10, 0.2, 0.1]])
    assert [path.name for path in tmp_path.iterdir()] == ["best-5"]
    assert (held_out.best.step, held_out.drifted, held_out.folder) == (5, False, tmp_path / "best-5")


def test_where_a_steps_time_goes_is_logged(trained: tuple[Path, Run]) -> None:
    for line in read_metrics(trained[0] / "metrics.jsonl"):
        assert 0 < line["seconds/reward"] < line["seconds/generation"] < line["step_time"]


def test_a_run_killed_after_a_checkpoint_goes_on_as_if_it_had_not_been(
    trained: tuple[Path, Run], release: Path, model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    program = [sys.executable, "-m", "tests.trainers.learnable", str(release), str(model), str(out)]
    process = subprocess.Popen(program, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while not (out / "checkpoints" / "checkpoint-2" / WHOLE).exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with pytest.raises(InputError, match=r"holds this run, unfinished; go on with it with --resume"):
        train(learning(release, model, out))
    said: list[str] = []
    going = learning(release, model, out)
    train(Job(going.release, going.reference, going.preset, out, resume=True), said.append)
    assert any(line.startswith("going on from checkpoint-") for line in said)
    assert lines(out) == lines(trained[0])
    assert read_metrics(out / SAMPLES) == read_metrics(trained[0] / SAMPLES)
    last = Path("checkpoints") / f"checkpoint-{STEPS}"
    assert weights(out / last) == weights(trained[0] / last)
    assert weights(out) == weights(trained[0])


def test_only_the_columns_of_the_configuration_grpo_are_read(commanded: tuple[Any, Path, Reads]) -> None:
    assert commanded[2] == {("grpo", "train"), ("grpo", "validation")}


def test_the_model_is_asked_as_it_was_fine_tuned_where_the_preset_says_nothing_else(
    commanded: tuple[Any, Path, Reads], model: Path
) -> None:
    assert load_preset("tiny-gemma4-grpo").system is None
    assert preset_of(model).system == preset_of(commanded[1]).system == "Plan."


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains(loss: str, release: Path, model: Path, tmp_path: Path) -> None:
    changes = {"loss": loss, "max_steps": 1, "evaluate_every": 99}
    assert train(job(release, model, tmp_path / "run", reward="letters", **changes))["state"] == "finished"
    told = lines(tmp_path / "run")[0]
    assert told["grad_norm"] > 0
    assert [value for key, value in told.items() if key.startswith(("clip_ratio", "cispo_clip")) and value] == []


def test_each_loss_is_given_what_it_needs() -> None:
    from trainers.rollouts import config

    preset = load_preset("tiny-gemma4-grpo")
    made = {
        loss: config(replace(preset, grpo=replace(preset.grpo, loss=loss)), Path("x"), 0, False, None)
        for loss in LOSSES
    }
    assert {loss: one.loss_type for loss, one in made.items()} == {loss: loss for loss in LOSSES}
    assert made["cispo"].epsilon_high == 5.0  # 0.2 would cut the weight of every token
    assert [loss for loss, one in made.items() if one.importance_sampling_level == "sequence"] == ["luspo"]


def test_a_vllm_that_trl_does_not_work_with_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    preset = load_preset("tiny-gemma4-grpo", ["grpo.vllm=colocate"])
    for installed, refused in (("0.21.2", True), ("0.22.0", False), ("0.31.4", False), ("0.32.0", True), ("1.0", True)):
        monkeypatch.setattr("trainers.grpo.version", lambda name, found=installed: found)
        if refused:
            with pytest.raises(MachineError, match=f"vLLM {installed} is installed, which TRL does not work with"):
                require_vllm(preset)
        else:
            require_vllm(preset)
    source = inspect.getsource(is_vllm_available)
    assert all(f"{major}.{minor}.0" in source for major, minor in VLLM)


def test_a_server_is_looked_for_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from trainers.rollouts import SERVER, config

    preset = load_preset("tiny-gemma4-grpo", ["grpo.max_prompt=100", "grpo.max_new_tokens=50"])
    made = config(preset, Path("x"), 0, False, None)
    assert (made.use_vllm, made.vllm_server_base_url, made.vllm_max_model_length) == (False, SERVER, 150)
    monkeypatch.setenv("VLLM_BASE_URL", "http://gpu-2:9000")
    assert config(preset, Path("x"), 0, False, None).vllm_server_base_url == "http://gpu-2:9000"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rows": 3}, r"grpo\.rows = 3 does not divide the 8 completions of a step"),
        ({"iterations": 3}, r"grpo\.save_every = 2 must be a multiple of grpo\.iterations = 3"),
        ({"vllm": "server"}, r"asks for grpo\.vllm=server, and vLLM is not installed"),
        ({"prompts": 5000}, r"prompts to train on and a step takes 5000"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence(
    changes: dict[str, Any], sentence: str, release: Path, model: Path, tmp_path: Path
) -> None:
    from curation.errors import CurationError

    with pytest.raises(CurationError, match=sentence):
        train(job(release, model, tmp_path / "run", **changes))
    with pytest.raises(PresetError, match=r"grpo\.loss = 'ppo' must be one of grpo, dr_grpo"):
        load_preset("tiny-gemma4-grpo", ["grpo.loss=ppo"])


def test_the_command_trains_and_prints_what_came_of_it(
    commanded: tuple[Any, Path, Reads], release: Path, tmp_path: Path
) -> None:
    told, out, _ = commanded
    assert (told["steps"], told["out"]) == (1, str(out))
    refused = CliRunner().invoke(app, command(release, "random", tmp_path / "other"))
    assert isinstance(refused.exception, InputError)
    assert "random weights earn no reward to learn from" in str(refused.exception)
