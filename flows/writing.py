"""What Claude has written: its replies are folded in, looked up, and asked for where there are none yet."""

from collections.abc import Callable, Iterable
from typing import Any

import polars as pl

from curation.claude.budget import Budget
from curation.claude.doors import NEEDED
from curation.claude.errand import Errand
from curation.claude.journal import discard, journal_folder, pending
from curation.claude.pool import run_errand
from curation.claude.tally import Tally
from curation.errors import InputError
from curation.synthesis.ledger import FIELDS, JOURNAL, writings
from warehouse import Store

JOB = "write"  # whose lock is held by whoever asks


def require_claude(backend: str) -> None:
    """Raises InputError for a backend that does not write."""
    if backend not in NEEDED:
        raise InputError(f"the backend {backend!r} does not write; choose one of {', '.join(NEEDED)}")


def fold_writings(store: Store) -> int:
    """Takes every finished journal file into the warehouse; returns how many replies were new."""
    new = 0
    for file in pending(journal_folder(store.path, JOURNAL), FIELDS):
        incoming = writings(file)  # seconds for a large file: not while others wait for the warehouse
        with store.write() as transaction:
            new += transaction.run("insert_writing", {"incoming": incoming})
        discard(file)
    return new


def replies(store: Store, spec: str, subjects: Iterable[str]) -> dict[str, dict[str, Any]]:
    """subject -> the reply that counts (status, model, raw), and of all its replies their number and cost."""
    if not store.exists():
        return {}
    wanted = pl.DataFrame({"subject": list(subjects)}, schema={"subject": pl.String})
    found = store.read("writings", {"wanted": wanted}, spec=spec)
    return {row["subject"]: row for row in found.iter_rows(named=True)}


def ask(
    store: Store,
    frames: Iterable[pl.DataFrame],
    errand: Errand,
    workers: int,
    budget: Budget,
    told: Callable[[Tally], None],
) -> Tally:
    """Asks for every row; what was answered is in the warehouse afterwards, whatever happened."""
    folder = journal_folder(store.path, JOURNAL)
    try:
        return run_errand(frames, errand, folder, workers, told, lambda: fold_writings(store), budget=budget)
    finally:
        fold_writings(store)
