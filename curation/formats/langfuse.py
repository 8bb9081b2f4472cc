"""Langfuse: traces, their observations and scores, from the API or the export button, joined by trace id."""

from collections.abc import Iterator
from typing import Any

from curation.errors import FormatError
from curation.formats.fields import moment, wrong
from curation.formats.known import known
from curation.formats.langfuse_rows import as_object, is_row
from curation.formats.losses import lose, lose_rest, lost_of
from curation.formats.outcomes import feedback_of
from curation.formats.parts import MEDIA
from curation.formats.reading import Format, Reading, Record
from curation.formats.spans import AGENT, LLM, OTHER, TOOL, Span, Words, drafts_of_spans
from curation.formats.spoken import answered, arguments, decoded, given, offered_in, ran, tools_of

KINDS = {"GENERATION": LLM, "TOOL": TOOL, "AGENT": AGENT}
TRUNCATED = "<truncated due to size exceeding limit>"  # what the SDKs write in place of what is too large
WORDS = Words("observations.input", "observations.output", "observations.endTime", "observations")

LISTS = ("data", "traces", "observations", "scores")  # pages of the API, and the lists of an export
OBSERVED = ("traceId", "startTime", "type")
SCORED = ("traceId", "value", "dataType")

# What a trace says of itself and one may filter on, with its name in a sample's metadata; observations repeat it.
NOTED = {
    "userId": "user",
    "traceName": "name",
    "tags": "tags",
    "environment": "environment",
    "release": "release",
    "version": "version",
}


def recognises(record: Record) -> bool:
    """A trace with its observations, one observation, one score, or a list of these as the API and exports hold them."""
    trace = record.get("trace")
    if isinstance(trace, dict) and isinstance(record.get("observations"), list):
        return True
    if _is_part(record):
        return True
    return any(
        isinstance(record.get(key), list)
        and bool(record[key])
        and isinstance(record[key][0], dict)
        and _is_part(record[key][0])
        for key in LISTS
    )


def _is_part(record: Record) -> bool:
    if _has(record, OBSERVED) or _has(record, SCORED) or is_row(record):
        return True
    traces = _has(record, ("id", "timestamp")) and any(key in record for key in ("sessionId", "userId", "htmlPath"))
    return traces and any(key in record for key in ("observations", "input", "output", "htmlPath", "release"))


def _has(record: Record, keys: tuple[str, ...]) -> bool:
    return all(key in record for key in keys)


def parts(record: Record) -> Iterator[tuple[str | None, Record]]:
    """(trace id, part) of every trace, observation and score in the record."""
    trace = record.get("trace")
    if isinstance(trace, dict):
        yield (
            _text(trace.get("id")),
            {**trace, **{key: record[key] for key in ("observations", "scores") if key in record}},
        )
    elif _is_part(record):
        named = as_object(record)
        yield _text(named.get("traceId") if "traceId" in named else named.get("id")), record
    else:
        found = [each for key in LISTS if isinstance(record.get(key), list) for each in record[key]]
        if not found:
            raise FormatError("holds no trace, observation or score")
        for each in found:
            if not isinstance(each, dict):
                raise wrong("a part", each, "an object")
            yield from parts(each) if "data" not in each else ()


def read(record: Record) -> Reading:
    """The samples of one trace: `{"parts": [trace, observation or score, …]}`."""
    traces, observations, scores = _sorted_out(record)
    metadata: Record = {}
    trace = traces[0] if traces else {}
    for each in traces:
        lose_rest(metadata, each, known("langfuse", "trace"), "trace")
    _note_own(trace, observations, metadata)
    spans = [_span(each, metadata) for each in observations]
    if not any(span.said for span in spans if span.kind in (LLM, AGENT)) and trace.get("input"):
        spans.append(_whole(trace, metadata))
    for each in scores:
        lose_rest(metadata, each, known("langfuse", "score"), "scores")
    scored = [(score.get("name"), _value(score)) for score in scores]
    feedback_of(scored, metadata)
    drafts = drafts_of_spans(spans, WORDS, metadata)
    first = min((span.order[0] for span in spans), default="") or None
    return Reading(
        drafts,
        trace_id=_text(trace.get("id")) or _first([*observations, *scores], "traceId"),
        timestamp=moment(trace.get("timestamp") or first, metadata),
        conversation=_first([trace, *observations], "sessionId"),
        metadata=metadata,
        lost=lost_of(metadata),
    )


def _sorted_out(record: Record) -> tuple[list[Record], list[Record], list[Record]]:
    """The traces, observations and scores among the parts; an observation that came twice is one, its later state counts."""
    listed = record["parts"] if isinstance(record.get("parts"), list) else [part for _, part in parts(record)]
    traces: list[Record] = []
    observations: list[Record] = []
    scores: list[Record] = []
    for part in listed:
        if not isinstance(part, dict):
            raise wrong("parts", part, "a list of objects")
        part = as_object(part)
        if _has(part, SCORED) and "type" not in part:
            scores.append(part)
        elif "traceId" in part:
            observations.append(part)
        else:
            traces.append(part)
            observations += _members(part, "observations")
    for each in [*traces, *observations]:
        scores += _members(each, "scores")
    latest: dict[str, Record] = {}
    for i, each in enumerate(sorted(observations, key=lambda one: _text(one.get("updatedAt")) or "")):
        known = latest.get(_text(each.get("id")) or f"#{i}", {})
        latest[_text(each.get("id")) or f"#{i}"] = {**known, **{k: v for k, v in each.items() if v is not None}}
    return traces, list(latest.values()), scores


