"""LangSmith: runs with their children, as the SDK, the API, the command line and exports write them, by trace id."""

from collections.abc import Iterator
from typing import Any

from curation.errors import FormatError
from curation.formats.attributes import structured
from curation.formats.fields import moment, wrong
from curation.formats.known import known
from curation.formats.langsmith_runs import as_run, is_example, is_run, size
from curation.formats.losses import lose, lose_rest, lost_of
from curation.formats.outcomes import feedback_of
from curation.formats.reading import Format, Reading, Record
from curation.formats.spans import LLM, OTHER, TOOL, Span, Words, drafts_of_spans
from curation.formats.spoken import answered, arguments, given, offered_in, ran, tools_of

KINDS = {"llm": LLM, "tool": TOOL}
LISTS = ("runs", "post", "patch", "data")  # of the API, of a batch as the SDK sends it, of an export
WORDS = Words("runs.inputs", "runs.outputs", "runs.end_time", "runs")
WRITTEN = ("extra", "feedback_stats", "child_runs", "tags", "events")  # what a bulk export's columns hold as JSON text
FAILED, SUCCEEDED = ("error", "interrupted"), ("success",)
CONVERSATION = ("session_id", "thread_id", "conversation_id")  # the keys by which LangSmith groups runs into threads
OWN = ("ls_", "LANGSMITH_", "LANGCHAIN_", "revision_id")  # what the SDK writes of itself into a run's metadata
MODELS = ("ls_model_name", "model", "model_name")


def recognises(record: Record) -> bool:
    """A run, one half of one, feedback on one, a list of runs, or an example of a dataset."""
    if _is_part(record):
        return True
    return any(
        isinstance(record.get(key), list) and any(isinstance(each, dict) and is_run(each) for each in record[key][:3])
        for key in LISTS
    )


def _is_part(record: Record) -> bool:
    return is_run(record) or _is_feedback(record) or is_example(record)


def _is_feedback(record: Record) -> bool:
    return "key" in record and "run_id" in record and ("score" in record or "value" in record)


def parts(record: Record) -> Iterator[tuple[str | None, Record]]:
    """(trace id, part) of every run, every piece of feedback and every example in the record."""
    if _is_part(record):
        yield _trace_id(record), record
        return
    listed = [each for key in LISTS if isinstance(record.get(key), list) for each in record[key]]
    runs = [each for each in listed if isinstance(each, dict) and _is_part(each)]
    if not runs:
        raise FormatError("holds no run, no feedback and no example")
    for run in runs:
        yield _trace_id(run), run


def read(record: Record) -> Reading:
    """The samples of one trace: `{"parts": [run or feedback, …]}`."""
    listed = record["parts"] if isinstance(record.get("parts"), list) else [part for _, part in parts(record)]
    metadata: Record = {}
    runs, feedback = _sorted_out(listed)
    for run in runs:
        lose_rest(metadata, run, known("langsmith", "run"), "runs")
        _lose_inside(run, metadata)
        feedback_of(_stats(run), metadata)
    for each in feedback:
        lose_rest(metadata, each, known("langsmith", "feedback"), "feedback")
    feedback_of(((each.get("key"), _score(each)) for each in feedback), metadata)
    ordered = sorted(runs, key=_order)
    drafts = drafts_of_spans([_span(run, metadata) for run in ordered], WORDS, metadata)
    _note_own(ordered, metadata)
    extras = [extra for run in ordered if (extra := _extra(run, "metadata"))]
    return Reading(
        drafts,
        trace_id=next((found for each in [*ordered, *feedback] if (found := _trace_id(each))), None),
        timestamp=moment(next((run["start_time"] for run in ordered if run.get("start_time")), None), metadata),
        conversation=next(
            (_text(extra[key]) for key in CONVERSATION for extra in extras if _text(extra.get(key))), None
        ),
        metadata=metadata,
        lost=lost_of(metadata),
    )


def _trace_id(part: Record) -> str | None:
    """The id of the trace; a run that does not say it tells its root in the order, or is the root."""
    if _text(part.get("trace_id")):
        return _text(part["trace_id"])
    order = _text(part.get("dotted_order"))
    if order is not None:
        return order.split(".")[0].rpartition("Z")[2] or None
    return None if part.get("parent_run_id") or "key" in part else _text(part.get("id") or part.get("run_id"))


def _sorted_out(listed: list[Any]) -> tuple[list[Record], list[Record]]:
    """The runs, each once, and the feedback; a run that came as its beginning and its end is put together."""
    runs: dict[str, Record] = {}
    feedback: list[Record] = []
    waiting = list(reversed(listed))
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict):
            raise wrong("parts", part, "a list of objects")
        part = as_run(part)
        part = {**part, **{key: structured(part[key], {}, key) for key in WRITTEN if isinstance(part.get(key), str)}}
        if _is_feedback(part):
            feedback.append(part)
            continue
        children = part.get("child_runs") or []
        if not isinstance(children, list):
            raise wrong("child_runs", children, "a list")
        beneath = {"parent_run_id": part.get("id")}
        waiting += [{**beneath, **child} if isinstance(child, dict) else child for child in reversed(children)]
        run_id = _text(part.get("id")) or f"#{len(runs)}"
        halves = sorted((runs.get(run_id, {}), part), key=lambda half: half.get("end_time") is not None)
        runs[run_id] = {key: value for half in halves for key, value in half.items() if value not in (None, {}, [])}
    return list(runs.values()), feedback


