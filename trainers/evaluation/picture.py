"""The figures as a picture: each measure and each category with its interval, two models side by side."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from trainers.evaluation import results
from trainers.evaluation.metrics import FIELD, ORCHESTRATOR, PLANNER
from trainers.evaluation.summary import CATEGORIES, OTHERS, SCORE, main_pool
from trainers.evaluation.tables import LABELS

PICTURE = "evaluation.png"
COLOURS = ("#0072b2", "#d55e00")  # of Okabe and Ito: told apart by all eyes, and in grey
SHIFT = 0.17  # how far two models' marks of one row stand from its middle
INK, FAINT = "#222222", "#d9d9d9"

Figures = Mapping[str, Any]
Line = tuple[str, list[Figures | None]]  # label, the estimate of each model


def picture(summaries: Sequence[Figures], names: Sequence[str]) -> bytes:
    """A PNG of one or two models' figures, called by `names`.

    Left the measures, right the categories, both in the pool that stands for the evaluation; below these the pools.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    pool = main_pool(summaries[0]["pools"])
    figures = [summary["pools"][pool] for summary in summaries]
    panels = {
        "measures": ("Measures", measures(figures)),
        "categories": ("Mean of the orchestrator's six, by category", categories(figures)),
        "pools": ("The same, by number of candidates", pools([summary["pools"] for summary in summaries])),
    }
    above, below = (len(panels[name][1]) + 1 for name in ("categories", "pools"))
    canvas = Figure(figsize=(12.5, 0.33 * len(panels["measures"][1]) + 1.6), dpi=150, layout="constrained")
    places: Any = [["measures", "categories"], ["measures", "pools"]]
    for name, axes in canvas.subplot_mosaic(places, width_ratios=(1.15, 1), height_ratios=(above, below)).items():
        title, lines = panels[name]
        draw(axes, lines, title)
    release = summaries[0]["release"]
    title = f"{release['name']} {release['version']}, {release['split']}, pool {pool}: mean and 95% interval"
    canvas.suptitle(title, x=0.01, ha="left", fontsize=13, color=INK)
    told = [f"{name} (n={one['n']:,})" for name, one in zip(names, figures, strict=True)]
    handles = [Line2D([], [], marker="o", color=colour) for colour in COLOURS[: len(told)]]
    canvas.legend(handles, told, loc="outside lower left", ncols=2, frameon=False, fontsize=10)
    held = BytesIO()
    canvas.savefig(held, format="png", metadata={"Software": None})
    return held.getvalue()


def name_of(model: str) -> str:
    """A model's name, without where it lies."""
    return model.rstrip("/").rsplit("/", 1)[-1]


def measures(figures: Sequence[Figures]) -> list[Line]:
    """Both published tables and the field's, in the order of the terminal."""
    names = dict.fromkeys((*ORCHESTRATOR, *PLANNER, "composite", *FIELD))
    return [(LABELS[name], [one["metrics"][name] for one in figures]) for name in names]


def categories(figures: Sequence[Figures]) -> list[Line]:
    """The categories that have rows, then the mean of the published five."""
    there = [name for name in (*CATEGORIES, *OTHERS) if any(name in one["categories"] for one in figures)]
    lines: list[Line] = [
        (name, [one["categories"][name]["metrics"][SCORE] if name in one["categories"] else None for one in figures])
        for name in there
    ]
    return [*lines, ("mean of the five", [one["mean"] for one in figures])]


def pools(summaries: Sequence[Figures]) -> list[Line]:
    """The pools that both models were asked in."""
    shared = [pool for pool in summaries[0] if all(pool in one for one in summaries)]
    return [(f"pool {pool}", [one[pool]["metrics"][SCORE] for one in summaries]) for pool in shared]


def draw(axes: Any, lines: Sequence[Line], title: str) -> None:
    """One panel: a row for each line, from top to bottom, with n at the right edge."""
    for place, (_, found) in enumerate(lines):
        for model, one in enumerate(found):
            if one is None or one["mean"] is None:
                continue
            at = place + (SHIFT * (2 * model - 1) if len(found) > 1 else 0)
            mean, low, high = (100 * one[key] for key in ("mean", "low", "high"))
            axes.errorbar(
                mean, at, xerr=[[max(0, mean - low)], [max(0, high - mean)]], fmt="o", ms=5, lw=1.6, capsize=2.5,
                color=COLOURS[model % len(COLOURS)],
            )  # fmt: skip
        sizes = sorted({one["n"] for one in found if one is not None})
        said = f"n={sizes[0]:,}" if len(sizes) == 1 else f"n={sizes[0]:,}–{sizes[-1]:,}" if sizes else ""
        axes.annotate(said, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8, color="#666666")
    axes.set_yticks(range(len(lines)), [label for label, _ in lines], fontsize=9.5, color=INK)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlim(-2, 102)
    axes.set_xlabel("percent", fontsize=9, color=INK)
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.grid(axis="x", color=FAINT, lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def write_picture(folder: Path, summaries: Sequence[Figures], names: Sequence[str]) -> Path:
    """Draws and writes the picture."""
    results.write(folder / PICTURE, picture(summaries, names))
    return folder / PICTURE
