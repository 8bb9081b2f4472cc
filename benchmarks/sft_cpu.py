"""How well a tiny model plans after 60 minutes on two cores: `python benchmarks/sft_cpu.py [--split test]`.

Each stage leaves its result below --out, and the same command goes on after a kill: the task's release, a run for each
seed (all at once, one thread each), their answers. Time is CPU time, in minutes of two cores, so that a busy machine
changes little. Settings are chosen on the split validation, which is the default; the split test is read once.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.plan_task import make_release, read_task
from trainers.presets import Preset, load_preset
from trainers.release import Release, open_release

HERE = Path(__file__).resolve().parents[1]
TASK = HERE / "benchmarks" / "tasks" / "plans_384.toml"
SHOWN = (
    "json_valid",
    "plugin_match",
    "hydrated",
    "count_match",
    "deps_chain",
    "param_keys",
    "argument_value_f1",
    "plan_exact",
)
CORES = 2
BEAT = 5.0  # seconds between two entries of the CPU time: what a kill can hide


def main() -> None:
    """Runs what is left to run, then prints the table and writes results-<split>.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", type=Path, default=TASK)
    parser.add_argument("--out", type=Path, default=Path("runs/sft_cpu"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=60.0, help="of two cores, for training and answering")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--set", action="append", default=[], help="a change to the preset, while settings are chosen")
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)  # one seed, in a process of its own
    asked = parser.parse_args()
    results = asked.out / f"results-{asked.split}.json"
    if asked.split == "test" and results.exists():
        raise SystemExit(f"{results} exists: the split test is read once")
    if asked.split == "test" and asked.set:
        raise SystemExit("settings are chosen on validation: put them into the preset before test is read")
    task = read_task(asked.task)
    preset = load_preset(HERE / task["model"]["preset"], asked.set)
    release = open_release(make_release(asked.task, asked.out))
    if asked.seed is not None:
        one_seed(release, preset, asked.out, asked.seed, asked.split)
        return
    require_short(release, preset, task["requests"]["longest_prompt"])
    if spent(asked.out) > asked.minutes:
        raise SystemExit(f"{spent(asked.out):.0f} minutes of two cores are spent, and --minutes is {asked.minutes:g}")
    with ThreadPoolExecutor(asked.seeds) as pool:
        codes = list(pool.map(lambda seed: in_process(asked, seed), range(asked.seeds)))
    if any(codes):
        raise SystemExit(f"{sum(map(bool, codes))} of {len(codes)} seeds failed; what they say stands above")
    told = gathered(release, preset, asked, task)
    results.write_text(json.dumps(told, indent=2) + "\n")
    show(told, task["goal"], asked.minutes)


def in_process(asked: argparse.Namespace, seed: int) -> int:
    """Trains and asks one seed on one thread; returns the process' exit code."""
    command = [sys.executable, __file__, "--task", str(asked.task), "--out", str(asked.out), "--split", asked.split]
    command += ["--seed", str(seed), *(word for change in asked.set for word in ("--set", change))]
    return subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}).returncode


def one_seed(release: Release, preset: Preset, out: Path, seed: int, split: str) -> None:
    """The run of one seed, and its answers to the split."""
    from trainers.sft import Job, train

    folder = out / f"seed-{seed}"
    with counted(out / f"cpu-seed-{seed}.json", "train"):
        train(Job(release, release.name, preset, folder, seed, resume=True), lambda line: say(f"seed {seed}: {line}"))
    with counted(out / f"cpu-seed-{seed}.json", split):
        answers(str(folder), release, preset, out / f"answers-seed-{seed}-{split}", split)


def answers(model: str, release: Release, preset: Preset, out: Path, split: str) -> list[dict[str, Any]]:
    """The rows of an evaluation's table; asked once."""
    from trainers.evaluate import Job, evaluate

    size = release.splits[split]
    table, _ = evaluate(Job(model, release, preset, split, limit=size, pools=("own",), out=out))
    rows: list[dict[str, Any]] = table.to_dicts()
    return rows


def require_short(release: Release, preset: Preset, most: int) -> None:
    """Ends the benchmark where a prompt has more tokens than the task allows."""
    from trainers.families import FAMILIES
    from trainers.models import bare_tokenizer
    from trainers.prompts import encode_prompt
    from trainers.sft import texts_of

    tokenizer = bare_tokenizer(texts_of(release), FAMILIES[preset.family], preset.random)
    longest = max(
        len(encode_prompt(tokenizer, row, preset)) for split in release.splits for row in release.rows("sft", split)
    )
    if longest > most:
        raise SystemExit(f"a prompt has {longest} tokens, and the task allows {most}")


