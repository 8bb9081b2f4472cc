"""OpenTelemetry's spans and log events become the samples of a trace, whichever conventions their attributes follow."""

from collections.abc import Iterator
from typing import Any

from curation.formats import genai, inference
from curation.formats.attributes import attributes_of, names_beside, nested
from curation.formats.envelopes import (
    BEGAN,
    ENDED,
    TIMES,
    event_of,
    first_of,
    hex_id,
    is_span,
    nanos,
    parts,
    span_id_of,
    trace_id_of,
)
from curation.formats.fields import moment, wrong
from curation.formats.known import known
from curation.formats.losses import NAME_SHOWN, lose, lose_rest, lost_of
from curation.formats.outcomes import feedback_of
from curation.formats.reading import Reading, Record
from curation.formats.spans import OTHER, Span, Words, drafts_of_spans

FAILED = ("ERROR", "STATUS_CODE_ERROR", "StatusCode.ERROR", 2)
CONVERSATION = ("gen_ai.conversation.id", "session.id")
NOTED = {
    "user": ("user.id", "enduser.id"),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
}

Event = tuple[str, Record]  # name, and body with attributes
Events = dict[str | None, list[tuple[int, Event]]]  # by span id, with their times
Told = tuple[Record, Record, list[Event]]  # a span, its attributes, its events


def read(record: Record, words: Words) -> Reading:
    """The samples of one trace: `{"parts": [span or log event, …]}`."""
    listed = record["parts"] if isinstance(record.get("parts"), list) else [part for _, part in parts(record)]
    metadata: Record = {}
    spans, events = _sorted_out(listed, metadata)
    told = [*_with_events(spans, events, metadata), *_without_spans(events)]
    built = [_span(*each, metadata) for each in told]
    for span, attributes, inner in told:
        _note_feedback(span, inner, metadata)
        inference.note_own(attributes, metadata)
    attributed = [attributes for _, attributes, _ in told]
    _note_own(spans, attributed, metadata)
    drafts = drafts_of_spans([span for span in built if span.word != genai.EVALUATION], words, metadata)
    began = [span.order[0] for span in built if span.order[0]]
    return Reading(
        drafts,
        trace_id=next((found for part in listed if (found := trace_id_of(part))), None),
        timestamp=moment(min(began), metadata) if began else None,
        conversation=_first(attributed, CONVERSATION),
        metadata=metadata,
        lost=lost_of(metadata),
    )


def _sorted_out(listed: list[Any], metadata: Record) -> tuple[list[Record], Events]:
    """The spans, each once, and the log events by their span's id, in the order of their times.

    Of a span that was exported twice, the one that had ended counts.
    """
    spans: dict[object, Record] = {}
    events: dict[str | None, list[tuple[int, Event]]] = {}
    for i, part in enumerate(listed):
        if not isinstance(part, dict):
            raise wrong("parts", part, "a list of objects")
        if is_span(part):
            span_id = span_id_of(part) or i
            if span_id not in spans or first_of(part, ENDED):
                spans[span_id] = part
        else:
            events.setdefault(span_id_of(part), []).append((nanos(first_of(part, TIMES)), _event(part, metadata)))
    for found in events.values():
        found.sort(key=lambda one: one[0])
    return list(spans.values()), events


def _event(part: Record, metadata: Record) -> Event:
    lose_rest(metadata, part, known("span", "event"), "events")
    return event_of(part)


def _with_events(spans: list[Record], events: Events, metadata: Record) -> Iterator[Told]:
    """Every span with its attributes and events; those of `events` that belong to one are taken out."""
    for span in spans:
        attributes = attributes_of(span.get("attributes", _prefixed(span)), "attributes")
        own = [*_own_events(span, metadata), *(event for _, event in events.pop(span_id_of(span), []))]
        for name, body in own:
            if name == genai.DETAILS:
                attributes = {**body, **attributes}
        yield span, attributes, own


def _without_spans(events: Events) -> Iterator[Told]:
    """The calls of a model that only log events tell of, as if these were spans."""
    for span_id, found in events.items():
        whole = [(time, body) for time, (name, body) in found if name == genai.DETAILS]
        rest = [event for _, event in found if event[0] != genai.DETAILS]
        for time, body in whole:
            yield _stand_in(span_id, time), body, rest
        if not whole:
            talks = any(name in genai.SAYING for name, _ in rest)
            operation = "chat" if talks else genai.EVALUATION
            yield _stand_in(span_id, found[0][0]), {"gen_ai.operation.name": operation}, rest


def _stand_in(span_id: str | None, time: int) -> Record:
    return {"name": "", "spanId": span_id, "startTimeUnixNano": time, "endTimeUnixNano": time or 1}


def _own_events(span: Record, metadata: Record) -> list[Event]:
    listed = span.get("events") or []
    if not isinstance(listed, list):
        raise wrong("events", listed, "a list")
    return [_event(each, metadata) for each in listed if isinstance(each, dict)]


