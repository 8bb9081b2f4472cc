"""A door is one way to a model: what it needs from the environment, and the client that speaks its protocol."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from curation.claude.google import Google
from curation.claude.outcome import Outcome
from curation.errors import InputError

# What Vertex AI's documentation asks for; the SDK's own default is its release date, which the service may not know.
VERTEX_VERSION = "vertex-2023-10-16"

# What has to be in the environment, and what it is: told together, so that one error is enough.
NEEDED = {
    "vertex": {
        "ANTHROPIC_VERTEX_PROJECT_ID": "the Google Cloud project",
        "CLOUD_ML_REGION": "its region, for example global",
    },
    "anthropic": {"ANTHROPIC_API_KEY": "the API key"},
    "openai": {"OPENAI_BASE_URL": "the server's address, for example http://localhost:8000/v1"},
}

# What else may be wrong where a service refuses to answer.
OPTIONAL = {"vertex": ("CURATION_VERTEX_TOKEN",), "anthropic": (), "openai": ("OPENAI_API_KEY",)}

# Where each service's address can be set.
ADDRESSES = {"vertex": "ANTHROPIC_VERTEX_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL", "openai": "OPENAI_BASE_URL"}

# Backend -> the family of its models: within one family the same model is asked the same thing by either name.
FAMILIES = {"vertex": "claude", "anthropic": "claude", "openai": "openai"}

# The backends whose every request costs money; a server that speaks OpenAI's protocol may be one's own.
PAID = ("vertex", "anthropic")


class Line(Protocol):
    """An open client of one service."""

    async def post(self, body: Mapping[str, Any]) -> Outcome:
        """Posts one request of the Messages API, in the service's own wording."""

    async def close(self) -> None:
        """Ends all connections."""


Door = Callable[[int], Line]  # the number of connections that it shall hold


def require(backend: str, environment: Mapping[str, str]) -> None:
    """Raises InputError naming every variable that the backend needs and that is not set."""
    missing = [f"{name} ({what})" for name, what in NEEDED[backend].items() if not environment.get(name)]
    if missing:
        raise InputError(
            f"the backend {backend!r} has no credentials: set {' and '.join(missing)} in the environment, "
            "or choose another backend"
        )


def open_door(backend: str) -> Door:
    """The backend's door, by what is in the environment.

    Raises InputError or ServiceError where its credentials are missing or refused.
    """
    require(backend, os.environ)
    return DOORS[backend]()


def vertex() -> Door:
    """Claude on Vertex AI: the model stands in the address, the version in the body."""
    region, project = os.environ["CLOUD_ML_REGION"], os.environ["ANTHROPIC_VERTEX_PROJECT_ID"]
    google = Google(os.environ.get("CURATION_VERTEX_TOKEN"))
    models = f"/projects/{quote(project, safe='')}/locations/{quote(region, safe='')}/publishers/anthropic/models"

    def worded(body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        kept = {key: value for key, value in body.items() if key != "model"}
        return f"{models}/{quote(body['model'], safe='@')}:rawPredict", {**kept, "anthropic_version": VERTEX_VERSION}

    def opened(connections: int) -> Line:
        import anthropic

        from curation.claude.sdk import SHARED, Sdk, transport

        sdk = anthropic.AsyncAnthropicVertex(
            project_id=project,
            region=region,
            base_url=os.environ.get(ADDRESSES["vertex"]) or None,
            access_token="of each request",  # replaced before it is sent
            http_client=transport(connections),
            **SHARED,
        )
        return Sdk(sdk, worded, google)

    return opened


def anthropic() -> Door:
    """Claude through its first-party API."""

    def opened(connections: int) -> Line:
        import anthropic

        from curation.claude.sdk import SHARED, Sdk, transport

        sdk = anthropic.AsyncAnthropic(
            api_key=os.environ["ANTHROPIC_API_KEY"],
            base_url=os.environ.get(ADDRESSES["anthropic"]) or None,
            http_client=transport(connections),
            **SHARED,
        )
        return Sdk(sdk, lambda body: ("/v1/messages", dict(body)))

    return opened


def openai() -> Door:
    """Any model behind a server that speaks OpenAI's chat completions, such as one of your own."""
    url = f"{os.environ['OPENAI_BASE_URL'].rstrip('/')}/chat/completions"
    key = os.environ.get("OPENAI_API_KEY")
    headers = {"authorization": f"Bearer {key}"} if key else {}  # a server of one's own may ask for none

    def opened(connections: int) -> Line:
        from curation.claude.plain import Plain

        return Plain(url, headers, connections)

    return opened


DOORS: dict[str, Callable[[], Door]] = {"vertex": vertex, "anthropic": anthropic, "openai": openai}
