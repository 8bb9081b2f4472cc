"""What a refresh meets on this machine: a judge, a Hub and a Prefect server, each real and each told when to fail."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.nights.traffic import REFUSED
from tests.servers.claude import KEY, Claude
from tests.servers.claude_protocol import Body

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "hf_local"
STARTING = 300.0  # seconds that Prefect's server may take, on a machine with other work
JUDGE_FAULTS = (
    "rate_limited",
    "overloaded",
    "broken",
    "unavailable",
    "reset",
)  # a reply comes after them: no row tells
EVERY = 23  # requests to a fault of the judge

# (match, kind, times) of tests.servers.hub: what passes, and an outage that ends the run.
HUB_FAULTS: tuple[tuple[str, int | str, int], ...] = (
    ("POST .*/commit/main", 500, 1),
    ("PUT /_lfs/", "drop", 1),
    ("POST .*/tag/", 503, 1),
    ("POST .*/preupload/", 429, 1),
    ("GET .*/refs", 500, 1),
    ("POST .*/commit/main", 503, 99),
)


def score(name: str, body: Body) -> int:
    """What a criterion gets: a function of what is asked alone, so that whoever asks again gets the same."""
    asked = body["messages"][-1]["content"]
    low = zlib.crc32(asked.encode()) % 10 == 0
    return 3 if low else 8 + zlib.crc32(f"{name} {asked}".encode()) % 3


def judge(faulty: bool) -> Claude:
    """A judge that takes its time, refuses what is marked so, and fails now and then where it is `faulty`."""
    faults = JUDGE_FAULTS if faulty else ()
    return Claude(latency=0.05, faults=faults, every=EVERY, marked={REFUSED: "refusal"}, score=score)


class Hub:
    """A local Hub in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def fault(self, match: str, kind: int | str, times: int) -> None:
        """Has the next requests fail; kind `clear` ends that."""
        ask(f"{self.url}/_faults", match=match, kind=kind, times=times)

    def log(self) -> list[str]:
        """`METHOD path` of every request so far."""
        with urllib.request.urlopen(f"{self.url}/_log", timeout=30) as answer:
            found: list[str] = json.load(answer)
        return found


@contextmanager
def hub(root: Path) -> Iterator[Hub]:
    """A Hub whose repositories lie under `root`."""
    command = [sys.executable, "-m", "tests.servers.hub", "--root", str(root), "--token", TOKEN]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Hub(process.stdout.readline().split()[-1])
        finally:
            process.kill()


class Prefect:
    """A Prefect server in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def running(self) -> list[str]:
        """The flow runs that it believes to run."""
        states = {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}
        return [run["id"] for run in ask(f"{self.url}/flow_runs/filter", flow_runs=states)]

    def last_task(self) -> str:
        """What the newest flow run was doing last: the task that it ran, or `between` two of them."""
        runs = ask(f"{self.url}/flow_runs/filter", sort="START_TIME_DESC", limit=1)
        if not runs:
            return "start"
        of_run = {"flow_runs": {"id": {"any_": [runs[0]["id"]]}}}
        tasks = ask(f"{self.url}/task_runs/filter", **of_run)
        going = [task["name"].split(" ")[0].split("-")[0] for task in tasks if task["state_type"] == "RUNNING"]
        return going[0] if going else "between"


@contextmanager
def prefect(folder: Path) -> Iterator[Prefect]:
    """A Prefect server whose state lies in `folder`, once it answers; it and its children end with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {**os.environ, "PREFECT_HOME": str(folder), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    environment |= {"DO_NOT_TRACK": "1", "PREFECT_SERVER_DATABASE_TIMEOUT": "60"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/api/health", process)
        yield Prefect(f"http://127.0.0.1:{port}/api")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Returns once the address answers."""
    until = time.monotonic() + STARTING
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"Prefect's server did not come up at {url}")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(url: str, **body: Any) -> Any:
    """What a server answers to a JSON body."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def addresses(judge: Claude, hub: Hub, prefect: Prefect, home: Path) -> dict[str, str]:
    """The environment in which a command finds all three."""
    told = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": judge.url, "PREFECT_API_URL": prefect.url}
    told |= {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return told | {"HF_HOME": str(home / "hf"), "PREFECT_HOME": str(home / "prefect")}
