"""`curation serve` for real: a cron run comes by itself, versions and approvals start trainers, kills are told, it stops clean."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import traces
from tests.conftest import Cli
from tests.flows.team import free_port, small_preset
from warehouse import Store

PATIENCE = 420.0  # seconds: a server's start and a flow's start, on a machine with other work


class Serving:
    """A service over one recipe, in a folder of its own."""

    def __init__(self, cli: Cli) -> None:
        self.cli, self.port = cli, free_port()
        source = traces.write(cli.folder / "t.jsonl", [traces.good(number) for number in range(60)])
        small_preset(cli.folder, "tiny-gemma4", "sft.max_steps=2", "sft.max_length=2048")
        for name, when, cron in (("t", "always", 'cron = "* * * * *"'), ("u", "after approval", "")):
            lines = {
                "schedule": cron,
                "train": f'preset = "tiny-gemma4.toml"\nwhen = "{when}"',
                "release": "test = 0.2",
            }
            text = traces.recipe_text(source, cli.folder / "out", **lines)
            (cli.folder / f"{name}.toml").write_text(text.replace('name = "t"', f'name = "{name}"'))
        cli.environment |= {"OMP_NUM_THREADS": "1"}
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        return self.cli.start("serve", "t.toml", "u.toml", "--state", "state", "--port", self.port)

    def child(self, *words: str) -> int:
        """The process of ours whose command line ends in these words."""
        end = "\0".join(words).encode() + b"\0"
        mine = b"PREFECT_HOME=" + str(self.cli.folder).encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if end in (folder / "cmdline").read_bytes() and mine in (folder / "environ").read_bytes():
                    return int(folder.name)
            except OSError:
                continue
        raise AssertionError(f"no process was started as {words}")

    def trained(self, name: str) -> list[dict[str, Any]]:
        """The training runs of a dataset's versions."""
        return [run for run in self.runs("gpu") if run["parameters"]["name"] == name]

    def completed(self, since: str = "") -> list[dict[str, Any]]:
        """The refreshes that completed, whose start is later than `since`."""
        done = [run for run in self.runs("curation") if run["state"]["name"] == "Completed"]
        return [run for run in done if run["start_time"] > since]

    def ask(self, path: str, **body: Any) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def get(self, path: str) -> Any:
        """What the server has there; nothing while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/{path}", timeout=30) as answer:
                return json.load(answer)
        except OSError:
            return None

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
    done = serving.wait("a completed refresh", serving.completed)
    assert done[0]["auto_scheduled"]
    wrong = [line for line in serving.log("server").splitlines() if "ERROR" in line and "services" in line]
    assert wrong == []  # of the scheduler and its like: a heartbeat may come late on a busy machine
    assert (serving.cli.folder / "out" / "t-v1.0.0" / "manifest.json").is_file()


def test_a_new_version_starts_the_trainer_on_the_gpu_pool_whose_run_is_evaluated_and_recorded(serving: Serving) -> None:
    (run,) = serving.wait("a training run", lambda: [run for run in serving.trained("t") if run["end_time"]])
    assert run["state"]["name"] == "Completed", run["state"]["message"]
    told = run["parameters"]
    assert (told["name"], told["version"], told["preset"]) == ("t", "1.0.0", "tiny-gemma4.toml")
    assert Path(told["reference"]) == serving.cli.folder / "out" / "t-v1.0.0"
    (recorded,) = serving.cli.json("runs", "t")["runs"]
    assert (recorded["version"], recorded["state"], recorded["preset"]) == ("1.0.0", "finished", "tiny-gemma4")
    assert recorded["score"] is not None


def test_a_trainer_that_waits_for_a_person_starts_after_the_approval_and_not_before(serving: Serving) -> None:
    deployment = serving.wait("the deployment", lambda: serving.get("deployments/name/refresh/u"))
    serving.ask(f"deployments/{deployment['id']}/create_flow_run")
    serving.wait("u 1.0.0", lambda: [row for row in serving.cli.json("releases", "u")["releases"] if row["path"]])
    store = Store(serving.cli.warehouse)
    serving.wait("the word of it", lambda: "u" not in store.read("unannounced")["name"].to_list())
    assert serving.trained("u") == []
    assert "published already: its approval is written down" in serving.cli.ok("releases", "approve", "u@1.0.0")
    (run,) = serving.wait("a training run", lambda: serving.trained("u"))
    assert (run["parameters"]["version"], len(serving.trained("t"))) == ("1.0.0", 1)


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
    serving.wait("a later refresh", lambda: serving.completed(state["start_time"]))
    assert sorted(path.name for path in (serving.cli.folder / "out").iterdir()) == ["t-v1.0.0", "u-v1.0.0"]


def test_a_killed_server_and_a_killed_worker_are_started_again_and_the_schedule_goes_on(serving: Serving) -> None:
    for words in (("server", "start", "--host", "127.0.0.1"), ("worker", "start", "--pool", "curation")):
        os.kill(serving.child(*words), signal.SIGKILL)
    since = datetime.now(UTC).isoformat()
    serving.wait("a later refresh", lambda: serving.completed(since))


def test_a_second_service_in_the_same_folder_is_refused(serving: Serving) -> None:
    second = serving.cli("serve", "t.toml", "--state", "state", "--port", serving.port)
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
