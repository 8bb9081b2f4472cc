"""A conversation's messages in the one canonical form, whoever wrote them down."""

from collections.abc import Sequence
from typing import Any

from curation.errors import FormatError
from curation.formats.answer import CLOSE, OPEN
from curation.formats.fields import member, wrong
from curation.formats.losses import lose, lose_part, lose_rest
from curation.formats.reading import Record
from curation.sample import Message, dumps

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",  # the older form of a tool's result
}
TEXT_PARTS = ("text", "input_text", "output_text")
REASONING = ("reasoning_content", "reasoning", "thinking")
MEDIA = ("image", "document", "file", "audio", "video", "input_image", "input_file", "input_audio", "image_url")
TEXT_PART = frozenset({"type", "text", "refusal"})
SAID = frozenset({"role", "content"})
SAID_BY = {
    "system": SAID,
    "user": SAID,
    "assistant": SAID | {*REASONING, "tool_calls", "function_call", "refusal", "audio"},
    "tool": SAID | {"tool_call_id", "name"},
}
CALL = frozenset({"id", "type", "index", "function", "custom"})
FUNCTION = frozenset({"name", "arguments", "input"})


def canonical(said: object, metadata: Record, where: str = "messages") -> list[Message]:
    """The messages as `curation.sample.Draft` wants them.

    An assistant's separate reasoning is written as the `<think>` block in front of its text. A tool's result that
    does not say which call it answers gets the id of the first open one, of the tool that it names. What has no place
    in the canonical form (images, names of speakers) is noted in `metadata` as lost.
    """
    if said is None:
        raise FormatError(f"{where} is missing")
    if not isinstance(said, list):
        raise wrong(where, said, "a list")
    if not said:
        raise FormatError(f"{where} is empty")
    messages = [canonical_message(message, metadata, f"{where}[{i}]", i) for i, message in enumerate(said)]
    if any(message["role"] == "tool" and "tool_call_id" not in message for message in messages):
        attribute(messages, [message.get("name") for message in said])
    return messages


def attribute(messages: list[Message], names: Sequence[object]) -> None:
    """Gives each tool's result without a call id that of the first open call; `names` are the tools, where known."""
    unanswered: dict[str, str] = {}
    for message, name in zip(messages, names, strict=True):
        for call in message.get("tool_calls", ()):
            unanswered[call["id"]] = call["function"]["name"]
        if message["role"] != "tool":
            continue
        if "tool_call_id" not in message:
            meant = [key for key, called in unanswered.items() if not isinstance(name, str) or called == name]
            if meant:
                message["tool_call_id"] = meant[0]
        unanswered.pop(message.get("tool_call_id", ""), None)


def canonical_message(said: object, metadata: Record, where: str, position: int) -> Message:
    """One message; `position` numbers a call that has no id of its own."""
    if not isinstance(said, dict):
        raise wrong(where, said, "an object")
    named = member(said, "role", where, str)
    role = ROLES.get(named)
    if role is None:
        raise FormatError(f"{where}.role is {named[:40]!r}, not one of {', '.join(ROLES)}")
    lose_rest(metadata, said, SAID_BY[role], where)
    if role == "assistant":
        return _assistant(said, metadata, where, position)
    message: Message = {"role": role, "content": text_of(said.get("content"), metadata, f"{where}.content", role)}
    if role == "tool" and said.get("tool_call_id") is not None:
        message["tool_call_id"] = member(said, "tool_call_id", where, str)
    return message


def assistant_message(text: str, reasoning: str | None, calls: list[Record]) -> Message:
    """What an assistant said, thought and called in one turn; `calls` as from `call_message`."""
    if reasoning is not None:
        block = f"{OPEN}{reasoning.strip()}{CLOSE}"
        text = f"{block}\n{text}" if text else block
    message: Message = {"role": "assistant", "content": text}
    return {**message, "tool_calls": calls} if calls else message


def call_message(call_id: str, name: str, arguments: object) -> Record:
    """One call as an assistant's message carries it; arguments are JSON text, or become it."""
    text = arguments if isinstance(arguments, str) else "{}" if arguments is None else dumps(arguments)
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": text}}


