"""Does the sample hold a credential, anywhere?"""

from collections.abc import Iterator
from typing import Any

import orjson
import polars as pl

from curation.batch import Batch
from curation.credentials import ESCAPED, PATTERNS_FILE, find, find_under, hints, possible
from curation.decision import Fault, decided
from curation.pointer import escape
from curation.recipe import Check

NAME = "secret"
VERSION = "5"
KINDS = ("plan", "trajectory", "prompt")
REASONS = ("secret.found",)
SETTINGS: tuple[str, ...] = ()
DATA = (PATTERNS_FILE,)

COLUMNS = ("plan", "thinking", "messages", "candidates", "source")  # whatever of a sample is released
PLAIN = {
    "plan": "",
    "thinking": "/thinking",
    "source": "/source",
}  # pointers of the columns that are, or may be, plain text


def decide(batch: Batch, check: Check) -> pl.DataFrame:
    """`secret.found`: once for each credential in the messages, the thinking, the plan, the candidates or the source.

    `seen` names the kind and the length and never shows the secret; nor does the pointer, where it is part of a key.
    """
    faults: list[Fault] = []
    for column in COLUMNS:
        texts_ = batch.samples[column]
        suspect: dict[str, bool] = {}  # many samples are offered the same candidates
        for row in possible(texts_).arg_true():
            text = texts_[row]
            if text not in suspect:
                suspect[text] = ESCAPED in text or bool(hints().Match(text))
            if suspect[text]:
                parsed = batch.answers[row].plan if column == "plan" else None
                faults += found_in(row, column, text, parsed)
    return decided(batch.samples["sample_id"], REASONS, faults)


def found_in(row: int, column: str, text: str, plan: dict[str, Any] | None) -> Iterator[Fault]:
    """The credentials in one column of a sample."""
    if column in PLAIN and plan is None:
        places: Iterator[tuple[str, str, str]] = iter([(PLAIN[column], "", text)])
    else:
        places = texts(plan if column == "plan" else orjson.loads(text), "" if column == "plan" else f"/{column}")
    for pointer, key, value in places:
        for kind, start, end in find_under(key, value):
            yield Fault(row, "secret.found", pointer, f"{kind}, {end - start} characters")


def texts(document: Any, at: str) -> Iterator[tuple[str, str, str]]:
    """Every text in a document, as (pointer, key, text): the key is the one that a value stands under, "" for none.

    A key is a text too; its place is the object's, since the pointer would otherwise spell it out.
    """
    waiting = [(at, "", document)]
    while waiting:
        pointer, above, value = waiting.pop()
        if isinstance(value, str):
            yield pointer, above, value
        elif isinstance(value, dict):
            for key, member in reversed(value.items()):
                hidden = bool(find(key))
                if hidden:
                    yield pointer, "", key
                waiting.append((pointer if hidden else f"{pointer}/{escape(key)}", key, member))
        elif isinstance(value, list):
            waiting.extend((f"{pointer}/{i}", above, value[i]) for i in range(len(value) - 1, -1, -1))
