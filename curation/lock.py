"""One of a kind at a time: a lock beside the warehouse that vanishes with the process that holds it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.errors import InputError, Stopped

DOING = {
    "judge": "is already judging",
    "write": "is already having Claude write for",
    "publish": "is already publishing from",
    "refresh": "is already refreshing this recipe in",
    "dry-run": "is already trying settings on a copy of",
}
POLL_SECONDS = 1.0  # between two looks at a lock that is waited for: such a job takes minutes


def lock_path(warehouse: Path, job: str, recipe: str | None = None) -> Path:
    """`<warehouse>.<job>.lock`, or `<warehouse>.<job>-<recipe>.lock`."""
    return warehouse.with_name(f"{warehouse.name}.{job}{'' if recipe is None else f'-{recipe}'}.lock")


@contextmanager
def only_one(warehouse: Path, job: str, recipe: str | None = None, wait: float = 0.0) -> Iterator[None]:
    """Holds this warehouse's lock for a job of DOING, of one recipe where one is given.

    Raises Stopped, naming the holder, where another process has it still after `wait` seconds. The lock is the
    kernel's (flock), so a killed holder leaves none behind; the file that stays holds its last PID.
    """
    path = lock_path(warehouse, job, recipe)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)  # whoever comes first may come before the warehouse
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise InputError(f"{path}: cannot open this lock ({error.strerror}); make its folder writable") from error
    try:
        if not taken(descriptor, time.monotonic() + wait):
            raise Stopped(
                f"{warehouse}: {holder(descriptor)} {DOING[job]} this warehouse; wait for it to end, or stop it"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def taken(descriptor: int, deadline: float) -> bool:
    """Whether the lock could be had before the deadline, on `time.monotonic()`."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)


def holder(descriptor: int) -> str:
    """The process named in the lock, in words."""
    text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
    return f"process {text}" if text.isdigit() else "another process"
