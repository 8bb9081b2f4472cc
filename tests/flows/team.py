"""A team's own Prefect server with workers, all on this machine, as docs/deploy.md has them; and a chat that is told."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, Cli

PATIENCE = 900.0  # seconds: a server's start, a flow's start, a trainer's start, on a machine with other work


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Team:
    """A Prefect server, and a checkout whose prefect.yaml is deployed to it."""

    def __init__(self, cli: Cli) -> None:
        self.cli, self.port = cli, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        cli.environment |= {
            "PREFECT_HOME": str(cli.folder / "prefect"),
            "PREFECT_API_URL": f"{self.address}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
            "PREFECT_CLI_PROMPT": "false",
            "DO_NOT_TRACK": "1",
            "OMP_NUM_THREADS": "1",
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start("server", "start", "--host", "127.0.0.1", "--port", str(self.port))
        self.wait("the server", self.answers)

    def start(self, *words: str) -> None:
        """`prefect …` in the background."""
        with (self.cli.folder / f"{words[0]}.log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "prefect", *words],
                    cwd=self.cli.folder,
                    env=self.cli.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def prefect(self, *words: str) -> str:
        """`prefect …`, which must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "prefect", *words],
            cwd=self.cli.folder,
            env=self.cli.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def deploy(self, changes: dict[str, str]) -> None:
        """What docs/deploy.md says to do in a checkout, whose prefect.yaml a team has changed to its own."""
        text = (ROOT / "prefect.yaml").read_text(encoding="utf-8")
        for before, after in changes.items():
            assert before in text
            text = text.replace(before, after)
        (self.cli.folder / "prefect.yaml").write_text(text, encoding="utf-8")
        (self.cli.folder / "flows").symlink_to(ROOT / "flows")
        for pool in ("curation", "gpu"):
            self.prefect("work-pool", "create", pool, "--type", "process")
        self.prefect("deploy", "--all")
        for pool in ("curation", "gpu"):
            self.start("worker", "start", "--pool", pool)

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/api/{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def answers(self) -> bool:
        try:
            return bool(self.ask("health"))
        except OSError:
            return False

    def runs(self, pool: str, *states: str) -> list[dict[str, Any]]:
        """The runs of a work pool in one of these states, oldest first."""
        pools = {"name": {"any_": [pool]}}
        found = self.ask("flow_runs/filter", {"sort": "START_TIME_ASC", "work_pools": pools})
        return [run for run in found if run["state"]["name"] in states]

    def wait(self, what: str, seen: Callable[[], Any]) -> Any:
        """What `seen` gives once it gives anything."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if found := seen():
                return found
            time.sleep(1)
        logs = "\n".join(path.read_text()[-4000:] for path in self.cli.folder.glob("*.log"))
        raise AssertionError(f"{what} was waited for in vain: {logs}")

    def stop(self) -> None:
        """Ends all of it."""
        for process in reversed(self.processes):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Chat:
    """A webhook: keeps what it is told."""

    def __init__(self) -> None:
        told: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        self.told = told
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def small_preset(folder: Path, name: str, *changes: str) -> Path:
    """A preset as a file of one's own, that takes seconds."""
    from tests.trainers.conftest import SMALL
    from trainers.presets import load_preset, preset_toml

    path = folder / f"{name}.toml"
    path.write_text(preset_toml(load_preset(name, [*SMALL, "decoding.max_new_tokens=8", *changes])), encoding="utf-8")
    return path
