"""Trains from a published version as a Prefect flow on the GPU box: trainer and evaluation run as processes of their own."""

import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from curation.errors import CurationError, ServiceError, Stopped
from curation.release.targets.models import ModelRepository
from flows import announcing, recording
from flows.morning import key_of
from warehouse import Store, StoreError

LINES = 30  # of the curve that the artifact shows: what fits on a screen
HERE = ("checkpoints/*", ".*", ".*/*")  # what is not pushed: it serves to go on with the run
LAST = 2_000  # characters of a failed command's stderr that are told


@task(task_run_name="{words[0]} {words[1]}", cache_policy=NO_CACHE)
def command(words: list[str]) -> None:
    """Runs `curation …`. Raises ServiceError with its last words where it fails, Stopped where it was stopped on purpose."""
    done = subprocess.run([sys.executable, "-m", "curation.cli", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        kind = Stopped if done.returncode == Stopped.exit_code else ServiceError
        raise kind(f"curation {words[0]} {words[1]} ended with {done.returncode}: {done.stderr[-LAST:].strip()}")


@flow(name="train-sft", flow_run_name="train {name} {version}")
def train_sft(
    name: str,
    version: str,
    reference: str,
    preset: str,
    model: str = "",
    runs: str = "runs",
    warehouse: str = "",
    push_to: str = "",
) -> str | State[Any]:
    """Fine-tunes from a release; returns the run's folder. See `trained`."""
    return ended("sft", name, version, reference, preset, model, runs, warehouse, push_to)


@flow(name="train-grpo", flow_run_name="improve on {name} {version}")
def train_grpo(
    name: str,
    version: str,
    reference: str,
    preset: str,
    model: str = "",
    runs: str = "runs",
    warehouse: str = "",
    push_to: str = "",
) -> str | State[Any]:
    """Improves a model by rewards; returns the run's folder. See `trained`."""
    return ended("grpo", name, version, reference, preset, model, runs, warehouse, push_to)


def ended(kind: str, name: str, version: str, *given: str) -> str | State[Any]:
    """`trained`, with an end that says what needs a person: Worse and Skipped are states of their own, a failure is a sentence."""
    log = get_run_logger()
    try:
        out, regressions = trained(kind, name, version, *given)
    except Stopped as error:
        log.warning(str(error))
        return Completed(name="Skipped", message=str(error))
    except (CurationError, StoreError) as error:
        return Failed(message=str(error), data=error)
    return outcome(name, out, regressions)


def outcome(name: str, data: Any, regressions: tuple[str, ...]) -> Any | State[Any]:
    """What a flow ends with that has recorded a run: the data, or where its model is worse than the last the state Worse."""
    if not regressions:
        return data
    for sentence in regressions:
        get_run_logger().error("REGRESSION: %s", sentence)
    told = "\n".join(f"**REGRESSION**: {sentence}" for sentence in regressions)
    create_markdown_artifact(key=f"{key_of(name)}-regression", markdown=told)
    return Completed(name="Worse", message=regressions[0], data=data)


def trained(
    kind: str,
    name: str,
    version: str,
    reference: str,
    preset: str,
    model: str,
    runs: str,
    warehouse: str,
    push_to: str,
) -> tuple[str, tuple[str, ...]]:
    """Trains, evaluates, pushes to `push_to`, and records where this box has the `warehouse`: (folder, where it is worse).

    A box without tells Prefect, so that one with it records.
    Empty text stands for what is not given. Release and preset make a run one: what the warehouse knows as finished is
    not trained again, wherever its folder is, and a killed one goes on in its folder. A second process in it is refused.
    """
    log = get_run_logger()
    store = Store(warehouse) if warehouse else None
    known = recording.finished(store, kind, name, version, called(preset), model) if store else None
    if known is not None and not Path(known).is_dir():
        log.info("%s %s is trained with %s already: %s", name, version, preset, known)
        return known, ()
    out = Path(known or Path(runs) / f"{Path(preset).stem}-{name}-v{version}-seed0")
    began = time.monotonic()
    words = ["train", kind, "--release", reference, "--preset", preset, "--out", str(out), "--resume", "--json"]
    with failure_recorded(store, out):
        command([*words, *(["--model", model] if model else [])])
    log.info("trained with %s on %s %s (%.0f s): %s", preset, name, version, time.monotonic() - began, out)
    create_markdown_artifact(key=f"{key_of(name)}-curve", markdown=curve(out), description=f"{name} {version}: {out}")
    if store:  # before the evaluation too: what was trained is known even where it cannot be evaluated
        recording.add(store, str(out))
    began = time.monotonic()
    if not (out / "evaluation" / recording.EVALUATION).is_file():
        command(["evaluate", "--model", str(out), "--release", reference, "--out", str(out / "evaluation"), "--json"])
    log.info("evaluated (%.0f s): %s", time.monotonic() - began, out)
    if push_to:
        ModelRepository.of(push_to).push(out, f"{name} {version}, {called(preset)}", HERE)
        log.info("pushed to %s", push_to)
    if store:
        return str(out), recording.add(store, str(out)).regressions
    announcing.tell_trained(name, version, push_to or str(out.absolute()))
    return str(out), ()


@contextmanager
def failure_recorded(store: Store | None, folder: Path) -> Iterator[None]:
    """Where the trainer in the block fails, or is killed, what it has left in its folder is recorded as far as it came."""
    try:
        yield
    except ServiceError:
        if store and (folder / recording.RUN).is_file():
            with suppress(CurationError, StoreError):  # what must be told is why the trainer failed
                recording.add(store, str(folder), ended=True)
        raise


def called(preset: str) -> str:
    """The preset's name as runs tell it: a file says it, a bundled one goes by it."""
    path = Path(preset)
    if path.suffix != ".toml" or not path.is_file():
        return preset
    return str(tomllib.loads(path.read_text(encoding="utf-8")).get("name", path.stem))


def curve(folder: Path) -> str:
    """The trainer's metrics as a Markdown table, thinned to what fits on a screen."""
    path = folder / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    numbers = [{key: value for key, value in line.items() if isinstance(value, int | float)} for line in lines]
    if not numbers:
        return "no metrics"
    columns = list(dict.fromkeys(key for line in numbers for key in line))
    shown = numbers[:: -(-len(numbers) // LINES)]
    head = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join(
        [
            *head,
            *(
                "| " + " | ".join(f"{line.get(c, ''):.4g}" if c in line else "" for c in columns) + " |"
                for line in shown
            ),
        ]
    )
