"""Claude as a service: asks until there is a reply, or until asking again is pointless."""

import asyncio
import hashlib
import logging
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import orjson

from curation.claude.client import Client
from curation.claude.doors import FAMILIES, NEEDED, OPTIONAL
from curation.claude.errand import GaveUpError, Reply
from curation.claude.outcome import Outcome
from curation.claude.pace import Pace
from curation.claude.prices import dearest, today
from curation.claude.reply import SHOWN
from curation.errors import ServiceError

log = logging.getLogger(__name__)

# Answers that every further request would get as well, and what the owner of the account can do about them.
FATAL = {
    401: "the credentials are not accepted; renew {credentials}",
    402: "the account cannot pay; see its billing page",
    403: "the credentials may not use this model; grant access to it, or change {credentials}",
    404: "there is no such model or project there; check the model's name and {credentials}",
}

AGAIN = frozenset({408, 409, 429})  # besides all of 5xx: answers that may be different a moment later

BODY_KEPT = 2000  # characters of an error's body that are kept with it

FULL = frozenset({429, 529})  # answers of a service that has no room: RESOURCE_EXHAUSTED comes as 429

# Words by which a service says that the quota is not used up, but nothing.
NO_QUOTA = re.compile(r"""quota_limit_value["']?\s*:\s*["']?0["'\s,}]|(?:rate limit|limit|quota)\s*(?:of|:|is)\s*0\b""")

UNREACHABLE_LIMIT = 20  # requests in a row that got no answer of any kind, with none ever accepted
FIRST_WAVE = 10  # requests: where each of the first is refused as invalid, the fault is ours and not that of some rows

LETTERS = 4  # bytes a token, about: only the proportions among requests matter to the pace

