"""When two parameter values are the same: by type and content, text as written or as the BFCL compares it."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from types import EllipsisType
from typing import Any

from curation.references import FORM, SLOT

Text = Callable[[str], str]
Accepted = Mapping[str, Sequence[Any]]  # parameter -> the values that may stand there, OMIT where it may be left out
OMIT: EllipsisType = ...

_LOOSE = str.maketrans({**dict.fromkeys(" ,./-_*^"), "'": '"'})
_INDEX = re.compile(r"\[(\d+)\]")


def exact(text: str) -> str:
    """Text as written, but for blanks around it and the ways in which Unicode writes one letter."""
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def loose(text: str) -> str:
    """Text as the BFCL compares it: without the characters ` ,./-_*^`, in lower case, single quotes as double ones."""
    return text.translate(_LOOSE).lower()


def canonical(value: Any, text: Text = exact) -> Any:
    """A hashable form in which equal means the same value.

    true is not 1 and "5" is not 5; 7 is 7.0, since JSON has one kind of number. Lists keep their order, objects have
    none. References are compared as what they name, in either way of comparing text.
    """
    if isinstance(value, str):
        return ("text", _parts(value, text) if "{{" in value else text(value))
    if isinstance(value, bool) or value is None:
        return ("word", value)
    if isinstance(value, dict):
        return ("object", frozenset((key, canonical(member, text)) for key, member in value.items()))
    if isinstance(value, list):
        return ("list", tuple(canonical(member, text) for member in value))
    return ("number", value)


def _parts(value: str, text: Text) -> tuple[Any, ...]:
    """What stands between the references of a text, and the references; `rows[0].id` and `rows.0.id` name the same."""
    parts: list[Any] = []
    end = 0
    for slot in SLOT.finditer(value):
        inner = slot[1].strip()
        if FORM.fullmatch(inner):
            parts += [text(value[end : slot.start()]), ("reference", _INDEX.sub(r".\1", inner))]
            end = slot.end()
    return (*parts, text(value[end:]))


def fits(value: Any, allowed: Sequence[Any], text: Text = loose) -> bool:
    """Whether a value is one of those allowed."""
    return any(_fits(value, option, text) for option in allowed if option is not OMIT)


def _fits(value: Any, option: Any, text: Text) -> bool:
    """Objects within an option list, as the parameters do, what each member may be."""
    if isinstance(option, dict):
        return isinstance(value, dict) and fits_all(value, option, text)
    if isinstance(option, list):
        alike = isinstance(value, list) and len(value) == len(option)
        return alike and all(_fits(a, b, text) for a, b in zip(value, option, strict=True))
    return bool(canonical(value, text) == canonical(option, text))


def fits_all(values: Mapping[str, Any], accepted: Accepted, text: Text = loose) -> bool:
    """Whether every value is accepted under its name, and what is not there may be left out."""
    return values.keys() <= accepted.keys() and all(
        fits(values[name], allowed, text) if name in values else OMIT in allowed for name, allowed in accepted.items()
    )


def as_accepted(value: Any) -> Any:
    """A value as the one option: the members of objects within it become lists of one."""
    if isinstance(value, dict):
        return {key: [as_accepted(member)] for key, member in value.items()}
    if isinstance(value, list):
        return [as_accepted(member) for member in value]
    return value
