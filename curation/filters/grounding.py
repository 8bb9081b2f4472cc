"""Does every value come from somewhere: from what was said, from a tool's result, or from the plugin's schema?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from curation.batch import Batch
from curation.decision import Fault, decided
from curation.filters.hydration import schemas_at
from curation.filters.placeholder import is_allowed, within
from curation.origins import described, is_invented
from curation.parameters import Parameters
from curation.plugin import Offer
from curation.pointer import escape
from curation.recipe import Check
from curation.said import WORDS_FILE, Said, spoken

NAME = "grounding"
VERSION = "2"
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
        if not is_allowed(check.allow, dict(batch.answers[row].steps)[step].get("pluginId"), pointer, text)
    ]
    flags = frozenset[str]() if check.grounding == "drop" else frozenset(REASONS)
    return decided(batch.samples["sample_id"], REASONS, faults, batch.unmeasured, flags)


def invented(batch: Batch) -> Iterator[tuple[int, int, str, str]]:
    """(row, step, pointer, text) of every value that came from nowhere. Most stand in the conversation as they are."""
    messages = batch.samples["messages"].to_list()
    lowered, said = dict[int, str](), dict[int, Said]()
    known: dict[tuple[int, str, str], tuple[Parameters | None, Said]] = {}
    plain = batch.values.filter(pl.col("type").is_in(["string", "number"]))
    for row, step, pointer, kind, text in plain.iter_rows():
        if row not in lowered:
            lowered[row] = messages[row].lower()
        if stands(text.lower(), lowered[row]):
            continue
        call = dict(batch.answers[row].steps)[step]
        offer, at = batch.offers[row], within(pointer)
        parameters = offer.parameters(call.get("pluginId")) if offer else None
        place = (
            id(parameters),
            str(call.get("pluginId")),
            at,
        )  # equal schemas are one object; kept, so that it stays so
        if place not in known:
            known[place] = (parameters, Said(about(offer, call, at)))
        if row not in said:
            said[row] = Said(spoken(messages[row]))
        if is_invented(text, kind, key_of(pointer), said[row], known[place][1]):
            yield row, step, pointer, text


def stands(text: str, lowered: str) -> bool:
    """Whether a text occurs as it is; a short one, or a number, as a word of its own."""
    place = lowered.find(text) if text else -1
    alone = len(text) < LONG_ENOUGH or text.isdigit()
    while place >= 0:
        before, after = lowered[place - 1 : place], lowered[place + len(text) : place + len(text) + 1]
        if not alone or not (before.isalnum() or after.isalnum() or before == "."):
            return True
        place = lowered.find(text, place + 1)
    return False


def key_of(pointer: str) -> str:
    """The name that a value stands under, a list's for its members."""
    return next((token for token in reversed(pointer.split("/")) if not token.isdigit()), "")


def about(offer: Offer | None, call: dict[str, Any], at: str) -> str:
    """What is said of a parameter by its schema (that of a list holds for its members), and by its plugin.

    Of a name that the schema does not know, all that it says of the others: `sortBy` may be written for `sort_by`.
    """
    parts = at.split("/")
    above = ["/".join(parts[:depth]) for depth in range(2, len(parts) + 1)]
    parameters = offer.parameters(call.get("pluginId")) if offer else None
    if parameters and not parameters.at(above[0]):  # a name that the schema does not know: perhaps another one's value
        above = [f"/{escape(name)}" for name in parameters.names or ()]
    plugin_id = str(call.get("pluginId"))
    plugin = offer.plugins.get(plugin_id, {}) if offer else {}
    return " ".join(
        [*(described(schemas_at(offer, call, each)) for each in above), str(plugin.get("description")), plugin_id]
    )