def _span(said: Record, attributes: Record, events: list[Event], metadata: Record) -> Span:
    tree = nested(attributes) if isinstance(attributes, dict) else {}
    tree = tree if isinstance(tree, dict) else {}
    if isinstance(said.get("span_kind"), str) and "openinference" not in tree:
        tree["openinference"] = {"span": {"kind": said["span_kind"]}}  # Phoenix keeps it beside the attributes
    current, other = genai.kind_of(attributes), inference.kind_of(tree)
    kind = (current if current not in (None, OTHER) or other is None else other) or OTHER
    ended = first_of(said, ENDED)
    begun = nanos(first_of(said, BEGAN))
    span = Span(
        kind,
        said["name"] if isinstance(said.get("name"), str) else "",
        (begun, nanos(ended), span_id_of(said) or ""),
        id=span_id_of(said),
        parent=hex_id(first_of(said, ("parentSpanId", "parent_span_id", "parent_id"))),
        error=_error(said, attributes, events),
        ended=bool(ended) and ended not in ("0", 0),
        word=_word(attributes, tree),
    )
    if kind == current:
        genai.fill(span, attributes, events, metadata)
    if kind == other and not span.said and span.result is None:
        inference.fill(span, tree, metadata)
    if kind != OTHER:
        _note_dropped(said, attributes, metadata)
    for name, _ in events:
        if name not in genai.HEARD:
            lose(metadata, "dropped", f"events.{name[:NAME_SHOWN]}")
    return span


def _word(attributes: Record, tree: Record) -> str:
    """What the conventions call the span, for the report."""
    operation = attributes.get("gen_ai.operation.name")
    open_inference = tree.get("openinference")
    kind = open_inference.get("span") if isinstance(open_inference, dict) else None
    named = kind.get("kind") if isinstance(kind, dict) else None
    return next(
        (word for word in (operation, named, attributes.get("traceloop.span.kind")) if isinstance(word, str)), "other"
    )


def _error(said: Record, attributes: Record, events: list[Event]) -> str | None:
    """What went wrong, in the words of the status, the exception or the error's type; None where nothing did."""
    status = said.get("status")
    code = (
        status.get("code", status.get("status_code")) if isinstance(status, dict) else said.get("status_code", status)
    )
    failed = code in FAILED if isinstance(code, str | int) else False
    kind = attributes.get("error.type")
    if not failed and not isinstance(kind, str):
        return None
    message = (
        status.get("message", status.get("description")) if isinstance(status, dict) else said.get("status_message")
    )
    thrown = next((body.get("exception.message") for name, body in events if name == "exception"), None)
    return next((text for text in (message, thrown, kind) if isinstance(text, str) and text), "")


def _note_dropped(said: Record, attributes: Record, metadata: Record) -> None:
    """Names what a call's or a tool's span says beside what is carried over."""
    used, prefixes = genai.USED | inference.USED, (*genai.USED_PREFIXES, *inference.USED_PREFIXES)
    for name in sorted(names_beside(attributes, used, prefixes)):
        if not name.endswith(genai.REFERENCES):
            lose(metadata, "dropped", name)
    beside = {key: value for key, value in said.items() if not key.startswith("attributes.")}
    lose_rest(metadata, beside, known("span", "any"), "spans")
    for key in ("status", "context"):
        if isinstance(said.get(key), dict):
            lose_rest(metadata, said[key], known("span", key), f"spans.{key}")
    for key in ("droppedAttributesCount", "droppedEventsCount"):
        if said.get(key):
            lose(metadata, "truncated", key)


def _note_own(spans: list[Record], attributed: list[Record], metadata: Record) -> None:
    """The user, the provider and the service, so that one may filter on them."""
    for name, places in NOTED.items():
        found = _first(attributed, places)
        if found is not None:
            metadata[name] = found
    for span in spans:
        resource = span.get("resource")
        held = attributes_of(resource.get("attributes"), "resource.attributes") if isinstance(resource, dict) else {}
        if isinstance(held.get("service.name"), str):
            metadata["service"] = held["service.name"]
            return


def _note_feedback(span: Record, events: list[Event], metadata: Record) -> None:
    """Scores: evaluation events, and the annotations of a Phoenix export."""
    scores = [genai.evaluation(body, metadata) for name, body in events if name == genai.EVALUATION]
    listed = span.get("annotations")
    for each in listed if isinstance(listed, list) else []:
        if not isinstance(each, dict):
            continue
        result = each.get("result")
        held = result if isinstance(result, dict) else {}
        lose_rest(metadata, each, known("span", "annotation"), "annotations")
        lose_rest(metadata, held, known("span", "result"), "annotations.result")
        scores.append((each.get("name"), held.get("score", held.get("label"))))
    feedback_of(scores, metadata)


def _prefixed(span: Record) -> Record:
    """Attributes that are columns of a table: `attributes.llm.input_messages`."""
    return {
        key.removeprefix("attributes."): value
        for key, value in span.items()
        if key.startswith("attributes.") and value is not None
    }


def _first(attributed: list[Record], names: tuple[str, ...]) -> str | None:
    found = (attributes[name] for name in names for attributes in attributed if attributes.get(name))
    return next((value for value in found if isinstance(value, str)), None)
