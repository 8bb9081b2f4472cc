"""The trials of a search as a table: in the terminal, and on the page that lies in the search's folder."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from rich.table import Table

from trainers.run import put
from trainers.search.history import MEASURED, Trial, best, changes
from trainers.search.picture import PICTURE

PAGE = "README.md"
HEADINGS = ("trial", "changed", "plan", "exactly right", "gain", "p", "kept", "tokens")


def cells(trial: Trial, trials: Sequence[Trial]) -> tuple[str, ...]:
    """A trial as a row below HEADINGS."""
    changed = "–" if trial.against is None else said(trial, trials[trial.against])
    if trial.state != MEASURED or trial.plan is None or trial.exact is None:
        return (str(trial.number), changed, trial.state, "–", "–", "–", "–", "–")
    gain = p = "–"
    if trial.gain is not None:
        gain = f"{trial.gain.mean:+.3f} [{trial.gain.low:+.3f}, {trial.gain.high:+.3f}]"
        p = f"{trial.gain.p:.4f}"
    kept = "yes" if trial.kept else "no"
    return (str(trial.number), changed, f"{trial.plan:.3f}", f"{trial.exact:.1%}", gain, p, kept, f"{trial.tokens:,}")


def said(trial: Trial, before: Trial) -> str:
    """What a trial changed."""
    return ", ".join(f"{key} {before.settings[key]} → {value}" for key, value in changes(trial, before).items())


def table(trials: Sequence[Trial]) -> Table:
    """For the terminal."""
    made = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        made.add_column(heading, justify="left" if heading == "changed" else "right", overflow="fold")
    for trial in trials:
        made.add_row(*cells(trial, trials))
    return made


def verdict(told: Mapping[str, Any], trials: Sequence[Trial]) -> str:
    """What came of the search, in one sentence."""
    leading = best(trials)
    if told["state"] != "finished":
        return f"The search goes on; the best of {len(trials)} trials so far is trial {leading.number}."
    if leading.number == 0:
        return "No trial is sure to be better than the preset as it is: it stays, and the split test was not read."
    found = told["confirmation"]
    if "why" in found:
        return (
            f"Trial {leading.number} is not confirmed: stay with the preset as it is. With seeds that no trial had, trial "
            f"{found['failed']} failed: {found['why']}"
        )
    gain = found["plan"]["gain"]
    what = "is confirmed" if found["confirmed"] else "is not confirmed: stay with the preset as it is"
    return (
        f"Trial {leading.number} {what}. On {found['plans']:,} plans of the split test, with seeds that no trial had: plan "
        f"{found['plan']['best']:.3f} against {found['plan']['preset']:.3f}, {gain['mean']:+.3f} "
        f"[{gain['low']:+.3f}, {gain['high']:+.3f}]."
    )


def write_page(out: Path, told: Mapping[str, Any], trials: Sequence[Trial]) -> None:
    """The page with table, picture and what they mean."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *(cells(trial, trials) for trial in trials)]
    release = told["release"]
    values = {
        "release": f"{release['name']} {release['version']}",
        "preset": told["preset"]["name"],
        "space": told["space"]["name"],
        "trials": told["trials"],
        "seeds": told["seeds"],
        "by": told["proposer"],
        "verdict": verdict(told, trials),
        "picture": PICTURE,
        "table": "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows),
        "why": "\n".join(
            f"- trial {trial.number}: {trial.hypothesis}" + (f" It failed: {trial.why}" if trial.why else "")
            for trial in trials
        ),
    }
    put(out / PAGE, Template((files("trainers.search") / "page.md").read_text(encoding="utf-8")).substitute(values))
