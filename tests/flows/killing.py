"""Kills a command while it is at work, which is seen from outside: by what it writes, or by what it asks of a server."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 300.0  # seconds until a command that neither works nor ends fails the test


def killed_at_work(process: subprocess.Popen[str], is_at_work: Callable[[], bool], delay: float = 0.0) -> bool:
    """Kills the process, and all that it started, `delay` seconds after its work is first seen.

    False where it ended before that: then there was nothing to interrupt.
    """
    until = time.monotonic() + PATIENCE
    while process.poll() is None and not is_at_work():
        assert time.monotonic() < until, "the command neither works nor ends"
        time.sleep(0.002)
    if process.poll() is None:
        time.sleep(delay)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def writes(*paths: Path) -> Callable[[], bool]:
    """Whether any of these files or folders was made, grew or was touched since now."""
    before = [stamp(path) for path in paths]
    return lambda: [stamp(path) for path in paths] != before


def stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def reads(process: subprocess.Popen[str], path: Path) -> Callable[[], bool]:
    """Whether the process has the file open."""
    folder = Path(f"/proc/{process.pid}/fd")

    def is_open() -> bool:
        try:
            return any(os.readlink(folder / name) == str(path) for name in os.listdir(folder))
        except OSError:  # one that was closed meanwhile, or the process has ended
            return False

    return is_open
