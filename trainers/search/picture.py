"""The trials of a search as a picture: what each earned, and how the best moved."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from trainers.evaluation import results
from trainers.evaluation.picture import COLOURS, FAINT, INK
from trainers.search.history import FAILED, Trial

PICTURE = "search.png"


def picture(trials: Sequence[Trial]) -> bytes:
    """A PNG: above, what the models of each trial earn, kept ones filled, and the best as a line; below, the gains."""
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(10, 6.5), dpi=150, layout="constrained")
    above, below = canvas.subplots(2, 1, sharex=True)
    measured = [trial for trial in trials if trial.plan is not None]
    for kept, face in ((True, COLOURS[0]), (False, "white")):
        chosen = [trial for trial in measured if trial.kept is kept]
        label = "kept" if kept else "not kept"
        numbers, worths = [trial.number for trial in chosen], [trial.plan for trial in chosen]
        above.plot(numbers, worths, "o", mfc=face, mec=COLOURS[0], label=label)
    steps = [(trial.number, trial.plan) for trial in measured if trial.kept]
    steps.append((len(trials) - 1, steps[-1][1])) if steps else None
    above.step([at for at, _ in steps], [worth for _, worth in steps], where="post", color=COLOURS[0], lw=1.2)
    for trial in trials:
        if trial.state == FAILED:
            above.annotate("failed", (trial.number, 0.02), xycoords=("data", "axes fraction"), ha="center", fontsize=8)
    for trial in measured:
        if trial.gain is not None:
            mean, low, high = (100 * end for end in (trial.gain.mean, trial.gain.low, trial.gain.high))
            spread = [[max(0.0, mean - low)], [max(0.0, high - mean)]]
            below.errorbar(trial.number, mean, yerr=spread, fmt="o", ms=4, capsize=2.5, color=COLOURS[not trial.kept])
    below.axhline(0, color=INK, lw=0.8)
    _dress(above, "Worth of a plan on the search split, mean over plans and seeds", "")
    _dress(below, "Gain over the best before it, in points, with its 95% interval", "trial")
    above.legend(frameon=False, loc="best", fontsize=9) if measured else None
    held = BytesIO()
    canvas.savefig(held, format="png", metadata={"Software": None})
    return held.getvalue()


def _dress(axes: Any, title: str, beneath: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.set_xlabel(beneath, fontsize=9, color=INK)
    axes.grid(axis="y", color=FAINT, lw=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.get_major_locator().set_params(integer=True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def write_picture(out: Path, trials: Sequence[Trial]) -> None:
    """Draws and writes the picture, whole."""
    results.write(out / PICTURE, picture(trials))
