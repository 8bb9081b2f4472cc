"""One part of a message in any provider's words is sorted in: a text, a thought, a call of a tool or its result."""

from dataclasses import dataclass, field
from typing import Any

from curation.formats.fields import wrong
from curation.formats.losses import lose, lose_part, lose_rest
from curation.formats.messages import assistant_message, call_message
from curation.formats.outcomes import note_failed_call
from curation.formats.reading import Record
from curation.sample import Message, dumps

TEXT = frozenset(("text", "input_text", "output_text", "summary_text"))
THOUGHT = frozenset(("reasoning", "thinking", "reasoning_text"))
SERVED = "server_tool_call"  # of the GenAI conventions: what the call holds stands under its type's name
CALL = frozenset(
    (
        *("tool_call", "tool_use", "tool-call", "function_call", "custom_tool_call", "functionCall"),
        *("server_tool_use", "mcp_tool_use", SERVED),
    )
)
RESULT = frozenset(
    (
        *("tool_call_response", "tool_result", "tool-result", "function_call_output", "custom_tool_call_output"),
        *("mcp_tool_result", f"{SERVED}_response"),
    )
)
BOTH = frozenset(("mcp_call",))  # a call with its result

MEDIA = "@@@langfuseMedia:"  # how Langfuse writes down where it put what was too large for a trace

_ARGUMENTS = ("arguments", "args", "input", "parsed_arguments", SERVED)
_IDS = ("call_id", "id", "tool_call_id", "tool_use_id", "toolCallId")
_NAMES = ("name", "toolName", "tool_name")
_OUTPUTS = ("content", "response", "result", "output", f"{SERVED}_response", "error")
_THOUGHTS = ("thinking", "reasoning", "text", "content", "summary")
_TEXT_PART = frozenset(("type", "text", "content"))
_ERRORS = ("is_error", "isError")
# What a call and a result consist of; `error` is LangChain's word for why it could not parse a call, and `status` the
# Responses API's for how far an item came.
_CALL_PART = frozenset(("type", "index", "function", "error", "status", *_ARGUMENTS, *_IDS, *_NAMES))
_FUNCTION = frozenset((*_ARGUMENTS, *_NAMES, *_IDS))
_RESULT_PART = frozenset(("type", "status", *_OUTPUTS, *_IDS, *_NAMES, *_ERRORS))


@dataclass(slots=True)
class Turn:
    """One message taken apart; `done` holds the messages that it has become so far, each with the name of its tool."""

    role: str
    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[Record] = field(default_factory=list)
    done: list[tuple[Message, object]] = field(default_factory=list)

    def end(self) -> None:
        """Ends what an assistant has said so far, if it has."""
        if self.texts or self.thoughts or self.calls:
            reasoning = "\n\n".join(self.thoughts) or None
            self.done.append((assistant_message("\n".join(self.texts), reasoning, self.calls), None))
        self.texts, self.thoughts, self.calls = [], [], []


def take(part: Any, turn: Turn, metadata: Record, where: str, unnamed: str) -> None:
    """Sorts one part of a message in; `unnamed` is the id of a call that has none. What has no place is named."""
    if isinstance(part, str):
        turn.texts += without_media(part, metadata, where)
        return
    if not isinstance(part, dict):
        raise wrong(where, part, "a string or an object")
    part, kind = _typed(part, metadata, where)
    if kind in CALL or kind in BOTH:
        turn.calls.append(call_of(part, metadata, where, unnamed))
    if kind in RESULT or kind in BOTH or str(kind).endswith("_tool_result"):
        _take_result(part, turn, metadata, where)
    elif kind in CALL:
        return
    elif kind in THOUGHT:
        _take_thought(part, turn, metadata, where)
    elif kind in TEXT or (kind is None and "text" in part):
        lose_rest(metadata, part, _TEXT_PART, f"{where}.{kind or 'text'}")
        turn.texts += without_media(text(part.get("text", part.get("content"))), metadata, where)
    elif kind == "refusal":
        metadata["refusal"] = part.get("refusal", part.get("content"))
    else:
        lose_part(metadata, {**part, "type": kind or next(iter(part), "untyped")}, where)


def _typed(part: Record, metadata: Record, where: str) -> tuple[Record, str | None]:
    """The part with what it is; Gemini's parts have no types, but a member for each."""
    kind = part.get("type") if isinstance(part.get("type"), str | None) else str(part["type"])
    for key in ("functionCall", "function_call", "functionResponse", "function_response"):
        if kind is None and isinstance(part.get(key), dict):
            lose_rest(metadata, part, {key}, where)
            return part[key], "function_call" if key.lower().endswith("call") else "tool_result"
    return part, "thinking" if kind is None and part.get("thought") is True else kind


