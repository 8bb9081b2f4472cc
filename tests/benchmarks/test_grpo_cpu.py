"""The benchmark of GRPO on a CPU: its task, its differences, and a run of it all on a handful of rows."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks import grpo_cpu, plan_task

STEPS = {"1_step", "2_step", "3_step", "4_step"}
SMALL = {"train": 60, "validation": 12, "test": 12}


def test_plans_of_one_to_four_calls_are_drawn_and_none_is_on_both_sides() -> None:
    task = plan_task.read_task(grpo_cpu.TASK)
    small = {**task, "splits": {**task["splits"], **SMALL}, "requests": {**task["requests"], "draws": 5_000}}
    taken = plan_task.drawn(small)
    plans = {split: {trace["messages"][-1]["content"] for trace in traces} for split, traces in taken.items()}
    lengths = {len(orjson.loads(plan)["plugins"]) for plan in plans["train"]}
    assert lengths == {1, 2, 3, 4}
    assert plans["test"]
    assert not plans["test"] & (plans["train"] | plans["validation"])


def rows(exact: list[int]) -> list[dict[str, Any]]:
    """Rows of which these are exactly right, every other one of one step."""
    return [
        {"plan_exact": bool(one), "our reward": float(one), "category": f"{1 + i % 2}_step"}
        for i, one in enumerate(exact)
    ]


def test_a_gap_is_beyond_the_interval_only_where_every_seed_says_so() -> None:
    better, worse = rows([1, 1, 1, 0] * 50), rows([1, 0, 0, 0] * 50)
    found = grpo_cpu.gaps([better, better], [worse, worse])["plan_exact"]
    assert found["all"]["gap"] == 0.5
    assert found["all"]["beyond"]
    assert found["all"]["low"] > 0
    assert (found["1_step"]["gap"], found["2_step"]["gap"]) == (0.5, 0.5)
    mixed = grpo_cpu.gaps([better, worse], [worse, rows([1, 1, 0, 0] * 50)])["plan_exact"]
    assert mixed["all"]["gap"] > 0
    assert not mixed["all"]["beyond"]
    same = grpo_cpu.gaps([better], [better])["plan_exact"]
    assert same["all"]["gap"] == 0
    assert not same["all"]["beyond"]


def test_the_split_test_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results-test.json").write_text("{}")
    monkeypatch.setattr("sys.argv", ["grpo_cpu.py", "--out", str(tmp_path), "--split", "test"])
    with pytest.raises(SystemExit, match="the split test is read once"):
        grpo_cpu.main()


@pytest.mark.slow
def test_base_and_arms_are_trained_asked_and_told(tmp_path: Path) -> None:
    text = grpo_cpu.TASK.read_text()
    for split, size in (("train = 24_000", 60), ("validation = 400", 12), ("test = 1_000", 12)):
        assert split in text
        text = text.replace(split, f"{split.split()[0]} = {size}")
    (tmp_path / "task.toml").write_text(text.replace("draws = 120_000", "draws = 3_000"))
    arms = grpo_cpu.ARMS.read_text().splitlines()
    little = {
        "sft": '"sft.max_steps" = 2\n"random.vocabulary" = 600\n"random.hidden" = 32',
        "grpo": '"grpo.max_steps" = 1\n"grpo.prompts" = 1\n"grpo.generations" = 2\n"grpo.rows" = 2\n'
        '"grpo.max_new_tokens" = 16\n"grpo.evaluate_rows" = 4\n"grpo.evaluate_every" = 1\n"grpo.save_every" = 1',
    }
    kept = [line for line in arms if line.startswith(("[", "kind", '"grpo.reward"'))]
    made = [f"{line}\n{little[line[8:-1]]}" if line.startswith("kind") else line for line in kept]
    (tmp_path / "arms.toml").write_text("\n".join(made))
    command = [sys.executable, "benchmarks/grpo_cpu.py", "--task", str(tmp_path / "task.toml")]
    command += ["--arms", str(tmp_path / "arms.toml"), "--out", str(tmp_path / "out"), "--seeds", "1"]
    done = subprocess.run(command, cwd=grpo_cpu.HERE, env=dict(os.environ), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "out" / "results-validation.json").read_text())
    assert set(told["means"]) == {"base", "ours", "published", "more sft"}
    assert set(told["by_category"]["base"]) <= STEPS
    assert told["runs"]["ours-0"]["steps"] == 1
    assert "ours less more sft" in done.stdout
