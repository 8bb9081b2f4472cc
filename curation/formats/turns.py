"""A message in any provider's words becomes one in the canonical form: a span records whichever its model speaks."""

from typing import Any

from curation.formats.fields import wrong
from curation.formats.known import known
from curation.formats.losses import lose, lose_part, lose_rest
from curation.formats.messages import assistant_message, attribute
from curation.formats.outcomes import note_failed_call
from curation.formats.parts import BOTH, CALL, RESULT, THOUGHT, Turn, call_of, result_of, take, text, without_media
from curation.formats.reading import Record
from curation.sample import Message, dumps

# Who speaks, in the words of the chat, Messages, Gemini and LangChain forms (whose classes are called HumanMessage, …).
SPEAKERS = {
    **dict.fromkeys(("system", "developer", "SystemMessage"), "system"),
    **dict.fromkeys(("user", "human", "HumanMessage", "HumanMessageChunk"), "user"),
    **dict.fromkeys(("assistant", "ai", "model", "AIMessage", "AIMessageChunk"), "assistant"),
    **dict.fromkeys(("tool", "function", "ToolMessage", "FunctionMessage", "ToolMessageChunk"), "tool"),
}

ITEMS = CALL | RESULT | THOUGHT | BOTH  # of the Responses API: parts that stand among the messages

WRAPPING = frozenset(("lc", "type", "id", "kwargs", "name", "graph", "data", "role"))  # of LangChain's serialised forms
REFERENCE = "item_reference"  # an item of the Responses API that stands elsewhere

_THOUGHTS = ("reasoning_content", "reasoning", "thinking")
_BESIDE = frozenset(("tool_calls", "function_call", "refusal", *_THOUGHTS))


def turns(said: list[Any], metadata: Record, where: str, begin: int = 0) -> list[Message]:
    """The messages in the form that `curation.sample.Draft` wants.

    Reads the messages of the chat, Responses, Messages and Gemini APIs, of the GenAI conventions (`parts`), of LangChain
    (serialised or not) and of the AI SDK. What has no place in the canonical form is noted in `metadata` as lost.
    `begin` messages come before these; a call without an id is numbered by its place.
    Raises FormatError where something is no message.
    """
    messages: list[Message] = []
    names: list[object] = []
    joins = False  # items of the Responses API that follow one another are one assistant's message
    for i, each in enumerate(said):
        plain = _plain(each, f"{where}[{i}]")
        if plain is not each and isinstance(each, dict):
            lose_rest(metadata, each, WRAPPING, f"{where}[{i}]")
        item = plain.get("type") == "message" if "role" in plain else str(plain.get("type")) in ITEMS
        if _is_foreign(plain):
            _lose_item(plain, metadata, where)
            continue
        turn = _taken_apart(plain, metadata, f"{where}[{i}]", begin + len(messages))
        found = _written(turn)
        if item and joins and found[0][0]["role"] == "assistant":
            first, _ = found.pop(0)
            messages[-1] = _both(messages[-1], first)
        messages += [message for message, _ in found]
        names += [name for _, name in found]
        joins = item and messages[-1]["role"] == "assistant"
    attribute(messages, names)
    return messages


def speaks(said: object) -> bool:
    """Whether a value looks like a message in any of the forms."""
    if not isinstance(said, dict):
        return False
    if isinstance(said.get("kwargs"), dict) and "lc" in said:
        return True
    named = said.get("role", said.get("type"))
    return isinstance(named, str) and (named in SPEAKERS or ("role" not in said and named in ITEMS))


def _plain(said: object, where: str) -> Record:
    """The message without the wrapping of LangChain's serialised forms; a text alone is the user's."""
    if isinstance(said, str):
        return {"role": "user", "content": said}
    if not isinstance(said, dict):
        raise wrong(where, said, "an object")
    inner, ids = said.get("kwargs"), said.get("id")
    if "lc" in said and isinstance(inner, dict):
        named = ids[-1] if isinstance(ids, list) and ids and isinstance(ids[-1], str) else None
        return {**inner, "type": named or inner.get("type")}
    data = said.get("data")
    if isinstance(data, dict) and "content" in data and isinstance(said.get("type"), str):
        return {**data, "type": said["type"]}
    return said


def _is_foreign(said: Record) -> bool:
    """Whether it is an item of the Responses API that is no message, no call and no result, such as a search."""
    kind = said.get("type")
    return "role" not in said and "content" not in said and isinstance(kind, str) and kind not in {*ITEMS, *SPEAKERS}


