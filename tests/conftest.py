"""What every test may use: the command line as a user runs it, and a warehouse of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Nothing in the environment of whoever runs the tests may reach a real service or another warehouse.
OUTSIDE = (
    *("ANTHROPIC_", "AWS_", "CLOUD_ML_REGION", "CURATION_", "GOOGLE_APPLICATION_CREDENTIALS", "HF_", "OPENAI_"),
    "PREFECT_",
)


class Cli:
    """`curation …` in a folder of its own, as a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warehouse = folder / "w.duckdb"
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(OUTSIDE)}
        self.environment |= {"NO_COLOR": "1", "COLUMNS": "200", "CURATION_WAREHOUSE": str(self.warehouse)}
        self.environment |= {"PYTHONPATH": str(ROOT), "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180"}

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "curation.cli", *map(str, arguments)]

    def __call__(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=580,
        )

    def ok(self, *arguments: object, **environment: str) -> str:
        """The stdout of a command that must succeed."""
        done = self(*arguments, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: object, **environment: str) -> dict[str, Any]:
        """The object that a command prints with --json."""
        told: dict[str, Any] = json.loads(self.ok(*arguments, "--json", **environment))
        return told

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        """The command in the background, in a process group of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that runs commands as processes is marked so, without being told."""
    for item in items:
        if {"cli", "cli_in"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.process)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The command line in an empty folder."""
    return Cli(tmp_path)


@pytest.fixture(scope="session")
def cli_in() -> Callable[[Path], Cli]:
    """The command line in a given folder."""
    return Cli
