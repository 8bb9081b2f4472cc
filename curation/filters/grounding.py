"""Does every value come from somewhere: from what was said, from a tool's result, or from the plugin's schema?"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from curation.batch import Batch
from curation.decision import Fault, decided
from curation.filters.hydration import schemas_at
from curation.filters.placeholder import is_allowed, within
from curation.origins import described, is_invented
from curation.recipe import Check
from curation.said import WORDS_FILE, Said, spoken
from curation.stand_ins import name_of

NAME = "grounding"
VERSION = "1"
KINDS = ("plan",)
REASONS = ("grounding.invented",)
SETTINGS = ("grounding", "allow")
DATA: tuple[Path, ...] = (WORDS_FILE,)

LONG_ENOUGH = (
    4  # characters from which on a text that occurs as it stands was said; a shorter one may be part of a word
)


def decide(batch: Batch, check: Check) -> pl.DataFrame:
    """`grounding.invented`: once for each literal value that nothing said before the plan and nothing in its schema gives.

    It flags, unless the recipe says `grounding = "drop"`. Where it cannot be known, nothing is told.
    """
    faults = [
        Fault(row, "grounding.invented", pointer, text)
        for row, step, pointer, text in invented(batch)
        if not is_allowed(check.allow, dict(batch.answers[row].steps)[step]["pluginId"], pointer, text)
    ]
    flags = frozenset[str]() if check.grounding == "drop" else frozenset(REASONS)
    return decided(batch.samples["sample_id"], REASONS, faults, batch.unmeasured, flags)


def invented(batch: Batch) -> Iterator[tuple[int, int, str, str]]:
    """(row, step, pointer, text) of every value that came from nowhere. Most stand in the conversation as they are."""
    messages = batch.samples["messages"].to_list()
    lowered, said = dict[int, str](), dict[int, Said]()
    known: dict[tuple[str | None, str, str], Said] = {}
    offered = batch.samples["candidates"].to_list()
    plain = batch.values.filter(pl.col("type").is_in(["string", "number"]))
    for row, step, pointer, kind, text in plain.iter_rows():
        if row not in lowered:
            lowered[row] = messages[row].lower()
        if kind == "string" and len(text) >= LONG_ENOUGH and text.lower() in lowered[row]:
            continue
        if row not in said:
            said[row] = Said(spoken(messages[row]))
        call = dict(batch.answers[row].steps)[step]
        place = (offered[row], str(call.get("pluginId")), within(pointer))
        if place not in known:
            offer = batch.offers[row]
            plugin = offer.plugins.get(place[1], {}) if offer else {}
            parts = place[2].split("/")
            above = [
                "/".join(parts[:depth]) for depth in range(2, len(parts) + 1)
            ]  # what is said of a list holds for its members
            told = [described(schemas_at(offer, call, at)) for at in above]
            known[place] = Said(" ".join([*told, str(plugin.get("description")), place[1]]))
        if is_invented(text, kind, name_of(pointer), said[row], known[place]):
            yield row, step, pointer, text
