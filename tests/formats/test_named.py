"""Whatever a record says is carried, or named in the fidelity report: asked of every object within every golden record."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from curation.errors import FormatError
from curation.formats import FORMATS
from curation.formats.reading import Reading, Record
from tests.formats.golden import joined_records

NAMES = ("ondemand", "trl", "sharegpt", "toolace", "xlam", "atif", "bfcl", "nestful", "seal_tools", "sgd")
STRANGE = "strange_member"
VALUES = ("a strange word", {"of": ["a", "strange", "kind"]})
WRAPPERS = ("record", "specs", "api_list", "schema", "functions", "ground_truth")  # which `join` puts around a record


@pytest.mark.parametrize("value", VALUES, ids=["text", "object"])
@pytest.mark.parametrize("name", NAMES)
def test_a_member_that_nobody_knows_is_carried_or_named(name: str, value: object) -> None:
    format_ = FORMATS[name]
    asked = 0
    for record in joined_records(name):
        for path in _objects(record, ()):
            if _is_left_out(record, path):
                continue
            strange = copy.deepcopy(record)
            _at(strange, path)[STRANGE] = value
            try:
                reading = format_.read(strange)
            except FormatError:
                continue  # the trace says so itself
            assert _carried(reading) or _named(reading, record, path), f"{path} in {json.dumps(record)[:200]}"
            asked += 1
    assert asked > 5


def _is_left_out(record: Record, path: tuple[str | int, ...]) -> bool:
    """What `join` put around a record is not its own; a function of BFCL's that a record excludes is none of its."""
    if path == ():
        return record.keys() <= set(WRAPPERS)
    excluded = record.get("record", {}).get("excluded_function", ())
    return path[0] == "functions" and record["functions"][path[1]]["name"] in excluded


def _carried(reading: Reading) -> bool:
    """Whether it stands in a sample, where everything may (arguments, schemas, results), or in the metadata."""
    told = [reading.metadata, [(d.messages, d.candidates, d.thinking, d.plan) for d in reading.drafts]]
    return STRANGE in json.dumps(told)


def _named(reading: Reading, record: Record, path: tuple[str | int, ...]) -> bool:
    """Whether the report names it, or something that it is part of: by its key, and a part of a message by its type."""
    within = [_at(record, path[:length]) for length in range(len(path) + 1)]
    names = {key for key in path if isinstance(key, str)} | {
        part.get("type") for part in within if isinstance(part, dict)
    }
    lasts = {field.rsplit(".", 1)[-1] for _, field in reading.lost}
    return STRANGE in lasts or bool(names & lasts)


def _objects(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _objects(inner, (*path, key))


def _at(record: Record, path: tuple[str | int, ...]) -> Any:
    found: Any = record
    for key in path:
        found = found[key]
    return found
