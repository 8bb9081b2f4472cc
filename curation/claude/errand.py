"""An errand says what is asked of whom for each row of a work list, and what is kept of the reply."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

Row = dict[str, Any]
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the service's bytes as text, or (`failed`) the last error as JSON. Not parsed yet."""

    raw: str
    failed: bool = False


class GaveUpError(Exception):
    """The run is being stopped and this row has no reply: nothing is kept of it, and the next run asks again."""


class Service(Protocol):
    """Something that can be asked, many times at once, between `async with` and its end."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def most(self, message: Any) -> float | None:
        """The most US dollars that one request with this message can cost; None where no price is known."""

    async def ask(self, message: Any, stopping: asyncio.Event, again: Callable[[], bool]) -> Reply:
        """The reply to a message.

        `again` is called for each request that may be charged although no reply to it came, and says whether another
        may be sent. Raises ServiceError for a fault that every further request would meet, and GaveUpError where
        `stopping` was set, or `again` said no, before there was a reply.
        """


def never(row: Row, read: Row) -> Row | None:
    """What came is left as it is until the next run."""
    return None


def has_answer(read: Row) -> bool:
    """Whether the reply holds what was asked for."""
    return bool(read["status"] == "ok")


@dataclass(frozen=True, slots=True)
class Errand:
    """What the pool does with a row.

    `message` is what the service is asked for it. `record` makes what the journal keeps of the reply, from which
    nothing has been read yet. `read` makes of that the row of a table, with at least `status`, `input_tokens`,
    `output_tokens`, `cached_tokens` and `usd`, by the same rules whenever it is done. `once_more` makes of the row and of
    what was read the row that is asked again in this run, or None. `is_good` tells what the run is after.
    """

    service: Service
    message: Callable[[Row], Any]
    record: Callable[[Row, Reply], Record]
    read: Callable[[Record], Row]
    once_more: Callable[[Row, Row], Row | None] = never
    is_good: Callable[[Row], bool] = has_answer
