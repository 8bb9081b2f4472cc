"""Anthropic's SDK as the line to Claude: its addresses, headers and connections, with bodies that are written once.

The SDK is given bytes. Given a dictionary it copies it, on Vertex AI twice, which took half of the client's time.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from curation.claude.google import Google
from curation.claude.outcome import Outcome, no_response, seconds

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic, AsyncAnthropicVertex

# Retries are the pool's, which counts them once; each request has a time limit of its own; nothing is traced.
SHARED: dict[str, Any] = {"max_retries": 0, "timeout": None, "open_telemetry": False}

Worded = Callable[[Mapping[str, Any]], tuple[str, dict[str, Any]]]


def transport(connections: int) -> Any:
    """The SDK's aiohttp transport, which holds as many connections as are asked for."""
    import anthropic
    import httpx2

    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    return anthropic.DefaultAioHttpClient(limits=limits, timeout=None)


class Sdk:
    """An SDK client; `worded` gives the path and the body of a request, `google` its token on Vertex AI."""

    def __init__(
        self, sdk: "AsyncAnthropic | AsyncAnthropicVertex", worded: Worded, google: Google | None = None
    ) -> None:
        self._sdk, self._worded, self._google = sdk, worded, google

    async def post(self, body: Mapping[str, Any]) -> Outcome:
        """Posts one request. Raises ServiceError where Google's credentials can no longer be renewed."""
        import aiohttp
        import anthropic
        import httpx2
        from google.auth.exceptions import TransportError

        path, worded = self._worded(body)
        try:
            if self._google is not None:
                self._sdk.access_token = await self._google.token()  # type: ignore[union-attr]
            response = await self._sdk.post(
                path,
                cast_to=httpx2.Response,
                content=orjson.dumps(worded),
                options={"headers": {"content-type": "application/json"}},
            )
            return Outcome(response.status_code, response.text)
        except anthropic.APIStatusError as error:
            wait = error.response.headers.get("retry-after", "")
            return Outcome(error.status_code, error.response.text, seconds(wait))
        except (anthropic.APIConnectionError, httpx2.HTTPError, TransportError) as error:
            return no_response(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, TransportError))

    async def close(self) -> None:
        """Ends all connections."""
        await self._sdk.close()
