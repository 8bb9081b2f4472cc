"""Fetches a published release from the Hub, pinned to the commit that its tag names."""

from dataclasses import dataclass
from pathlib import Path

from curation.errors import InputError, ServiceError
from curation.release.targets.hub_errors import status_of


@dataclass(frozen=True)
class Fetched:
    """A snapshot of a repository in the Hub's cache on this machine, and the commit that it is of."""

    folder: Path
    commit: str


def fetch(repo: str, revision: str, kind: str = "dataset") -> Fetched:
    """The files of `repo` at a tag, branch or commit; `kind` is "dataset" or "model". What is there already is kept.

    Raises InputError where the Hub knows no such repository or revision, ServiceError where it fails.
    """
    import httpx2
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    api = HfApi()
    try:
        commit = str(api.repo_info(repo, repo_type=kind, revision=revision).sha)
        folder = api.snapshot_download(repo, repo_type=kind, revision=commit)
    except RevisionNotFoundError:
        raise InputError(f"{repo} at {constants.ENDPOINT} has no revision {revision!r}; see its tags there") from None
    except RepositoryNotFoundError:
        raise InputError(
            f"the Hub at {constants.ENDPOINT} knows no {kind} repository {repo} that may be read; check the name, and "
            "HF_TOKEN if it is private"
        ) from None
    except (OSError, RuntimeError, ValueError, httpx2.HTTPError) as error:
        status = status_of(error)
        said = f"answered {status}" if status else "cannot be reached"
        raise ServiceError(
            f"the Hub at {constants.ENDPOINT} {said} while {repo} was fetched; try again, what came is kept"
        ) from error
    return Fetched(Path(folder), commit)
