"""What the Hub refuses or fails to do, as one sentence with the remedy; a token never stands in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from curation.errors import ServiceError, TargetError

SENTENCES = {
    401: "The Hub at {endpoint} refused the token for {repo} (401); create one with write access at "
    "{endpoint}/settings/tokens and set HF_TOKEN",
    403: "The Hub at {endpoint} does not let this token write to {repo} (403); give the token write access there, or "
    "publish to a repository that it owns",
    404: "The Hub at {endpoint} knows no dataset repository {repo} that this token may see (404); check the name and "
    "the token in HF_TOKEN",
    409: "{repo} was changed at {endpoint} while it was being published to (409); publish again",
    412: "{repo} was changed at {endpoint} again and again while it was being published to (412); publish again",
    429: "The Hub at {endpoint} asks for fewer requests (429); publish again later, it goes on where it stopped",
}
FAILED = "The Hub at {endpoint} failed on {repo} ({status}); publish again later, it goes on where it stopped"
REFUSED = "The Hub at {endpoint} refused what was sent for {repo} ({status}): {said}"
UNREACHABLE = (
    "The Hub at {endpoint} cannot be reached ({said}); check the network and HF_ENDPOINT, then publish again: it goes "
    "on where it stopped"
)


class HubError(ServiceError):
    """The Hub refused or failed."""


def no_token() -> HubError:
    """There is nothing to identify with."""
    return HubError("There is no token for the Hub; set HF_TOKEN, or log in once with `hf auth login`", False)


@contextmanager
def told(repo: str) -> Iterator[None]:
    """Turns what the Hub's client raises in the block into a HubError, or a TargetError where this machine failed."""
    import httpx2

    try:
        yield
    except (OSError, RuntimeError, ValueError, httpx2.HTTPError) as error:
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
            raise TargetError(f"the release for {repo} cannot be read or copied here: {error}") from error
        # The client wraps a failed upload in RuntimeError, and raises ValueError where the Hub refuses the card.
        raise _hub_error(repo, error) from error


def status_of(error: BaseException) -> int | None:
    """The HTTP status behind an error, or behind what caused it; None where the Hub gave no answer."""
    found: BaseException | None = error
    while found is not None:
        status = getattr(getattr(found, "response", None), "status_code", None)
        if isinstance(status, int):
            return status
        found = found.__cause__
    return None


def _hub_error(repo: str, error: Exception) -> HubError:
    from huggingface_hub import constants

    status = status_of(error)
    words = {"endpoint": constants.ENDPOINT, "repo": repo, "status": status, "said": _said(error)}
    if status is None:
        sentence = REFUSED if isinstance(error, ValueError) else UNREACHABLE
        return HubError(sentence.format(**words), sentence is UNREACHABLE)
    if status in SENTENCES:
        return HubError(SENTENCES[status].format(**words), status in (409, 412, 429))
    return HubError((FAILED if status >= 500 else REFUSED).format(**words), status >= 500)


def _said(error: Exception) -> str:
    """The first lines of the deepest cause, without the token."""
    from huggingface_hub import get_token

    cause: BaseException = error
    while cause.__cause__ is not None and not str(cause).strip():
        cause = cause.__cause__
    text = " ".join(str(cause).split()) or type(cause).__name__
    token = get_token()
    return (text.replace(token, "***") if token else text)[:200]
