"""A door is one way to a model: the address, the headers and the wording in which a service wants to be asked."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from curation.claude.chat import chat_request
from curation.claude.google import Google
from curation.errors import InputError

# What Vertex AI's documentation asks for.
VERTEX_VERSION = "vertex-2023-10-16"
API_VERSION = "2023-06-01"  # of the first-party API: the only one that its documentation names

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

# Backend -> the family of its models: within one family the same model is asked the same thing by either name.
FAMILIES = {"vertex": "claude", "anthropic": "claude", "openai": "openai"}

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Door:
    """`url` and `worded` turn a request of the Messages API into what this service takes; `base` names its variable."""

    base: str
    url: Callable[[Body], str]
    worded: Callable[[Body], dict[str, Any]]
    headers: dict[str, str]
    google: Google | None = None


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
    region = os.environ["CLOUD_ML_REGION"]
    base = os.environ.get("ANTHROPIC_VERTEX_BASE_URL") or vertex_address(region)
    project = quote(os.environ["ANTHROPIC_VERTEX_PROJECT_ID"], safe="")
    models = f"{base.rstrip('/')}/projects/{project}/locations/{quote(region, safe='')}/publishers/anthropic/models"

    def worded(body: Body) -> dict[str, Any]:
        kept = {key: value for key, value in body.items() if key != "model"}
        return {**kept, "anthropic_version": VERTEX_VERSION}

    return Door(
        base="ANTHROPIC_VERTEX_BASE_URL",
        url=lambda body: f"{models}/{quote(body['model'], safe='@')}:rawPredict",
        worded=worded,
        headers={},
        google=Google(os.environ.get("CURATION_VERTEX_TOKEN")),
    )


def vertex_address(region: str) -> str:
    """Where Vertex AI answers for a region; `global`, `us` and `eu` have addresses of their own."""
    host = {
        "global": "aiplatform.googleapis.com",
        "us": "aiplatform.us.rep.googleapis.com",
        "eu": "aiplatform.eu.rep.googleapis.com",
    }.get(region, f"{region}-aiplatform.googleapis.com")
    return f"https://{host}/v1"


def anthropic() -> Door:
    """Claude through its first-party API."""
    base = os.environ.get("ANTHROPIC_BASE_URL") or "https://api.anthropic.com"
    url = f"{base.rstrip('/')}/v1/messages"
    headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": API_VERSION}
    return Door("ANTHROPIC_BASE_URL", lambda body: url, dict, headers)


def openai() -> Door:
    """Any model behind a server that speaks OpenAI's chat completions, such as one of your own."""
    url = f"{os.environ['OPENAI_BASE_URL'].rstrip('/')}/chat/completions"
    key = os.environ.get("OPENAI_API_KEY")
    headers = {"authorization": f"Bearer {key}"} if key else {}  # a server of one's own may ask for none
    return Door("OPENAI_BASE_URL", lambda body: url, chat_request, headers)


DOORS: dict[str, Callable[[], Door]] = {"vertex": vertex, "anthropic": anthropic, "openai": openai}
