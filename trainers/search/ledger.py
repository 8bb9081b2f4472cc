"""The ledger of a search: every reply of Claude on disk before it is used, in one file that is only ever added to."""

import os
from datetime import UTC, datetime
from pathlib import Path

import orjson

from curation.claude.asking import Form
from curation.claude.errand import Record, Reply, Row
from curation.claude.journal import COMMON, discard, parse_line, pending, sync_folder
from curation.claude.prices import price
from curation.claude.reply import NOTHING, Opened, error_message

LEDGER = "ledger.jsonl"
JOURNAL = "journal"  # the folder where replies lie, synced, until they are in the ledger: empty while no one is asked
FIELDS = COMMON | {"trial", "message"}  # the number of the trial, and what was asked, in full


def record(row: Row, reply: Reply, form: Form, spec: str) -> Record:
    """What is kept of a reply."""
    return {
        "trial": row["trial"],
        "message": row["message"],
        "spec": spec,
        "backend": form.backend,
        "model": form.model,
        "failed": reply.failed,
        "raw": reply.raw,
        "received_at": datetime.now(UTC).isoformat(),
    }


def row(kept: Record, opened: Opened | None) -> Row:
    """What a record counts as; `opened`: the reply as it was read, None where there is none."""
    usage = opened.usage if opened else NOTHING
    return {
        "model": kept["model"],
        "status": opened.status if opened else "api_error",
        "why": opened.detail if opened else error_message(kept["raw"]),
        "input_tokens": usage.fresh + usage.written + usage.cached,
        "output_tokens": usage.output,
        "cached_tokens": usage.cached,
        "usd": price(kept["model"], usage, datetime.fromisoformat(kept["received_at"]).date()),
    }


def records(out: Path) -> list[Record]:
    """Every reply so far, oldest first; what a kill left in the journal is taken in before.

    A line that a kill tore is passed over: its reply still lies in the journal, and stands below it whole.
    """
    take_in(out)
    path = out / LEDGER
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    found = [parse_line(line, FIELDS) for line in lines if line]
    kept = {(one["received_at"], one["raw"]): one for one in found if one is not None}
    return list(kept.values())  # taken in twice, where a kill came between the ledger and the journal's end


def take_in(out: Path) -> None:
    """Adds what lies in the journal to the ledger, synced, then removes it there."""
    for file in pending(out / JOURNAL, FIELDS):
        lines = b"".join(orjson.dumps(one) + b"\n" for one in file.records())
        descriptor = os.open(out / LEDGER, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            torn = bool(size) and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, b"\n" * torn + lines)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(out)
        discard(file)
