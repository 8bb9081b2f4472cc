"""A service that speaks Claude's protocol, and the environment in which each backend finds it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from curation.claude.asking import Patience
from curation.claude.errand import Errand
from curation.judge.backend import open_backend
from curation.judge.rubric import load_rubric
from tests.judge.samples import SECRET
from tests.servers.claude import KEY, Claude

VARIABLES = (
    *("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "ANTHROPIC_VERTEX_PROJECT_ID"),
    *("CLOUD_ML_REGION", "ANTHROPIC_VERTEX_BASE_URL", "CURATION_VERTEX_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS"),
    *("OPENAI_API_KEY", "OPENAI_BASE_URL"),
)

HASTY = Patience(tries=6, base=0.02, cap=0.1, timeout=20.0)  # the same rules in the time that a test has

MODEL = "claude-opus-4-6"


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches the real service by what happens to be in the environment."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """Where a warehouse would be."""
    return tmp_path / "w.duckdb"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Claude]]:
    """Starts a service with the given faults, and points both backends at it."""
    with ExitStack() as stack:

        def start(**behaviour: Any) -> Claude:
            service = stack.enter_context(Claude(**behaviour))
            for name, value in environment(service.url).items():
                monkeypatch.setenv(name, value)
            return service

        yield start


def environment(url: str) -> dict[str, str]:
    """What has to be set for either backend to reach the service."""
    return {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_VERTEX_PROJECT_ID": "a-project",
        "CLOUD_ML_REGION": "global",
        "ANTHROPIC_VERTEX_BASE_URL": f"{url}/v1",
        "CURATION_VERTEX_TOKEN": KEY,
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": KEY,
    }


def claude(backend: str = "anthropic", workers: int = 20, patience: Patience = HASTY, model: str = MODEL) -> Errand:
    """Judging by a backend that loses patience fast enough for a test."""
    return open_backend(backend, model, load_rubric(), SECRET, workers, patience)
