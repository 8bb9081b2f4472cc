"""How often a search keeps a change that changes nothing: `python benchmarks/search_null.py`.

Trains tiny models that differ by their seed alone, as the trials of a search are trained, and asks each for the plans
that a search measures on. From their scores it draws searches in which no trial is better than another, and counts in
how many of them a trial is kept, by each of RULES; then trials that are better by a known gain, and counts how many of
those are kept. Models stay below --out, and the same command goes on after a kill.
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import polars as pl

import curation
from benchmarks.plan_task import read_task, small_plugin
from curation.recipe import Release as Settings
from curation.registry import bundled_plugins
from curation.release.build import build, folder_name
from curation.release.facts import Facts, Funnel, JudgeFacts
from curation.synthesis import Catalogue, parse_mix, synthesize
from curation.synthesis.selfcheck import sample_rows
from trainers.evaluation.statistics import Column, resampled
from trainers.presets import Preset, changed, load_preset
from trainers.release import Release, open_release
from trainers.search.deciding import DRAWS, WRONG, gains
from trainers.search.halves import halves
from trainers.search.trial import Order, scores, trained

TASK = Path(__file__).parent / "tasks" / "search_null.toml"
AT = datetime(2026, 11, 26, tzinfo=UTC)
GAINS = (0.02, 0.05, 0.10)  # how much better a trial is that should be kept


def higher(trials: Sequence[Column], best: Column, seed: int) -> list[bool]:
    """The mean is higher: what a ratchet without statistics asks."""
    return [bool(trial.mean() > best.mean()) for trial in trials]


def plans_alone(trials: Sequence[Column], best: Column, seed: int) -> list[bool]:
    """A paired bootstrap over plans alone, at 0.05 for each trial."""
    return [bool(share < WRONG) for share in _no_gain(trials, best, seed)]


def plans_shared(trials: Sequence[Column], best: Column, seed: int) -> list[bool]:
    """The same, with 0.05 shared among the trials."""
    return [bool(share < WRONG / len(trials)) for share in _no_gain(trials, best, seed)]


def ours(trials: Sequence[Column], best: Column, seed: int) -> list[bool]:
    """The rule of `curation search`."""
    return [found.convinces(len(trials)) for found in gains(trials, best, seed)]


def _no_gain(trials: Sequence[Column], best: Column, seed: int) -> Column:
    """The share of the resamples of plans in which a trial gains nothing, for each."""
    gaps = np.column_stack([(trial - best).mean(axis=1) for trial in trials])
    share: Column = (resampled(gaps, seed, DRAWS) <= 0).mean(axis=0)
    return share


Rule = Callable[[Sequence[Column], Column, int], list[bool]]
RULES: dict[str, Rule] = {
    "the higher mean": higher,
    "bootstrap over plans": plans_alone,
    "bootstrap over plans, 0.05 shared": plans_shared,
    "curation search": ours,
}


def main() -> None:
    """Trains what is missing, draws the searches, prints a table, writes results.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/search_null"))
    parser.add_argument("--models", type=int, default=24)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=3, help="models of a trial")
    parser.add_argument("--searches", type=int, default=200)
    asked = parser.parse_args()
    table = scored(read_task(TASK), asked.out, asked.models)
    told = counted(table, asked.trials, asked.seeds, asked.searches)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "results.json").write_text(json.dumps(told, indent=2) + "\n")
    print(said(told))


def release_of(task: dict[str, Any], out: Path) -> Release:
    """The task's release below `out`, made once."""
    asked, sizes = task["requests"], task["splits"]
    folder = out / folder_name(task["name"], "1.0.0")
    if folder.exists():
        return open_release(folder)
    made = [small for plugin in bundled_plugins() if (small := small_plugin(plugin, task["plugins"]))]
    chosen = sorted(made, key=lambda plugin: hashlib.blake2b(plugin["pluginId"].encode()).digest())
    catalogue = Catalogue.of(chosen[: task["plugins"]["most"]])
    traces = list(synthesize(catalogue, asked["count"], asked["seed"], parse_mix(asked["mix"])))
    for trace in traces:
        trace["messages"][-1]["content"] = trace["messages"][-1]["content"].split("</think>\n", 1)[1]
    samples = sample_rows(traces).unique("sample_id", maintain_order=True)
    held = ["test"] * sizes["test"] + ["validation"] * sizes["validation"]
    split = pl.Series("split", held + ["train"] * (samples.height - len(held)))
    facts = Facts(
        task["name"], "1.0.0", None, TASK.read_text(encoding="utf-8"), curation.__version__, "apache-2.0", (),
        JudgeFacts("none", "none", "none", 0.0, True), Funnel(samples.height, 0, 0, samples.height, (), samples.height),
        "The release of a benchmark.",
    )  # fmt: skip
    settings = Settings(to=str(out), licence="apache-2.0", candidates_per_prompt=asked["candidates"])
    whole = samples.with_columns(overall=pl.lit(None, pl.Float64))
    return open_release(build(folder, whole, samples.select("sample_id", split), facts, settings, AT).folder)