def _order(run: Record) -> tuple[str, str, int, str]:
    """Runs are sorted by `dotted_order`, in which every run begins with its parent; else by time, else by their size."""
    order = _text(run.get("dotted_order"))
    last = order.split(".")[-1] if order else ""
    time = "".join(letter for letter in str(run.get("start_time") or "") if letter.isdigit())
    return (
        "".join(letter for letter in last.partition("Z")[0] if letter.isdigit()) or time,
        order or "",
        0 if order or time else size(run),
        str(run.get("id")),
    )


def _span(run: Record, metadata: Record) -> Span:
    kind = (_text(run.get("run_type")) or "chain").lower()
    status = run.get("status")
    error = run.get("error")
    failed = bool(error) or status in FAILED
    ended = run.get("end_time") is not None or status in (*FAILED, *SUCCEEDED)
    ended = ended or (run.get("start_time") is None and run.get("outputs") is not None)  # an export without times
    span = Span(
        KINDS.get(kind, OTHER),
        _text(run.get("name")) or "",
        _order(run),
        id=_text(run.get("id")),
        parent=_text(run.get("parent_run_id")),
        error=(error if isinstance(error, str) else "") if failed else None,
        ended=ended,
        word=kind,
    )
    held = {side: _side(run, side, metadata) for side in ("inputs", "outputs")}
    span.elsewhere = any(not held[side] and run.get(f"{side}_s3_urls") for side in held)
    if span.kind == LLM:
        _take_exchange(span, held, run, metadata)
    else:
        span.arguments, given_id = arguments(held["inputs"])
        span.result, told_id = ran(held["outputs"], metadata if span.kind == TOOL else {}, WORDS.answered)
        extra = run.get("extra")
        stated = extra.get("tool_call_id") if isinstance(extra, dict) else None
        span.call_id = told_id or given_id or _text(stated or _extra(run, "metadata").get("tool_call_id"))
    return span


def _take_exchange(span: Span, held: Record, run: Record, metadata: Record) -> None:
    span.said = given(held["inputs"], metadata, WORDS.said)
    answer = answered(held["outputs"], metadata, WORDS.answered, len(span.said))
    invocation, extra = _extra(run, "invocation_params"), _extra(run, "metadata")
    span.answered, span.finish = answer.messages, answer.finish
    span.offered = offered_in(held["inputs"], metadata, WORDS.said)
    for key in ("tools", "functions"):
        if span.offered is None and invocation.get(key):
            span.offered = tools_of(invocation[key], metadata, f"runs.extra.invocation_params.{key}")
    span.model = next(
        (_text(side[key]) for side in (extra, invocation) for key in MODELS if _text(side.get(key))), None
    )
    counts = {"input_tokens": run.get("prompt_tokens"), "output_tokens": run.get("completion_tokens")}
    span.usage = {key: number for key, number in counts.items() if isinstance(number, int) and number}


def _side(run: Record, side: str, metadata: Record) -> Any:
    """The inputs or outputs, unless they are only pointed at; bulk exports write them as JSON text."""
    held = structured(run.get(side), metadata, f"runs.{side}")
    urls = run.get(f"{side}_s3_urls")
    if not held and isinstance(urls, dict) and urls:
        lose(metadata, "by_reference", f"runs.{side}")
    return held


def _lose_inside(run: Record, metadata: Record) -> None:
    """Names what a run keeps in objects of its own, beside what is carried over."""
    extra = run.get("extra")
    if isinstance(extra, dict):
        lose_rest(metadata, extra, known("langsmith", "extra"), "runs.extra")
    where = "runs.extra.invocation_params"
    lose_rest(metadata, _extra(run, "invocation_params"), known("langsmith", "invocation_params"), where)
    held = run.get("feedback_stats")
    for stats in held.values() if isinstance(held, dict) else ():
        if isinstance(stats, dict):
            lose_rest(metadata, stats, known("langsmith", "stats"), "runs.feedback_stats")


def _stats(run: Record) -> list[tuple[object, object]]:
    """Feedback as the run's own statistics keep it: the average, else the value that came most often."""
    found = []
    held = run.get("feedback_stats")
    for name, stats in held.items() if isinstance(held, dict) else ():
        if not isinstance(stats, dict):
            continue
        values = stats.get("values")
        counted = {k: n for k, n in values.items() if isinstance(n, int)} if isinstance(values, dict) else {}
        most = max(sorted(counted), key=lambda key: counted[key], default=None)
        found.append((name, stats["avg"] if stats.get("avg") is not None else most))
    return found


def _score(feedback: Record) -> object:
    return feedback.get("value") if feedback.get("score") is None else feedback["score"]


def _note_own(runs: list[Record], metadata: Record) -> None:
    """What the outermost run says of itself: its name, tags, project and metadata."""
    if not runs:
        return
    root = next((run for run in runs if not run.get("parent_run_id")), runs[0])
    for key, name in (("name", "name"), ("tags", "tags"), ("session_name", "project"), ("status", "status")):
        if root.get(key):
            metadata.setdefault(name, root[key])
    for key, value in _extra(root, "metadata").items():
        if isinstance(value, str | int | float | bool) and not key.startswith(OWN):
            metadata.setdefault(key, value)
    for run in runs:
        beside = _extra(run, "metadata").keys() - _extra(root, "metadata").keys()
        if any(not key.startswith(OWN) for key in beside):
            lose(metadata, "dropped", "runs.extra.metadata")
        for key in ("events", "attachments"):
            if run.get(key):
                lose(metadata, "dropped", f"runs.{key}")


def _extra(run: Record, key: str) -> Record:
    extra = run.get("extra")
    found = extra.get(key) if isinstance(extra, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


FORMAT = Format("langsmith", "3", recognises, read, parts=parts)
