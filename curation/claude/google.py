"""Google's credentials: found where Google's own tools leave them, and renewed before they run out."""

import asyncio
from typing import Any

from curation.errors import ServiceError

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class Google:
    """A bearer token that is always fresh; a `token` that is given stands in for application-default credentials.

    Raises ServiceError where there are no credentials that work.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._credentials: Any = None if token else credentials()
        self._renewing = asyncio.Lock()

    async def token(self) -> str:
        """The token; where it is about to run out, one request renews it for all who ask meanwhile.

        Raises ServiceError where it cannot be renewed any more, google.auth's TransportError where Google was not
        reached: a moment later it may be.
        """
        if self._token:
            return self._token
        if not self._credentials.valid:
            async with self._renewing:
                if not self._credentials.valid:
                    await asyncio.to_thread(renew, self._credentials)
        return str(self._credentials.token)


def credentials() -> Any:
    """Application-default credentials with a fresh token."""
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        found, _ = google.auth.default(scopes=[SCOPE])
        renew(found)
    except GoogleAuthError as error:
        raise ServiceError(unusable(error), again=False) from error
    return found


def renew(found: Any) -> None:
    """A new token. Raises ServiceError for credentials that are no longer good, TransportError without a network."""
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.auth.transport.requests import Request

    try:
        found.refresh(Request())
    except TransportError:
        raise
    except GoogleAuthError as error:
        raise ServiceError(unusable(error), again=False) from error


def unusable(error: Exception) -> str:
    """The sentence for Google credentials that do not work."""
    said = str(error.args[0] if error.args else error).strip().splitlines()
    return (
        f"the backend 'vertex' has no usable Google credentials ({said[0] if said else type(error).__name__}): "
        "run `gcloud auth application-default login`, or set CURATION_VERTEX_TOKEN"
    )
