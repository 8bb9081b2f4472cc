"""One of a kind at a time: the second is told who holds the warehouse, and a dead holder holds nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from curation.errors import InputError, Stopped
from curation.lock import DOING, lock_path, only_one

ROOT = Path(__file__).resolve().parents[1]

HOLDER = """
import sys, time
from pathlib import Path
from curation.lock import only_one
with only_one(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def warehouse(tmp_path):
    return tmp_path / "w.duckdb"


@pytest.fixture(params=DOING)
def job(request):
    return request.param


@pytest.fixture
def holder(warehouse, job):
    command = [sys.executable, "-c", HOLDER, str(warehouse), job]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_the_second_stops_and_names_the_first(holder, warehouse, job):
    with pytest.raises(Stopped, match=f"process {holder.pid}") as caught, only_one(warehouse, job):
        pytest.fail("two at once")
    assert caught.value.exit_code == 3
    assert str(warehouse) in str(caught.value)


def test_a_killed_holder_leaves_no_lock(holder, warehouse, job):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with only_one(warehouse, job):
        assert lock_path(warehouse, job).read_text() == f"{os.getpid()}\n"


def test_the_lock_is_given_back(warehouse, job):
    for _ in range(2):
        with only_one(warehouse, job):
            pass


def test_a_lock_that_cannot_be_made_is_the_users_to_mend(tmp_path, job):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"), only_one(tmp_path / "file" / "w.duckdb", job):
        pytest.fail("a file is no folder")


def test_the_folder_of_a_warehouse_to_come_is_made(tmp_path, job):
    with only_one(tmp_path / "absent" / "w.duckdb", job):
        assert (tmp_path / "absent").is_dir()


def test_a_judge_and_a_publisher_do_not_wait_for_each_other(warehouse):
    with only_one(warehouse, "judge"), only_one(warehouse, "publish"):
        assert lock_path(warehouse, "judge") != lock_path(warehouse, "publish")
