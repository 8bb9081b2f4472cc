"""Trained models in a model repository on the Hub: one commit for each push, told apart by its title."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from curation.errors import InputError, ServiceError
from curation.release.targets import REPOSITORY
from curation.release.targets.hub_errors import no_token, status_of

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")
AGAIN = (408, 409, 412, 429)  # answers that the same request may not get a second time
ATTEMPTS = 4  # a push is repeated this often: what was uploaded before is not uploaded again
PAUSE = 1.0  # seconds before the second attempt, doubled after each


@dataclass(frozen=True)
class ModelRepository:
    """A model repository `owner/name`, created private by the first push."""

    repo: str

    @classmethod
    def of(cls, to: str) -> "ModelRepository":
        """The repository that `hf://owner/name` names. Raises InputError for anything else."""
        found = REPOSITORY.fullmatch(to.removeprefix("hf://"))
        if found is None or not to.startswith("hf://") or to.startswith("hf://datasets/"):
            raise InputError(f"{to} does not name a model repository; write hf://owner/name")
        return cls(found["repo"])

    def check(self) -> None:
        """Raises ServiceError where there is no token, or the Hub does not take it or cannot be reached."""
        self._asked(lambda api: api.whoami())

    def titles(self) -> set[str]:
        """The titles of its commits; empty before the first push."""
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            return {commit.title for commit in self._asked(lambda api: api.list_repo_commits(self.repo))}
        except RepositoryNotFoundError:
            return set()

    def push(self, folder: Path, title: str, leave_out: tuple[str, ...] = ()) -> str:
        """Puts the files of a folder there in one commit; returns it. What matches `leave_out` stays here.

        Raises ServiceError where there is no token or the Hub fails after some attempts.
        """

        def upload(api: "HfApi") -> str:
            api.create_repo(self.repo, private=True, exist_ok=True)
            made = api.upload_folder(
                repo_id=self.repo, folder_path=folder, commit_message=title, ignore_patterns=list(leave_out)
            )
            return str(made.oid)

        return str(self._asked(upload))

    def fetched(self, wanted: tuple[str, ...]) -> Path:
        """A folder of this machine's cache with the files that match, as they are there now.

        Raises InputError where there is no such repository, ServiceError where the Hub fails after some attempts.
        """
        from huggingface_hub.errors import RepositoryNotFoundError

        def download(api: "HfApi") -> str:
            head = api.repo_info(
                self.repo
            ).sha  # asked for first: a download that fails would give an older copy in silence
            return str(api.snapshot_download(self.repo, revision=head, allow_patterns=list(wanted)))

        try:
            return Path(self._asked(download, "read"))
        except RepositoryNotFoundError:
            raise InputError(f"there is no model repository hf://{self.repo}, or HF_TOKEN may not read it") from None

    def _asked(self, ask: Callable[["HfApi"], T], doing: str = "written") -> T:
        """The Hub's answer, asked again where it fails in passing."""
        from huggingface_hub import HfApi, constants, get_token
        from huggingface_hub.errors import RepositoryNotFoundError
        from huggingface_hub.utils.tqdm import disable_progress_bars

        if get_token() is None:
            raise no_token()
        disable_progress_bars()
        for attempt in range(ATTEMPTS):
            try:
                return ask(HfApi())
            except RepositoryNotFoundError as error:
                if status_of(error) == 404:
                    raise
                failed: Exception = error
            except (OSError, RuntimeError, ValueError) as error:
                failed = error
            status = status_of(failed)
            if status is not None and status < 500 and status not in AGAIN:
                break
            time.sleep(PAUSE * 2**attempt)
        said = f"answered {status}" if status else "cannot be reached"
        raise ServiceError(
            f"the Hub at {constants.ENDPOINT} {said} when {self.repo} was {doing}; check HF_TOKEN (it needs write "
            "access to push) and HF_ENDPOINT, then give the same command again: what is there is not sent again"
        ) from failed
