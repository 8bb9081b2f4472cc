"""Every corner of every format has a golden trace, and what its reading must hold stands in a table.

The table of a format is `tests/data/complete/<format>.toml`, a corner a section: `trace` is the id of a golden trace of
that format (or its place among the golden records, for a format without ids), the other keys say what must be found in
it. Where a format cannot have a corner, the section has `cannot` alone, and says why.
"""

import json
import random
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curation.formats import FORMATS
from curation.formats.reading import Reading, Record
from tests.formats.golden import NAMES, joined_records

TABLES = Path(__file__).resolve().parents[1] / "data" / "complete"
TABLED = tuple(name for name in NAMES if (TABLES / f"{name}.toml").exists())


def plans(reading: Reading) -> list[list[Record]]:
    """The steps of every plan in the reading."""
    found = [json.loads(draft.plan) for draft in reading.drafts if draft.plan and '"plugins"' in draft.plan]
    return [plan["plugins"] for plan in found]


def results(reading: Reading) -> dict[str, str]:
    """What each call's result says, by the call's id."""
    messages = [message for draft in reading.drafts for message in draft.messages if message["role"] == "tool"]
    return {message.get("tool_call_id", ""): message["content"] for message in messages}


def holds_an_example(reading: Reading, wanted: Record) -> None:
    """`kinds`: those of its samples; `plugins`: which plugins each plan calls; `thinking`: the first plan's; `text`."""
    assert [draft.kind for draft in reading.drafts] == wanted["kinds"]
    assert [[step["pluginId"] for step in plan] for plan in plans(reading)] == wanted.get("plugins", [])
    thoughts = [draft.thinking for draft in reading.drafts if draft.kind == "plan"]
    assert (thoughts or [None])[0] == wanted.get("thinking")
    assert "plugins" in wanted or last_words(reading) == wanted["text"]


def keeps_parallel_calls(reading: Reading, wanted: Record) -> None:
    """`plugins`: one plan calls them in this order; `results`: what each of the calls got, if anything came back."""
    parallel = [plan for plan in plans(reading) if len(plan) > 1]
    assert parallel
    assert [step["pluginId"] for step in parallel[0]] == wanted["plugins"]
    if "results" not in wanted:
        return
    calls = next(
        message["tool_calls"]
        for message in reading.drafts[0].messages
        if len(message.get("tool_calls", ())) == len(wanted["plugins"])
    )
    assert [results(reading).get(call["id"]) for call in calls] == wanted["results"]


def counts_a_tool_error(reading: Reading, wanted: Record) -> None:
    """`errors`: how many calls failed; `said`: the words of one that did, which stay in its result."""
    assert reading.metadata["tool_errors"] == wanted["errors"]
    assert wanted["said"] in results(reading).values()


def joins_a_stream(reading: Reading, wanted: Record) -> None:
    """`plugins` or `text`: what the pieces come to; nothing is cut."""
    if "plugins" in wanted:
        assert [step["pluginId"] for step in plans(reading)[-1]] == wanted["plugins"]
    else:
        assert last_words(reading) == wanted["text"]
    assert "truncated" not in dict(reading.lost)


def tells_a_cut_answer(reading: Reading, wanted: Record) -> None:
    """`field`: where it was cut; `text`: what came of it, which is kept."""
    assert ("truncated", wanted["field"]) in reading.lost
    assert last_words(reading) == wanted["text"]


def names_what_is_only_pointed_at(reading: Reading, wanted: Record) -> None:
    """`fields`: all that are given by reference."""
    assert sorted(field for what, field in reading.lost if what == "by_reference") == sorted(wanted["fields"])


def names_what_it_drops(reading: Reading, wanted: Record) -> None:
    """`fields`: all that a sample has no place for."""
    assert sorted(field for what, field in reading.lost if what == "dropped") == sorted(wanted["fields"])


def last_words(reading: Reading) -> str:
    """What the conversation ends with: the plan of its one answer, or the last words of a run."""
    first = reading.drafts[0]
    return first.plan if first.plan is not None else str(first.messages[-1]["content"])


CORNERS: dict[str, Callable[[Reading, Record], None]] = {
    "example": holds_an_example,  # of the published specification, in our words
    "parallel": keeps_parallel_calls,
    "tool_error": counts_a_tool_error,
    "streamed": joins_a_stream,
    "cut": tells_a_cut_answer,
    "by_reference": names_what_is_only_pointed_at,
    "dropped": names_what_it_drops,
}
ORDER = "out_of_order"  # spans in another order; asked by a test of its own


def table(name: str) -> dict[str, Any]:
    return tomllib.loads((TABLES / f"{name}.toml").read_text(encoding="utf-8"))


def golden(name: str, trace: object) -> Record:
    """The golden record that a table names."""
    listed = joined_records(name)
    if isinstance(trace, int):
        return listed[trace]
    found = [record for record in listed if FORMATS[name].read(record).trace_id == trace]
    assert len(found) == 1, f"{name} has {len(found)} golden traces with the id {trace!r}"
    return found[0]


@pytest.mark.parametrize("corner", [*CORNERS, ORDER])
@pytest.mark.parametrize("name", TABLED)
def test_every_corner_has_a_golden_trace_or_a_reason_why_it_cannot(name: str, corner: str) -> None:
    assert set(table(name)) == {*CORNERS, ORDER}
    section = table(name)[corner]
    if "cannot" in section:
        assert set(section) == {"cannot"}
        assert len(section["cannot"].split()) > 4
    else:
        assert golden(name, section["trace"])


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("name", TABLED)
def test_the_reading_of_every_corner_holds_what_its_table_says(name: str, corner: str) -> None:
    section = table(name)[corner]
    if "cannot" not in section:
        CORNERS[corner](FORMATS[name].read(golden(name, section["trace"])), section)


@pytest.mark.parametrize("name", [name for name in TABLED if "cannot" not in table(name)[ORDER]])
def test_spans_in_any_order_are_the_same_trace(name: str) -> None:
    """The golden trace is written out of order, and every other order reads the same."""
    record = golden(name, table(name)[ORDER]["trace"])
    key = "parts" if "parts" in record else "steps"  # of ATIF, which numbers them
    parts = list(record[key])
    assert len(parts) > 2
    expected = _whatever_its_losses_order(FORMATS[name].read(record))
    for seed in range(20):
        random.Random(seed).shuffle(parts)
        assert _whatever_its_losses_order(FORMATS[name].read({**record, key: list(parts)})) == expected


def _whatever_its_losses_order(reading: Reading) -> Reading:
    return replace(reading, lost=tuple(sorted(reading.lost)))
