"""A reference is a parameter value that stands for an earlier step's output: `{{<pluginId>.output.<path>}}`."""

import re
from collections.abc import Container

OUTPUT = ".output"
SLOT = re.compile(r"\{\{([^{}]*)\}\}")
# The legal form, whatever plugins exist: an id without blanks at its ends, then `.output`, then perhaps a path.
FORM = re.compile(r"(?P<id>\S(?:.*?\S)?)\.output(?:\.(?P<path>.+))?", re.DOTALL)
# The same form for engines without Python's syntax (Polars, re2).
LEGAL = r"\{\{[^{}\s](?:[^{}]*[^{}\s])?\.output(?:\.[^{}]+)?\}\}"


def referred(text: str) -> list[str]:
    """What stands between the braces of each reference of legal form in `text`; a malformed one is no reference."""
    if "{{" not in text:
        return []
    return [inner for inner in SLOT.findall(text) if FORM.fullmatch(inner)]


def is_reference(value: object) -> bool:
    """Whether a parameter's value is, or contains, a reference of legal form: then its type is not known before it runs."""
    return isinstance(value, str) and bool(referred(value))


def target(inner: str, ids: Container[str]) -> str | None:
    """The pluginId that a reference means: the longest of the plan's `ids` that it begins with, since ids may hold dots."""
    at = inner.rfind(OUTPUT)
    while at >= 0:
        if inner[at + len(OUTPUT) :][:1] in ("", ".") and inner[:at] in ids:
            return inner[:at]
        at = inner.rfind(OUTPUT, 0, at)
    return None


def named(inner: str) -> str:
    """The pluginId as it is written, for a reference that no step of the plan answers to."""
    form = FORM.fullmatch(inner)
    return form["id"] if form else inner
