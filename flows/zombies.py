"""Finds runs that Prefect believes to run although their process on this machine was killed, and marks them as crashed."""

import os
import socket
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

BEGIN = "process:"  # of the tag by which a run says who does it


def own_tag() -> str:
    """The tag of a run that this process does: `process:HOST:PID:START`."""
    pid = os.getpid()
    return f"{BEGIN}{socket.gethostname()}:{pid}:{started(pid)}"


def started(pid: int) -> str:
    """When a process was started, in ticks since the machine was, so that a number that is given again is known; empty: it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        return ""


def is_gone(tags: list[str]) -> bool:
    """Whether these tags name a process of this machine that is no more."""
    for tag in tags:
        if tag.startswith(f"{BEGIN}{socket.gethostname()}:"):
            pid, start = tag.split(":")[-2:]
            return started(int(pid)) != start
    return False


def clear(known: list[str]) -> None:
    """Marks as crashed the runs `known` to be dead, and all whose process of this machine is gone."""
    going = FlowRunFilter.model_validate({"state": {"type": {"any_": ["RUNNING", "PENDING"]}}})
    with get_client(sync_client=True) as client:
        dead = [run.id for run in client.read_flow_runs(flow_run_filter=going) if is_gone(run.tags)]
        for flow_run in {*dead, *map(UUID, known)}:
            try:
                client.set_flow_run_state(flow_run, Crashed(message="its process was killed"), force=True)
            except ObjectNotFound:  # it ran on another server
                continue
