"""The figures of an evaluation: every metric by pool, category and difficulty, with intervals and what was published."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl

from trainers.evaluation.field import COUNTED
from trainers.evaluation.metrics import BINARY, COUNTS, NAMES
from trainers.evaluation.pools import OWN
from trainers.evaluation.statistics import (
    Column,
    Difference,
    Estimate,
    compare,
    ends,
    estimate,
    fisher,
    mean_of,
    resampled,
    wilson,
)

# The categories of the published table; its mean is that of these.
CATEGORIES = ("1_step", "2_step", "3_step", "4_step", "multi_turn")
OTHERS = ("0_step", "5+_step")
# The least and the most steps of each difficulty; the published table ends with medium.
DIFFICULTIES = {"easy": (1, 1), "medium": (2, 3), "hard": (4, 2**31 - 1)}
BY_DIFFICULTY = ("json_valid", "real_ids", "correct_plugin_ids")
SCORE = "orchestrator_score"

Figures = dict[str, Any]


@cache
def published() -> Figures:
    """The published figures (published.toml)."""
    return tomllib.loads((files(__package__) / "published.toml").read_text(encoding="utf-8"))


def summarise(table: pl.DataFrame, seed: int) -> dict[str, Figures]:
    """pool -> its figures, of a table of results."""
    pools = table["pool"].unique(maintain_order=True).to_list()
    return {pool: _of_pool(table.filter(pool=pool), seed) for pool in pools}


def _of_pool(table: pl.DataFrame, seed: int) -> Figures:
    measured = columns(table, (*NAMES, *COUNTS))
    drawn = resampled(measured, seed)
    estimates = {name: estimate(measured[:, i], drawn[:, i]) for i, name in enumerate(NAMES)}
    means = dict(zip((*NAMES, *COUNTS), drawn.T, strict=True))
    totals = dict(zip(COUNTS, measured[:, len(NAMES) :].sum(axis=0), strict=True))
    categories, middle = _by_category(table, seed)
    return {
        "n": table.height,
        "candidates": table["candidates"].mean(),
        "metrics": {name: asdict(one) for name, one in estimates.items()},
        "micro": {name: asdict(_micro(name, totals, means, table.height)) for name in COUNTED},
        "mean": asdict(middle),
        "categories": categories,
        "difficulty": {
            name: _group(table.filter(pl.col("n_steps").is_between(*bounds)), BY_DIFFICULTY, seed)
            for name, bounds in DIFFICULTIES.items()
        },
        "problems": dict(sorted(table["problem"].drop_nulls().value_counts().iter_rows())),
        "cut_off": int((table["finish"] == "length").sum()),
    }


def _by_category(table: pl.DataFrame, seed: int) -> tuple[dict[str, Figures], Estimate]:
    """The figures of each category that has rows, and the mean of the published categories' scores."""
    told: dict[str, Figures] = {}
    groups: list[Estimate] = []
    means: list[Column] = []
    for place, category in enumerate((*CATEGORIES, *OTHERS)):
        rows = table.filter(category=category)
        if rows.height:
            measured = columns(rows, NAMES)
            drawn = resampled(measured, seed + place)
            found = {name: estimate(measured[:, i], drawn[:, i]) for i, name in enumerate(NAMES)}
            told[category] = {"n": rows.height, "metrics": {name: asdict(one) for name, one in found.items()}}
            if category in CATEGORIES:
                groups.append(found[SCORE])
                means.append(drawn[:, NAMES.index(SCORE)])
    return told, mean_of(groups, means)


def _group(rows: pl.DataFrame, names: tuple[str, ...], seed: int) -> Figures:
    measured = columns(rows, names)
    drawn = resampled(measured, seed)
    found = {name: asdict(estimate(measured[:, i], drawn[:, i])) for i, name in enumerate(names)}
    return {"n": rows.height, "metrics": found}


def _micro(name: str, totals: Mapping[str, float], means: Mapping[str, Column], n: int) -> Estimate:
    """The F1 score over all plans at once, as TaskBench counts; None where no plan has any of what it counts."""
    both, said, wanted = (f"{name}_{part}" for part in ("both", "said", "wanted"))
    if not totals[wanted]:
        return Estimate(n, None, None, None)
    share = float(2 * totals[both] / (totals[said] + totals[wanted]))
    if share in (0.0, 1.0):
        return Estimate(n, share, *wilson(round(share * n), n))
    with np.errstate(invalid="ignore"):  # a resample without any: left out
        drawn = 2 * means[both] / (means[said] + means[wanted])
    return Estimate(n, share, *ends(drawn))


def columns(table: pl.DataFrame, names: tuple[str, ...]) -> Column:
    """The columns as one matrix; what was not measured is NaN."""
    return np.array(table.select(pl.col(names).cast(pl.Float64).fill_null(float("nan"))).to_numpy(), dtype=np.float64)


def against(first: pl.DataFrame, second: pl.DataFrame, seed: int) -> dict[str, Figures]:
    """pool -> what the first model has more than the second, on the samples that both were asked in that pool."""
    told: dict[str, Figures] = {}
    names = (*NAMES, "sample_id", "pool", "category")
    both = first.select(names).join(second.select("sample_id", "pool", *NAMES), on=["sample_id", "pool"], how="inner")
    for pool in both["pool"].unique(maintain_order=True).to_list():
        rows = both.filter(pool=pool)
        one, other = columns(rows, NAMES), columns(rows, tuple(f"{name}_right" for name in NAMES))
        told[pool] = {
            name: asdict(found) | {"is_real": found.is_real}
            for i, name in enumerate(NAMES)
            if (found := _compared(one[:, i], other[:, i], name, seed))
        }
    return told


def _compared(one: Column, other: Column, name: str, seed: int) -> Difference:
    return compare(one, other, name in BINARY, seed)


def beside_published(figures: Figures) -> dict[str, Figures]:
    """table -> metric -> system -> its published figure, and Fisher's p-value of the difference to ours.

    Of measures that are 0 or 1 alone: the others' spread was not published.
    """
    told: dict[str, Figures] = {}
    for table, known in published().items():
        told[table] = {}
        for name, systems in known["metrics"].items():
            ours = figures["metrics"][name]
            told[table][name] = {
                system: {
                    "n": known["n"],
                    "mean": value / 100,
                    "p": _p(ours, value / 100, known["n"]) if name in BINARY and ours["n"] else None,
                }
                for system, value in systems.items()
            }
    return told


def _p(ours: Mapping[str, Any], share: float, n: int) -> float:
    return fisher(round(ours["mean"] * ours["n"]), ours["n"], round(share * n), n)


def main_pool(pools: Mapping[str, Any]) -> str:
    """The pool whose figures stand for the evaluation: the row's own, else the first."""
    return OWN if OWN in pools else next(iter(pools))
