"""A release is what a trainer starts from: opened, pinned to a commit and compared with its manifest."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.errors import InputError, TargetError
from curation.release import manifest as manifests
from curation.release.build import folder_name
from curation.release.verify import verify

if TYPE_CHECKING:
    import datasets

RELEASES = Path("releases")  # where NAME@VERSION is looked for, as a recipe's [release] to has it


@dataclass(frozen=True)
class Release:
    """A release whose every file is what its manifest says. `commit`: of the Hub, None for a local folder."""

    name: str
    version: str
    commit: str | None
    path: Path
    manifest: dict[str, Any]

    @property
    def digest(self) -> str:
        """One hash of all rows: two releases with the same hold the same data."""
        return str(self.manifest["samples"]["digest"])

    @property
    def splits(self) -> dict[str, int]:
        """Rows by split."""
        return dict(self.manifest["splits"])

    def rows(self, config: str, split: str) -> "datasets.Dataset":
        """The rows of one split, in the release's order. Raises InputError where the release has none."""
        paths = self.files(config, split)
        import datasets
        import pyarrow as pa
        import pyarrow.parquet as pq

        return datasets.Dataset(pa.concat_tables([pq.read_table(path) for path in paths]))

    def files(self, config: str, split: str) -> list[Path]:
        """The data files of one split."""
        begin = f"data/{config}/{split}-"
        found = [self.path / file["path"] for file in self.manifest["files"] if file["path"].startswith(begin)]
        if not found:
            held = sorted(
                {
                    f"{parts[1]}/{parts[2].rsplit('-', 4)[0]}"
                    for file in self.manifest["files"]
                    if len(parts := file["path"].split("/")) == 3
                }
            )
            raise InputError(
                f"the release {self.name} {self.version} has no split {split!r} of {config!r}; it has {', '.join(held)}"
            )
        return found


def open_release(reference: str | Path) -> Release:
    """The release that `reference` names: a folder, NAME@VERSION below ./releases, or hf://owner/name@tag.

    Raises InputError for what is no such thing, TargetError where a file differs from the manifest, ServiceError where
    the Hub fails.
    """
    text = str(reference)
    if text.startswith("hf://"):
        return _from_hub(text)
    path = Path(text).expanduser()
    if not path.exists() and "@" in text and "/" not in text:
        name, _, version = text.partition("@")
        path = RELEASES / folder_name(name, version.removeprefix("v"))
    if not path.is_dir():
        raise InputError(
            f"there is no release at {path}; give its folder, NAME@VERSION (`curation releases` lists them) or "
            "hf://owner/name@tag"
        )
    return _opened(path, None, str(path))


def _from_hub(reference: str) -> Release:
    from curation.release.targets.fetching import fetch

    repo, at, tag = reference.removeprefix("hf://").removeprefix("datasets/").partition("@")
    if repo.count("/") != 1 or not at or not tag:
        raise InputError(f"{reference} does not name a version; write hf://owner/name@v1.0.0")
    fetched = fetch(repo, tag)
    return _opened(fetched.folder, fetched.commit, reference)


def _opened(path: Path, commit: str | None, said: str) -> Release:
    wrong = verify(path)
    if wrong:
        again = "publish it again" if commit is None else "fetch it again, or train from another version"
        raise TargetError(f"{said} does not match its manifest ({'; '.join(wrong[:3])}); {again}")
    manifest = manifests.read(path)
    return Release(manifest["name"], manifest["version"], commit, path.resolve(), manifest)
