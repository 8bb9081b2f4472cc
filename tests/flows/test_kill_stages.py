"""Kill -9 inside each stage of a refresh: the next refresh finishes the work, row by row as one that was left in peace."""

import fcntl
import os
import re
import subprocess
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from benchmarks.nightly import prepared
from benchmarks.nights import rows
from benchmarks.nights.world import POLL, WORKERS, Make, Strike, World, kill, worlds
from curation.claude.journal import count, journal_folder
from tests.servers.hub_repo import Repo
from warehouse.gate import POLL_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(3600)]

Seen = Callable[
    [World, Callable[[str], int], int], bool
]  # given the world, how to count rows, how many replies there will be


def replies(world: World) -> int:
    """How many replies wait in the journal."""
    return count(journal_folder(world.warehouse))


def folded(n: Callable[[str], int]) -> int:
    """How many replies the warehouse holds, those about canaries with them."""
    return n("judgement") + n("watch")


def is_building(world: World) -> bool:
    """Whether files of a release are being written."""
    return any(world.folder.glob("w.duckdb.release-*/**/data/*/*"))


# What is seen at the moment of the kill, while nobody can write to the warehouse.
STAGES: dict[str, Seen] = {
    "start": lambda world, n, judged: not n("refresh") and bool(world.prefect.running()),
    "ingest": lambda world, n, judged: n("source_file") > 0 and not n("decision"),
    "check": lambda world, n, judged: n("decision") > 0 and not n("signature"),
    "dedup": lambda world, n, judged: n("signature") > 0 and not n("decision WHERE stage = 'dedup'"),
    "judge": lambda world, n, judged: 0 < replies(world) < judged and world.judge.in_flight > 0,
    "fold": lambda world, n, judged: replies(world) > 0 and replies(world) + folded(n) >= judged,
    "settle": lambda world, n, judged: folded(n) >= judged and not n("decision WHERE stage = 'judge'"),
    "build": lambda world, n, judged: is_building(world) and not n("release"),
    "place": lambda world, n, judged: n("release WHERE state = 'building'") == 1,
    "announce": lambda world, n, judged: (
        n("refresh WHERE state = 'finished'") == 1 and n("release WHERE announced_at IS NULL") == 1
    ),
}
# What the Hub leaves without an answer.
REQUESTS = {"upload": "PUT /_lfs/", "commit": "POST .*/commit/main", "tag": "POST .*/tag/"}


@contextmanager
def next_turn(warehouse: Path) -> Iterator[None]:
    """The warehouse's gate as soon as a refresh has had it, or once it has not asked for it for a while.

    So no transaction goes by unseen: who waits in the kernel comes before who asks now and then.
    """
    gate = os.open(f"{warehouse}.gate", os.O_RDWR | os.O_CREAT)
    mine = f"{os.getpid():<20}".encode()
    try:
        until = time.monotonic() + 3 * POLL_SECONDS
        while os.pread(gate, len(mine), 0) == mine and time.monotonic() < until:
            time.sleep(0.0005)
        fcntl.flock(gate, fcntl.LOCK_EX)
        os.pwrite(gate, mine, 0)
        yield
    finally:
        os.close(gate)


def at(world: World, seen: Seen, judged: int) -> Strike:
    """Kills a refresh once that is seen."""

    def strike(process: subprocess.Popen[str]) -> None:
        with next_turn(world.warehouse), duckdb.connect(str(world.warehouse), read_only=True) as connection:

            def n(what: str) -> int:
                number: int = connection.execute(f"SELECT count(*) FROM {what}").fetchall()[0][0]
                return number

            before, until = -1, 0.0
            while not seen(world, n, judged):
                there = replies(world)
                if there != before:
                    before, until = there, time.monotonic() + 0.5
                if not there or time.monotonic() > until:
                    return  # while replies come in nobody but us asks for the warehouse
                time.sleep(POLL)
            kill(process)

    return strike


def hung(match: str) -> Seen:
    """Whether the Hub has been asked for what it will not answer, with the release frozen and not placed."""
    return lambda world, n, judged: (
        n("release WHERE state = 'building'") == 1 and any(re.search(match, line) for line in world.hub.log())
    )


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    folder = tmp_path_factory.mktemp("stages")
    recipe = prepared(folder, Namespace(nights=1, traces=120, seed=5))
    with worlds(folder, recipe) as made:
        yield made


@pytest.fixture(scope="module")
def quiet(make: Make) -> World:
    """The world of a refresh that nobody disturbs."""
    world = make("quiet", False)
    assert world.refresh().code == 0
    return world


@pytest.mark.parametrize("stage", [*STAGES, *REQUESTS])
def test_a_refresh_killed_in_a_stage_is_finished_by_the_next_one(make: Make, quiet: World, stage: str) -> None:
    world = make(stage, False)
    world.judge.latency = 0.3
    if stage in REQUESTS:
        world.hub.fault(REQUESTS[stage], "hang", 1)
    seen = STAGES[stage] if stage in STAGES else hung(REQUESTS[stage])
    asked = rows.counted(quiet.warehouse, "judgement") + rows.counted(quiet.warehouse, "watch")
    killed = world.refresh(at(world, seen, asked))
    assert killed.killed, killed.said
    assert rows.counted(world.warehouse, "refresh", "state = 'finished'") == (stage == "announce")
    ended = world.refresh()
    assert ended.code == 0, ended.said
    assert rows.differences(quiet.warehouse, world.warehouse) == {}
    twice = sum(number - 1 for number in world.judge.answered.values())
    assert twice <= (WORKERS if stage == "judge" else 0)
    repo = Repo(world.folder / "hub", "owner/nights")
    assert repo.state["tags"] == {"v1.0.0": repo.state["main"]}
    assert len(repo.state["commits"]) == 2
    assert world.prefect.running() == []
    assert rows.counted(world.warehouse, "refresh", "state = 'running'") == 0
    assert rows.counted(world.warehouse, "release", "announced_at IS NULL") == 0
