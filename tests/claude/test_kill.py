"""kill -9 while judging: nothing acknowledged is lost, and at most what was in flight is asked again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from curation.claude.journal import count, journal_folder
from tests.claude.conftest import environment
from tests.judge.samples import kept

SAMPLES, WORKERS, KILLS = 2000, 100, 10

# Judges what the journal does not hold yet, as a later run would; the samples are made anew in each process.
JUDGE = """
import sys
from pathlib import Path
import polars as pl
from curation.judge.backend import open_backend
from curation.claude.journal import journal_folder
from curation.claude.pool import run_errand
from curation.judge.rubric import load_rubric
from tests.judge.samples import SECRET, frames, kept

warehouse, backend, samples, workers = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
done = kept(warehouse)["sample_id"].to_list()
todo = (frame.filter(~pl.col("sample_id").is_in(done)) for frame in frames(samples, 100))
opened = open_backend(backend, "claude-opus-4-6", load_rubric(), SECRET, workers)
run_errand(todo, opened, journal_folder(warehouse), workers)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["vertex", "anthropic"])
def test_nothing_acknowledged_is_lost_and_little_is_asked_twice(backend, serve, warehouse):
    service = serve(latency=0.3, faults=("rate_limited", "broken", "reset"), every=10)
    journal = journal_folder(warehouse)

    for kill in range(1, KILLS + 1):
        process = start(backend, warehouse, service.url)
        wait_until(lambda wanted=kill * SAMPLES // (KILLS + 2): count(journal) >= wanted, process)
        before = set(kept(warehouse)["sample_id"])  # finished files only: an under-estimate
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert before <= set(kept(warehouse)["sample_id"])

    assert start(backend, warehouse, service.url).wait(300) == 0

    judged = kept(warehouse)
    assert judged.height == judged["sample_id"].n_unique() == SAMPLES
    assert set(judged["status"]) == {"ok"}
    paid_again = sum(n - 1 for n in service.answered.values())
    assert len(service.answered) == SAMPLES
    assert paid_again <= KILLS * WORKERS


def start(backend: str, warehouse: Path, url: str) -> subprocess.Popen[bytes]:
    """A real process that judges."""
    arguments = [sys.executable, "-c", JUDGE, str(warehouse), backend, str(SAMPLES), str(WORKERS)]
    return subprocess.Popen(arguments, env={**os.environ, **environment(url)})


def wait_until(done, process: subprocess.Popen[bytes]) -> None:
    """Until the run has come far enough to be killed; it must not end before."""
    while not done():
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.02)
