"""What a reader cannot carry over is gathered while it reads, and handed over with its reading."""

import re
from collections.abc import Collection, Iterable, Set
from typing import Any

from curation.formats.reading import LOSSES, Record

GATHERED = "curation.lost"  # where losses stand in a reading's metadata until `lost_of` takes them out

# How an answer says that it was cut, in the words of the chat, Responses and Messages APIs.
CUT = frozenset(
    ("length", "max_tokens", "max_output_tokens", "model_context_window_exceeded", "content_filter", "incomplete")
)

POINTERS = frozenset(("url", "uri", "image_url", "file_url", "file_uri", "file_id", "ref", "path"))

MEDIA = frozenset(("image", "images", "video", "videos", "audio", "audios"))  # columns beside a row's messages

NAME_SHOWN = 80  # characters of a tool's name in a report

_INDEX = re.compile(r"\[\d+\]")


def lose(metadata: Record, what: str, field: str) -> None:
    """Notes one loss: a key of LOSSES and the field's path, whose indices are left out."""
    if what not in LOSSES:
        raise KeyError(f"{what!r} is no kind of loss; choose one of {', '.join(LOSSES)}")
    gathered = metadata.setdefault(GATHERED, [])
    loss = [what, _INDEX.sub("", field)]
    if loss not in gathered:
        gathered.append(loss)


def lost_of(metadata: Record) -> tuple[tuple[str, str], ...]:
    """The losses noted in this metadata, each once and in the order in which they were found; takes them out of it."""
    return tuple((what, field) for what, field in metadata.pop(GATHERED, ()))


def lose_rest(metadata: Record, record: Record, known: Set[str], where: str) -> None:
    """Notes as dropped every member of `record` that is not `known` and says something."""
    if record.keys() <= known:
        return
    for key, value in record.items():
        if key not in known and value is not None and value != [] and value != {} and value != "":
            lose(metadata, "dropped", f"{where}.{key}" if where else key)


def lose_part(metadata: Record, part: Record, where: str) -> None:
    """Notes a part of a message that is no text: only pointed at, or written out and dropped."""
    kind = str(part.get("type", "untyped"))[:40]
    lose(metadata, "by_reference" if _points(part) else "dropped", f"{where}.{kind}")


def lose_media(metadata: Record, record: Record) -> None:
    """Notes the columns in which a row keeps the media of its messages: places, or the bytes themselves."""
    for key in sorted(MEDIA & record.keys()):
        if record[key]:
            lose(metadata, "by_reference" if _is_pointed_at(record[key]) else "dropped", key)


def lose_undefined(metadata: Record, named: Iterable[str], offered: Collection[str], where: str) -> None:
    """Notes every tool that is called and was not offered, so that nothing is known of it but its name."""
    for name in named:
        if name not in offered:
            lose(metadata, "undefined_tool", f"{where}.{name[:NAME_SHOWN]}")


def lose_cut(metadata: Record, reason: object, where: str) -> None:
    """Notes an answer that was cut, if the reason for which it ended says so."""
    if isinstance(reason, str) and reason.lower() in CUT:
        lose(metadata, "truncated", where)


def _is_pointed_at(value: Any) -> bool:
    """Whether media are given as paths or URLs, alone or as `{"path": …}` without bytes."""
    if isinstance(value, list):
        return any(_is_pointed_at(item) for item in value)
    if isinstance(value, str):
        return not value.startswith("data:")
    return isinstance(value, dict) and not value.get("bytes") and _points(value)


def _points(part: Any) -> bool:
    """Whether a part names a place or an id instead of holding its content."""
    if not isinstance(part, dict):
        return False
    for key, value in part.items():
        if key in POINTERS and isinstance(value, str) and value and not value.startswith("data:"):
            return True
        if _points(value):
            return True
    return False
