"""The trainer on a real small release: what it leaves behind, how it goes on after a kill, how it fails."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from curation.errors import InputError, MachineError, Stopped
from tests.trainers.conftest import SMALL
from trainers.loop import WHOLE, NotFiniteError, last_checkpoint, read_metrics
from trainers.machine import require_machine
from trainers.models import load_model
from trainers.prepare import prepare
from trainers.presets import load_preset
from trainers.release import open_release
from trainers.run import Run, alone, new_run, preset_of
from trainers.sft import Job, gone_on_with, train

ROOT = Path(__file__).resolve().parents[2]
STEPS = 10
RUN = (*SMALL, f"sft.max_steps={STEPS}", "sft.save_every=4", "sft.rows=2")


def job(release: Path, out: Path, *changes: str, preset: str = "tiny-gemma4", **given: Any) -> Job:
    return Job(open_release(release), str(release), load_preset(preset, [*RUN, *changes]), out, **given)


@pytest.fixture(scope="module")
def trained(release: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """An uninterrupted run."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    return out, train(job(release, out))


def losses(out: Path) -> dict[int, float]:
    return {line["step"]: line["loss"] for line in read_metrics(out / "metrics.jsonl") if "loss" in line}


def test_a_run_says_what_it_was_made_of_and_how_it_went(trained: tuple[Path, Run], release: Path) -> None:
    out, run = trained
    opened = open_release(release)
    assert run == json.loads((out / "run.json").read_text())
    assert run["state"] == "finished"
    assert run["release"]["digest"] == opened.digest
    assert (run["seed"], run["steps"], run["preset"]["name"]) == (0, STEPS, "tiny-gemma4")
    assert run["libraries"]["trl"]
    assert run["hardware"]["cpus"] == os.cpu_count()
    train_rows = run["data"]["train"]
    assert train_rows["rows"] + sum(train_rows["left_out"].values()) == opened.splits["train"]
    assert run["metrics"]["validation_loss"] < 7
    assert run["tokens_per_second"] > 0
    assert set(losses(out)) == set(range(1, STEPS + 1))
    assert losses(out)[STEPS] < losses(out)[1]


def test_a_run_folder_is_a_model_with_its_preset_and_card(trained: tuple[Path, Run]) -> None:
    out, run = trained
    model, tokenizer = load_model(out, "cpu", "fp32")
    assert sum(p.numel() for p in model.parameters()) > 10_000
    assert len(tokenizer) == 1000
    assert preset_of(out) == load_preset("tiny-gemma4", RUN)
    card = (out / "README.md").read_text()
    assert f"`{run['release']['digest']}`" in card
    assert "curation generate --model" in card
    assert card.startswith("---\nlibrary_name: transformers\n")


def test_the_loss_is_that_of_the_whole_logits(release: Path, tmp_path: Path) -> None:
    import torch

    run = train(job(release, tmp_path / "run", "sft.rows=1", "sft.max_steps=1"))
    model, tokenizer = load_model(tmp_path / "run", "cpu", "fp32")
    opened, preset = open_release(release), preset_of(tmp_path / "run")
    losses = []
    for ids, labels in prepare(opened.rows("sft", "validation"), tokenizer, preset, "validation").rows:
        with torch.no_grad():
            logits = model(torch.tensor(ids)[None].long(), use_cache=False).logits[0, :-1]
        losses.append(torch.nn.functional.cross_entropy(logits, torch.tensor(labels)[1:].long()).item())
    assert run["metrics"]["validation_loss"] == pytest.approx(sum(losses) / len(losses), abs=1e-4)


def test_checkpoints_are_kept_by_rule_and_whole(trained: tuple[Path, Run]) -> None:
    out, _ = trained
    assert sorted(path.name for path in (out / "checkpoints").iterdir()) == ["checkpoint-10", "checkpoint-8"]
    assert all((path / WHOLE).exists() for path in (out / "checkpoints").iterdir())


