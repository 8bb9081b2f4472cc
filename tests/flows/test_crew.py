"""Batches are decided on every core as one process decides them, in order, and a worker never outlives its parent."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import polars as pl
import pytest

from curation.deciding import Work
from curation.errors import MachineError
from curation.recipe import Check
from curation.stages import ROW_STAGES
from flows import crew
from tests.conftest import ROOT
from tests.labelled import batch_of, corpus


def works(size: int) -> list[Work]:
    """The labelled corpus in parts, each to be asked of every stage that measures it."""
    samples = batch_of(corpus()).samples
    return [
        Work(part, {s.NAME: part.filter(pl.col("kind").is_in(s.KINDS))["sample_id"] for s in ROW_STAGES})
        for part in samples.iter_slices(size)
    ]


def told(parts: list[Work], workers: int) -> list[dict[str, list[tuple[object, ...]]]]:
    """All that is decided of each part."""
    decided = crew.decide_all(iter(parts), Check(), workers)
    return [{name: frame.rows() for name, frame in each.decisions.items()} for each in decided]


@pytest.mark.process
def test_several_processes_decide_as_one_does_and_in_order() -> None:
    parts = works(40)
    assert len(parts) > 3
    assert told(parts, 2) == told(parts, 1)


@pytest.mark.process
def test_a_worker_does_not_load_the_program_that_started_it(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from tests.flows.test_crew import told, works\n"
        "print(__name__, flush=True)\n"
        "if __name__ == '__main__':\n"
        "    print(len(told(works(100), 2)))\n"
    )
    done = subprocess.run(
        [sys.executable, str(program)], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.stdout.split() == ["__main__", str(len(works(100)))], done.stderr


def test_one_batch_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "hired", None)
    assert len(told(works(1000), 8)) == 1


def test_no_more_batches_are_held_than_there_are_workers_and_one() -> None:
    taken: list[int] = []

    def coming() -> object:
        for number, work in enumerate(works(20)):
            taken.append(number)
            yield work

    decided = crew.decide_all(coming(), Check(), 1)  # type: ignore[arg-type]
    next(decided)
    assert len(taken) <= 2


@pytest.mark.process
def test_a_killed_worker_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    decided = crew.decide_all(iter(works(10)), Check(), 2)
    next(decided)
    for pid in children(os.getpid()):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(MachineError, match="run the same command again"):
        list(decided)


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes under /proc")
def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            from curation.recipe import Check
            from flows import crew
            from tests.flows.test_crew import works

            if __name__ == "__main__":
                decided = crew.decide_all(iter(works(20)), Check(), 2)
                next(decided)
                print("ready", flush=True)
                input()
            """
        )
    )
    parent = subprocess.Popen(
        [sys.executable, script], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=-1, stdout=-1, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    workers = children(parent.pid)
    assert len(workers) >= 2
    parent.kill()
    parent.wait()
    until = time.monotonic() + 30
    while any(alive(pid) for pid in workers) and time.monotonic() < until:
        time.sleep(0.1)
    assert [pid for pid in workers if alive(pid)] == []


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(parent: int) -> list[int]:
    """The processes that a process has started, and that run Python's spawned workers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (folder / "stat").read_text(), (folder / "cmdline").read_text()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == parent and "spawn_main" in command:
            found.append(int(folder.name))
    return found
