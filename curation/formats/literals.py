"""Values as models and data sets write them, in JSON or as Python prints them, are read without being executed."""

import ast
import re
import warnings
from typing import Any

import orjson

from curation.errors import FormatError
from curation.formats.fields import wrong
from curation.formats.strict import parse_value

DEEPEST = 100  # levels: as deep as a call's arguments can mean anything, far above the recursion limit's reach
SHOWN = 40  # characters of a value that an error may show

WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[A-Za-z]+")
_NUMBER = re.compile(r"[-+]?(?:\d[\d_]*)?\.?\d*(?:[eE][-+]?\d+)?")
_STRING = re.compile(r"""[bruBRU]?("(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')""", re.DOTALL)
_CLOSING = {"[": "]", "(": ")", "{": "}"}


def literal(text: str) -> Any:
    """The one value that the text is: JSON, else a mixture of JSON and Python. Raises FormatError for anything else."""
    try:
        return parse_value(text.encode())
    except FormatError:
        value, end = literal_at(text, 0)
        if text[end:].strip():
            raise unreadable(text, end, "more follows after the value") from None
        return value


def literal_at(text: str, begin: int, depth: int = 0) -> tuple[Any, int]:
    """The value that begins there (after space), and where it ends; tuples become lists, keys become strings."""
    place = skip(text, begin)
    if depth > DEEPEST:
        raise unreadable(text, place, f"it is nested deeper than {DEEPEST} levels")
    mark = text[place : place + 1]
    if mark in ("[", "("):
        return _list_at(text, place, depth)
    if mark == "{":
        return _object_at(text, place, depth)
    found = _STRING.match(text, place)
    if found:
        return _string(text, found), found.end()
    found = _WORD.match(text, place)
    if found and found[0] in WORDS:
        return WORDS[found[0]], found.end()
    found = _NUMBER.match(text, place)
    if found and found[0]:
        return _number(text, found), found.end()
    raise unreadable(text, place, "no value stands there")


def values_in(text: str) -> list[object]:
    """The values that follow one another in a text, with commas or nothing but space between them."""
    values: list[object] = []
    place = skip(text, 0)
    while place < len(text):
        value, place = literal_at(text, place)
        values.append(value)
        place = skip(text, place)
        place = skip(text, place + 1) if text[place : place + 1] == "," else place
    return values


def listed(value: object, where: str) -> list[Any]:
    """A list, or the text of one: in JSON, as Python prints it, or its members one after the other.

    Raises FormatError, naming `where`, for anything else.
    """
    if isinstance(value, str):
        text = value
        try:
            value = parse_value(text.encode())
        except FormatError as fault:
            try:
                values = values_in(text)
            except FormatError:
                raise FormatError(f"{where}: {fault}") from None
            value = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        value = [value] if isinstance(value, dict) else value
    if not isinstance(value, list):
        raise wrong(where, value, "a list")
    return value


def skip(text: str, place: int) -> int:
    """The next place that is no space."""
    found = _SPACE.match(text, place)
    return found.end() if found else place


def unreadable(text: str, place: int, why: str) -> FormatError:
    """The error for text that is no value, with what stands at the place."""
    return FormatError(f"{text[place : place + SHOWN]!r} at character {place} cannot be read: {why}")


def _list_at(text: str, begin: int, depth: int) -> tuple[list[Any], int]:
    closing = _CLOSING[text[begin]]
    values: list[Any] = []
    place = skip(text, begin + 1)
    while text[place : place + 1] != closing:
        value, place = literal_at(text, place, depth + 1)
        values.append(value)
        place = _after_comma(text, place, closing)
    return values, place + 1


def _object_at(text: str, begin: int, depth: int) -> tuple[dict[str, Any], int]:
    members: dict[str, Any] = {}
    place = skip(text, begin + 1)
    while text[place : place + 1] != "}":
        key, place = literal_at(text, place, depth + 1)
        if isinstance(key, list | dict):
            raise unreadable(text, begin, "a key of it is no plain value")
        name = key if isinstance(key, str) else orjson.dumps(key).decode()
        if name in members:
            raise unreadable(text, begin, f"the key {name[:SHOWN]!r} stands twice in it")
        place = skip(text, place)
        if text[place : place + 1] != ":":
            raise unreadable(text, place, "a colon is missing")
        members[name], place = literal_at(text, place + 1, depth + 1)
        place = _after_comma(text, place, "}")
    return members, place + 1


def _after_comma(text: str, place: int, closing: str) -> int:
    """The place of the next member, or of the closing bracket."""
    place = skip(text, place)
    mark = text[place : place + 1]
    if mark == ",":
        return skip(text, place + 1)
    if mark != closing:
        raise unreadable(text, place, f"a comma or {closing} is missing")
    return place


def _string(text: str, found: re.Match[str]) -> str:
    quoted = found[1]
    try:
        value = orjson.loads(quoted) if quoted[0] == '"' else None
    except orjson.JSONDecodeError:
        value = None
    if value is None:
        try:
            with warnings.catch_warnings(
                action="ignore"
            ):  # of escapes that Python does not know: they stay as they are
                value = ast.literal_eval(f"{quoted[0] * 2}{quoted}{quoted[0] * 2}" if "\n" in quoted else quoted)
            value.encode()
        except (ValueError, SyntaxError, UnicodeError, MemoryError):
            raise unreadable(text, found.start(), "it is no well-formed string") from None
    return str(value)


def _number(text: str, found: re.Match[str]) -> int | float:
    try:
        value: int | float = ast.literal_eval(found[0].lstrip("+"))
        orjson.dumps(value)
    except (ValueError, SyntaxError, TypeError, MemoryError):
        raise unreadable(text, found.start(), "it is no number") from None
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise unreadable(text, found.start(), "the number is too large")
    return value
