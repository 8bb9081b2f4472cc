"""The local Hub as a process for one test, and what its clients need to reach it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT
from tests.release.test_hub import LocalHub


@contextmanager
def running_hub(folder: Path) -> Iterator[LocalHub]:
    """A Hub that keeps its repositories below `folder`/root, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.hub", "--root", str(folder / "root")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield LocalHub(process.stdout.readline().rpartition(" ")[2].strip(), folder)
    finally:
        process.kill()
        process.wait()
