"""A warehouse with all that its refreshes need, and the refreshes themselves: real processes, let through or killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.nights import services
from benchmarks.nights.services import ROOT, Hub, Prefect
from tests.servers.claude import Claude
from warehouse import Store

FENCE = b"the same in both worlds, 32 byte"  # so that both judges are asked the very same words
WORKERS = 50  # requests of the judge in flight
OUTSIDE = ("ANTHROPIC_", "AWS_", "CLOUD_ML_REGION", "CURATION_", "GOOGLE_", "HF_", "OPENAI_", "PREFECT_")
POLL = 0.002  # seconds between two looks at a process that is to be killed

Strike = Callable[[subprocess.Popen[str]], None]  # called again and again while a command runs; it may kill it
Make = Callable[[str, bool], "World"]  # a world of this name, which may be faulty


class Ended(NamedTuple):
    """How one refresh ended: its exit code (negative: the signal), seconds of CPU with all its children, seconds."""

    code: int
    cpu: float
    wall: float
    said: str

    @property
    def killed(self) -> bool:
        """Whether the kill came before its end."""
        return self.code == -signal.SIGKILL


def never(process: subprocess.Popen[str]) -> None:
    """Lets a command run to its end."""


def after(seconds: float) -> Strike:
    """Kills a command so many seconds from now."""
    moment = time.monotonic() + seconds
    return lambda process: kill(process) if time.monotonic() >= moment else None


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL for a command and all that it started."""
    os.killpg(process.pid, signal.SIGKILL)


@dataclass
class World:
    """One warehouse with a judge and a Hub of its own; traces, recipe and Prefect are shared with the other world."""

    folder: Path
    recipe: Path
    judge: Claude
    hub: Hub
    prefect: Prefect
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def warehouse(self) -> Path:
        """The warehouse's file."""
        return self.folder / "w.duckdb"

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """A command of `curation` in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "curation.cli", *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "said.log").open("w"),
            text=True,
            start_new_session=True,
        )

    def refresh(self, strike: Strike = never) -> Ended:
        """Runs `curation refresh`, and lets `strike` look at it until it ends."""
        began = time.monotonic()
        process = self.start("refresh", self.recipe)
        pid = 0
        while not pid:
            strike(process)
            time.sleep(POLL)
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        said = (self.folder / "said.log").read_text(encoding="utf-8", errors="replace")
        return Ended(process.returncode, usage.ru_utime + usage.ru_stime, time.monotonic() - began, said)


@contextmanager
def worlds(folder: Path, recipe: Path) -> Iterator[Make]:
    """Makes worlds below a folder that share a Prefect server; their services end with the block."""
    with ExitStack() as stack:
        server = stack.enter_context(services.prefect(folder / "prefect"))
        yield lambda name, faulty: world(
            folder / name, recipe, stack.enter_context(services.judge(faulty)), stack, server
        )


def world(folder: Path, recipe: Path, judge: Claude, stack: ExitStack, server: Prefect) -> World:
    """One world, empty but for the key of the judge's fences."""
    folder.mkdir()
    made = World(folder, recipe, judge, stack.enter_context(services.hub(folder / "hub")), server)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(OUTSIDE)}
    addresses = services.addresses(judge, made.hub, server, folder)
    made.environment = {**kept, **addresses, "CURATION_WAREHOUSE": str(made.warehouse), "PYTHONPATH": str(ROOT)}
    with Store(made.warehouse).write() as transaction:
        transaction.run("insert_secret", name="judge-fence", value=FENCE)
    return made
