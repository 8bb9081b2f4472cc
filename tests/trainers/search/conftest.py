"""A search that is over in seconds: three steps from a model that plans, at rates of which one alone does no harm."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.claude.conftest import MODEL, environment
from tests.servers.claude import Claude
from tests.trainers.conftest import LEARNING
from trainers.presets import Preset, load_preset
from trainers.release import open_release
from trainers.search.claude import Asked
from trainers.search.searching import Job, search
from trainers.search.space import parse_space

GENTLE, WILD, HARSH = 1e-6, 1e39, 0.4  # rates that keep what was learnt, end in no number, and undo it
SPACE = f"""
name = "rates"
train = "sft"
[settings]
"sft.learning_rate" = {{ among = [{GENTLE}, {WILD}, {HARSH}] }}
"""
CHANGES = (*LEARNING, "sft.optimizer=adamw", "sft.max_steps=3", "sft.learning_rate=0.5")
TRIALS, SEEDS = 3, 2


def preset_of(model: Path) -> Preset:
    return load_preset("tiny-gemma4", [*CHANGES, f"model={json.dumps(str(model))}"])


def job(release: Path, model: Path, out: Path, **changed: Any) -> Job:
    """The search to make; its space is the rates above."""
    told = {"space": parse_space(SPACE, "rates"), "trials": TRIALS, "seeds": SEEDS, "proposer": MODEL, **changed}
    return Job(open_release(release), str(release), preset_of(model), out=out, **told)


def asked(made: Job, budget_usd: float | None = None, backend: str = "anthropic") -> Asked:
    return Asked(backend, MODEL, made.space, made.preset, made.trials, made.out, budget_usd)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Claude]]:
    """Starts a service and points the backends at it."""
    opened: list[Claude] = []

    def start(**behaviour: Any) -> Claude:
        opened.append(Claude(**behaviour).__enter__())
        for name, value in environment(opened[-1].url).items():
            monkeypatch.setenv(name, value)
        return opened[-1]

    yield start
    for service in opened:
        service.__exit__(None, None, None)


@pytest.fixture(scope="session")
def searched(
    plain_release: Path, planning: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], list[str]]:
    """(folder, search.json, sentences) of an uninterrupted search with Claude."""
    said: list[str] = []
    with Claude() as service, pytest.MonkeyPatch.context() as patch:
        for name, value in environment(service.url).items():
            patch.setenv(name, value)
        made = job(plain_release, planning, tmp_path_factory.mktemp("search") / "whole")
        told = search(made, asked(made, 1.0), said.append)
        assert service.requests == TRIALS
    return made.out, told, said
