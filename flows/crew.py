"""Asks the row stages about many batches, on every core of the machine."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing.connection import wait
from types import ModuleType

from curation.deciding import Decided, Work, decide
from curation.errors import MachineError
from curation.recipe import Check

MOST = 8  # processes: beyond it, reading and writing the warehouse are what takes the time


def decide_all(works: Iterable[Work], check: Check, workers: int | None = None) -> Iterator[Decided]:
    """What is decided of each batch, in order. `workers`: None for one a core; one batch, or one worker, stays here.

    At most `workers` + 1 batches are held, however many there are.
    """
    coming = iter(works)
    first = deque(islice(coming, 2))
    alone = len(first) < 2
    everything = chain((first.popleft() for _ in range(len(first))), coming)  # keeps none that it has handed out
    crew = min(MOST, cores()) if workers is None else workers
    if alone or crew < 2:
        yield from (decide(work, check) for work in everything)
        return
    with hired(crew) as pool:
        waiting: deque[Future[Decided]] = deque()
        for work in everything:
            with nameless_program():
                waiting.append(pool.submit(decide, work, check))
            if len(waiting) > crew:
                yield finished(waiting.popleft())
        while waiting:
            yield finished(waiting.popleft())


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def hired(workers: int) -> Iterator[ProcessPoolExecutor]:
    """So many fresh processes (a fork would copy the threads of Polars, half alive), one thread of Polars in each.

    They start at once, while the first batch is still being read.
    """
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"  # read when a new process loads Polars; this one has loaded it
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=settle)
    try:
        with nameless_program():
            for _ in range(workers):  # a pool starts a process for each piece of work that finds none idle
                pool.submit(os.getpid)
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if before is None:
            del os.environ["POLARS_MAX_THREADS"]
        else:
            os.environ["POLARS_MAX_THREADS"] = before


@contextmanager
def nameless_program() -> Iterator[None]:
    """A process that is started in this block does not load the program that started it.

    It would, in case work is defined there: ours is not, and the command line or Prefect's engine costs more to load
    than all that a worker needs.
    """
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def settle() -> None:
    """In a new worker: Ctrl-C is the parent's to answer, and a parent that was killed takes its workers along."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=leave_with_parent, daemon=True).start()


def leave_with_parent() -> None:
    """Ends this process as soon as its parent is gone: a worker would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def finished(future: Future[Decided]) -> Decided:
    """A batch's decisions. Raises MachineError where the process that made them was killed."""
    try:
        return future.result()
    except BrokenProcessPool:
        raise MachineError(
            "a process that checked samples was killed, most likely for want of memory; what was decided is kept: "
            "free some memory and run the same command again"
        ) from None
