"""Puts each fault under the line that it is about, and shows text so that a terminal obeys none of it."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson
from rich.text import Text

from curation.terminal import visible

COLOURS = {"pass": "green", "flag": "yellow", "fail": "red", "abstain": "magenta"}
SIGNS = {"fail": "✗", "flag": "!"}  # colours alone say nothing to a file
SHOWN = 600  # characters of a request, a reasoning trace or a broken plan
ABSENT = ("missing", "missing_required", "flag")  # reasons of which a null says that nothing is there


class Line(NamedTuple):
    """One line, the pointer of what it shows, and how far right its faults stand."""

    pointer: str
    text: Text
    under: str = "            "


def marked(lines: Iterable[Line], faults: list[dict[str, Any]]) -> Iterator[Text]:
    """The lines, each with the faults under it that are about what it shows, or about something within that has no line."""
    listed = list(lines)
    at: dict[int, list[dict[str, Any]]] = {}
    for fault in faults:
        fitting = [place for place, line in enumerate(listed) if within(fault["pointer"] or "", line.pointer)]
        nearest = max(fitting, key=lambda place: len(listed[place].pointer), default=len(listed) - 1)
        at.setdefault(nearest, []).append(fault)
    for place, line in enumerate(listed):
        yield line.text
        for fault in at.get(place, ()):
            yield from fault_lines(fault, line.under)


def within(pointer: str, other: str) -> bool:
    """Whether a pointer leads to what the other leads to, or below it."""
    return pointer == other or pointer.startswith(f"{other}/")


def fault_lines(fault: dict[str, Any], under: str) -> Iterator[Text]:
    """A fault: its code, its place, what was seen there, and what was wanted."""
    colour = COLOURS[fault["outcome"]]
    place = f" at {fault['pointer']}" if fault["pointer"] else ""
    absent = fault["seen"] is None and fault["reason"].endswith(ABSENT)
    seen = "absent" if absent else orjson.dumps(fault["seen"]).decode()
    some = f" (recipe {', '.join(fault['recipes'])})" if fault.get("partly") else ""
    yield Text.assemble(
        under,
        (f"{SIGNS.get(fault['outcome'], '?')} {fault['reason']}", f"bold {colour}"),
        f"{short(place)}: {short(seen)}{some}",
    )
    if fault["wanted"] is not None:
        yield Text(f"{under}  wanted: {short(fault['wanted'])}", style="dim")


def short(value: str | None, most: int = SHOWN) -> str:
    """A value on one line, cut where it is long, with nothing in it that a terminal obeys."""
    if value is None:
        return "(none)"
    lead = " " if value[:1] == " " else ""
    line = lead + visible(" ".join(value.split()))
    return line if len(line) <= most else line[:most] + "…"
