"""Trains from a published version as a Prefect flow on the GPU box: trainer and evaluation run as processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from curation.errors import ServiceError
from flows import recording
from flows.morning import key_of
from warehouse import Store

LINES = 30  # of the curve that the artifact shows: what fits on a screen
LAST = 2_000  # characters of a failed command's stderr that are told


@task(task_run_name="{words[0]} {words[1]}", cache_policy=NO_CACHE)
def command(words: list[str]) -> None:
    """Runs `curation …`. Raises ServiceError with its last words where it fails."""
    done = subprocess.run([sys.executable, "-m", "curation.cli", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServiceError(
            f"curation {words[0]} {words[1]} ended with {done.returncode}: {done.stderr[-LAST:].strip()}"
        )


@flow(name="train-sft", flow_run_name="train {preset} on {name} {version}")
def train_sft(
    name: str, version: str, reference: str, preset: str, model: str = "", runs: str = "runs", warehouse: str = ""
) -> str:
    """Fine-tunes from a release; returns the run's folder. See `trained`."""
    return trained("sft", name, version, reference, preset, model, runs, warehouse)


@flow(name="train-grpo", flow_run_name="improve {preset} on {name} {version}")
def train_grpo(
    name: str, version: str, reference: str, preset: str, model: str = "", runs: str = "runs", warehouse: str = ""
) -> str:
    """Improves a model by rewards; returns the run's folder. See `trained`."""
    return trained("grpo", name, version, reference, preset, model, runs, warehouse)


def trained(
    kind: str, name: str, version: str, reference: str, preset: str, model: str, runs: str, warehouse: str
) -> str:
    """Trains, evaluates and, where this box has the `warehouse`, records; empty text stands for what is not given.

    A run is one by its folder: the same release and preset come to the same one, where a finished run is done at once
    and a killed one goes on. A second process in it is refused.
    """
    log = get_run_logger()
    out = Path(runs) / f"{Path(preset).stem}-{name}-v{version}-seed0"
    words = ["train", kind, "--release", reference, "--preset", preset, "--out", str(out), "--resume", "--json"]
    command([*words, *(["--model", model] if model else [])])
    log.info("trained %s on %s %s: %s", preset, name, version, out)
    create_markdown_artifact(key=f"{key_of(name)}-curve", markdown=curve(out))
    if warehouse:  # before the evaluation too: what was trained is known even where it cannot be evaluated
        recording.add(Store(warehouse), str(out))
    if not (out / "evaluation" / recording.EVALUATION).is_file():
        command(["evaluate", "--model", str(out), "--release", reference, "--out", str(out / "evaluation"), "--json"])
    log.info("evaluated %s", out)
    if warehouse:
        for sentence in recording.add(Store(warehouse), str(out)).regressions:
            log.error("REGRESSION: %s", sentence)
            create_markdown_artifact(key=f"{key_of(name)}-regression", markdown=f"**REGRESSION**: {sentence}")
    return str(out)


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
