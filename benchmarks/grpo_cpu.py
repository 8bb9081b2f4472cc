"""What an hour of two cores is best spent on after fine-tuning: `python benchmarks/grpo_cpu.py [--split test]`.

From one tiny fine-tuned model, three ways to go on for the same CPU time: GRPO with our reward, GRPO with the published
one, and more fine-tuning. Each stage leaves its result below --out, and the same command goes on after a kill. Time is
CPU time, in minutes of two cores. Settings are chosen on the split validation, the default; the split test is read once.
"""

import argparse
import json
import os
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks.plan_task import make_release, read_task
from benchmarks.sft_cpu import CORES, answers, counted, say, spent
from trainers.presets import Preset, changed, load_preset
from trainers.release import Release, open_release

HERE = Path(__file__).resolve().parents[1]
TASK = HERE / "benchmarks" / "tasks" / "plans_steps.toml"
ARMS = HERE / "benchmarks" / "tasks" / "plans_steps_arms.toml"
BASE, OURS = "base", "ours"
SHOWN = (
    "plan_exact",
    "our reward",
    "published reward",
    "plugin_match",
    "count_match",
    "deps_chain",
    "argument_value_f1",
)
HELD = ("plan_exact", "our reward")  # told by category and with intervals
ALL = "all"


def main() -> None:
    """Runs what is left to run, then prints the tables and writes results-<split>.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", type=Path, default=TASK)
    parser.add_argument("--arms", type=Path, default=ARMS)
    parser.add_argument("--out", type=Path, default=Path("runs/grpo_cpu"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=60.0, help="of two cores, for training and answering")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--run", nargs=2, metavar=("ARM", "SEED"), help=argparse.SUPPRESS)  # one, in its own process
    asked = parser.parse_args()
    results = asked.out / f"results-{asked.split}.json"
    if asked.split == "test" and results.exists():
        raise SystemExit(f"{results} exists: the split test is read once")
    release = open_release(make_release(asked.task, asked.out))
    arms: dict[str, dict[str, Any]] = tomllib.loads(asked.arms.read_text(encoding="utf-8"))
    if asked.run:
        run_one(release, preset_of(asked.task, arms, asked.run[0]), arms, asked, asked.run[0], int(asked.run[1]))
        return
    if spent(asked.out) > asked.minutes:
        raise SystemExit(f"{spent(asked.out):.0f} minutes of two cores are spent, and --minutes is {asked.minutes:g}")
    others = [(arm, seed) for seed in range(asked.seeds) for arm in arms if arm != BASE]
    for jobs in ([(BASE, 0)], others):
        with ThreadPoolExecutor(CORES) as pool:
            failed = [
                job for job, code in zip(jobs, pool.map(lambda one: started(asked, *one), jobs), strict=True) if code
            ]
        if failed:
            raise SystemExit(f"{len(failed)} of {len(jobs)} runs failed, {failed[0]} first; what they say stands above")
    told = gathered(release, preset_of(asked.task, arms, BASE), arms, asked)
    results.write_text(json.dumps(told, indent=2) + "\n")
    show(told, asked.minutes)


def preset_of(task: Path, arms: dict[str, dict[str, Any]], arm: str) -> Preset:
    """The task's preset as an arm changes it."""
    settings = {key: value for key, value in arms[arm].items() if key != "kind"}
    return changed(load_preset(HERE / read_task(task)["model"]["preset"]), settings)


def folder_of(out: Path, arm: str, seed: int) -> Path:
    """Where a run lies."""
    return out / f"{arm.replace(' ', '-')}-{seed}"


def started(asked: argparse.Namespace, arm: str, seed: int) -> int:
    """Trains and asks in a process on one thread; returns its exit code."""
    command = [sys.executable, __file__, "--task", str(asked.task), "--arms", str(asked.arms), "--out", str(asked.out)]
    command += ["--split", asked.split, "--run", arm, str(seed)]
    return subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}).returncode


def run_one(
    release: Release, preset: Preset, arms: dict[str, dict[str, Any]], asked: argparse.Namespace, arm: str, seed: int
) -> None:
    """One run, and its answers to the split."""
    from trainers import grpo, sft

    folder = folder_of(asked.out, arm, seed)
    cpu = asked.out / f"cpu-seed-{folder.name}.json"
    if arm != BASE:
        preset = replace(preset, model=str(folder_of(asked.out, BASE, 0)))
    with counted(cpu, "train"):
        job = sft.Job(release, release.name, preset, folder, seed, resume=True)
        {"sft": sft, "grpo": grpo}[arms[arm]["kind"]].train(job, lambda line: say(f"{folder.name}: {line}"))
    with counted(cpu, asked.split):
        answers(str(folder), release, preset, answered(asked.out, folder, asked.split), asked.split)


def answered(out: Path, folder: Path, split: str) -> Path:
    """Where the answers of a run lie."""
    return out / f"answers-{folder.name}-{split}"


def measured(release: Release, preset: Preset, folder: Path, out: Path, split: str) -> list[dict[str, Any]]:
    """What each answer of a run is worth, in the order of the samples' ids: SHOWN, with its category."""
    from trainers.evaluation.gold import gold_of_row
    from trainers.families import FAMILIES
    from trainers.rewards.reading import read
    from trainers.rewards.table import reward

    form = FAMILIES[preset.family].thinking[preset.thinking]
    golds = {row["sample_id"]: gold_of_row(row) for row in release.rows("grpo", split)}
    rows = []
    for row in answers(str(folder), release, preset, answered(out, folder, split), split):
        written, gold = read(row["completion"], form), golds[row["sample_id"]]
        paid = {
            "our reward": reward("plan", written, gold),
            "published reward": reward("plugin_selection_published", written, gold),
        }
        rows.append({**row, **paid})
    return sorted(rows, key=lambda row: str(row["sample_id"]))


