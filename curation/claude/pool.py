"""The pool keeps many requests in flight and lets no reply go before it is on disk."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from curation.claude.budget import Budget
from curation.claude.errand import Errand, GaveUpError, Row
from curation.claude.journal import Journal
from curation.claude.tally import Tally
from curation.errors import InputError

log = logging.getLogger(__name__)

GRACE = 60.0  # seconds that requests in flight are given after Ctrl-C: most replies of an Opus take 10 to 30
GRACE_AFTER_FAULT = 5.0  # the same after a fault that all of them will meet
TICK = 1.0  # seconds between two reports of progress


Progress = Callable[[Tally], None]
Chore = Callable[[], object]


def run_errand(
    frames: Iterable[pl.DataFrame],
    errand: Errand,
    journal: Path,
    workers: int,
    progress: Progress | None = None,
    fold: Chore | None = None,
    fold_every: float = 30.0,
    budget: Budget | None = None,
) -> Tally:
    """Asks about every row, `workers` at a time, and appends each reply to the journal.

    `frames` is the work list, in the form that the errand reads; frames are taken one at a time, as room comes up, so
    that their number costs no memory. `journal` is the journal's folder. `fold` is called every `fold_every` seconds to
    take in the files that are finished by then; if it fails (a locked warehouse), asking goes on. A request is sent only
    if the `budget` holds the most that it can cost; where it does not even with nothing in flight, the run is over. The
    first Ctrl-C lets what is in flight end, the second does not. Raises ServiceError where going on is pointless; what
    was kept stays kept.
    """
    return asyncio.run(ask_all(frames, errand, journal, workers, progress, fold, fold_every, budget))


async def ask_all(
    frames: Iterable[pl.DataFrame],
    errand: Errand,
    journal: Path,
    workers: int,
    progress: Progress | None = None,
    fold: Chore | None = None,
    fold_every: float = 30.0,
    budget: Budget | None = None,
) -> Tally:
    """`run_errand` for those who have an event loop."""
    if workers < 1:
        raise InputError(f"there are {workers} workers; give at least 1")
    async with errand.service, Journal(journal) as kept:
        run = Run(errand, kept, workers, budget or Budget())
        chores = [asyncio.create_task(run.report(progress))] if progress else []
        chores += [asyncio.create_task(run.fold(fold, fold_every))] if fold else []
        try:
            with on_interrupt(run.interrupt):
                await run.all(frames)
        finally:
            await run.finish(chores)
    if progress:
        progress(run.tally)
    if run.fault:
        raise run.fault
    return run.tally


class Run:
    """One run of the pool: who is in flight, and whether it is being stopped."""

    def __init__(self, errand: Errand, journal: Journal, workers: int, budget: Budget) -> None:
        self.tally = Tally()
        self.fault: Exception | None = None
        self._errand = errand
        self._journal = journal
        self._budget = budget
        self._slots = asyncio.Semaphore(workers)
        self._stopping = asyncio.Event()
        self._deadline = float("inf")
        self._in_flight: set[asyncio.Task[None]] = set()
        self._desk = ThreadPoolExecutor(1, "work-list")
        self._folder = ThreadPoolExecutor(1, "fold")  # its own: a locked warehouse must not keep the work list waiting
        self._began = time.monotonic()

    async def all(self, frames: Iterable[pl.DataFrame]) -> None:
        """Asks about every row, then waits until nothing is in flight."""
        try:
            async for row in self._rows(frames):
                await self._slots.acquire()
                message = None if self._stopping.is_set() else self._errand.message(row)
                most = None if message is None else await self._afford(message)
                if most is None:
                    break
                task = asyncio.create_task(self._one(row, message, most))
                self._in_flight.add(task)
                task.add_done_callback(self._in_flight.discard)
        except Exception as error:
            self._stop(GRACE_AFTER_FAULT, error)
        await self._drain()

    async def _afford(self, message: object) -> float | None:
        """Sets aside the most that a request may cost; None once the run is over instead."""
        most = self._errand.service.most(message) or 0.0
        if self._budget.reserve(most):
            return most
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            while not self._budget.reserve(most):
                if not self._in_flight:
                    self.tally.out_of_budget = True
                    return None
                await asyncio.wait({*self._in_flight, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if self._stopping.is_set():
                    return None
        finally:
            stopped.cancel()
        return most

    async def _rows(self, frames: Iterable[pl.DataFrame]) -> AsyncIterator[Row]:
        """The rows of the work list; the next frame is fetched off the event loop."""
        iterator = iter(frames)
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            frame = await loop.run_in_executor(self._desk, next, iterator, None)
            if frame is None:
                return
            for row in frame.iter_rows(named=True):
                yield row

    async def _one(self, row: Row, message: object, most: float) -> None:
        """One row: asked, and asked once more where its errand wants that; then its slot is freed."""
        self.tally.in_flight += 1
        try:
            asked: Row | None = row
            while asked is not None:
                asked = await self._asked(asked, message, most)
                if asked is not None and not self._budget.reserve(most):
                    break  # the next run asks again
        except GaveUpError:
            pass
        except Exception as error:
            self._stop(GRACE_AFTER_FAULT, error)
        finally:
            self.tally.in_flight -= 1
            self._slots.release()

    async def _asked(self, row: Row, message: object, most: float) -> Row | None:
        """One reply, on disk before it is read, and its price known; returns the row to ask again in this run, if any."""
        paid = most  # until it is known
        began = time.monotonic()
        try:
            reply = await self._errand.service.ask(message, self._stopping, lambda: self._again(most))
            self.tally.latencies.append(time.monotonic() - began)
            kept = self._errand.record(row, reply)
            await self._journal.append(kept)
            read = self._errand.read(kept)
            paid = read["usd"] or 0.0
            more = None if self._stopping.is_set() else self._errand.once_more(row, read)
            self.tally.add(read, self._errand.is_good(read), last=more is None)
            return more
        except GaveUpError:
            paid = 0.0
            raise
        finally:
            self._budget.settle(most, paid)

    def _again(self, most: float) -> bool:
        """Whether a request that got no reply, and counts as paid, may be sent once more."""
        may = self._budget.again(most)
        self.tally.out_of_budget = self.tally.out_of_budget or not may
        return may

    async def _drain(self) -> None:
        """Waits for what is in flight: for as long as it takes, or until the deadline once the run is being stopped."""
        stopped = asyncio.create_task(self._stopping.wait())
        while self._in_flight and not stopped.done():
            await asyncio.wait({*self._in_flight, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=max(0.0, self._deadline - time.monotonic()))
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)

    def _stop(self, grace: float, fault: Exception | None = None) -> None:
        """Asks nothing more; what is in flight has `grace` seconds left. The first fault is the one that is told."""
        self.fault = self.fault or fault
        self._deadline = min(self._deadline, time.monotonic() + grace)
        if not self._stopping.is_set():
            self._stopping.set()
            self._slots.release()  # wakes the one who waits for a free slot

    def interrupt(self) -> None:
        """Ctrl-C: the first time what is in flight may end, the second time not."""
        if self.tally.interrupted:
            for task in self._in_flight:
                task.cancel()
            return
        self.tally.interrupted = True
        log.warning("stopping: %d in flight may end; Ctrl-C again stops now", self.tally.in_flight)
        self._stop(GRACE)

    async def report(self, progress: Progress) -> None:
        """Tells the progress until cancelled."""
        while True:
            self.tally.seconds = time.monotonic() - self._began
            progress(self.tally)
            await asyncio.sleep(TICK)

    async def fold(self, fold: Chore, every: float) -> None:
        """Has the journal folded in again and again, until cancelled."""
        while True:
            await asyncio.sleep(every)
            await self._journal.rotate()
            try:
                await asyncio.get_running_loop().run_in_executor(self._folder, fold)
            except Exception as error:
                log.warning("the journal is not folded in yet (%s); the replies are safe in it", error)

    async def finish(self, chores: list[asyncio.Task[None]]) -> None:
        """Ends the chores, and what a cancelled run left in flight; a fold that has begun is waited for."""
        left = [*chores, *self._in_flight]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for desk in (self._desk, self._folder):
            await asyncio.to_thread(desk.shutdown)
        self.tally.seconds = time.monotonic() - self._began


@contextmanager
def on_interrupt(handle: Callable[[], None]) -> Iterator[None]:
    """Takes Ctrl-C meanwhile; only a process's main thread can, elsewhere it is left to whoever started us."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, handle)
    except (RuntimeError, ValueError):
        yield
        return
    try:
        yield
    finally:
        with suppress(RuntimeError):
            loop.remove_signal_handler(signal.SIGINT)
