"""The benchmarks of fine-tuning run, and their task keeps what it promises."""

import json
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks import plan_task, sft_cpu, sft_gpu
from curation.release.verify import verify
from trainers.presets import load_preset
from trainers.release import open_release

SMALL = {"train": 60, "validation": 10, "test": 10}


@pytest.fixture(scope="module")
def task() -> dict[str, Any]:
    return plan_task.read_task(sft_cpu.TASK)


def test_the_task_is_the_one_that_was_asked_for(task: dict[str, Any]) -> None:
    assert len(plan_task.plugins_of(task)) >= task["plugins"]["least"] >= 200
    assert (task["requests"]["candidates"], task["requests"]["longest_prompt"]) == (6, 384)
    assert task["splits"]["test"] == 1_000
    assert task["goal"] == {"json_valid": 0.95, "plugin_match": 0.8, "hydrated": 0.6}
    assert load_preset(sft_cpu.HERE / task["model"]["preset"]).model == "random"


def test_no_plugin_value_pair_and_no_request_is_on_both_sides(task: dict[str, Any]) -> None:
    small = {**task, "splits": {**task["splits"], **SMALL}, "requests": {**task["requests"], "draws": 20_000}}
    taken = plan_task.drawn(small)
    pairs, requests = {}, {}
    for split, traces in taken.items():
        assert len(traces) >= SMALL[split]
        plans = [orjson.loads(trace["messages"][-1]["content"]) for trace in traces]
        pairs[split] = {pair for plan in plans for pair in plan_task.pairs(plan)}
        requests[split] = {trace["messages"][-2]["content"] for trace in traces}
        assert all(len(trace["candidates"]) == 6 for trace in traces)
    assert pairs["test"]
    for other in ("train", "validation"):
        assert not pairs["test"] & pairs[other]
        assert not requests["test"] & requests[other]
    assert not requests["train"] & requests["validation"]


def test_a_plan_with_pairs_of_both_sides_is_on_neither() -> None:
    steps = [{"pluginId": "p", "api_request_parameters": {"q": value}} for value in range(200)]
    sides = {plan_task.side({"plugins": [step]}, "pair", 0.3) for step in steps}
    assert sides == {"held out", "open"}
    assert plan_task.side({"plugins": steps}, "pair", 0.3) is None
    reference = {"pluginId": "p", "api_request_parameters": {"q": "{{other.output}}"}}
    assert plan_task.side({"plugins": [reference]}, "pair", 0.3) is None
    assert plan_task.side({"plugins": steps}, "plan", 1.0) == "held out"


def test_what_stands_beside_ours_is_measured_like_it(release: Path) -> None:
    rows = list(open_release(release).rows("grpo", "test"))
    copied = sft_cpu.measured(rows, [sft_cpu.first_candidate(row) for row in rows])
    assert all(row["json_valid"] == 1 and row["no_hallucinate"] == 1 for row in copied)
    perfect = sft_cpu.measured(rows, [row["plan"] for row in rows])
    assert sft_cpu.mean(perfect, "plugin_match") == sft_cpu.mean(perfect, "plan_exact") == 1
    assert (sft_cpu.mean(copied, "plugin_match") or 0) < 1


def test_time_is_added_up_over_kills(tmp_path: Path) -> None:
    for _ in range(2):
        with sft_cpu.counted(tmp_path / "cpu.json", "train"):
            sum(i * i for i in range(2_000_000))
    spent = json.loads((tmp_path / "cpu.json").read_text())
    with sft_cpu.counted(tmp_path / "cpu.json", "test"):
        pass
    again = json.loads((tmp_path / "cpu.json").read_text())
    assert spent["train"] > 0.05
    assert again["train"] == spent["train"]


def test_the_split_test_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results-test.json").write_text("{}")
    monkeypatch.setattr("sys.argv", ["sft_cpu.py", "--out", str(tmp_path), "--split", "test"])
    with pytest.raises(SystemExit, match="the split test is read once"):
        sft_cpu.main()
    monkeypatch.setattr("sys.argv", ["sft_cpu.py", "--out", str(tmp_path / "new"), "--split", "test", "--set", "a=1"])
    with pytest.raises(SystemExit, match="settings are chosen on validation"):
        sft_cpu.main()


@pytest.mark.parametrize("name", list(sft_gpu.STEPS))
def test_the_gpu_benchmark_trains_each_recipe_with_the_real_loop(name: str) -> None:
    told = sft_gpu.recipe(name, tiny=True)
    assert told["samples_per_second"] > 0
    assert told["loss"] > 0


def test_every_cell_of_the_gpu_table_is_right_on_a_cpu() -> None:
    for optimizer in sft_gpu.OPTIMIZERS:
        for clipping in sft_gpu.CLIPPINGS:
            assert sft_gpu.cell(optimizer, clipping, tiny=True)["right"], (optimizer, clipping)


@pytest.mark.slow
def test_a_crash_of_a_cell_is_a_result() -> None:
    crashed = sft_gpu.measured(["--cell", "adamw nonsense", "none"], True, 120)
    assert "KeyError" in crashed["failed"]
    assert sft_gpu.said(crashed).startswith("FAILED")


def test_the_tasks_release_is_whole_and_short_enough(task: dict[str, Any], tmp_path: Path) -> None:
    """Of a task with fewer rows; the full one is checked by the benchmark itself before it trains."""
    text = sft_cpu.TASK.read_text()
    for split, size in (("train = 24_000", 300), ("validation = 400", 20), ("test = 1_000", 20)):
        assert split in text
        text = text.replace(split, f"{split.split()[0]} = {size}")
    (tmp_path / "small.toml").write_text(text)
    folder = plan_task.make_release(tmp_path / "small.toml", tmp_path)
    assert verify(folder) == []
    assert plan_task.make_release(tmp_path / "small.toml", tmp_path) == folder
    (tmp_path / "small.toml").write_text(text.replace("seed = ", "seed = 1"))
    preset = load_preset(sft_cpu.HERE / task["model"]["preset"])
    assert plan_task.identity(tmp_path / "small.toml", preset) != folder.parent.name
    release = open_release(folder)
    assert release.splits == {"train": 300, "validation": 20, "test": 20}
    sft_cpu.require_short(release, preset, 384 + 64)
    with pytest.raises(SystemExit, match="and the task allows 100"):
        sft_cpu.require_short(release, preset, 100)
    shutil.rmtree(folder)