def gathered(
    release: Release, preset: Preset, arms: dict[str, dict[str, Any]], asked: argparse.Namespace
) -> dict[str, Any]:
    """All results: each arm's means over its seeds, what ours has more than each other arm by category, the CPU time."""
    from trainers.run import read_run

    runs = {arm: [folder_of(asked.out, arm, seed) for seed in range(1 if arm == BASE else asked.seeds)] for arm in arms}
    rows = {
        arm: [measured(release, preset, folder, asked.out, asked.split) for folder in folders]
        for arm, folders in runs.items()
    }
    means = {arm: {metric: mean(seeds, metric) for metric in SHOWN} for arm, seeds in rows.items()}
    return {
        "task": read_task(asked.task)["name"],
        "digest": release.digest,
        "split": asked.split,
        "rows": release.splits[asked.split],
        "means": means,
        "by_category": {arm: by_category(seeds) for arm, seeds in rows.items()},
        "gaps": {arm: gaps(rows[OURS], seeds) for arm, seeds in rows.items() if arm != OURS},
        "cpu_seconds": {
            folder.name: json.loads((asked.out / f"cpu-seed-{folder.name}.json").read_text())
            for folders in runs.values()
            for folder in folders
        },
        "minutes_of_two_cores": round(spent(asked.out), 1),
        "runs": {
            folder.name: {key: (read_run(folder) or {}).get(key) for key in ("steps", "kept_step", "tokens", "metrics")}
            for folders in runs.values()
            for folder in folders
        },
    }


def values(rows: list[dict[str, Any]], metric: str) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """A metric of each row; NaN where it is not measured."""
    return np.array([float("nan") if row[metric] is None else float(row[metric]) for row in rows])


def mean(seeds: list[list[dict[str, Any]]], metric: str) -> list[float]:
    """Of each seed, over the rows that the metric measures."""
    return [round(float(np.nanmean(values(rows, metric))), 4) for rows in seeds]


def by_category(seeds: list[list[dict[str, Any]]]) -> dict[str, dict[str, list[float]]]:
    """The means of HELD over the rows of each category, seed by seed."""
    names = sorted({row["category"] for row in seeds[0]})
    return {
        name: {
            metric: mean([[row for row in rows if row["category"] == name] for rows in seeds], metric)
            for metric in HELD
        }
        for name in names
    }


def gaps(ours: list[list[dict[str, Any]]], others: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """What ours has more, paired by row: of HELD, over all rows and by category, with the 95% interval.

    A row's value is its mean over the seeds; the interval is of the rows. `seeds` has each seed's own difference.
    """
    from trainers.evaluation.statistics import compare

    names = [row["category"] for row in ours[0]]
    found: dict[str, Any] = {}
    for metric in HELD:
        mine = np.array([values(rows, metric) for rows in ours])
        theirs = np.array([values(rows, metric) for rows in others])
        for category in (ALL, *sorted(set(names))):
            held = np.array([category in (ALL, name) for name in names])
            told = compare(mine.mean(0)[held], theirs.mean(0)[held], False, 0)
            seeds = (mine - theirs)[:, held].mean(1)
            found.setdefault(metric, {})[category] = {
                "gap": told.mean,
                "low": told.low,
                "high": told.high,
                "rows": told.n,
                "seeds": [round(float(one), 4) for one in seeds],
                "beyond": told.is_real and bool((np.sign(seeds) == np.sign(seeds[0])).all()),
            }
    return found


def show(told: dict[str, Any], minutes: float) -> None:
    """Prints the tables."""
    print(f"{told['task']}, {told['rows']:,} rows of {told['split']}, {told['minutes_of_two_cores']} min of two cores")
    print(f"{'':12}" + "".join(f"{metric:>26}" for metric in SHOWN))
    for arm, means in told["means"].items():
        print(f"{arm:12}" + "".join(f"{spread(seeds):>26}" for seeds in means.values()))
    for metric in HELD:
        categories = list(next(iter(told["by_category"].values())))
        print(f"\n{metric} by category{'':8}" + "".join(f"{name:>26}" for name in categories))
        for arm, found in told["by_category"].items():
            print(f"  {arm:26}" + "".join(f"{spread(found[name][metric]):>26}" for name in categories))
        for arm, found in told["gaps"].items():
            print(f"  ours less {arm:16}" + "".join(f"{interval(found[metric][name]):>26}" for name in categories))
            print(f"  {'of all rows':26}{interval(found[metric][ALL]):>26}")
    for arm in told["means"]:
        seconds = [sum(v for k, v in cpu.items() if k == "train") for name, cpu in told["cpu_seconds"].items() if name.startswith(arm.replace(" ", "-"))]  # fmt: skip
        print(f"{arm}: {', '.join(f'{one / 60:.1f}' for one in seconds)} CPU minutes of training")
    if told["minutes_of_two_cores"] > minutes:
        print(f"over the budget of {minutes:g} minutes of two cores")


def spread(seeds: list[float]) -> str:
    """A mean with the least and the most of several seeds."""
    middle = sum(seeds) / len(seeds)
    return f"{middle:.3f}" if len(seeds) == 1 else f"{middle:.3f} ({min(seeds):.3f}-{max(seeds):.3f})"


def interval(found: dict[str, Any]) -> str:
    """A difference with its interval; a star where 0 lies beyond it and every seed says the same."""
    return f"{found['gap']:+.3f} ({found['low']:+.3f} {found['high']:+.3f}){'*' if found['beyond'] else ' '}"


if __name__ == "__main__":
    main()