def without_training(release: Release, preset: Preset, split: str, out: Path) -> dict[str, list[dict[str, Any]]]:
    """Beside ours: the model before training, the first candidate copied, the plan that is most frequent in training."""
    from trainers import models
    from trainers.families import FAMILIES
    from trainers.sft import texts_of

    folder = out / "untrained"
    if not (folder / "tokenizer.json").exists():
        family = FAMILIES[preset.family]
        tokenizer = models.train_tokenizer(texts_of(release), family, preset.random)
        model = models.random_model(family, preset.random, tokenizer, 0)
        models.dress(model, tokenizer, preset)
        models.save_model(model, tokenizer, folder)
    rows = list(release.rows("grpo", split))
    most = Counter(release.rows("grpo", "train")["plan"]).most_common(1)[0][0]
    return {
        "untrained": answers(str(folder), release, preset, out / f"answers-untrained-{split}", split),
        "first candidate": measured(rows, [first_candidate(row) for row in rows]),
        "most frequent plan": measured(rows, [most] * len(rows)),
    }


def first_candidate(row: dict[str, Any]) -> str:
    """A plan that calls the first candidate, each parameter that it requires filled with its own name."""
    plugin = json.loads(row["candidates"])[0]
    schema = plugin["parameters"]
    values = {name: filler(name, schema["properties"][name]) for name in schema["required"]}
    step = {"pluginId": plugin["pluginId"], "api_request_parameters": values, "all_parameters_hydrated": True}
    return json.dumps({"plugins": [{**step, "dependencies": []}]})


def filler(name: str, schema: dict[str, Any]) -> Any:
    """A value of the type that a schema asks for."""
    if "enum" in schema:
        return schema["enum"][0]
    return name if schema["type"] == "string" else 1


def measured(rows: list[dict[str, Any]], plans: list[str]) -> list[dict[str, Any]]:
    """The metrics of given answers."""
    from trainers.evaluation.gold import gold_of_row
    from trainers.evaluation.metrics import measure
    from trainers.families import TEXT
    from trainers.plans import parse_answer

    return [dict(measure(parse_answer(p, TEXT), gold_of_row(row))) for row, p in zip(rows, plans, strict=True)]


def gathered(release: Release, preset: Preset, asked: argparse.Namespace, task: dict[str, Any]) -> dict[str, Any]:
    """All results: every metric's mean for each seed and for what stands beside them, and the CPU time."""
    from trainers.run import read_run

    seeds = {
        f"seed {seed}": answers(str(asked.out / f"seed-{seed}"), release, preset, asked.out / f"answers-seed-{seed}-{asked.split}", asked.split)
        for seed in range(asked.seeds)
    }  # fmt: skip
    beside = without_training(release, preset, asked.split, asked.out)
    cpu = {seed: json.loads((asked.out / f"cpu-seed-{seed}.json").read_text()) for seed in range(asked.seeds)}
    runs = [read_run(asked.out / f"seed-{seed}") or {} for seed in range(asked.seeds)]
    return {
        "task": task["name"],
        "digest": release.digest,
        "split": asked.split,
        "rows": release.splits[asked.split],
        "preset": preset.name,
        "changes": asked.set,
        "means": {name: {metric: mean(rows, metric) for metric in SHOWN} for name, rows in {**seeds, **beside}.items()},
        "cpu_seconds": cpu,
        "minutes_of_two_cores": round(spent(asked.out), 1),
        "tokens": [run.get("tokens") for run in runs],
        "validation_loss": [run.get("metrics", {}).get("validation_loss") for run in runs],
    }


def mean(rows: list[dict[str, Any]], metric: str) -> float | None:
    """Over the rows that a metric measures."""
    values = [float(row[metric]) for row in rows if row[metric] is not None]
    return round(fmean(values), 4) if values else None


def show(told: dict[str, Any], goal: dict[str, float], minutes: float) -> None:
    """Prints the table, and for each goal whether every seed reaches it."""
    print(f"{told['task']}, {told['rows']:,} rows of {told['split']}, {told['minutes_of_two_cores']} min of two cores")
    print(f"{'':20}" + "".join(f"{metric:>19}" for metric in SHOWN))
    for name, means in told["means"].items():
        print(f"{name:20}" + "".join(f"{'-' if value is None else f'{value:.3f}':>19}" for value in means.values()))
    for metric, least in goal.items():
        worst = min(means[metric] for name, means in told["means"].items() if name.startswith("seed"))
        print(f"goal {metric} >= {least}: {'reached' if worst >= least else 'not reached'} (worst seed {worst:.3f})")
    if told["minutes_of_two_cores"] > minutes:
        print(f"over the budget of {minutes:g} minutes of two cores")


def spent(out: Path) -> float:
    """Minutes of two cores that all seeds have taken so far, settings that were tried in this folder included."""
    files = out.glob("cpu-seed-*.json")
    return sum(sum(json.loads(path.read_text()).values()) for path in files) / 60 / CORES


@contextmanager
def counted(path: Path, stage: str) -> Iterator[None]:
    """Adds the CPU time of the block to a stage in a file, every few seconds, so that a kill hides little of it."""
    known: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
    before, began, ended = known.get(stage, 0.0), time.process_time(), threading.Event()

    def write() -> None:
        known[stage] = round(before + time.process_time() - began, 1)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(known))
        partial.replace(path)

    def beat() -> None:
        while not ended.wait(BEAT):
            write()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        write()


def say(line: str) -> None:
    """A sentence for the person watching."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
