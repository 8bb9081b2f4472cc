"""Calls written in brackets, `[Get Tide(place="Brest", hours=[6, 7])]`, become names and arguments."""

import re
from collections.abc import Collection
from typing import Any

from curation.formats.literals import literal_at, skip, unreadable

_NAME = re.compile(r"[^()\[\]{}\"'=,\n][^()\[\]{}\"'=\n]*")
_KEY = re.compile(r"([^\s=(),'\"\[\]{}][^=(),'\"\[\]{}]*?)\s*=\s*")


def parse_calls(text: str, names: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
    """Every call in the brackets. Names may hold spaces and dots, and those that were offered, anything at all.

    Values are JSON or Python literals; nothing is executed. Raises FormatError where the text is anything else.
    """
    place = skip(text, 0)
    if text[place : place + 1] != "[":
        raise unreadable(text, place, "calls stand in brackets")
    calls = []
    while True:
        name, place = _name_at(text, skip(text, place + 1), names)
        arguments, place = _arguments_at(text, place)
        calls.append((name, arguments))
        place = skip(text, place)
        mark = text[place : place + 1]
        if mark == "]" and not text[place + 1 :].strip():
            return calls
        if mark != ",":
            raise unreadable(text, place, "neither a comma nor the last bracket follows a call")


def is_like_calls(text: str) -> bool:
    """Whether a text is meant as calls, well written or not."""
    stripped = text.strip()
    return stripped.startswith("[") and stripped.endswith("]") and "(" in stripped


def is_cut(text: str, names: Collection[str]) -> bool:
    """Whether a text begins as a call of something that was offered, and breaks off."""
    stripped = text.strip()
    return (
        stripped.startswith("[")
        and not stripped.endswith("]")
        and any(name and stripped.startswith(f"{name}(", skip(stripped, 1)) for name in names)
    )


def _name_at(text: str, begin: int, names: Collection[str]) -> tuple[str, int]:
    """The name, and the place after its opening parenthesis; an offered name counts before any other reading."""
    known = [name for name in names if name and text.startswith(name, begin)]
    for name in sorted(known, key=len, reverse=True):
        place = skip(text, begin + len(name))
        if text[place : place + 1] == "(":
            return name, place + 1
    found = _NAME.match(text, begin)
    if found is None or text[found.end() : found.end() + 1] != "(":
        raise unreadable(text, begin, "no name and parenthesis stand there")
    return found[0].strip(), found.end() + 1


def _arguments_at(text: str, begin: int) -> tuple[dict[str, Any], int]:
    arguments: dict[str, Any] = {}
    place = skip(text, begin)
    while text[place : place + 1] != ")":
        key = _KEY.match(text, place)
        if key is None:
            raise unreadable(text, place, "a value without its parameter's name")
        if key[1] in arguments:
            raise unreadable(text, place, "the parameter is given twice")
        arguments[key[1]], place = literal_at(text, key.end())
        place = skip(text, place)
        if text[place : place + 1] == ",":
            place = skip(text, place + 1)
        elif text[place : place + 1] != ")":
            raise unreadable(text, place, "a comma or ) is missing")
    return arguments, place + 1
