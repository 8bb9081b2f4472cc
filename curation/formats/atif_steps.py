"""One step of an ATIF run becomes messages: what its source said and called, and then what came back."""

from typing import Any, NamedTuple

from curation.errors import FormatError
from curation.formats.fields import member, wrong
from curation.formats.losses import lose, lose_cut, lose_rest
from curation.formats.messages import assistant_message, call_message, text_of
from curation.formats.outcomes import note_tool_error
from curation.formats.reading import Record
from curation.sample import Message

SOURCES = {"system": "system", "user": "user", "agent": "assistant"}
STEP = frozenset(
    (
        *("step_id", "timestamp", "source", "message", "model_name", "reasoning_content", "tool_calls", "observation"),
        *("is_copied_context", "llm_call_count"),
    )
)
CALL = frozenset({"tool_call_id", "function_name", "arguments"})
OBSERVATION = frozenset({"results"})
RESULT = frozenset({"source_call_id", "content", "extra", "subagent_trajectory_ref"})
ERRORS = ("is_error", "tool_result_is_error")  # words of those who write ATIF; it has none of its own
ENDS = ("finish_reason", "stop_reason")  # likewise


class Step(NamedTuple):
    """A step as it stands, and its path in the record."""

    said: Record
    place: str


def note_step(step: Step, metadata: Record) -> bool:
    """Notes what a step says beside its messages; returns whether its turn was given by a model in this run.

    A step that was copied from an earlier run, or dispatched without a model, is context and nothing to learn from.
    """
    said, place = step
    lose_rest(metadata, said, STEP, place)
    model = said.get("model_name")
    if isinstance(model, str) and model != metadata.setdefault("model", model):
        lose(metadata, "dropped", f"{place}.model_name")
    extra = said.get("extra")
    if isinstance(extra, dict):
        lose_cut(metadata, next((extra[key] for key in ENDS if extra.get(key)), None), place)
    foreign = {
        "copied_steps": said.get("is_copied_context") is True,
        "dispatched_steps": said.get("source") == "agent" and said.get("llm_call_count") == 0,
    }
    for key, counts in foreign.items():
        if counts:
            before = metadata.get(key)
            metadata[key] = (before if isinstance(before, int) else 0) + 1
    return not any(foreign.values())


def messages_of(step: Step, metadata: Record, position: int, embedded: frozenset[str]) -> list[Message]:
    """The messages of a step; `position` come before it, `embedded` are the runs that the record itself holds."""
    said, place = step
    source = member(said, "source", place, str)
    role = SOURCES.get(source)
    if role is None:
        raise FormatError(f"{place}.source is {source[:40]!r}, not one of {', '.join(SOURCES)}")
    text = text_of(said.get("message"), metadata, f"{place}.message", role)
    found = _results(said, metadata, place, embedded)
    if role != "assistant":
        return [*([{"role": role, "content": text}] if text or not found else []), *found]
    reasoning = said.get("reasoning_content")
    if reasoning is not None and not isinstance(reasoning, str):
        raise wrong(f"{place}.reasoning_content", reasoning, "a string")
    calls = [
        _call(call, metadata, f"{place}.tool_calls[{i}]", f"call_{position}_{i}")
        for i, call in enumerate(listed(said, "tool_calls", place))
    ]
    return [assistant_message(text, reasoning or None, calls), *found]


def _call(said: object, metadata: Record, where: str, unnamed: str) -> Record:
    if not isinstance(said, dict):
        raise wrong(where, said, "an object")
    lose_rest(metadata, said, CALL, where)
    call_id = said.get("tool_call_id") or unnamed
    if not isinstance(call_id, str):
        raise wrong(f"{where}.tool_call_id", call_id, "a string")
    return call_message(call_id, member(said, "function_name", where, str), said.get("arguments"))


def _results(said: Record, metadata: Record, place: str, embedded: frozenset[str]) -> list[Message]:
    """What came back in a step."""
    observation = said.get("observation")
    if observation is None:
        return []
    if not isinstance(observation, dict):
        raise wrong(f"{place}.observation", observation, "an object")
    lose_rest(metadata, observation, OBSERVATION, f"{place}.observation")
    found: list[Message] = []
    for i, result in enumerate(listed(observation, "results", f"{place}.observation")):
        where = f"{place}.observation.results[{i}]"
        if not isinstance(result, dict):
            raise wrong(where, result, "an object")
        lose_rest(metadata, result, RESULT, where)
        _note_extra(result.get("extra"), metadata, f"{where}.extra")
        for ref in listed(result, "subagent_trajectory_ref", where):
            if not isinstance(ref, dict) or ref.get("trajectory_id") not in embedded:
                lose(metadata, "by_reference", f"{where}.subagent_trajectory_ref")
        message: Message = {"role": "tool", "content": text_of(result.get("content"), metadata, where, "tool")}
        if isinstance(result.get("source_call_id"), str):
            message["tool_call_id"] = result["source_call_id"]
        found.append(message)
    return found


def _note_extra(extra: Any, metadata: Record, where: str) -> None:
    """Whether the call failed; whatever else the writer added is lost."""
    if not isinstance(extra, dict):
        return
    if any(extra.get(key) is True for key in ERRORS):
        note_tool_error(metadata)
    lose_rest(metadata, extra, frozenset(ERRORS), where)


def listed(record: Record, key: str, place: str) -> list[Any]:
    """A member that may be left out, and is a list; `place` is the path of the record."""
    value = record.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong(f"{place}.{key}" if place else key, value, "a list")
    return value