def _take_thought(part: Record, turn: Turn, metadata: Record, where: str) -> None:
    key = next((key for key in _THOUGHTS if part.get(key)), _THOUGHTS[0])
    lose_rest(metadata, part, {"type", "thought", "status", key}, f"{where}.{part.get('type') or 'thinking'}")
    pieces = part.get(key, "")
    listed = pieces if isinstance(pieces, list) else [pieces]
    texts = [piece.get("text") if isinstance(piece, dict) else piece for piece in listed]
    said = "\n".join(each for each in texts if isinstance(each, str))
    turn.thoughts += [said] if said else []


def _take_result(part: Record, turn: Turn, metadata: Record, where: str) -> None:
    """A result ends what an assistant had said before it, if a platform's own tool answered within the turn."""
    lose_rest(metadata, part, _RESULT_PART | _CALL_PART, f"{where}.{part.get('type', 'result')}")
    if turn.role == "assistant":
        turn.end()
    value = next((part[key] for key in _OUTPUTS if part.get(key) is not None), None)
    name = next((part[key] for key in _NAMES if isinstance(part.get(key), str)), None)
    message = result_of(part, _output(value, metadata, where))
    failed = any(part.get(key) is True for key in _ERRORS) or (value is not None and value is part.get("error"))
    if failed or (isinstance(value, dict) and str(value.get("type")).endswith("_error")):
        note_failed_call(metadata, message)
    turn.done.append((message, name))


def call_of(said: object, metadata: Record, where: str, unnamed: str) -> Record:
    """A call, in any provider's words, as an assistant's message carries it."""
    if not isinstance(said, dict):
        raise wrong(where, said, "an object")
    function = said.get("function", said)
    if isinstance(function, str):
        function = {**said, "name": function}
    elif not isinstance(function, dict):
        raise wrong(f"{where}.function", function, "an object")
    elif function is not said:
        lose_rest(metadata, function, _FUNCTION, f"{where}.function")
    lose_rest(metadata, said, _CALL_PART | _RESULT_PART if str(said.get("type")) in BOTH else _CALL_PART, where)
    name = next((function[key] for key in _NAMES if function.get(key) is not None), None)
    if not isinstance(name, str):
        raise wrong(f"{where}.name", name, "a string")
    call_id = next((said[key] for key in _IDS if isinstance(said.get(key), str) and said[key]), unnamed)
    return call_message(
        call_id, name, next((function[key] for key in _ARGUMENTS if function.get(key) is not None), None)
    )


def result_of(said: Record, content: str) -> Message:
    """A tool's result, with the id of the call where it is told."""
    kind = str(said.get("type"))
    keys = ("tool_use_id", "tool_call_id", "toolCallId", "call_id") + (("id",) if kind in RESULT | BOTH else ())
    call_id = next((said[key] for key in keys if isinstance(said.get(key), str) and said[key]), None)
    message: Message = {"role": "tool", "content": content}
    return message if call_id is None else {**message, "tool_call_id": call_id}


def _output(value: object, metadata: Record, where: str) -> str:
    """A tool's result as text: text and lists of text parts stay text, any other value becomes JSON."""
    if isinstance(value, dict) and set(value) == {"type", "value"}:  # of the AI SDK
        value = value["value"]
    if isinstance(value, list) and value and all(isinstance(part, dict) and "type" in part for part in value):
        if not any(str(part["type"]) in TEXT or "source" in part or "image_url" in part for part in value):
            return dumps(value)  # what a tool found, in objects of its own
        texts = []
        for part in value:
            if str(part["type"]) in TEXT:
                lose_rest(metadata, part, _TEXT_PART, f"{where}.{part['type']}")
                texts.append(text(part.get("text", part.get("content"))))
            else:
                lose_part(metadata, part, where)
        return "\n".join(texts)
    return "\n".join(without_media(text(value), metadata, where))


def text(value: object) -> str:
    """A value as text; what is no text becomes JSON."""
    return value if isinstance(value, str) else "" if value is None else dumps(value)


def without_media(said: str, metadata: Record, where: str) -> list[str]:
    """The text, unless it only says where something else was put."""
    if said.startswith(MEDIA):
        lose(metadata, "by_reference", where)
        return []
    return [said]
