"""Spans with OpenInference's conventions, as Phoenix and Arize write them: OTLP/JSON, or one span a line."""

from itertools import islice

from curation.formats import envelopes, telemetry
from curation.formats.otlp import LOOKED_AT, speaks_inference
from curation.formats.reading import Format, Reading, Record
from curation.formats.spans import Words

WORDS = Words("llm.input_messages", "llm.output_messages", "end_time", "spans")


def recognises(record: Record) -> bool:
    """Spans of which one at least says what it is in these conventions."""
    found = islice(envelopes.spans_in(record), LOOKED_AT)
    return any(envelopes.is_span(part) and speaks_inference(part) for part in found)


def read(record: Record) -> Reading:
    """The samples of one trace: `{"parts": [span, …]}`."""
    return telemetry.read(record, WORDS)


FORMAT = Format("openinference", "3", recognises, read, parts=envelopes.parts)
