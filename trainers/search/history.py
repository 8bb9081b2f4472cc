"""What a search has tried so far: a folder for each trial, whose trial.json says what was changed and what came of it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from trainers.run import put
from trainers.search.deciding import Gain
from trainers.search.space import Settings

TRIALS, TRIAL = "trials", "trial.json"
PROPOSED, MEASURED, FAILED = "proposed", "measured", "failed"
START = "the preset as it is"


@dataclass(frozen=True)
class Proposal:
    """All settings of a trial to be made, and why, by whom."""

    settings: Settings
    hypothesis: str
    by: str


class Proposer(Protocol):
    """Who says what to try next."""

    def propose(self, trials: Sequence["Trial"]) -> Proposal:
        """The next trial's settings, none that were tried; the same again for the same trials."""


@dataclass(frozen=True)
class Trial:
    """One trial. The first, number 0, is the preset as it is.

    `against`: the number of the best before it; `plan` and `exact`: means over plans and seeds on the search split;
    `gain`: over that best; `why`: how it failed; `tokens` and `seconds`: of training, all seeds together.
    """

    number: int
    settings: Settings
    hypothesis: str
    by: str
    state: str = PROPOSED
    against: int | None = None
    plan: float | None = None
    exact: float | None = None
    gain: Gain | None = None
    kept: bool = False
    why: str | None = None
    tokens: int | None = None
    seconds: float | None = None


def folder_of(out: Path, number: int) -> Path:
    """Where a trial's models and answers are."""
    return out / TRIALS / f"{number:03d}"


def write(out: Path, trial: Trial) -> None:
    """Puts trial.json in place, whole or not at all."""
    folder = folder_of(out, trial.number)
    folder.mkdir(parents=True, exist_ok=True)
    put(folder / TRIAL, json.dumps(asdict(trial), indent=2, ensure_ascii=False) + "\n")


def read(out: Path) -> list[Trial]:
    """The trials so far, in order; the last one may not be decided yet."""
    found: list[Trial] = []
    while (path := folder_of(out, len(found)) / TRIAL).exists():
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        told["gain"] = None if told["gain"] is None else Gain(**told["gain"])
        found.append(Trial(**told))
    return found


def best(trials: Sequence[Trial]) -> Trial:
    """The last that was kept."""
    return next(trial for trial in reversed(trials) if trial.kept)


def changes(trial: Trial, before: Trial) -> Settings:
    """The settings in which a trial differs from another."""
    return {key: value for key, value in trial.settings.items() if value != before.settings[key]}