def _lose_item(said: Record, metadata: Record, where: str) -> None:
    """Names an item that is no message: one that stands elsewhere is pointed at, any other dropped."""
    if said["type"] == REFERENCE:
        lose(metadata, "by_reference", f"{where}.{REFERENCE}")
    else:
        lose_part(metadata, said, where)


def _taken_apart(said: Record, metadata: Record, where: str, position: int) -> Turn:
    kind = said.get("type")
    if "role" not in said and str(kind) in ITEMS:
        turn = Turn("tool" if str(kind) in RESULT else "assistant")
        take(said, turn, metadata, where, f"call_{position}_0")
        return turn
    named = said.get("role") or kind
    if not isinstance(named, str):
        raise wrong(f"{where}.role", named, "a string")
    role = SPEAKERS.get(named)
    if role is None:  # frameworks let their users name the speakers
        lose(metadata, "dropped", f"{where}.role")
        role = "user"
    turn = Turn(role)
    lose_rest(metadata, said, known("message", "any") | known("message", role), where)
    _take_content(said, turn, metadata, where, position)
    if role == "assistant":
        _take_beside(said, turn, metadata, where, position)
    elif role == "tool" and not turn.done:
        message = result_of(said, "\n".join(turn.texts) or text(said.get("error")))
        turn.done.append((message, said.get("name")))
        turn.texts = []
        if said.get("status") == "error" or said.get("error"):
            note_failed_call(metadata, message)
    return turn


def _take_content(said: Record, turn: Turn, metadata: Record, where: str, position: int) -> None:
    content = said["parts"] if said.get("parts") is not None else said.get("content")
    if isinstance(content, dict) and turn.role != "tool":
        content = [content]
    if content is None:
        return
    if isinstance(content, str):
        turn.texts += without_media(content, metadata, f"{where}.content")
    elif turn.role == "tool" and not _is_parts(content):
        turn.texts.append(dumps(content))
    elif not isinstance(content, list):
        raise wrong(f"{where}.content", content, "a string or a list of parts")
    else:
        for i, part in enumerate(content):
            take(part, turn, metadata, f"{where}.content[{i}]", f"call_{position}_{i}")


def _is_parts(content: object) -> bool:
    return isinstance(content, list) and all(
        isinstance(part, str)
        or (
            isinstance(part, dict)
            and ("type" in part or "functionResponse" in part or "function_response" in part or "text" in part)
        )
        for part in content
    )


def _take_beside(said: Record, turn: Turn, metadata: Record, where: str, position: int) -> None:
    """What an assistant's message carries beside its content: reasoning, calls, a refusal."""
    extra = said.get("additional_kwargs")
    extra = extra if isinstance(extra, dict) else {}
    lose_rest(metadata, extra, _BESIDE, f"{where}.additional_kwargs")
    reasoning = next((side[key] for side in (said, extra) for key in _THOUGHTS if side.get(key)), None)
    if isinstance(reasoning, str):
        turn.thoughts.append(reasoning)
    elif reasoning:
        lose(metadata, "dropped", f"{where}.reasoning")
    if said.get("refusal"):
        metadata["refusal"] = said["refusal"]
    listed = said.get("tool_calls") or extra.get("tool_calls") or []
    older = said.get("function_call") or extra.get("function_call")
    if older is not None and not listed:
        listed = [older]
    if not isinstance(listed, list):
        raise wrong(f"{where}.tool_calls", listed, "a list")
    known = {call["id"] for call in turn.calls}  # LangChain repeats the calls that stand in the content
    for i, raw in enumerate([*listed, *_broken(said)]):
        call = call_of(raw, metadata, f"{where}.tool_calls[{i}]", f"call_{position}_{i}")
        if call["id"] not in known:
            turn.calls.append(call)


def _broken(said: Record) -> list[object]:
    """LangChain's list of calls whose arguments were no JSON."""
    found = said.get("invalid_tool_calls")
    return found if isinstance(found, list) else []


def _written(turn: Turn) -> list[tuple[Message, object]]:
    """The messages that one of a provider's stands for: results come before what a user says besides."""
    if turn.role == "assistant":
        turn.end()
        return turn.done or [({"role": "assistant", "content": ""}, None)]
    if turn.role != "tool" and (turn.texts or not turn.done):
        return [*turn.done, ({"role": turn.role, "content": "\n".join(turn.texts)}, None)]
    return turn.done


def _both(first: Message, second: Message) -> Message:
    """Two pieces of one assistant's message as one."""
    content = "\n".join(text for text in (first["content"], second["content"]) if text)
    calls = [*first.get("tool_calls", ()), *second.get("tool_calls", ())]
    return assistant_message(content, None, calls)
