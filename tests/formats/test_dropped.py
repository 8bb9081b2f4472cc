"""A field that nobody has heard of is never lost in silence: it is reported as dropped, or it is in what was read."""

import copy
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from curation.formats import FORMATS
from curation.formats.reading import Reading, Record
from tests.formats.golden import joined_records

KEY, VALUE = "unheardof", "never said before"
Path = tuple[Any, ...]

# Where a platform keeps its own accounts, or what it says elsewhere too: a new field there says nothing of what was
# said. By the last names on the way to it.
OWN: dict[str, dict[str, str]] = {
    "openai": {},
    "anthropic": {
        "content_block.input": "the deltas that follow write the arguments anew",
        "delta.citation": "citations are reported as a whole",
    },
    "langfuse": {
        "usageDetails": "counts of tokens, of which those of the input and the output are carried over",
        "usage_details": "the same, as a row",
        "cost_details": "the platform's own sums",
        "tool_definitions": "what the input says already, if it holds the tools",
        "input": "a tool's own arguments are those of the call that the model made",
    },
    "otlp": {
        "resource": "says who sent the span",
        "resource.attributes": "says who sent the span",
        "scope": "says which instrumentation wrote the span",
    },
    "langsmith": {
        "response_metadata": "the provider's account of the answer",
        "inputs": "a tool's own arguments are those of the call that the model made",
        "outputs": "a tool's own result is what the messages say it is",
        "tool_calls.args": "LangChain repeats the calls that stand in the content",
        "custom_metadata": "reported under the SDK's name for it, extra.metadata",
        "outputs_s3_urls": "where an output lies, which is reported if it is not here",
        "outputs_s3_urls.ROOT": "where an output lies, which is reported if it is not here",
    },
    "openinference": {
        "resource": "says who sent the span",
        "resource.attributes": "says who sent the span",
        "scope": "says which instrumentation wrote the span",
    },
}


def levels(value: Any, path: Path = ()) -> Iterator[Path]:
    """The place of every object in a record; of attributes as OTLP lists them, the place of their list."""
    if isinstance(value, dict):
        if not is_wire(value):
            yield path
        for key, member in value.items():
            yield from levels(member, (*path, key))
    elif isinstance(value, list):
        if value and all(isinstance(each, dict) and set(each) == {"key", "value"} for each in value):
            yield path
        for i, member in enumerate(value):
            yield from levels(member, (*path, i))


def is_wire(value: Record) -> bool:
    """Whether an object is only how Protobuf writes a value: no field can be added to it."""
    if set(value) == {"key", "value"}:
        return True
    only = next(iter(value)) if len(value) == 1 else ""
    return only.endswith("Value") or (only == "values" and isinstance(value["values"], list))


def with_unheard(record: Record, path: Path) -> Record:
    """A copy of the record with a new field in the object at this place."""
    changed = copy.deepcopy(record)
    holder: Any = changed
    for key in path:
        holder = holder[key]
    if isinstance(holder, list):
        holder.append({"key": KEY, "value": {"stringValue": VALUE}})
    else:
        holder[KEY] = VALUE
    return changed


def around(record: Record, path: Path) -> Iterator[Any]:
    """The names on the way, and the objects on it."""
    holder: Any = record
    for key in path:
        yield key
        holder = holder[key]
        yield holder


def is_told(reading: Reading, record: Record, path: Path) -> bool:
    """Whether the field is in what was read, or it or something that it is a part of is reported as lost."""
    drafts = [(draft.messages, draft.candidates, draft.thinking, draft.plan) for draft in reading.drafts]
    told = orjson.dumps([reading.lost, reading.metadata, drafts]).decode()
    if KEY in told or VALUE in told:
        return True
    named = {field.split(".")[-1] for what, field in reading.lost if what != "truncated"}
    for each in around(record, path):
        words: list[Any] = [each]
        if isinstance(each, dict):
            inner = each.get("attributes")
            words += [*each.values(), *(inner.values() if isinstance(inner, dict) else ())]
        if any(word in named for word in words if isinstance(word, str)):
            return True
    return False


def excused(name: str, path: Path) -> set[str]:
    """The exceptions that this place falls under."""
    names = [key for key in path if isinstance(key, str)]
    return {own for own in OWN[name] if is_end(own.split("."), names)}


def is_end(wanted: list[str], names: list[str]) -> bool:
    last = names[-len(wanted) :]
    return wanted == last


@pytest.mark.parametrize("name", OWN)
def test_a_field_that_nobody_knows_is_reported_or_carried_over(name: str) -> None:
    vanished = set()
    asked = 0
    for record in joined_records(name):
        for path in levels(record):
            if path == () and set(record) == {"parts"}:
                continue  # our own wrapping
            asked += 1
            reading = FORMATS[name].read(with_unheard(record, path))
            if not is_told(reading, record, path) and not excused(name, path):
                vanished.add(".".join(str(key) for key in path if isinstance(key, str)))
    assert asked > 30
    assert vanished == set()


@pytest.mark.parametrize("name", OWN)
def test_every_exception_is_still_needed(name: str) -> None:
    used = set()
    for record in joined_records(name):
        for path in levels(record):
            own = excused(name, path)
            if own and not is_told(FORMATS[name].read(with_unheard(record, path)), record, path):
                used |= own
    assert used == set(OWN[name])
