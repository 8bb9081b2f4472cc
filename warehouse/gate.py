"""The gate lets readers and writers of the warehouse take turns, so that overlapping readers never starve a writer."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.errors import StoreError

POLL_SECONDS = 0.02


@contextmanager
def gate(warehouse: Path, deadline: float) -> Iterator[None]:
    """Holds `<warehouse>.gate` (an flock, so it is gone with the process) from now until the block ends.

    A reader holds it while it opens, a writer from asking until it has closed. `deadline` is on `time.monotonic()`.
    Raises StoreError naming the holder when it cannot be had in time.
    """
    path = warehouse.with_name(warehouse.name + ".gate")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(
            f"cannot write beside the warehouse {warehouse}: {error.strerror}; choose another with --warehouse"
        ) from error
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
                    raise StoreError(
                        f"the warehouse {warehouse} is being written by process {holder} and did not become free; "
                        "wait for it or stop it, then run this again",
                        again=True,
                    ) from None
                time.sleep(POLL_SECONDS)
        os.pwrite(descriptor, f"{os.getpid():<20}".encode(), 0)
        yield
    finally:
        os.close(descriptor)
