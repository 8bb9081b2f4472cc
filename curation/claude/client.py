"""The client is the one line to a model: it holds the connections, and sends one request at a time on each."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import orjson

from curation.claude.doors import open_door
from curation.errors import InputError

if TYPE_CHECKING:
    import aiohttp

SPARE = 16  # connections beyond one a worker, so that a slow close never makes a worker wait for another's

IDLE = 55.0  # seconds that an unused connection is kept: less than the minute after which balancers drop it silently

NEWER_LIMIT = "max_completion_tokens"  # what some servers of OpenAI's protocol call max_tokens


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


class Client:
    """One shared session for a whole run, with a connection for every worker; retries are left to the caller.

    Raises InputError or ServiceError where the backend's credentials are missing or refused.
    """

    def __init__(self, backend: str, workers: int) -> None:
        self._door = open_door(backend)
        self._workers = workers
        self._session: aiohttp.ClientSession | None = None
        self._newer_limit = False

    def open(self) -> None:
        """Makes the session; must be called where the event loop runs."""
        import aiohttp

        connections = self._workers + SPARE
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=IDLE, ttl_dns_cache=300),
            timeout=aiohttp.ClientTimeout(total=None),  # each request has its own
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"content-type": "application/json", **self._door.headers},
            trust_env=True,  # HTTPS_PROXY and its like
        )

    async def close(self) -> None:
        """Ends all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, body: Mapping[str, Any], timeout: float) -> Outcome:
        """Posts one request of the Messages API, waiting at most `timeout` seconds for the whole of its response.

        Raises ServiceError where Google's credentials can no longer be renewed, InputError for an address that is none.
        """
        outcome = await self._post(body, timeout)
        if outcome.status == 400 and NEWER_LIMIT in outcome.text and not self._newer_limit:
            self._newer_limit = True
            return await self._post(body, timeout)
        return outcome

    async def _post(self, body: Mapping[str, Any], timeout: float) -> Outcome:
        import aiohttp
        from google.auth.exceptions import TransportError

        if self._session is None:
            raise RuntimeError("the client is not open")
        url = self._door.url(body)
        try:
            async with asyncio.timeout(timeout):
                own = {"authorization": f"Bearer {await self._door.google.token()}"} if self._door.google else None
                async with self._session.post(
                    url, data=self._worded(body), headers=own, allow_redirects=False
                ) as response:
                    text = (await response.read()).decode(errors="replace")
                    return Outcome(response.status, text, seconds(response.headers.get("retry-after", "")))
        except TimeoutError:
            return Outcome(None, f"no reply within {timeout:g} s")
        except aiohttp.InvalidURL as error:
            raise InputError(f"{url} is no address; correct {self._door.base}") from error
        except (aiohttp.ClientError, OSError, TransportError) as error:
            unsent = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, TransportError)
            sent = not any(isinstance(cause, unsent) for cause in causes(error))
            return Outcome(None, f"{type(error).__name__}: {error}", sent=sent)

    def _worded(self, body: Mapping[str, Any]) -> bytes:
        worded = self._door.worded(body)
        if self._newer_limit:
            worded[NEWER_LIMIT] = worded.pop("max_tokens")
        return orjson.dumps(worded)


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