def scored(task: dict[str, Any], out: Path, models: int) -> Column:
    """What each model earns for each plan, (plans, models): they differ by their seed alone."""
    learned, asked = halves(release_of(task, out), out / "halves")
    base = load_preset(f"tiny-{task['model']['family']}", task["model"]["preset"])
    first = _trained(base, task["model"]["first"], "random", 0, learned, out / "first")
    columns = []
    for seed in range(models):
        kept = out / f"scores-{seed}.parquet"
        if not kept.exists():
            model = _trained(base, task["model"]["again"], str(first), seed, learned, out / f"model-{seed}")
            table = scores(model, asked, "validation", base, out / f"answers-{seed}")
            table.write_parquet(kept)
            print(f"model {seed + 1} of {models}: plan {table['plan'].mean():.3f}", file=sys.stderr, flush=True)
            shutil.rmtree(out / f"model-{seed}")  # nobody asks it again
        columns.append(pl.read_parquet(kept).sort("sample_id")["plan"].to_numpy())
    return np.column_stack(columns).astype(np.float64)


def _trained(base: Preset, changes: list[str], model: str, seed: int, release: Release, folder: Path) -> Path:
    settings: dict[str, Any] = {"model": model}
    for change in changes:
        key, _, value = change.partition("=")
        settings[key] = json.loads(value)
    return trained(Order("sft", changed(base, settings), seed, release, folder), False, lambda line: None)


def searches(table: Column, trials: int, seeds: int, number: int) -> Iterator[tuple[Column, list[Column]]]:
    """(the preset as it is, its trials): different models each time, all of the same setting."""
    models = table.shape[1]
    for search in range(number):
        dice = np.random.default_rng(search)
        order = dice.permutation(models)
        others = order[seeds:]
        yield (
            table[:, order[:seeds]],
            [table[:, dice.choice(others, seeds, replace=False)] for _ in range(trials)],
        )


def bettered(trial: Column, gain: float, dice: np.random.Generator) -> Column:
    """The trial where plans that are not right are, in every model, so often that it earns `gain` more on average."""
    share = gain / (1 - trial.mean())
    mended = dice.random((trial.shape[0], 1)) < share
    return np.where(mended, 1.0, trial)


def counted(table: Column, trials: int, seeds: int, number: int) -> dict[str, Any]:
    """In how many searches each rule keeps a trial that is no better; how many it keeps that are better by GAINS."""
    if table.shape[1] < 2 * seeds:
        raise SystemExit(f"{table.shape[1]} models are too few for trials of {seeds}; set --models {2 * seeds} or more")
    fooled = dict.fromkeys(RULES, 0)
    found = {name: dict.fromkeys(map(str, GAINS), 0) for name in RULES}
    for search, (start, others) in enumerate(searches(table, trials, seeds, number)):
        dice = np.random.default_rng(search)
        better = [bettered(others[i], gain, dice) for i, gain in enumerate(GAINS)]
        for name, rule in RULES.items():
            fooled[name] += any(rule(others, start, search))
            kept = rule([*better, *others[len(better) :]], start, search)
            for i, gain in enumerate(GAINS):
                found[name][str(gain)] += kept[i]
    means = table.mean(axis=0)
    return {
        "plans": table.shape[0], "models": table.shape[1], "trials": trials, "seeds": seeds, "searches": number,
        "mean": float(means.mean()), "spread_of_seeds": float(means.std(ddof=1)),
        "fooled": {name: count / number for name, count in fooled.items()},
        "found": {name: {gain: n / number for gain, n in row.items()} for name, row in found.items()},
    }  # fmt: skip


def said(told: dict[str, Any]) -> str:
    """The figures as a table in Markdown."""
    lines = [
        f"{told['searches']} searches of {told['trials']} trials with {told['seeds']} of {told['models']} models, "
        f"{told['plans']} plans; plan {told['mean']:.3f}, which differs by {told['spread_of_seeds']:.3f} from seed to seed "
        "(standard deviation)",
        "",
        "| a trial is kept by | searches that keep what is no better | "
        + " | ".join(f"kept of +{gain:.2f}" for gain in GAINS)
        + " |",
        "|---|---:|" + "---:|" * len(GAINS),
    ]
    for name in RULES:
        kept = " | ".join(f"{told['found'][name][str(gain)]:.0%}" for gain in GAINS)
        lines.append(f"| {name} | {told['fooled'][name]:.0%} | {kept} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
