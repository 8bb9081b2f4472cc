"""Tells Prefect of new versions, approvals and trained models: events by which automations start what comes next."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import httpx
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

from curation.errors import ServiceError
from flows.asking import releases
from warehouse import Store

PUBLISHED, APPROVED = "curation.dataset.published", "curation.dataset.approved"
TRAINED = "curation.model.trained"

# event -> the queries that tell what it has still to be sent for, and that write down that it was
EVENTS = {
    PUBLISHED: ("unannounced", "announce_releases"),
    APPROVED: ("unannounced_reviews", "announce_reviews"),
}


def announce(store: Store) -> list[str]:
    """Sends what is due to the server of PREFECT_API_URL, and writes it down once the server has taken it.

    Of several versions of one dataset only the newest is news. Without such a server nothing is sent, and it stays
    due. Returns the events sent, as `name version event`. Raises ServiceError where the server does not take one.
    """
    if PREFECT_API_URL.value() is None or not store.exists():
        return []
    sent = []
    for event, (due, done) in EVENTS.items():
        newest: dict[str, dict[str, Any]] = {}
        for row in store.read(due).iter_rows(named=True):
            newest.setdefault(row["name"], row)
        for name, row in newest.items():
            rows = next(r["rows"] for r in releases(store, name) if r["version"] == row["version"])
            send(event, row, rows)
            with store.write() as transaction:
                transaction.run(done, name=name, now=datetime.now(UTC))
            sent.append(f"{name} {row['version']} {event}")
    return sent


def tell(store: Store, warn: Callable[[str], None]) -> None:
    """`announce`, where what cannot be sent now is sent another time and ends nothing."""
    try:
        announce(store)
    except ServiceError as error:
        warn(str(error))


def send(event: str, release: dict[str, Any], rows: dict[str, int]) -> None:
    """One event, with the same id however often it is sent. Raises ServiceError where the server does not take it."""
    body = {
        "id": str(uuid5(NAMESPACE_URL, f"{event}/{release['name']}/{release['version']}/{release['digest']}")),
        "occurred": datetime.now(UTC).isoformat(),
        "event": event,
        "resource": {"prefect.resource.id": f"curation.dataset.{release['name']}"},
        "payload": {
            **{key: release[key] for key in ("name", "version", "target", "path", "digest", "samples")},
            "commit": release["commit"] or "",
            "reference": reference_of(release),
            "rows": rows,
        },
    }
    post(body)


def tell_trained(name: str, version: str, address: str) -> None:
    """That a model was trained from a version of a dataset, and where its run lies: for the box that has the warehouse.

    Raises ServiceError where the server does not take it.
    """
    post(
        {
            "id": str(uuid4()),  # as often as it is told: recording it again changes nothing
            "occurred": datetime.now(UTC).isoformat(),
            "event": TRAINED,
            "resource": {"prefect.resource.id": f"curation.model.{name}"},
            "payload": {"name": name, "version": version, "address": address},
        }
    )


def post(event: dict[str, Any]) -> None:
    """Sends one event. Raises ServiceError where the server does not take it."""
    try:
        with get_client(sync_client=True) as client:
            client.request("POST", "/events", json=[event]).raise_for_status()
    except httpx.HTTPError as error:
        raise ServiceError(
            f"Prefect at {PREFECT_API_URL.value()} did not take {event['event']}: {error}; it is sent again"
        ) from error


def reference_of(release: dict[str, Any]) -> str:
    """How a trainer names the release: its folder, or the repository at the very commit."""
    path = str(release["path"])
    return f"{path.split('@', 1)[0]}@{release['commit']}" if path.startswith("hf://") and release["commit"] else path