def test_a_finished_run_is_not_made_again_and_another_is_refused_its_folder(
    trained: tuple[Path, Run], release: Path
) -> None:
    out, run = trained
    said: list[str] = []
    before = (out / "model.safetensors").stat().st_mtime_ns
    assert train(job(release, out), said.append) == run
    assert (out / "model.safetensors").stat().st_mtime_ns == before
    assert "nothing is trained again" in said[0]
    with pytest.raises(InputError, match=r"holds another run: its seed is 0; choose another folder with --out"):
        train(job(release, out, seed=1))
    with pytest.raises(InputError, match=r"its preset says sft.learning_rate = 0.002"):
        train(job(release, out, "sft.learning_rate=1e-3"))


def test_a_run_that_never_came_to_a_checkpoint_hinders_no_other(release: Path, tmp_path: Path) -> None:
    asked = [job(release, tmp_path, seed=seed) for seed in (0, 1)]
    before, run = (new_run("sft", j.release, j.reference, j.preset, j.model, j.seed) for j in asked)
    assert gone_on_with(asked[1], before, run) == run
    (tmp_path / "checkpoints" / "checkpoint-4").mkdir(parents=True)
    with pytest.raises(InputError, match="holds another run: its seed is 0"):
        gone_on_with(asked[1], before, run)


def test_the_same_seed_trains_the_same_model(trained: tuple[Path, Run], release: Path, tmp_path: Path) -> None:
    train(job(release, tmp_path / "again"))
    assert losses(tmp_path / "again") == losses(trained[0])
    whole, again = ((out / "model.safetensors").read_bytes() for out in (trained[0], tmp_path / "again"))
    assert whole == again


def command(release: Path, out: Path, *more: str) -> list[str]:
    sets = [word for change in RUN for word in ("--set", change)]
    return [
        sys.executable, "-m", "curation.cli", "train", "sft", "--release", str(release), "--preset", "tiny-gemma4",
        "--out", str(out), *sets, *more,
    ]  # fmt: skip


