"""Conversations written as `{from, value}` turns become messages; how a call is written differs from set to set."""

from collections.abc import Callable
from typing import NamedTuple

from curation.errors import FormatError
from curation.formats.fields import member, wrong
from curation.formats.losses import lose_rest
from curation.formats.messages import assistant_message, attribute, call_message
from curation.formats.reading import Record
from curation.sample import Message

SPEAKERS = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "function_call": "call",
    "tool_call": "call",
    "function-call": "call",
    "observation": "tool",
    "tool": "tool",
    "tool_response": "tool",
    "function_response": "tool",
    "function": "tool",
}
TURN = frozenset({"from", "value", "role", "content", "name"})

Named = tuple[str, object]  # a call: the tool's name, and its arguments as an object or as text


class Turn(NamedTuple):
    """One turn; `place` is its path, `tool` the name of the tool that speaks, where the turn has one."""

    speaker: str
    text: str
    place: str
    tool: object


class Style(NamedTuple):
    """How a set writes: calls in an assistant's text, the text of a turn that is nothing but a call, and results."""

    calls: Callable[[str, str], tuple[str, list[Named]]]  # (text, place) -> what is said besides, the calls
    call: Callable[[str, str], list[Named]]
    results: Callable[[str], list[tuple[str, object]]]  # text -> each result, and the tool's name where it is said


def turns_of(record: Record, metadata: Record) -> list[Turn]:
    """The turns of a record, with its `system` text as the first; raises FormatError naming the turn that is none."""
    turns = []
    if record.get("system"):
        turns.append(Turn("system", member(record, "system", "", str), "system", None))
    for i, said in enumerate(member(record, "conversations", "", list)):
        place = f"conversations[{i}]"
        if not isinstance(said, dict):
            raise wrong(place, said, "an object")
        words = ("from", "value") if "from" in said else ("role", "content")
        named = member(said, words[0], place, str)
        speaker = SPEAKERS.get(named.lower())
        if speaker is None:
            raise FormatError(f"{place}.{words[0]} is {named[:40]!r}, not one of {', '.join(SPEAKERS)}")
        lose_rest(metadata, said, TURN, place)
        turns.append(Turn(speaker, member(said, words[1], place, str), place, said.get("name")))
    if not turns:
        raise FormatError("conversations is empty")
    return turns


def messages_of(turns: list[Turn], style: Style) -> list[Message]:
    """The turns as messages. A call that follows what its assistant said belongs to the same message."""
    messages: list[Message] = []
    tools: list[object] = []
    for turn in turns:
        if turn.speaker == "assistant":
            text, named = style.calls(turn.text, turn.place)
            messages.append(assistant_message(text, None, _numbered(named, len(messages), 0)))
        elif turn.speaker == "call":
            if not messages or messages[-1]["role"] != "assistant":
                messages.append({"role": "assistant", "content": ""})
            before = messages[-1].get("tool_calls", [])
            calls = _numbered(style.call(turn.text, turn.place), len(messages) - 1, len(before))
            messages[-1] = {**messages[-1], "tool_calls": [*before, *calls]}
        elif turn.speaker == "tool":
            found = style.results(turn.text)
            messages += [{"role": "tool", "content": text} for text, _ in found]
            tools += [None] * (len(messages) - len(tools) - len(found))
            tools += [turn.tool if name is None else name for _, name in found]
        else:
            messages.append({"role": turn.speaker, "content": turn.text})
    attribute(messages, [*tools, *[None] * (len(messages) - len(tools))])
    return messages


def calls_of(value: object, where: str) -> list[Named]:
    """The calls that a parsed value is: one `{name, arguments}` or a list of them; raises FormatError for another."""
    found: list[Named] = []
    for said in value if isinstance(value, list) else [value]:
        inner = said.get("function", said) if isinstance(said, dict) else said
        if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
            raise FormatError(f"{where}: a call is not an object with a name")
        found.append((inner["name"], next((inner[k] for k in ("arguments", "parameters") if k in inner), None)))
    return found


def _numbered(named: list[Named], position: int, before: int) -> list[Record]:
    return [call_message(f"call_{position}_{before + i}", name, said) for i, (name, said) in enumerate(named)]
