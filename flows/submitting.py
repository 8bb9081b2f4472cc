"""Starts a trainer's deployment by hand, says where its run is to be seen, and follows it where asked."""

import time
from collections.abc import Callable
from typing import Any

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL

from curation.errors import InputError, ServiceError

EVERYBODYS = "curation"  # the deployment that takes any release, as prefect.yaml has it
POLL_SECONDS = 5.0  # between two looks at a run that takes hours


def submit(kind: str, release: dict[str, str], preset: str, model: str | None, pool: str) -> dict[str, str]:
    """Starts the trainer of a release ({name, version, reference}); returns the run's id, name and address.

    The deployment is `train-<kind>/<the release's name>`, else `train-<kind>/curation`. Raises InputError where
    neither is there or it runs in another pool, ServiceError where there is no server.
    """
    api = PREFECT_API_URL.value()
    if api is None:
        raise InputError("--submit needs a Prefect server; set PREFECT_API_URL, such as http://127.0.0.1:4200/api")
    try:
        with get_client(sync_client=True) as client:
            found = deployment(client, kind, release["name"])
            if found.work_pool_name != pool:
                raise InputError(
                    f"train-{kind}/{found.name} runs in the work pool {found.work_pool_name}, not {pool}; name that with --pool"
                )
            parameters: dict[str, Any] = {**release, "preset": preset, **({"model": model} if model else {})}
            run = client.create_flow_run_from_deployment(found.id, parameters=parameters)
    except httpx.HTTPError as error:
        raise ServiceError(f"Prefect at {api} cannot be reached: {error}; is `curation serve` running?") from error
    return {"id": str(run.id), "name": run.name, "address": f"{api.removesuffix('/api')}/runs/flow-run/{run.id}"}


def deployment(client: Any, kind: str, name: str) -> Any:
    """The deployment that trains from this dataset."""
    for called in (name, EVERYBODYS):
        try:
            return client.read_deployment_by_name(f"train-{kind}/{called}")
        except ObjectNotFound:
            continue
    raise InputError(
        f"there is neither train-{kind}/{name} nor train-{kind}/{EVERYBODYS} at {PREFECT_API_URL.value()}; "
        "`curation serve` makes the first for a recipe with [train], `prefect deploy --all` the second"
    )


def follow(run_id: str, say: Callable[[str], None]) -> str:
    """Says each new state of a run until it has ended; returns the name of the last. Ctrl-C leaves the run as it is."""
    last = ""
    with get_client(sync_client=True) as client:
        while True:
            state = client.read_flow_run(run_id).state  # type: ignore[arg-type]
            if state is not None and state.name != last:
                last = state.name or ""
                say(f"{last}{': ' + state.message if state.message else ''}")
            if state is not None and state.is_final():
                return last
            time.sleep(POLL_SECONDS)
