"""One of a kind at a time: a lock beside the warehouse that vanishes with the process that holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.errors import InputError, Stopped

DOING = {
    "judge": "is already judging",
    "write": "is already having Claude write for",
    "publish": "is already publishing from",
}


def lock_path(warehouse: Path, job: str) -> Path:
    """`<warehouse>.<job>.lock`."""
    return warehouse.with_name(f"{warehouse.name}.{job}.lock")


@contextmanager
def only_one(warehouse: Path, job: str) -> Iterator[None]:
    """Holds this warehouse's lock for a job of DOING; raises Stopped, naming the holder, while another process has it.

    The lock is the kernel's (flock), so a killed holder leaves none behind; the file that stays holds its last PID.
    """
    path = lock_path(warehouse, job)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise InputError(f"{path}: cannot open this lock ({error.strerror}); make its folder writable") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Stopped(
                f"{warehouse}: {holder(descriptor)} {DOING[job]} this warehouse; wait for it to end, or stop it"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(descriptor: int) -> str:
    """The process named in the lock, in words."""
    text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
    return f"process {text}" if text.isdigit() else "another process"
