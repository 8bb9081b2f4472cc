"""The envelopes in which OpenTelemetry's spans and log events come are taken off: OTLP/JSON, Tempo's, the SDKs', Phoenix's."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from curation.errors import FormatError
from curation.formats.attributes import attributes_of
from curation.formats.fields import wrong
from curation.formats.reading import Record

# (the envelope's list, its scopes' lists, the scopes' items): OTLP/JSON, Tempo's name for it, and the Protobuf names;
# each scope list also under the name that it had once.
ENVELOPES = (
    ("resourceSpans", ("scopeSpans", "instrumentationLibrarySpans"), "spans"),
    ("batches", ("scopeSpans", "instrumentationLibrarySpans"), "spans"),
    ("resource_spans", ("scope_spans",), "spans"),
    ("resourceLogs", ("scopeLogs", "instrumentationLibraryLogs"), "logRecords"),
    ("resource_logs", ("scope_logs",), "log_records"),
)
PAGES = ("data", "spans", "logs")  # the lists of an API's answers, and of files of one object
HEXADECIMAL = re.compile("[0-9A-Fa-f-]+")
BEGAN = ("startTimeUnixNano", "start_time_unix_nano", "start_time")
ENDED = ("endTimeUnixNano", "end_time_unix_nano", "end_time")
TIMES = ("timeUnixNano", "observedTimeUnixNano", "time_unix_nano", "timestamp")


def parts(record: Record) -> Iterator[tuple[str | None, Record]]:
    """(trace id, span or log event) of everything in the record; each keeps its resource and its scope beside it."""
    found = False
    record = unwrapped(record)
    for envelope, scopes, items in ENVELOPES:
        for resource in _objects(record, envelope):
            for scope in (scope for key in scopes for scope in _objects(resource, key)):
                beside = {
                    key: held
                    for key, held in (("resource", resource.get("resource")), ("scope", scope.get("scope")))
                    if held
                }
                for item in _objects(scope, items):
                    found = True
                    yield trace_id_of(item), {**item, **beside}
    if is_span(record) or is_event(record):
        found = True
        yield trace_id_of(record), record
    elif not found:
        for item in (item for key in PAGES for item in _objects(record, key)):
            found = True
            yield trace_id_of(item), item
    if not found:
        raise FormatError("holds no span and no log event")


def unwrapped(record: Record) -> Record:
    """The record as an envelope: what Tempo answers holds one as its `trace`, and Java's exporter logs what is within one."""
    inner = record.get("trace")
    if isinstance(inner, dict) and has_envelope(inner):
        return inner
    for envelope, scopes, _ in ENVELOPES:
        if any(scope in record for scope in scopes):
            return {envelope: [record]}
    return record


def has_envelope(record: Record) -> bool:
    """Whether the record is an envelope by its members' names."""
    return any(envelope in record for envelope, _, _ in ENVELOPES)


def is_span(record: Record) -> bool:
    """Whether the record is one span, in OTLP's names, the SDKs' or Phoenix's."""
    context = record.get("context")
    known = any(key in record for key in ("spanId", "span_id", "context.span_id")) or (
        isinstance(context, dict) and "span_id" in context
    )
    return known and "name" in record and any(key in record for key in BEGAN)


def is_event(record: Record) -> bool:
    """Whether the record is one log event."""
    timed = any(key in record for key in TIMES)
    named = "eventName" in record or "event_name" in record or "attributes" in record
    return (
        timed and named and ("traceId" in record or "trace_id" in record or "body" in record) and "name" not in record
    )


def spans_in(record: Record) -> Iterator[Record]:
    """The first spans and events of a record, for recognising it; raises nothing."""
    try:
        for _, part in parts(record):
            yield part
    except FormatError:
        return


def trace_id_of(part: Any) -> str | None:
    """The id of a part's trace, however it is named and written; all zeros are none."""
    return _id(part, ("traceId", "trace_id", "context.trace_id"), "trace_id")


def span_id_of(part: Record) -> str | None:
    """The id of the span that a part is, or belongs to."""
    return _id(part, ("spanId", "span_id", "context.span_id"), "span_id")


def _id(part: Any, names: tuple[str, ...], inner: str) -> str | None:
    if not isinstance(part, dict):
        raise wrong("a part", part, "an object")
    context = part.get("context")
    found = next((part[name] for name in names if part.get(name)), None)
    if found is None and isinstance(context, dict):
        found = context.get(inner)
    return hex_id(found)


def hex_id(found: object) -> str | None:
    """An id as text without its prefix: hexadecimal ones in lower case, Base64 ones, whose case counts, as they are."""
    if not isinstance(found, str):
        return None
    text = found.strip().removeprefix("0x").removeprefix("0X")
    text = text.lower() if HEXADECIMAL.fullmatch(text) else text
    return text if text.strip("0") else None


def event_of(part: Record) -> tuple[str, Record]:
    """A log event's name, and its body and attributes as one object."""
    attributes = attributes_of(part.get("attributes"), "attributes")
    name = part.get("eventName") or part.get("event_name") or attributes.get("event.name") or part.get("name")
    body = part.get("body")
    if isinstance(body, dict) and len(body) == 1 and next(iter(body)).endswith(("Value", "_value")):
        body = attributes_of([{"key": "body", "value": body}], "body")["body"]
    return (name if isinstance(name, str) else ""), {
        **attributes,
        **(body if isinstance(body, dict) else {"content": body} if body else {}),
    }


def _objects(record: Record, key: str) -> list[Record]:
    found = record.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def first_of(said: Record, names: tuple[str, ...]) -> Any:
    """The first of these members that holds something."""
    return next((said[name] for name in names if said.get(name) is not None), None)


def nanos(said: object) -> int:
    """A time in nanoseconds since 1970, from digits in any form or ISO 8601; 0 where it is neither."""
    if isinstance(said, bool):
        return 0
    if isinstance(said, int):
        return said
    if isinstance(said, str) and said.isdigit() and len(said) < 25:
        return int(said)
    try:
        found = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return 0
    if found is None:
        return 0
    aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    return int(aware.timestamp() * 1e6) * 1000
