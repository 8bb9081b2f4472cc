"""OpenTelemetry spans with the GenAI conventions: OTLP/JSON envelopes, or one span or log event a line."""

from itertools import islice

from curation.errors import FormatError
from curation.formats import envelopes, inference, telemetry
from curation.formats.attributes import attributes_of, nested
from curation.formats.reading import Format, Reading, Record
from curation.formats.spans import Words

LOOKED_AT = 20  # spans of one record: enough to tell the conventions apart
WORDS = Words("gen_ai.input.messages", "gen_ai.output.messages", "endTimeUnixNano", "spans")


def recognises(record: Record) -> bool:
    """An envelope, a span or a log event of OpenTelemetry, unless it follows OpenInference's conventions."""
    found = list(islice(envelopes.spans_in(record), LOOKED_AT))
    return bool(found) and _is_ours(record, found) and not any(speaks_inference(part) for part in found)


def speaks_inference(part: Record) -> bool:
    """Whether a span follows OpenInference's conventions."""
    if isinstance(part.get("span_kind"), str):
        return True
    if any(key.startswith("attributes.openinference") for key in part):
        return True
    try:
        tree = nested(attributes_of(part.get("attributes"), "attributes"))
        return isinstance(tree, dict) and inference.kind_of(tree) is not None
    except FormatError:
        return False


def _is_ours(record: Record, found: list[Record]) -> bool:
    """Whether the items of a list, which other platforms have too, are spans or events."""
    return envelopes.has_envelope(envelopes.unwrapped(record)) or all(
        envelopes.is_span(part) or envelopes.is_event(part) for part in found
    )


def read(record: Record) -> Reading:
    """The samples of one trace: `{"parts": [span or log event, …]}`."""
    return telemetry.read(record, WORDS)


FORMAT = Format("otlp", "3", recognises, read, parts=envelopes.parts)
