"""`curation serve`: a Prefect server and its workers as child processes, watched until somebody stops them."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from curation.errors import CurationError, MachineError, Stopped
from flows import announcing, deploying
from warehouse import Store, StoreError

STARTING = 300.0  # seconds until the server must answer: half a minute on a quiet machine, minutes on a busy one
GRACE = 10.0  # seconds that a child has to end by itself; the worker was seen to ignore SIGTERM
STOPPING = "stopping; what runs is ended, and goes on at the next run"
ROUND = 15.0  # seconds between two looks at what was killed and what is due to be told
AT_ONCE = 4  # flow runs of one worker at the same time: each is a process of some 300 MB
PR_SET_PDEATHSIG = 1

Say = Callable[[str], None]


@dataclass
class Child:
    """A process that is kept alive."""

    name: str
    words: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it in a session of its own: Ctrl-C reaches us alone, and we end it in our order."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "prefect", *self.words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent if sys.platform == "linux" else None,
            )

    def ended(self) -> bool:
        """Whether it runs no more."""
        return self.process is None or self.process.poll() is not None

    def stop(self) -> None:
        """Ends it and all that it started: by SIGTERM, and what is left after GRACE by SIGKILL."""
        if self.process is None:
            return
        family = [self.process.pid, *descendants(self.process.pid)]
        with suppress(ProcessLookupError):
            self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE)
        for pid in {*family, *descendants(self.process.pid)}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def die_with_parent() -> None:
    """In the child: the kernel kills it when we are killed, so that nothing holds the port of the next service."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """The processes below one, as /proc knows them."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            parents.setdefault(parent, []).append(int(folder.name))
    found, waiting = [], [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


@dataclass
class Service:
    """One service: what is served, where its state lies, and where its server listens."""

    served: deploying.Served
    state: Path
    host: str
    port: int
    children: list[Child] = field(default_factory=list)
    trouble: str = ""  # what was said last of an outage, so that it is said once

    def run(self, say: Say) -> None:
        """Serves until it is interrupted. The environment is that of `curation.process.prepare_service`.

        Raises Stopped where another service runs in the same state folder, MachineError where the server does not
        come up.
        """
        with alone(self.state), interruptible() as asked:
            try:
                self.begin(say)
                self.tend(say)
                while not asked.wait(ROUND):
                    self.tend(say)
                say(STOPPING)
            except KeyboardInterrupt:
                say(STOPPING)
            finally:
                self.end()

    def begin(self, say: Say) -> None:
        """Server first, then what there is to run, then the workers."""
        server = self.child("server", "server", "start", "--host", self.host, "--port", str(self.port))
        self.wait_for(server)
        pools = deploying.pools(self.served)
        for name in deploying.deploy(self.served):
            say(f"deployed {name}")
        deploying.sweep(pools)
        if dropped := deploying.drop_late():
            say(f"{dropped} runs were missed while nothing was served; the last one of each recipe runs now")
        for pool in pools:
            limit = 1 if pool == deploying.GPU else AT_ONCE  # a GPU holds one trainer
            words = ("worker", "start", "--pool", pool, "--type", "process", "--limit", str(limit))
            self.child(f"worker-{pool}", *words)
        say(f"serving at http://{self.host}:{self.port}; logs and state are in {self.state}; Ctrl-C stops it")

    def child(self, name: str, *words: str) -> Child:
        """Starts a child and keeps it."""
        made = Child(name, list(words), self.state / "logs" / f"{name}.log")
        self.children.append(made)
        made.start()
        return made

    def wait_for(self, server: Child) -> None:
        """Returns once the server answers."""
        until = time.monotonic() + STARTING
        while time.monotonic() < until and not server.ended():
            with suppress(httpx.HTTPError):
                if httpx.get(f"http://{self.host}:{self.port}/api/health", timeout=5).is_success:
                    return
            time.sleep(0.5)
        raise MachineError(
            f"Prefect's server did not come up at http://{self.host}:{self.port}; {server.log} says why, --port names another"
        )

    def tend(self, say: Say) -> None:
        """Starts again what has ended, marks what was killed, tells what is due; an outage ends no service."""
        for child in self.children:
            if child.ended():
                say(f"{child.name} has ended and is started again; its log is {child.log}")
                child.start()
        try:
            for name in deploying.sweep(deploying.pools(self.served)):
                say(f"{name}: its process was killed; marked as crashed")
            for told in announcing.announce(Store(self.served.warehouse)):
                say(f"told of {told}")
            self.trouble = ""
        except (CurationError, StoreError, httpx.HTTPError) as error:
            if self.trouble != str(error):
                self.trouble = str(error)
                say(f"tried again until it works: {error}")

    def end(self) -> None:
        """Workers first, then what they left is marked as crashed, then the server."""
        for child in reversed(self.children):
            if child.name == "server" and not child.ended():
                with suppress(CurationError, httpx.HTTPError):
                    deploying.sweep(deploying.pools(self.served))
            child.stop()


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Holds the state folder; Stopped where another service has it."""
    descriptor = os.open(state / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stopped(f"another service runs in {state}; stop it, or choose another folder with --state") from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Gives what Ctrl-C sets, and SIGTERM too, by which systemd stops a service, also where a shell has them ignored.

    What is being done is done to its end first; whoever cannot wait interrupts once more, which breaks it off.
    """
    asked = threading.Event()

    def interrupt(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
