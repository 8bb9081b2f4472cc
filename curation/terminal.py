"""The terminal: results alone go to stdout, everything else to stderr; a bar shows work that takes over a second."""

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from rich.console import Console, RenderableType
from rich.text import Text

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

BAR_AFTER = 1.0  # seconds
LINE_EVERY = 60.0  # seconds between two lines where stderr is not a terminal

# What is done, in the words that follow the number.
VERBS = {
    "ingest": "MB read",
    "reread": "traces read again",
    "candidates": "candidate lists read",
    "complete": "samples completed",
    "check": "samples checked",
    "dedup": "samples compared",
    "judge": "samples judged",
    "synthesize": "orders answered",
    "thinking": "plans given their reasoning",
    "prepare": "rows made tokens",
    "evaluate": "prompts answered",
    "export": "MB written",
    "publish": "steps of the release done",
}
SCALE = {"ingest": 1_000_000, "export": 1_000_000}  # what a unit of the words is, where the work counts smaller ones

Told = Callable[[str, int, int | None, str], None]


def stderr() -> Console:
    """Where progress, warnings and errors go."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def show(result: RenderableType) -> None:
    """Prints a result."""
    console = Console(
        highlight=False, markup=False, emoji=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200
    )
    console.print(visible(result) if isinstance(result, str) else result)


def show_json(result: Any) -> None:
    """Prints one JSON object."""
    sys.stdout.write(orjson.dumps(result, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")


def say(sentence: str) -> None:
    """A sentence for the person watching."""
    stderr().print(visible(sentence))


def warn(sentence: str) -> None:
    """A sentence that the person should not miss."""
    stderr().print(Text.assemble(("warning:", "yellow"), " ", visible(masked(sentence))))


def masked(text: str) -> str:
    """Text without credentials: what went wrong with a record may quote it."""
    from curation.credentials import mask  # loads the pattern table: only when something has to be told

    return mask(text)


def visible(text: str) -> str:
    """Text whose control characters, such as the escape that begins a terminal's commands, stand as U+FFFD.

    So do those that turn the direction of writing, by which a text shows in another order than it is read, and the lone
    surrogates as which Python holds bytes that are not UTF-8.
    """
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


@contextmanager
def progress() -> Iterator[Told]:
    """A callback `(what, done, total, note)` whose calls become a bar on a terminal, and a line a minute elsewhere."""
    if stderr().is_terminal:
        with bars() as told:
            yield told
    else:
        with lines() as told:
            yield told


@contextmanager
def bars() -> Iterator[Told]:
    """One bar for each kind of work, shown once a second has gone by."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    began = time.monotonic()
    words, note_column = TextColumn("{task.description}"), TextColumn("{task.fields[note]}")
    columns = (words, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), note_column)
    with Progress(*columns, console=stderr(), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, total: int | None, note: str) -> None:
            if what not in tasks:
                if time.monotonic() - began < BAR_AFTER:
                    return
                tasks[what] = bar.add_task(VERBS.get(what, what), total=total, note=note)
            scale = SCALE.get(what, 1)
            rounded = None if total is None else -(-total // scale)
            bar.update(tasks[what], completed=done // scale, total=rounded, note=note)

        yield told


@contextmanager
def lines() -> Iterator[Told]:
    """Says how far the work is, at most once every LINE_EVERY seconds, and at its end where it has said so before."""
    last = time.monotonic()
    reached: dict[str, tuple[int, int | None, str]] = {}  # what has not been said yet of work that has been spoken of

    def told(what: str, done: int, total: int | None, note: str) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_EVERY:
            last = time.monotonic()
            reached.clear()
            reached[what] = (-1, None, "")
            say(line(what, done, total, note))
        elif what in reached:
            reached[what] = (done, total, note)

    yield told
    for what, (done, total, note) in reached.items():
        if done >= 0:
            say(line(what, done, total, note))


def line(what: str, done: int, total: int | None, note: str) -> str:
    """How far a kind of work is: `12 of 250 samples judged, $3.10 spent`."""
    scale = SCALE.get(what, 1)
    told = f"{done // scale:,}{f' of {-(-total // scale):,}' if total else ''} {VERBS.get(what, what)}"
    return f"{told}, {note}" if note else told
