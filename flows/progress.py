"""How work says how far it is, so that the same functions serve a terminal, a flow and a test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Called with the name of what is being done, how many are done, how many there are (None: unknown), and what else there
# is to say of it ("": nothing).
Progress = Callable[[str, int, int | None, str], None]


def silent(what: str, done: int, total: int | None, note: str) -> None:
    """Says nothing."""


_listener: ContextVar[Progress] = ContextVar("listener", default=silent)


def say(what: str, done: int, total: int | None = None, note: str = "") -> None:
    """Tells whoever listens."""
    _listener.get()(what, done, total, note)


@contextmanager
def listening(listener: Progress) -> Iterator[None]:
    """What is said inside the block is told to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
