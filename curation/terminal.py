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

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

BAR_AFTER = 1.0  # seconds
LINE_EVERY = 60.0  # seconds between two lines where stderr is not a terminal

VERBS = {
    "evaluate": "prompts answered",
    "ingest": "records read",
    "check": "samples checked",
    "dedup": "samples compared",
    "judge": "samples judged",
    "prepare": "rows made tokens",
}


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
    """Text whose control characters, such as the escape that begins a terminal's commands, stand as U+FFFD."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A callback `(what, done, total)` whose calls become a bar on a terminal, and a line a minute elsewhere."""
    if stderr().is_terminal:
        with bars() as told:
            yield told
    else:
        yield lines()


@contextmanager
def bars() -> Iterator[Callable[[str, int, int | None], None]]:
    """One bar for each kind of work, shown once a second has gone by."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr(), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                if time.monotonic() - began < BAR_AFTER:
                    return
                tasks[what] = bar.add_task(VERBS.get(what, what), total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield told


def lines() -> Callable[[str, int, int | None], None]:
    """Says how far the work is, at most once every LINE_EVERY seconds."""
    last = time.monotonic()

    def told(what: str, done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_EVERY:
            last = time.monotonic()
            say(f"{done:,}{f' of {total:,}' if total else ''} {VERBS.get(what, what)}")

    return told
