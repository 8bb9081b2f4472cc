"""Learning from rewards, by TRL's own trainer on tiny models: it learns, samples, resumes, keeps the best, and refuses."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from typer.testing import CliRunner

from curation.cli import app
from curation.errors import InputError
from tests.trainers.learnable import LEARNABLE, STEPS, job, learning, made_model
from trainers.grpo import SAMPLES, train
from trainers.loop import WHOLE, read_metrics
from trainers.presets import LOSSES, PresetError, load_preset
from trainers.release import Release, open_release
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


def lines(out: Path) -> list[dict[str, Any]]:
    """The metrics of each step, without times."""
    timed = ("step_time", "tokens_per_second", "mfu")
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
    assert not (out / "best").exists()


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


def test_the_best_state_survives_a_kill_while_a_better_one_takes_its_place(model: Path, tmp_path: Path) -> None:
    from trainers.heldout import HeldOut

    held_out = HeldOut([], None, load_preset("tiny-gemma4-grpo"), tmp_path, 0, print)
    (tmp_path / ".best.before").mkdir()
    held_out.restore([[0, 0.1, 0.0], [5, 0.3, 0.1], [10, 0.2, 0.1]])
    assert (tmp_path / "best").is_dir()
    assert (held_out.best.step, held_out.drifted) == (5, False)


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


def test_only_the_columns_of_the_configuration_grpo_are_read(
    release: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[tuple[str, str]] = set()
    rows = Release.rows

    def told(self: Release, config: str, split: str) -> Any:
        read.add((config, split))
        return rows(self, config, split)

    monkeypatch.setattr(Release, "rows", told)
    train(job(release, model, tmp_path / "run", max_steps=1))
    assert read == {("grpo", "train"), ("grpo", "validation")}


def test_the_model_is_asked_as_it_was_fine_tuned_where_the_preset_says_nothing_else(
    release: Path, model: Path, tmp_path: Path
) -> None:
    changes = ["grpo.max_steps=1", "grpo.max_new_tokens=4", "grpo.evaluate_rows=2", f"model={json.dumps(str(model))}"]
    preset = load_preset("tiny-gemma4-grpo", changes)
    run = train(Job(open_release(release), str(release), preset, tmp_path / "run"))
    assert run["preset"]["system"] == "Plan."


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains(loss: str, release: Path, model: Path, tmp_path: Path) -> None:
    changes = {"loss": loss, "max_steps": 1, "evaluate_every": 99}
    assert train(job(release, model, tmp_path / "run", reward="letters", **changes))["state"] == "finished"


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


def test_the_command_trains_and_prints_what_came_of_it(release: Path, model: Path, tmp_path: Path) -> None:
    command = [
        "train",
        "grpo",
        "--release",
        str(release),
        "--preset",
        "tiny-gemma4-grpo",
        "--out",
        str(tmp_path / "run"),
    ]
    sets = ["grpo.max_steps=1", "grpo.max_new_tokens=4", "grpo.evaluate_rows=2"]
    changes = [word for change in sets for word in ("--set", change)]
    done = CliRunner().invoke(app, [*command, "--model", str(model), "--json", *changes])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["steps"], told["out"]) == (1, str(tmp_path / "run"))
    refused = CliRunner().invoke(app, [*command[:-1], str(tmp_path / "other"), "--model", "random"])
    assert isinstance(refused.exception, InputError)
    assert "random weights earn no reward to learn from" in str(refused.exception)
