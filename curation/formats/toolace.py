"""ToolACE: conversations whose system text lists the functions as JSON, and whose calls stand in brackets."""

import re

from curation.errors import FormatError
from curation.formats.answer import Candidate, index_of
from curation.formats.bracket_calls import is_cut, is_like_calls, parse_calls
from curation.formats.chat import candidates_of_tools, drafts_of
from curation.formats.conversations import Named, Style, Turn, calls_of, messages_of, turns_of
from curation.formats.fields import OWN, metadata_of, note, origin
from curation.formats.literals import literal, literal_at
from curation.formats.losses import lose, lost_of
from curation.formats.reading import Format, Reading, Record
from curation.sample import dumps

KNOWN = OWN | {"id", "conversations", "system"}

_OFFER = re.compile(r"list of functions in JSON format that you can invoke\s*[:.]?\s*(?=\[)", re.IGNORECASE)


def recognises(record: Record) -> bool:
    """Conversations under a system text that offers functions in this set's words."""
    turns = record.get("conversations")
    if not isinstance(turns, list) or not turns:
        return False
    first = turns[0]
    told = [record.get("system"), first.get("value") if isinstance(first, dict) else None]
    return any(isinstance(text, str) and _OFFER.search(text) is not None for text in told)


def read(record: Record) -> Reading:
    """The samples of one conversation."""
    metadata = metadata_of(record, KNOWN)
    turns = turns_of(record, metadata)
    offered: list[Candidate] | None = None
    for i, turn in enumerate(turns):
        found = _OFFER.search(turn.text) if turn.speaker == "system" else None
        if found is not None:
            turns[i], offered = _without_offer(turn, found, metadata)
    names = index_of(offered).keys()

    def calls(text: str, place: str) -> tuple[str, list[Named]]:
        if not is_like_calls(text):
            if is_cut(text, names):
                lose(metadata, "truncated", place)
                note(metadata, "unreadable_calls", place)
            return text, []
        try:
            return "", list(parse_calls(text, names))
        except FormatError:
            note(metadata, "unreadable_calls", place)
            return text, []

    def call(text: str, place: str) -> list[Named]:
        try:
            return list(parse_calls(text, names)) if is_like_calls(text) else calls_of(literal(text), place)
        except FormatError as error:
            raise FormatError(f"{place}: {error}") from None

    drafts = drafts_of(messages_of(turns, Style(calls, call, _results)), offered, metadata)
    return Reading(drafts, **origin(record, metadata, ("trace_id", "id")), metadata=metadata, lost=lost_of(metadata))


def _without_offer(turn: Turn, found: re.Match[str], metadata: Record) -> tuple[Turn, list[Candidate]]:
    """The system's turn without the list of functions, and the list."""
    try:
        listed, end = literal_at(turn.text, found.end())
    except FormatError as error:
        raise FormatError(f"{turn.place}: in the list of functions, {error}") from None
    if isinstance(listed, list):
        listed = [_function(function) for function in listed]
    offered = candidates_of_tools(listed, metadata, f"{turn.place}.functions")
    return turn._replace(text=f"{turn.text[: found.end()].rstrip()}{turn.text[end:]}"), offered


def _function(said: object) -> object:
    """A function whose schema may stand under `arguments`."""
    if not isinstance(said, dict) or "parameters" in said or not isinstance(said.get("arguments"), dict):
        return said
    return {"parameters" if key == "arguments" else key: value for key, value in said.items()}


def _results(text: str) -> list[tuple[str, object]]:
    """One result for each call, `[{name, results}, …]`; any other text is one result."""
    try:
        value = literal(text) if text.lstrip().startswith("[") else None
    except FormatError:
        value = None
    if not isinstance(value, list) or not value or not all(isinstance(v, dict) and "name" in v for v in value):
        return [(text, None)]
    return [(text if len(value) == 1 else dumps(result), result["name"]) for result in value]


FORMAT = Format("toolace", "2", recognises, read)