def _assistant(said: Record, metadata: Record, where: str, position: int) -> Message:
    reasoning = next((said[key] for key in REASONING if said.get(key)), None)
    if reasoning is not None and not isinstance(reasoning, str):
        raise wrong(f"{where}.reasoning", reasoning, "a string")
    content = said.get("content")
    if isinstance(content, list):
        thoughts = [_thought(part, metadata, f"{where}.content") for part in content]
        reasoning = reasoning or "\n\n".join(thought for thought in thoughts if thought) or None
        content = [part for part, thought in zip(content, thoughts, strict=True) if thought is None]
    text = text_of(content, metadata, f"{where}.content", "assistant")
    if said.get("refusal"):
        metadata["refusal"] = said["refusal"]
    if said.get("audio"):
        transcript = _transcript(said["audio"], metadata, f"{where}.audio")
        text = text or transcript
    return assistant_message(text, reasoning, _tool_calls(said, metadata, where, position))


def _thought(part: object, metadata: Record, where: str) -> str | None:
    """The text of a part that is reasoning; None for any other part."""
    if not isinstance(part, dict) or part.get("type") not in ("thinking", "reasoning"):
        return None
    key = next((key for key in ("thinking", "reasoning", "text", "content") if part.get(key)), "thinking")
    lose_rest(metadata, part, {"type", key}, f"{where}.{part['type']}")
    said = part.get(key, "")
    pieces = said if isinstance(said, list) else [said]
    texts = [piece.get("text") if isinstance(piece, dict) else piece for piece in pieces]
    return "\n".join(text for text in texts if isinstance(text, str))


def _transcript(audio: object, metadata: Record, where: str) -> str:
    """The words of a spoken answer; the sound itself is lost."""
    spoken = audio if isinstance(audio, dict) else {}
    transcript = spoken.get("transcript")
    lose(metadata, "dropped" if transcript or spoken.get("data") else "by_reference", where)
    return transcript if isinstance(transcript, str) else ""


def text_of(said: object, metadata: Record, where: str, role: str) -> str:
    """Content as text: a string, null, or a list of parts; a tool's result may be any JSON value."""
    if isinstance(said, str):
        return said
    if said is None:
        return ""
    if isinstance(said, list) and all(isinstance(part, dict) and "type" in part for part in said):
        if role == "tool" and said and not any(part["type"] in (*TEXT_PARTS, *MEDIA) for part in said):
            return dumps(said)  # what a tool found, in objects of its own
        return "\n".join(_parts(said, metadata, where))
    if role == "tool":
        return dumps(said)
    if not isinstance(said, list):
        raise wrong(where, said, "a string or a list of parts")
    raise FormatError(f"{where} has a part that is not an object with a type")


def _parts(parts: list[Record], metadata: Record, where: str) -> list[str]:
    texts = []
    for part in parts:
        if part["type"] in TEXT_PARTS and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif part["type"] == "refusal":
            metadata["refusal"] = part.get("refusal")
        else:
            lose_part(metadata, part, where)
            continue
        lose_rest(metadata, part, TEXT_PART, where)
    return texts


def _tool_calls(said: Record, metadata: Record, where: str, position: int) -> list[Record]:
    listed = said.get("tool_calls")
    if listed is None:
        older = said.get("function_call")
        if older is None:
            return []
        return [_call({"function": older}, metadata, f"{where}.function_call", f"call_{position}")]
    if not isinstance(listed, list):
        raise wrong(f"{where}.tool_calls", listed, "a list")
    return [_call(call, metadata, f"{where}.tool_calls[{i}]", f"call_{position}_{i}") for i, call in enumerate(listed)]


def _call(said: object, metadata: Record, where: str, unnamed: str) -> Record:
    if not isinstance(said, dict):
        raise wrong(where, said, "an object")
    call_id = said.get("id") or unnamed
    if not isinstance(call_id, str):
        raise wrong(f"{where}.id", call_id, "a string")
    function: dict[str, Any] = said["function"] if "function" in said else said.get("custom", said)
    if not isinstance(function, dict):
        raise wrong(f"{where}.function", function, "an object")
    name = member(function, "name", f"{where}.function", str)
    lose_rest(metadata, said, CALL | FUNCTION if function is said else CALL, where)
    if function is not said:
        lose_rest(metadata, function, FUNCTION, f"{where}.function")
    if "arguments" not in function and isinstance(function.get("input"), str):
        return call_message(call_id, name, {"input": function["input"]})  # a custom tool takes one free text
    return call_message(call_id, name, function.get("arguments", function.get("input")))
