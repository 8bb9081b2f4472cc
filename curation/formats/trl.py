"""Conversational data sets as TRL trains on: `messages`, or `prompt` and `completion`, with the tools in a column."""

from typing import Any

from curation.errors import FormatError
from curation.formats.chat import candidates_of_tools, drafts_of, unwrap
from curation.formats.fields import OWN, metadata_of, origin, wrong
from curation.formats.losses import MEDIA, lose, lose_cut, lose_media, lost_of
from curation.formats.messages import canonical
from curation.formats.reading import Format, Reading, Record
from curation.formats.strict import parse_value
from curation.sample import Draft

ANSWERS = ("completion", "chosen")  # of a preference, what was preferred
KNOWN = OWN | {"id", "messages", "prompt", "tools", "rejected", *ANSWERS, *MEDIA}


def recognises(record: Record) -> bool:
    """A prompt or an answer that is a list of messages, or messages with a column of tools."""
    if any(_are_messages(record.get(key)) for key in ("prompt", *ANSWERS)):
        return True
    if not _are_messages(record.get("messages")):
        return False
    return isinstance(record.get("tools"), str | list) or any(_is_message(record.get(key)) for key in ANSWERS)


def read(record: Record) -> Reading:
    """The samples of one row."""
    metadata = metadata_of(record, KNOWN)
    where, said, answered = _columns(record, metadata)
    messages, embedded = unwrap(canonical(without_padding(said), metadata, where), where)
    offered = _tools(record.get("tools"), metadata)
    if record.get("rejected") is not None:
        lose(metadata, "dropped", "rejected")
    lose_media(metadata, record)
    lose_cut(metadata, metadata.get("finish_reason"), "finish_reason")
    if isinstance(record.get("label"), bool):
        metadata["outcome"] = "succeeded" if record["label"] else "failed"
    offered = embedded if offered is None else offered
    if where == "prompt" and not answered:  # whatever was said before, the last request has no answer
        drafts: tuple[Draft, ...] = (Draft("prompt", messages, offered),)
    else:
        drafts = drafts_of(messages, offered, metadata)
    return Reading(drafts, **origin(record, metadata, ("trace_id", "id")), metadata=metadata, lost=lost_of(metadata))


def without_padding(value: Any) -> Any:
    """The value without the members that are null: Arrow gives every row the keys of all of them.

    What TRL's own trainers do before they render a row. A null in a list is no padding and stays.
    """
    if isinstance(value, dict):
        return {key: without_padding(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_padding(inner) for inner in value]
    return value


def _columns(record: Record, metadata: Record) -> tuple[str, list[Any], bool]:
    """Where the conversation stands, its messages, and whether an answer is among them."""
    answer = next((key for key in ANSWERS if record.get(key) is not None), None)
    told = [] if answer is None else _list(record[answer], answer)
    if record.get("messages") is not None:
        said = _list(record["messages"], "messages")
        if record.get("prompt") is not None and not _says(said, record["prompt"]):
            lose(metadata, "dropped", "prompt")
        if answer is not None and _is_answered(said):
            if said[-len(told) :] != told:
                lose(metadata, "dropped", answer)
            told = []
        return "messages", [*said, *told], True
    prompt = record.get("prompt")
    if answer is None:
        return "prompt", _list(prompt, "prompt"), False
    if isinstance(prompt, str) and _are_messages(told):  # the answer is a conversation; the text names its request
        if told[0]["role"] == "assistant":
            return "prompt", [{"role": "user", "content": prompt}, *told], True
        if not _says(told, prompt):
            lose(metadata, "dropped", "prompt")
        return answer, told, True
    if prompt is None:  # a preference whose prompt is the beginning of both answers
        return answer, told, True
    return "prompt", [*_list(prompt, "prompt"), *told], bool(told)


def _list(said: object, where: str) -> list[Any]:
    if isinstance(said, str):
        raise FormatError(
            f"{where} is text; only conversational rows, whose {where} is a list of messages, can be read"
        )
    if said is None:
        raise FormatError(f"{where} is missing")
    if _is_message(said):
        return [said]
    if not isinstance(said, list):
        raise wrong(where, said, "a list")
    return said


def _says(messages: list[Any], prompt: object) -> bool:
    """Whether the prompt is among the messages: as their first ones, or as the text of one."""
    if isinstance(prompt, str):
        return any(isinstance(message, dict) and message.get("content") == prompt for message in messages)
    return isinstance(prompt, list) and messages[: len(prompt)] == prompt


def _is_answered(messages: list[Any]) -> bool:
    return bool(messages) and isinstance(messages[-1], dict) and messages[-1].get("role") == "assistant"


def _tools(said: object, metadata: Record) -> Any:
    """The tools column: a list, or the JSON text of one, each tool an object or its JSON text."""
    if said is None or said == "":
        return None
    if isinstance(said, list) and said and all(isinstance(tool, str) for tool in said):
        said = [parse_value(tool.encode()) for tool in said]
    return candidates_of_tools(without_padding(said), metadata, "tools")


def _are_messages(said: object) -> bool:
    return isinstance(said, list) and bool(said) and all(_is_message(turn) for turn in said)


def _is_message(said: object) -> bool:
    return isinstance(said, dict) and "role" in said


FORMAT = Format("trl", "2", recognises, read)
