"""What is published is due to be told until a server has taken it, once, and only the newest version of a dataset is news."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from curation.errors import ServiceError
from flows import announcing
from warehouse import Store


class Events(BaseHTTPRequestHandler):
    """Takes events as Prefect's server does, or fails as one that is overloaded."""

    taken: list[dict[str, Any]]
    status: int

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.status == 204:
            self.taken.extend(body)
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        """There is no token to be had, as of a server that asks for none."""
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@contextmanager
def listening(status: int = 204) -> Iterator[list[dict[str, Any]]]:
    """A server of events; gives what it took."""
    handler = type("Handler", (Events,), {"taken": [], "status": status})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{server.server_port}/api"}):
            yield handler.taken
    finally:
        server.shutdown()


def published(store: Store, version: str) -> None:
    about = {"name": "plans", "version": version, "recipe": "", "parent": None, "target": "hf://team/plans"}
    about |= {"digest": f"d{version}", "manifest": "{}", "created_at": datetime(2026, 10, int(version[0]), tzinfo=UTC)}
    with store.write() as transaction:
        transaction.run("insert_release", **about, funnel=None)
        transaction.run("publish_release", name="plans", version=version, path="hf://team/plans@v1", commit="c" * 40)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "w.duckdb")
    published(made, "1.0.0")
    return made


def test_a_new_version_is_told_once_with_what_a_trainer_needs(store: Store) -> None:
    published(store, "2.0.0")
    with listening() as taken:
        assert announcing.announce(store) == ["plans 2.0.0 curation.dataset.published"]
        assert announcing.announce(store) == []
    (event,) = taken
    assert event["resource"] == {"prefect.resource.id": "curation.dataset.plans"}
    told = event["payload"]
    assert (told["name"], told["version"], told["commit"], told["rows"]) == ("plans", "2.0.0", "c" * 40, {})
    assert told["reference"] == f"hf://team/plans@{'c' * 40}"


def test_what_no_server_took_stays_due(store: Store) -> None:
    with listening(status=409), pytest.raises(ServiceError, match=r"did not take curation\.dataset\.published"):
        announcing.announce(store)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert announcing.announce(store) == []
    with listening() as taken:
        announcing.announce(store)
    assert len(taken) == 1


def test_an_approval_is_an_event_of_its_own(store: Store) -> None:
    with listening() as taken:
        announcing.announce(store)
        with store.write() as transaction:
            said = {"digest": "d1.0.0", "decision": "approved", "reviewer": "me", "note": None}
            transaction.run("insert_review", name="plans", version="1.0.0", **said, decided_at=datetime.now(UTC))
        assert announcing.announce(store) == ["plans 1.0.0 curation.dataset.approved"]
        assert announcing.announce(store) == []
    assert [event["event"] for event in taken] == [announcing.PUBLISHED, announcing.APPROVED]
