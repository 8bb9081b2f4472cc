"""The ledger of what Claude wrote: a journal's record becomes a row, by the same rules whenever that is done."""

import hashlib
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl

from curation.claude.asking import Form
from curation.claude.errand import Record, Reply, Row
from curation.claude.journal import COMMON, JournalFile
from curation.claude.prices import price
from curation.claude.reply import NOTHING, error_message
from curation.sample import dumps
from curation.synthesis.offline import Trace
from curation.synthesis.ordering import Order
from curation.synthesis.selfcheck import trace_faults
from curation.synthesis.writing import Thought, Written, parse, parse_thinking

JOURNAL = "writing"  # beside the warehouse, after its name

# What a record is made of, besides who was asked: for what, and what a reading of the reply needs to know of it.
FIELDS = COMMON | {"writing_id", "task", "subject", "asked"}

# The frame of a row: one reply, good or bad, as it stands in the warehouse.
WRITING_FRAME: dict[str, pl.DataType] = {
    "writing_id": pl.String(),  # a UUID made of specification, subject and attempt: the same reply never counts twice
    "task": pl.String(),  # one of READERS
    "subject": pl.String(),  # what was asked about: a hash of the order's message, or the sample's id
    "asked": pl.String(),  # of an order, as JSON: key, category, style and candidates, all that its reply is read by
    "spec": pl.String(),  # a hash of everything else that the reply depends on
    "backend": pl.String(),
    "model": pl.String(),
    "status": pl.String(),  # as it was read when it came: ok, refused, truncated, unparseable, unfit, faulty, api_error
    "why": pl.String(),  # null where status is ok
    "input_tokens": pl.Int64(),
    "output_tokens": pl.Int64(),
    "cached_tokens": pl.Int64(),
    "usd": pl.Float64(),  # null where the model has no price
    "raw": pl.String(),  # the service's reply, or the error as JSON, to the byte
    "received_at": pl.Datetime("us", "UTC"),
}


def identify(spec: str, subject: str, attempt: int) -> str:
    """The row's id; `attempt` counts the replies about this subject under this specification, from 0."""
    content = orjson.dumps([spec, subject, attempt])
    return str(uuid.UUID(bytes=hashlib.blake2b(content, digest_size=16).digest()))


def asked_of(order: Order) -> dict[str, Any]:
    """What is kept of an order beside its reply, so that the reply can be read whatever becomes of the registry."""
    return {
        "key": order.key,
        "category": order.category,
        "style": order.style,
        "candidates": list(order.candidates),
    }


def order_of(asked: dict[str, Any]) -> Order:
    """The order that a reply is read by; its message is not needed for that."""
    return Order(asked["key"], asked["category"], asked["style"], tuple(asked["candidates"]), "")


def record(row: Row, reply: Reply, task: str, form: Form, spec: str) -> Record:
    """What the journal keeps of one reply; `row` is one of a work list, with `subject`, `attempt` and perhaps `asked`."""
    return {
        "writing_id": identify(spec, row["subject"], row["attempt"]),
        "task": task,
        "subject": row["subject"],
        "asked": orjson.loads(row["asked"]) if row.get("asked") else None,
        "spec": spec,
        "backend": form.backend,
        "model": form.model,
        "failed": reply.failed,
        "raw": reply.raw,
        "received_at": datetime.now(UTC).isoformat(),
    }


def read_order(kept: Record) -> Written:
    """A reply to an order; its trace is not checked yet, which costs a hundred times less for many at once."""
    return parse(kept["raw"], order_of(kept["asked"]), kept["model"], passes=unchecked)


def unchecked(trace: Trace) -> list[str]:
    """Finds nothing."""
    return []


def read_thinking(kept: Record) -> Thought:
    """A reply to a plan without reasoning."""
    return parse_thinking(kept["raw"])


READERS: dict[str, Callable[[Record], Written | Thought]] = {"order": read_order, "thinking": read_thinking}


def row(kept: Record) -> Row:
    """The row of a WRITING_FRAME that a record of the journal amounts to, before any row stage has seen its trace."""
    return row_of(kept, None if kept["failed"] else READERS[kept["task"]](kept))


def row_of(kept: Record, told: Written | Thought | None) -> Row:
    """The row of a record and what its reply says; None: there was no reply."""
    usage = told.usage if told else NOTHING
    received_at = datetime.fromisoformat(kept["received_at"])
    return {
        **{name: kept[name] for name in ("writing_id", "task", "subject", "spec", "backend", "model", "raw")},
        "asked": None if kept["asked"] is None else dumps(kept["asked"]),
        "status": told.status if told else "api_error",
        "why": told.why if told else error_message(kept["raw"]),
        "input_tokens": usage.fresh + usage.written + usage.cached,
        "output_tokens": usage.output,
        "cached_tokens": usage.cached,
        "usd": price(kept["model"], usage, received_at.date()),
        "received_at": received_at,
    }


def writings(file: JournalFile) -> pl.DataFrame:
    """A finished journal file as a WRITING_FRAME, one row per id.

    To fold it in: insert the rows whose id the warehouse lacks, commit, then `discard` the file. Done twice, or cut off
    between the two, this adds nothing.
    """
    records = {kept["writing_id"]: kept for kept in file.records()}
    read = [None if kept["failed"] else READERS[kept["task"]](kept) for kept in records.values()]
    traces = {place: told.trace for place, told in enumerate(read) if isinstance(told, Written) and told.trace}
    faults = dict(zip(traces, trace_faults(traces.values()), strict=True))
    rows = []
    for place, (kept, told) in enumerate(zip(records.values(), read, strict=True)):
        found = row_of(kept, told)
        rows.append({**found, "status": "faulty", "why": ", ".join(faults[place])} if faults.get(place) else found)
    return pl.DataFrame(rows, schema=WRITING_FRAME, orient="row")
