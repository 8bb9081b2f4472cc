"""ShareGPT conversations: turns of human and gpt, with calls as turns of their own or, as Hermes writes them, in tags."""

import re

from curation.errors import FormatError
from curation.formats import toolace
from curation.formats.answer import CLOSE, OPEN, Candidate
from curation.formats.chat import candidates_of_tools, drafts_of
from curation.formats.conversations import Named, Style, Turn, calls_of, messages_of, turns_of
from curation.formats.fields import OWN, metadata_of, note, origin
from curation.formats.literals import listed, literal, values_in
from curation.formats.losses import MEDIA, lose, lose_cut, lose_media, lost_of
from curation.formats.reading import Format, Reading, Record

KNOWN = OWN | {"id", "conversations", "system", "tools", "chosen", "rejected", *MEDIA}

_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
_RESULT = re.compile(r"<tool_response>\s*(.*?)\s*</tool_response>", re.DOTALL)
_THOUGHT = re.compile(r"\s*<(think|scratch_pad)>(.*?)</\1>", re.DOTALL)
_TOOLS = re.compile(r"<tools>\s*([\[{].*?)\s*</tools>", re.DOTALL)  # prose names the tags too: <tools></tools>


def recognises(record: Record) -> bool:
    """A list of turns that say who speaks and what, unless the tools are offered in ToolACE's words."""
    turns = record.get("conversations")
    if not isinstance(turns, list) or not turns or toolace.recognises(record):
        return False
    return all(isinstance(turn, dict) and _is_turn(turn) for turn in turns)


def _is_turn(turn: Record) -> bool:
    """`{from, value}`, or the same in the words of the chat API, whose calls would be members of their own."""
    return {"from", "value"} <= turn.keys() or ({"role", "content"} <= turn.keys() and "tool_calls" not in turn)


def read(record: Record) -> Reading:
    """The samples of one conversation; of a preference, what was preferred is the answer."""
    metadata = metadata_of(record, KNOWN)
    turns, embedded = _without_tools(turns_of(_answered(record, metadata), metadata), metadata)
    stated = record.get("tools")
    offered = embedded if stated in (None, "") else candidates_of_tools(listed(stated, "tools"), metadata, "tools")
    if embedded is not None and offered != embedded:
        metadata["candidates_differ"] = True
    lose_media(metadata, record)
    lose_cut(metadata, metadata.get("finish_reason"), "finish_reason")
    if isinstance(record.get("kto_tag"), bool):
        metadata["outcome"] = "succeeded" if record["kto_tag"] else "failed"

    def calls(text: str, place: str) -> tuple[str, list[Named]]:
        thought, rest = _thought(text, place, metadata)
        said, named = _calls(rest, place, metadata)
        return (f"{thought}\n{said}" if thought and said else thought or said), named

    messages = messages_of(turns, Style(calls, _call, _results))
    drafts = drafts_of(messages, offered, metadata)
    return Reading(drafts, **origin(record, metadata, ("trace_id", "id")), metadata=metadata, lost=lost_of(metadata))


def _answered(record: Record, metadata: Record) -> Record:
    """The record with the turn that was chosen at its end, where it is a preference."""
    if record.get("rejected") is not None:
        lose(metadata, "dropped", "rejected")
    chosen = record.get("chosen")
    if chosen is None:
        return record
    turns = record.get("conversations")
    if not isinstance(chosen, dict) or not _is_turn(chosen) or not isinstance(turns, list):
        lose(metadata, "dropped", "chosen")
        return record
    return {**record, "conversations": [*turns, chosen]}


def _thought(text: str, place: str, metadata: Record) -> tuple[str, str]:
    """The thinking in front of an answer as one `<think>` block (or nothing), and the rest."""
    thoughts, end = [], 0
    while found := _THOUGHT.match(text, end):
        thoughts.append(found[2].strip())
        end = found.end()
    rest = text[end:]
    opened = next((tag for tag in ("think", "scratch_pad") if rest.lstrip().startswith(f"<{tag}>")), None)
    if opened:
        lose(metadata, "truncated", f"{place}.{opened}")
    if not thoughts:
        return "", text
    thinking = "\n\n".join(thought for thought in thoughts if thought)
    return f"{OPEN}{thinking}{CLOSE}", rest.strip()


def _without_tools(turns: list[Turn], metadata: Record) -> tuple[list[Turn], list[Candidate] | None]:
    """The turns with the list in `<tools>` taken out of the system's text, and that list."""
    offered = None
    bare = []
    for turn in turns:
        found = _TOOLS.search(turn.text) if turn.speaker == "system" else None
        if found is not None:
            try:
                values = values_in(found[1])
            except FormatError as error:
                raise FormatError(f"{turn.place}: in <tools>, {error}") from None
            tools = values[0] if len(values) == 1 and isinstance(values[0], list) else values
            offered = candidates_of_tools(tools, metadata, f"{turn.place}.tools")
            text = f"{turn.text[: found.start()]}{turn.text[found.end() :]}".strip()
            if not text:
                continue
            turn = turn._replace(text=text)
        bare.append(turn)
    if not bare:
        raise FormatError("conversations holds tools and nothing else")
    return bare, offered


def _calls(text: str, place: str, metadata: Record) -> tuple[str, list[Named]]:
    """What stands in `<tool_call>` tags, and the text around them; if one cannot be read, all stays the text it is."""
    if "<tool_call>" not in text:
        return text, []
    blocks = _CALL.findall(text)
    if text.count("<tool_call>") > len(blocks):
        lose(metadata, "truncated", f"{place}.tool_call")
    try:
        named = [call for block in blocks for value in values_in(block) for call in calls_of(value, place)]
    except FormatError:
        note(metadata, "unreadable_calls", place)
        return text, []
    return (_CALL.sub("", text).strip(), named) if named else (text, [])


def _call(text: str, place: str) -> list[Named]:
    """A turn that is a call: `{name, arguments}` or a list of them, in tags or bare."""
    blocks = _CALL.findall(text) or [text]
    try:
        return [call for block in blocks for call in calls_of(literal(block.strip()), place)]
    except FormatError as error:
        said = str(error)
        raise FormatError(said if said.startswith(place) else f"{place}: {said}") from None


def _results(text: str) -> list[tuple[str, object]]:
    """Each `<tool_response>`, or the whole text; a result that is an object may name its tool."""
    found = _RESULT.findall(text) or [text]
    return [(result, _tool_of(result)) for result in found]


def _tool_of(result: str) -> object:
    try:
        value = literal(result) if result.startswith("{") else None
    except FormatError:
        return None
    return value.get("name") if isinstance(value, dict) else None


FORMAT = Format("sharegpt", "2", recognises, read)
