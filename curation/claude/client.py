"""The client is the one door to Claude: it finds the credentials, holds the connections, and sends one request."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curation.errors import InputError, ServiceError

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic, AsyncAnthropicVertex

# What Vertex AI's documentation asks for; the SDK's own default is its release date, which the service may not know.
VERTEX_VERSION = "vertex-2023-10-16"

SPARE = 16  # connections beyond one a worker, so that a slow close never makes a worker wait for another's

# What has to be in the environment, and what it is: told together, so that one error is enough.
NEEDED = {
    "vertex": {
        "ANTHROPIC_VERTEX_PROJECT_ID": "the Google Cloud project",
        "CLOUD_ML_REGION": "its region, for example global",
    },
    "anthropic": {"ANTHROPIC_API_KEY": "the API key"},
}

FAMILY = "claude"  # of every backend here: within it the same model is asked the same thing by either name

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


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
    """One shared SDK client for a whole run, with a connection for every worker; retries are left to the caller."""

    def __init__(self, backend: str, workers: int) -> None:
        require(backend, os.environ)
        self._backend = backend
        self._workers = workers
        self._credentials = google_credentials() if backend == "vertex" else None
        self._sdk: AsyncAnthropic | AsyncAnthropicVertex | None = None

    def open(self) -> None:
        """Makes the SDK's client; must be called where the event loop runs."""
        import anthropic
        import httpx2

        connections = self._workers + SPARE
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        http = anthropic.DefaultAioHttpClient(limits=limits)
        if self._backend == "vertex":
            self._sdk = anthropic.AsyncAnthropicVertex(
                project_id=os.environ["ANTHROPIC_VERTEX_PROJECT_ID"],
                region=os.environ["CLOUD_ML_REGION"],
                base_url=os.environ.get("ANTHROPIC_VERTEX_BASE_URL") or None,
                access_token=os.environ.get("CURATION_VERTEX_TOKEN") or None,
                credentials=self._credentials,
                http_client=http,
                max_retries=0,
            )
        else:
            self._sdk = anthropic.AsyncAnthropic(
                api_key=os.environ["ANTHROPIC_API_KEY"],
                base_url=os.environ.get("ANTHROPIC_BASE_URL") or None,
                http_client=http,
                max_retries=0,
            )

    async def close(self) -> None:
        """Ends all connections."""
        if self._sdk is not None:
            await self._sdk.close()
            self._sdk = None

    async def send(self, body: Mapping[str, Any], timeout: float) -> Outcome:
        """Posts one Messages API request, waiting at most `timeout` seconds for the whole of its response.

        Raises ServiceError where Google's credentials can no longer be renewed.
        """
        import aiohttp
        import anthropic
        import httpx2
        from google.auth.exceptions import GoogleAuthError, TransportError

        if self._sdk is None:
            raise RuntimeError("the client is not open")
        own = {"anthropic_version": VERTEX_VERSION} if self._backend == "vertex" else {}
        try:
            async with asyncio.timeout(timeout):
                response = await self._sdk.post("/v1/messages", cast_to=httpx2.Response, body={**body, **own})
                return Outcome(response.status_code, response.text)
        except anthropic.APIStatusError as error:
            wait = error.response.headers.get("retry-after", "")
            return Outcome(error.status_code, error.response.text, seconds(wait))
        except TimeoutError:
            return Outcome(None, f"no reply within {timeout:g} s")
        except (anthropic.APIConnectionError, httpx2.HTTPError, TransportError) as error:
            unsent = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, TransportError)
            sent = not any(isinstance(cause, unsent) for cause in causes(error))
            return Outcome(None, f"{type(error).__name__}: {error.__cause__ or error}", sent=sent)
        except GoogleAuthError as error:
            raise ServiceError(unusable(error)) from error


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, what caused that, and so on."""
    while error is not None:
        yield error
        error = error.__cause__


def require(backend: str, environment: Mapping[str, str]) -> None:
    """Raises InputError naming every variable that the backend needs and that is not set."""
    missing = [f"{name} ({what})" for name, what in NEEDED[backend].items() if not environment.get(name)]
    if missing:
        raise InputError(
            f"the backend {backend!r} has no credentials: set {' and '.join(missing)} in the environment, "
            "or choose another backend"
        )


def google_credentials() -> Any:
    """Application-default credentials with a fresh token; None where CURATION_VERTEX_TOKEN stands in for them."""
    if os.environ.get("CURATION_VERTEX_TOKEN"):
        return None
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
        credentials.refresh(Request())  # type: ignore[no-untyped-call]
    except GoogleAuthError as error:
        raise ServiceError(unusable(error)) from error
    return credentials


def unusable(error: Exception) -> str:
    """The sentence for Google credentials that do not work."""
    said = str(error.args[0] if error.args else error).strip().splitlines()
    return (
        f"the backend 'vertex' has no usable Google credentials ({said[0] if said else type(error).__name__}): "
        "run `gcloud auth application-default login`, or set CURATION_VERTEX_TOKEN"
    )


def seconds(text: str) -> float | None:
    """A retry-after header in seconds; None where it is absent or is not a number."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return None
