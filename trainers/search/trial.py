"""One trial: the same seeds trained under its settings, each model asked for the same plans, each plan's worth noted.

As a program it makes one model of a trial in a process of its own: `python -m trainers.search.trial ORDER`.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from curation.errors import CurationError, InputError, MachineError, Stopped
from trainers.evaluation.gold import gold_of_row
from trainers.evaluation.metrics import METRICS
from trainers.families import FAMILIES
from trainers.machine import TooLittleMemoryError
from trainers.presets import Preset, load_preset, preset_toml
from trainers.release import Release, open_release
from trainers.rewards.reading import read
from trainers.rewards.table import reward
from trainers.run import put, read_run

MODEL, ANSWERS, ORDER = "model-seed-{}", "answers-{}-seed-{}", "order-seed-{}"
WEIGHTS = ("*.safetensors", "checkpoints", "best-*")  # what is large in a run's folder
MEASURES = ("plan", "plan_exact")
KILLED = -9  # what a process is ended with by a person, or by a machine without memory

Say = Callable[[str], None]


class FailedError(CurationError):
    """A trial's settings cannot be trained with; the search notes it and goes on."""


@dataclass(frozen=True)
class Order:
    """What is to be trained: by whom (`sft` or `grpo`), under which preset, with which seed, from which release, where."""

    train: str
    preset: Preset
    seed: int
    release: Release
    folder: Path


def has_gpu() -> bool:
    """Whether models will be trained on a GPU."""
    import torch

    found: bool = torch.cuda.is_available()
    return found


def trained(order: Order, apart: bool, say: Say) -> Path:
    """The folder of the finished model, made where it is not; `apart`: in a process of its own.

    Raises FailedError where the settings are to blame, another CurationError where they are not.
    """
    found = read_run(order.folder)
    if found is None or found["state"] != "finished":
        (_apart if apart else _here)(order, say)
    return order.folder


def _here(order: Order, say: Say) -> None:
    from trainers import grpo, sft
    from trainers.loop import NotFiniteError

    train = {"grpo": grpo.train, "sft": sft.train}[order.train]
    try:
        train(sft.Job(order.release, str(order.release.path), order.preset, order.folder, order.seed, True), say)
    except (NotFiniteError, TooLittleMemoryError, InputError) as error:
        raise FailedError(str(error)) from error


def _apart(order: Order, say: Say) -> None:
    """So that the memory of a GPU is free afterwards, and a crash of its driver ends one trial and not the search."""
    home = order.folder.with_name(ORDER.format(order.seed))
    home.mkdir(parents=True, exist_ok=True)
    (home / "preset.toml").write_text(preset_toml(order.preset), encoding="utf-8")
    told = {"train": order.train, "seed": order.seed, "release": str(order.release.path), "folder": str(order.folder)}
    put(home / "order.json", json.dumps(told))
    command = [sys.executable, "-m", "trainers.search.trial", str(home)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    last = ""
    for line in child.stderr or ():
        last = line.strip() or last
        say(line.rstrip())
    out = child.communicate()[0].splitlines()
    outcome = json.loads(out[-1]) if child.returncode == 0 and out else None
    if outcome is None:
        require_own_fault(child.returncode, last)
    elif outcome["fault"] == "settings":
        raise FailedError(outcome["why"])
    elif outcome["fault"] is not None:
        raise MachineError(outcome["why"])


def require_own_fault(code: int, last: str) -> None:
    """Raises FailedError for a process that crashed, MachineError for one that was killed."""
    if code == KILLED:
        raise MachineError("a trial was killed from outside, or for want of memory; the same command goes on from here")
    raise FailedError(f"it ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}: {last[:300]}")


def main(home: Path) -> None:
    """Makes the model that is ordered in a folder, and prints how that went as JSON; ends when its parent does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    told = json.loads((home / "order.json").read_text())
    preset = load_preset(home / "preset.toml")
    order = Order(told["train"], preset, told["seed"], open_release(told["release"]), Path(told["folder"]))
    outcome: dict[str, Any] = {"fault": None, "why": None}
    try:
        _here(order, lambda line: print(line, file=sys.stderr, flush=True))
    except FailedError as error:
        outcome = {"fault": "settings", "why": str(error)}
    except CurationError as error:
        outcome = {"fault": "other", "why": str(error)}
    print(json.dumps(outcome), flush=True)


def _end_with_parent() -> None:
    """The parent holds the other end of stdin: where that closes, it is gone, and nobody waits for this."""
    sys.stdin.read()
    os._exit(Stopped.exit_code)


def scores(model: Path, release: Release, split: str, preset: Preset, folder: Path) -> pl.DataFrame:
    """One row a plan, by sample_id: MEASURES of a model's answer. What was answered is not asked again.

    `plan` is what our reward pays in its last stage, whatever was trained on; `plan_exact` is 1 for a right plan.
    """
    from trainers.evaluate import Job, evaluate
    from trainers.run import preset_of

    own = preset_of(model)
    asked = replace(preset, system=own.system, thinking=own.thinking)
    table, _ = evaluate(Job(str(model), release, asked, split, pools=("own",), out=folder))
    _empty_cache()
    golds = {row["sample_id"]: gold_of_row(row) for row in release.rows("grpo", split)}
    form = FAMILIES[asked.family].thinking[asked.thinking]
    rows = []
    for sample, text in table.select("sample_id", "completion").iter_rows():
        written = read(text, form)
        exact = METRICS["plan_exact"](written.answer, golds[sample])
        rows.append((sample, reward("plan", written, golds[sample]), exact or 0.0))
    return pl.DataFrame(rows, schema=["sample_id", *MEASURES], orient="row").sort("sample_id")


def _empty_cache() -> None:
    """Gives back the GPU's memory that torch still holds: the next model is trained by another process."""
    import torch

    torch.cuda.empty_cache()


def without_weights(folder: Path) -> None:
    """Removes what is large of a trial's models: nobody will ask them again, and their metrics stay."""
    for pattern in WEIGHTS:
        for path in folder.glob(f"{MODEL.format('*')}/{pattern}"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
