"""Does the sample hold personal data: an e-mail address, a telephone number, a card, an account, an IP address?"""

from collections.abc import Iterator
from pathlib import Path

import orjson
import polars as pl

from curation.batch import Batch
from curation.decision import Fault, decided
from curation.filters.secret import texts
from curation.personal import PATTERNS_FILE, find, patterns
from curation.recipe import Check

NAME = "pii"
VERSION = "3"
KINDS = ("plan",)
REASONS = ("pii.found",)
SETTINGS = ("pii",)
DATA: tuple[Path, ...] = (PATTERNS_FILE,)

COLUMNS = ("plan", "thinking", "messages")  # what a person said or was told; candidates are the platform's own


def decide(batch: Batch, check: Check) -> pl.DataFrame:
    """`pii.found`: once for each piece of personal data; `seen` says its kind and length, never the text.

    Whoever asks for pseudonyms does not want what is left: it fails. Otherwise it is only noted. What stands in the
    candidates, too, is the platform's and nobody's secret.
    """
    faults = [
        Fault(row, "pii.found", pointer, f"{kind}, {len(text)} characters") for row, pointer, kind, text in found(batch)
    ]
    flags = frozenset(REASONS) if check.pii == "keep" else frozenset[str]()
    return decided(batch.samples["sample_id"], REASONS, faults, flags=flags)


def found(batch: Batch) -> Iterator[tuple[int, str, str, str]]:
    """(row, pointer, kind, text) of every piece of personal data."""
    offered = batch.samples["candidates"].to_list()
    for column in COLUMNS:
        for row, text in enumerate(batch.samples[column].to_list()):
            if text is None or not patterns().Match(text):
                continue
            for pointer, value in parts(batch, row, column, text):
                for kind, start, end in find(value):
                    if value[start:end] not in (offered[row] or ""):
                        yield row, pointer, kind, value[start:end]


def parts(batch: Batch, row: int, column: str, text: str) -> Iterator[tuple[str, str]]:
    """(pointer, text) of every text in one column of a sample."""
    plan = batch.answers[row].plan if column == "plan" else None
    if column == "messages" or plan is not None:
        document = orjson.loads(text) if plan is None else plan
        yield from ((at, value) for at, _, value in texts(document, "" if column == "plan" else f"/{column}"))
    else:
        yield "" if column == "plan" else f"/{column}", text