FRAME = 2_000  # tokens: more than what the service itself puts around a request for a reply of a given form


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one reply is worth waiting for.

    `tries` counts requests in all; waits double from `base` up to `cap` seconds, which caps the service's retry-after
    too; `nothing` is for a run that never gets a reply; `timeout` is for one whole response, in seconds.
    """

    tries: int = 8  # with the waits below some two minutes: longer than a quota's minute
    base: float = 1.0
    cap: float = 60.0
    nothing: float = 150.0  # seconds of refusals with nothing ever let through: longer than a quota's minute
    timeout: float = 300.0  # five times what max_tokens takes at a slow 70 tokens a second

    def wait(self, tried: int, retry_after: float | None) -> float:
        """Seconds before the next request, after `tried` of them; spread, so that workers do not come back as one."""
        asked = self.base * 2 ** (tried - 1) if retry_after is None else retry_after
        return min(asked, self.cap) * random.uniform(0.75, 1.0 if retry_after is None else 1.25)


@dataclass(frozen=True, slots=True)
class Form:
    """What every request of an errand has in common, besides who is asked.

    `system` may be empty. `schema` is the reply's, in the part that the service can enforce; `tool` and `purpose` are
    the name and description of the tool by which a service without structured output is made to reply.
    """

    backend: str
    model: str
    max_tokens: int
    system: str
    schema: dict[str, Any]
    tool: str
    purpose: str

    def spec(self, name: str, *more: Any) -> str:
        """A hash of what is sent every time, and of `more` that decides the message: the same by either backend."""
        sent = [FAMILIES[self.backend], self.model, self.max_tokens, self.system, self.schema, *more]
        return f"{name}-{hashlib.blake2b(orjson.dumps(sent), digest_size=8).hexdigest()}"

    def body(self, message: str, *, by_tool: bool) -> dict[str, Any]:
        """The request: the same bytes for every message first, marked for the prompt cache, then the message."""
        body: dict[str, Any] = {"model": self.model, "max_tokens": self.max_tokens}
        if by_tool:
            body["tools"] = [{"name": self.tool, "description": self.purpose, "input_schema": self.schema}]
            body["tool_choice"] = {"type": "tool", "name": self.tool}
        else:
            body["output_config"] = {"format": {"type": "json_schema", "schema": self.schema}}
        if self.system:
            body["system"] = [{"type": "text", "text": self.system, "cache_control": {"type": "ephemeral"}}]
        body["messages"] = [{"role": "user", "content": message}]
        return body

    def most(self, message: str, *, by_tool: bool = False) -> float | None:
        """The most US dollars that one request can cost: no token is shorter than a byte, no reply longer than max_tokens."""
        sent = len(orjson.dumps(self.body(message, by_tool=by_tool))) + FRAME
        return dearest(self.model, sent, self.max_tokens, today())


class Claude:
    """The backends of FAMILIES. Raises InputError or ServiceError at once where there are no credentials."""

    def __init__(self, form: Form, workers: int, patience: Patience | None = None) -> None:
        self.form = form
        self._patience = patience or Patience()
        self._client = Client(form.backend, workers)
        self._pace = Pace()
        self._prefix = len(orjson.dumps(form.body("", by_tool=True)))
        self._by_tool = False  # this service has refused structured output: replies are forced through a tool call
        self._accepted = False
        self._began = time.monotonic()
        self._asked = 0  # messages, each once
        self._invalid = 0  # of the first wave, those that were refused as invalid
        self._unanswered = 0

    async def __aenter__(self) -> Self:
        self._client.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    def most(self, message: str) -> float | None:
        """The most US dollars that one request with this message can cost; None where no price is known."""
        return self.form.most(message, by_tool=self._by_tool)

    async def ask(self, message: str, stopping: asyncio.Event, again: Callable[[], bool]) -> Reply:
        """The reply to one message, or its last error once patience or the point of asking is at its end."""
        tried = 0
        self._asked += 1
        is_first = self._asked <= FIRST_WAVE
        tokens = (self._prefix + len(message)) // LETTERS
        while True:
            await self._turn(tokens, stopping)
            outcome = await self._send(message)
            tried += 1
            if is_reply(outcome):
                self._accepted = True
                self._pace.let_through()
                return Reply(outcome.text)
            may_go_on = again() if outcome.status is None and outcome.sent else True
            self._stop_if_fatal(outcome, is_first)
            if not is_passing(outcome) or tried >= self._patience.tries:
                break
            if not may_go_on:
                raise GaveUpError
            wait = self._patience.wait(tried, outcome.retry_after)
            if outcome.status in FULL:
                self._pace.turned_away(wait, time.monotonic())
            await pause(wait, stopping)
        if outcome.status == 200:  # not of the API, but all that there is: to be kept as it came
            return Reply(outcome.text)
        return Reply(error_text(outcome, tried), failed=True)

    async def _turn(self, tokens: int, stopping: asyncio.Event) -> None:
        """Waits for this request's turn; raises GaveUpError as soon as the run is being stopped."""
        while (delay := self._pace.delay(tokens, time.monotonic())) > 0:
            await pause(delay, stopping)

    async def _send(self, message: str) -> Outcome:
        """One request; where structured output is refused, another with a forced tool call, and so from then on."""
        by_tool = self._by_tool
        outcome = await self._client.send(self.form.body(message, by_tool=by_tool), self._patience.timeout)
        if outcome.status != 400 or by_tool:
            return outcome
        second = await self._client.send(self.form.body(message, by_tool=True), self._patience.timeout)
        if second.status == 200 and not self._by_tool:
            self._by_tool = True
            log.info("structured output is refused (%s); replies come by tool call", words(outcome))
        return second

    def _stop_if_fatal(self, outcome: Outcome, is_first: bool) -> None:
        """Raises ServiceError for a fault that no row is to blame for and no retry mends.

        `is_first`: the request is one of the FIRST_WAVE.
        """
        asked = f"{self.form.backend} refuses to answer with {self.form.model} ({words(outcome)})"
        if outcome.status in FATAL:
            owned = " and ".join([*NEEDED[self.form.backend], *OPTIONAL[self.form.backend]])
            raise ServiceError(f"{asked}: {FATAL[outcome.status].format(credentials=owned)}", again=False)
        if outcome.status in FULL and NO_QUOTA.search(outcome.text):
            raise ServiceError(
                f"{asked}: the quota is 0; ask for one, or take another model, region or backend", again=False
            )
        if self._accepted:
            return
        if outcome.status in FULL and time.monotonic() - self._began > self._patience.nothing:
            raise ServiceError(
                f"{asked}, and has let nothing through in {self._patience.nothing:.0f} s: look whether there is any quota for this "
                "model, and whether others use it up; what was asked is tried again by the next run"
            )
        self._stop_if_never(outcome, is_first)

    def _stop_if_never(self, outcome: Outcome, is_first: bool) -> None:
        """Raises ServiceError where nothing has been accepted so far and enough requests have met the same end.

        Refusals are quick and replies are not: with many in flight, a few rows that are too long are refused before any
        other is answered. So it takes the whole first wave to say that every request is invalid.
        """
        backend, model = self.form.backend, self.form.model
        self._unanswered = self._unanswered + 1 if outcome.status is None else 0
        if self._unanswered >= UNREACHABLE_LIMIT:
            raise ServiceError(
                f"{backend} cannot be reached ({words(outcome)}): check the network and the base URL; "
                "what was asked is tried again by the next run"
            )
        if is_first and outcome.status is not None and 300 <= outcome.status < 500 and outcome.status not in AGAIN:
            self._invalid += 1
            if self._invalid >= FIRST_WAVE:
                raise ServiceError(
                    f"{backend} finds every request to {model} invalid ({words(outcome)}): check the model's name; "
                    "what was asked is tried again by the next run",
                    again=False,
                )


def is_reply(outcome: Outcome) -> bool:
    """Whether this is the API's reply, as far as can be told without reading it: a web page or nothing is not."""
    return outcome.status == 200 and outcome.text.lstrip().startswith("{")


def is_passing(outcome: Outcome) -> bool:
    """Whether the same request may fare better a moment later."""
    status = outcome.status
    return status is None or status == 200 or status in AGAIN or status >= 500


async def pause(wait: float, stopping: asyncio.Event) -> None:
    """Waits so many seconds; raises GaveUpError as soon as the run is being stopped."""
    try:
        async with asyncio.timeout(wait):
            await stopping.wait()
    except TimeoutError:
        return
    raise GaveUpError


def words(outcome: Outcome) -> str:
    """What the service said, in one line."""
    if outcome.status is None:
        return outcome.text[:SHOWN]
    try:
        error = orjson.loads(outcome.text)["error"]
        said = f"{error.get('type') or error.get('status')}: {error['message']}"
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        said = " ".join(outcome.text.split())
    return f"HTTP {outcome.status} {said[:SHOWN]}".strip()


def error_text(outcome: Outcome, tried: int) -> str:
    """The error as the JSON that is kept in place of a reply."""
    message = f"{words(outcome)} (tried {tried} time{'' if tried == 1 else 's'})"
    error = {"status": outcome.status, "message": message, "tries": tried, "body": outcome.text[:BODY_KEPT]}
    return orjson.dumps({"error": error}).decode()
