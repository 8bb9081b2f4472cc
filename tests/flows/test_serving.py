"""`curation serve` for real: a cron run comes by itself, a new version starts the trainer, kills are told, and it stops clean."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import traces
from tests.conftest import Cli

PATIENCE = 420.0  # seconds: a server's start and a flow's start, on a machine with other work


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Serving:
    """A service over one recipe, in a folder of its own."""

    def __init__(self, cli: Cli) -> None:
        self.cli, self.port = cli, free_port()
        source = traces.write(cli.folder / "t.jsonl", [traces.good(number) for number in range(24)])
        lines = {"schedule": 'cron = "* * * * *"', "train": 'preset = "tiny-gemma4"\nwhen = "always"'}
        (cli.folder / "r.toml").write_text(traces.recipe_text(source, cli.folder / "out", **lines))
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        return self.cli.start("serve", "r.toml", "--state", "state", "--port", self.port)

    def ask(self, path: str, **body: Any) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def runs(self, pool: str) -> list[dict[str, Any]]:
        """The flow runs of a work pool, oldest first; none while the server does not answer."""
        try:
            found = self.ask("flow_runs/filter", sort="START_TIME_ASC", work_pools={"name": {"any_": [pool]}})
        except OSError:
            return []
        return [run for run in found if run["state_type"] != "SCHEDULED"]

    def wait(self, what: str, seen: Callable[[], Any]) -> Any:
        """What `seen` gives once it gives anything."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            assert self.process.poll() is None, self.process.communicate()[1]
            if found := seen():
                return found
            time.sleep(1)
        raise AssertionError(f"{what} was waited for in vain: {self.runs('curation')} {self.runs('gpu')}")

    def log(self, name: str) -> str:
        return (self.cli.folder / "state" / "logs" / f"{name}.log").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def serving(cli_in: Callable[[Path], Cli], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    made = Serving(cli_in(tmp_path_factory.mktemp("serving")))
    yield made
    if made.process.poll() is None:
        os.killpg(made.process.pid, signal.SIGKILL)
    made.process.communicate()


pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_a_run_of_the_schedule_comes_by_itself_and_completes_without_an_error(serving: Serving) -> None:
    done = serving.wait(
        "a completed refresh", lambda: [run for run in serving.runs("curation") if run["state_type"] == "COMPLETED"]
    )
    assert done[0]["auto_scheduled"]
    wrong = [line for line in serving.log("server").splitlines() if "ERROR" in line and "services" in line]
    assert wrong == []  # of the scheduler and its like: a heartbeat may come late on a busy machine
    assert (serving.cli.folder / "out" / "t-v1.0.0" / "manifest.json").is_file()


def test_a_new_version_starts_the_trainer_on_the_gpu_pool_with_that_release(serving: Serving) -> None:
    (run,) = serving.wait("a training run", lambda: serving.runs("gpu"))
    told = run["parameters"]
    assert (told["name"], told["version"], told["preset"]) == ("t", "1.0.0", "tiny-gemma4")
    assert Path(told["reference"]) == serving.cli.folder / "out" / "t-v1.0.0"


def test_a_killed_run_is_told_as_crashed_and_the_next_one_completes(serving: Serving) -> None:
    (running, *_) = serving.wait(
        "a refresh at work",
        lambda: [
            run for run in serving.runs("curation") if run["state_type"] == "RUNNING" and run["infrastructure_pid"]
        ],
    )
    os.kill(int(running["infrastructure_pid"]), signal.SIGKILL)
    state = serving.wait(
        "the word that it crashed",
        lambda: {run["id"]: run for run in serving.runs("curation") if run["state_type"] == "CRASHED"}.get(
            running["id"]
        ),
    )
    serving.wait(
        "a later refresh",
        lambda: [
            run
            for run in serving.runs("curation")
            if run["state_type"] == "COMPLETED" and run["start_time"] > state["start_time"]
        ],
    )
    assert [path.name for path in (serving.cli.folder / "out").iterdir()] == ["t-v1.0.0"]


def test_a_second_service_in_the_same_folder_is_refused(serving: Serving) -> None:
    second = serving.cli("serve", "r.toml", "--state", "state", "--port", serving.port)
    assert second.returncode == 3
    assert "another service runs in" in second.stderr


def test_a_stopped_service_leaves_no_process_behind(serving: Serving) -> None:
    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(120) == 0
    mine = str(serving.cli.folder).encode()
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"PREFECT_HOME=" + mine in (folder / "environ").read_bytes():
                left.append((folder / "cmdline").read_bytes())
        except OSError:
            continue
    assert left == []