def test_a_run_killed_after_a_checkpoint_goes_on_with_the_same_curve(
    trained: tuple[Path, Run], release: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    process = subprocess.Popen(command(release, out), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while not (out / "checkpoints" / "checkpoint-4" / WHOLE).exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with pytest.raises(InputError, match=r"holds this run, unfinished; go on with it with --resume"):
        train(job(release, out))
    half = out / "checkpoints" / "checkpoint-9"
    half.mkdir()
    (half / "trainer_state.json").write_text("{")
    said: list[str] = []
    run = train(job(release, out, resume=True), said.append)
    assert any(line.startswith("going on from checkpoint-") for line in said)
    assert run["state"] == "finished"
    assert losses(out) == pytest.approx(losses(trained[0]), abs=1e-6)
    assert (out / "model.safetensors").read_bytes() == (trained[0] / "model.safetensors").read_bytes()


def test_a_checkpoint_that_a_kill_left_half_written_is_removed(tmp_path: Path) -> None:
    for step, sizes in ((2, {"a": 3}), (4, {"a": 3}), (6, {"a": 99}), (8, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "a").write_bytes(b"abc")
        if sizes is not None:
            (folder / WHOLE).write_text(json.dumps(sizes))
    found = last_checkpoint(tmp_path)
    assert found is not None
    assert found.name == "checkpoint-4"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-2", "checkpoint-4"]
    assert last_checkpoint(tmp_path / "nowhere") is None


def test_a_loss_that_is_no_number_names_the_samples_of_its_batch(release: Path, tmp_path: Path) -> None:
    ids = set(open_release(release).rows("sft", "train")["sample_id"])
    with pytest.raises(NotFiniteError) as caught:
        train(job(release, tmp_path / "nan", "sft.learning_rate=1e30", "sft.warmup=0", "sft.clip=none"))
    sentence = str(caught.value)
    assert "became nan at step" in sentence
    named = sentence.split("the samples ")[1].split(";")[0].split(", ")
    assert len(named) == 2
    assert set(named) <= ids


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_the_run_goes_on_from_what_is_whole(release: Path, tmp_path: Path) -> None:
    def limited() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    out = tmp_path / "full"
    done = subprocess.run(
        command(release, out), cwd=ROOT, capture_output=True, text=True, preexec_fn=limited, timeout=500
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert f"error: the disk below {out} is full at step 4; make room there" in done.stderr
    assert train(job(release, out, resume=True))["state"] == "finished"


@pytest.mark.slow
def test_too_little_memory_is_one_sentence(release: Path, tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; import trl, trainers.loop\n"
        "from tests.trainers.test_sft import job; from curation.errors import MachineError; from trainers.sft import train\n"
        "asked = job(Path(sys.argv[1]), Path(sys.argv[2]), 'sft.rows=128')\n"
        "held = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
        "resource.setrlimit(resource.RLIMIT_AS, (held + 250 * 2**20,) * 2)\n"
        "try:\n    train(asked)\nexcept MachineError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(release), str(tmp_path / "out")], cwd=ROOT, capture_output=True, text=True
    )
    assert "out of memory at step 0 with 128 x 512 tokens in a batch; lower sft.rows" in done.stdout, done.stderr


def test_two_processes_do_not_train_in_one_folder(release: Path, tmp_path: Path) -> None:
    with alone(tmp_path / "run"), pytest.raises(Stopped, match="another process is training in"):
        train(job(release, tmp_path / "run"))


def test_a_preset_for_a_gpu_says_what_runs_on_a_cpu() -> None:
    with pytest.raises(
        MachineError, match=r"gemma4-e2b needs a GPU, and torch finds none here; .* --preset tiny-gemma4"
    ):
        require_machine(load_preset("gemma4-e2b"))


def test_a_gpu_without_bf16_is_told_with_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "Tesla T4")
    with pytest.raises(
        MachineError, match=r"the GPU Tesla T4 has no bf16, .* set sft.compute=fp32 and sft.weights=fp32"
    ):
        require_machine(load_preset("gemma4-e2b"))


def test_packed_rows_of_qwen_are_refused_on_a_cpu_and_padded_ones_are_trained(release: Path, tmp_path: Path) -> None:
    with pytest.raises(
        MachineError, match=r"packed rows of qwen3.5 would read each other without a GPU .*sft.pack=false"
    ):
        train(job(release, tmp_path / "packed", "sft.pack=true", preset="tiny-qwen3.5"))
    run = train(job(release, tmp_path / "padded", "sft.max_steps=2", preset="tiny-qwen3.5"))
    assert run["steps"] == 2
    assert run["metrics"]["train_loss"] < 8


def test_a_model_of_another_family_and_one_without_tokenizer_are_refused(
    trained: tuple[Path, Run], release: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"the preset tiny-qwen3.5 is for qwen3.5, and the model .* is a gemma4"):
        train(job(release, tmp_path / "a", f'model="{trained[0]}"', preset="tiny-qwen3.5"))
    told = json.loads((tmp_path / "a" / "run.json").read_text())
    assert (told["state"], told["detail"][:26]) == ("failed", "the preset tiny-qwen3.5 is")
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "config.json").write_bytes((trained[0] / "config.json").read_bytes())
    with pytest.raises(InputError, match=r"bare has no tokenizer"):
        train(job(release, tmp_path / "b", f'model="{bare}"'))


def test_a_trained_model_can_be_trained_on(trained: tuple[Path, Run], release: Path, tmp_path: Path) -> None:
    run = train(job(release, tmp_path / "on", f'model="{trained[0]}"', "sft.max_steps=2"))
    assert losses(tmp_path / "on")[1] < losses(trained[0])[1]
    assert run["model"] == str(trained[0])


def test_a_tracker_that_nobody_knows_is_one_sentence(release: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--report-to nobody cannot be used: nobody is not supported"):
        train(job(release, tmp_path / "run", report_to="nobody"))


def test_several_visible_gpus_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    with pytest.raises(MachineError, match=r"8 GPUs are visible, .* set CUDA_VISIBLE_DEVICES=0"):
        require_machine(load_preset("gemma4-e2b"))