def _members(record: Record, key: str) -> list[Record]:
    """The objects in a list of the record; ids alone, which the list of traces holds, say nothing."""
    found = record.get(key) or []
    if not isinstance(found, list):
        raise wrong(key, found, "a list")
    return [each for each in found if isinstance(each, dict)]


def _span(said: Record, metadata: Record) -> Span:
    """One observation."""
    kind = _text(said.get("type")) or "SPAN"
    lose_rest(metadata, said, known("langfuse", "observation"), "observations")
    own = said.get("metadata") if isinstance(said.get("metadata"), dict) else {}
    span = Span(
        KINDS.get(kind.upper(), OTHER),
        _text(said.get("name")) or "",
        (_text(said.get("startTime")) or "", _text(said.get("id")) or ""),
        id=_text(said.get("id")),
        parent=_text(said.get("parentObservationId")),
        model=_text(said.get("model")) or _text(said.get("providedModelName")),
        usage=_usage(said),
        error=(_text(said.get("statusMessage")) or "") if said.get("level") == "ERROR" else None,
        ended=said.get("endTime") is not None or kind.upper() == "EVENT",
        word=kind,
    )
    held = {key: _whole_value(said, key, metadata, "observations") for key in ("input", "output")}
    span.elsewhere = any(held[key] is None and said.get(key) is not None for key in held)
    if span.kind in (LLM, AGENT):
        _take_exchange(span, held, said, own or {}, metadata)
    else:
        span.arguments, given_id = arguments(held["input"])
        span.result, told_id = ran(held["output"], metadata, WORDS.answered)
        span.call_id = told_id or given_id or _call_id(own or {})
    return span


def _take_exchange(span: Span, held: Record, said: Record, own: Record, metadata: Record) -> None:
    if span.kind == AGENT and isinstance(decoded(held["input"]), str):
        return  # what an agent is told in a sentence stands in its model's messages too
    span.said = given(held["input"], metadata, WORDS.said)
    answer = answered(held["output"], metadata, WORDS.answered, len(span.said))
    span.answered, span.finish = answer.messages, answer.finish or _finish(own)
    places = (("toolDefinitions", said.get("toolDefinitions")), ("metadata.tools", own.get("tools")))
    span.offered = offered_in(held["input"], metadata, WORDS.said)
    for where, listed in places:
        if span.offered is None and listed:
            span.offered = tools_of(listed, metadata, f"observations.{where}")


def _whole(trace: Record, metadata: Record) -> Span:
    """The trace itself as its one call of a model, where no observation says more."""
    held = {key: _whole_value(trace, key, metadata, "trace") for key in ("input", "output")}
    said = given(held["input"], metadata, "trace.input")
    answer = answered(held["output"], metadata, "trace.output", len(said))
    offered = offered_in(held["input"], metadata, "trace.input")
    return Span(
        LLM,
        _text(trace.get("name")) or "",
        (_text(trace.get("timestamp")) or "", ""),
        said=said,
        answered=answer.messages,
        finish=answer.finish,
        offered=offered,
    )


def _whole_value(said: Record, key: str, metadata: Record, where: str) -> Any:
    """An input or output, unless something else stands in its place."""
    value = said.get(key)
    if value == TRUNCATED:
        lose(metadata, "truncated", f"{where}.{key}")
        return None
    if isinstance(value, str) and value.startswith(MEDIA):
        lose(metadata, "by_reference", f"{where}.{key}")
        return None
    return value


def _note_own(trace: Record, observations: list[Record], metadata: Record) -> None:
    """What the trace says of itself: its own metadata, and the names and tags that one filters on."""
    own = trace.get("metadata")
    if isinstance(own, dict):
        metadata.update(own)
    elif own:
        metadata["metadata"] = own
    if trace.get("name"):
        metadata.setdefault("name", trace["name"])
    for key, name in NOTED.items():
        found = next((each[key] for each in [trace, *observations] if each.get(key)), None)
        if found is not None:
            metadata.setdefault(name, found)
    for each in observations:
        if each.get("metadata"):
            lose(metadata, "dropped", "observations.metadata")


def _usage(said: Record) -> dict[str, int]:
    found = said.get("usageDetails") or said.get("usage")
    counts = found if isinstance(found, dict) else {}
    names = {"input": "input_tokens", "output": "output_tokens"}
    return {name: counts[key] for key, name in names.items() if isinstance(counts.get(key), int)}


def _value(score: Record) -> object:
    """A score's value: a number, or the word of a category."""
    word = score.get("stringValue")
    return word if isinstance(word, str) and score.get("dataType") in ("CATEGORICAL", "TEXT") else score.get("value")


def _finish(own: Record) -> str | None:
    return _text(own.get("finish_reason")) or _text(own.get("finishReason"))


def _call_id(own: Record) -> str | None:
    return next((own[key] for key in ("tool_call_id", "toolCallId", "call_id") if isinstance(own.get(key), str)), None)


def _first(listed: list[Record], key: str) -> str | None:
    return next((each[key] for each in listed if isinstance(each.get(key), str)), None)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


FORMAT = Format("langfuse", "3", recognises, read, parts=parts)
