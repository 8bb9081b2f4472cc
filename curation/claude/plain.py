"""A server that speaks OpenAI's chat completions is asked over aiohttp: one address, one header, one wording."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from curation.claude.chat import chat_request
from curation.claude.outcome import Outcome, no_response, seconds
from curation.errors import InputError

IDLE = 55.0  # seconds that an unused connection is kept: less than the minute after which balancers drop it silently
NEWER_LIMIT = "max_completion_tokens"  # what some servers call max_tokens


class Plain:
    """One session; must be made where the event loop runs."""

    def __init__(self, url: str, headers: Mapping[str, str], connections: int) -> None:
        self._url = url
        self._newer_limit = False
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=IDLE, ttl_dns_cache=300),
            timeout=aiohttp.ClientTimeout(total=None),  # each request has its own
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"content-type": "application/json", **headers},
            trust_env=True,  # HTTPS_PROXY and its like
        )

    async def post(self, body: Mapping[str, Any]) -> Outcome:
        """Posts one request; one that is refused for the name of its limit is worded anew, as are all after it."""
        outcome = await self._post(body)
        if outcome.status == 400 and NEWER_LIMIT in outcome.text and not self._newer_limit:
            self._newer_limit = True
            return await self._post(body)
        return outcome

    async def _post(self, body: Mapping[str, Any]) -> Outcome:
        worded = chat_request(body)
        if self._newer_limit:
            worded[NEWER_LIMIT] = worded.pop("max_tokens")
        try:
            async with self._session.post(self._url, data=orjson.dumps(worded), allow_redirects=False) as response:
                text = (await response.read()).decode(errors="replace")
                return Outcome(response.status, text, seconds(response.headers.get("retry-after", "")))
        except aiohttp.InvalidURL as error:
            raise InputError(f"{self._url} is no address; correct OPENAI_BASE_URL") from error
        except (aiohttp.ClientError, OSError) as error:
            return no_response(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))

    async def close(self) -> None:
        """Ends all connections."""
        await self._session.close()
