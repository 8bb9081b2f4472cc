"""Writes down each refresh of a recipe, marks those that were killed, and remembers which sources are in trouble."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import polars as pl

from curation.errors import Stopped
from flows.failing import told
from warehouse import Store, StoreError

KEPT = (
    "recipe",
    "traces",
    "samples",
    "stages",
    "fell",
    "accepted",
    "usd",
)  # of the funnel: what the next run is held against


@dataclass
class Row:
    """What is known of a refresh; whoever does it fills it in."""

    refresh_id: str = field(default_factory=lambda: str(uuid4()))
    state: str = "finished"
    detail: str | None = None
    new_traces: int | None = None
    funnel: dict[str, Any] | None = None
    version: str | None = None


@contextmanager
def written_down(store: Store, recipe: str, flow_run: str | None) -> Iterator[Row]:
    """Keeps a row of the refresh in the block, which holds the recipe's lock, and of how it ended."""
    row = Row()
    with store.write() as transaction:
        transaction.run("crash_refreshes", recipe=recipe, now=datetime.now(UTC))
        transaction.run(
            "insert_refresh",
            refresh_id=row.refresh_id,
            recipe=recipe,
            flow_run=flow_run,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=datetime.now(UTC),
        )
    try:
        yield row
    except BaseException as error:
        row.state = "stopped" if isinstance(error, Stopped | KeyboardInterrupt) else "failed"
        row.detail = told(error)
        with suppress(StoreError):  # what stopped the refresh may be the warehouse itself, and is what must be told
            finish(store, row)
        raise
    finish(store, row)


def finish(store: Store, row: Row) -> None:
    """Writes down what became of a refresh."""
    kept = {key: value for key, value in (row.funnel or {}).items() if key in KEPT}
    with store.write() as transaction:
        transaction.run(
            "finish_refresh",
            refresh_id=row.refresh_id,
            state=row.state,
            detail=row.detail,
            new_traces=row.new_traces,
            funnel=orjson.dumps(kept).decode() if row.funnel else None,
            version=row.version,
            finished_at=datetime.now(UTC),
        )


def killed(store: Store, recipe: str) -> list[str]:
    """Prefect's ids of the refreshes that are said to run; whoever holds the recipe's lock knows that they do not."""
    if not store.exists():
        return []
    return store.read("running_refreshes", recipe=recipe)["flow_run"].drop_nulls().to_list()


def last_funnel(store: Store, recipe: str) -> dict[str, Any] | None:
    """The funnel at the end of the last refresh that came so far; None where there was none."""
    found = store.read("last_funnel", recipe=recipe)
    return None if found.is_empty() else dict(orjson.loads(found["funnel"][0]))


def keep_trouble(store: Store, recipe: str, sentences: dict[str, str]) -> list[dict[str, Any]]:
    """Remembers which sources (path -> why) could not be read, each since its first bad night; returns the rows."""
    since = {row["source"]: row["since"] for row in trouble(store, recipe)}
    now = datetime.now(UTC)
    rows = [
        {"source": source, "sentence": sentence, "since": since.get(source, now)}
        for source, sentence in sorted(sentences.items())
    ]
    if rows or since:
        schema: dict[str, Any] = {"source": pl.String, "sentence": pl.String, "since": pl.Datetime("us", "UTC")}
        with store.write() as transaction:
            transaction.run("delete_source_trouble", recipe=recipe)
            transaction.run("insert_source_trouble", {"incoming": pl.DataFrame(rows, schema=schema)}, recipe=recipe)
    return rows


def trouble(store: Store, recipe: str) -> list[dict[str, Any]]:
    """The sources that could not be read at the last refresh: {source, sentence, since}."""
    return list(store.read("source_trouble", recipe=recipe).iter_rows(named=True))


def in_trouble(row: dict[str, Any]) -> str:
    """One source in trouble, as a sentence."""
    return f"{row['source']} could not be read since {row['since']:%Y-%m-%d %H:%M} UTC: {row['sentence']}"
