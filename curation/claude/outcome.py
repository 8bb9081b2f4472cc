"""What became of one request to a model, whoever carried it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request: `status` is HTTP's, or None where no response came (`text` then says why).

    `retry_after` is in seconds, as the service asked. `sent` is false where no connection came about: nobody can have
    charged anything.
    """

    status: int | None
    text: str
    retry_after: float | None = None
    sent: bool = True


def no_response(error: Exception, unsent: tuple[type[BaseException], ...]) -> Outcome:
    """The outcome of a request whose connection failed; `unsent` are the causes before which nothing was sent."""
    sent = not any(isinstance(cause, unsent) for cause in causes(error))
    return Outcome(None, f"{type(error).__name__}: {error.__cause__ or error}", sent=sent)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, what caused that, and so on."""
    while error is not None:
        yield error
        error = error.__cause__


def seconds(text: str) -> float | None:
    """A retry-after header, a number or a date, in seconds; None where it is absent or neither."""
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
