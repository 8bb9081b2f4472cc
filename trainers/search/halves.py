"""A release as a search sees it: its plans to train on, a half of validation to keep states by, a half to search on.

The test split is in neither folder, so that no trial can read it.
"""

import hashlib
import os
import shutil
from pathlib import Path

import polars as pl

from curation.errors import InputError
from curation.release import manifest as manifests
from curation.release.parquet import DataFile, describe
from curation.release.splits import SPLITS
from curation.release.staging import scratch, settle
from trainers.release import Release, open_release

LEARNED, ASKED = "learned", "asked"  # the folders: what a run is given, and what it is asked for when it is measured
LEAST = 8  # plans of a half, below which a bootstrap would resample almost nothing


def halves(release: Release, folder: Path) -> tuple[Release, Release]:
    """(splits train and validation for the runs, the split validation that is searched on), made once below `folder`.

    Which half a plan is in depends on its id alone. Raises InputError where the release has too few to halve.
    """
    for name, kept in ((LEARNED, 0), (ASKED, 1)):
        if not (folder / name).exists():
            _make(release, folder / name, kept)
    return open_release(folder / LEARNED), open_release(folder / ASKED)


def half(sample_id: str) -> int:
    """0 for a plan that states are kept by, 1 for one that is searched on."""
    return hashlib.blake2b(f"search {sample_id}".encode(), digest_size=1).digest()[0] % 2


def _make(release: Release, folder: Path, kept: int) -> None:
    """Writes one of the two, whole or not at all."""
    with scratch(folder) as partial:
        files: list[DataFile] = []
        rows: dict[str, int] = {}
        for config in configs(release):
            (partial / "data" / config).mkdir(parents=True)
            if kept == 0:
                files += [_linked(release.path, path, partial) for path in release.files(config, "train")]
                rows["train"] = release.splits["train"]
            files.append(_filtered(release, config, partial, kept))
            rows["validation"] = files[-1].rows or 0
        manifest = {
            **release.manifest,
            "name": f"{release.name}-{folder.name}",
            "samples": {"count": sum(rows.values()), "digest": _digest(release, folder.name)},
            "splits": rows,
            "empty_splits": [split for split in SPLITS if split not in rows],
            "files": [{"path": f.path, "sha256": f.sha256, "bytes": f.bytes, "rows": f.rows} for f in files],
        }
        manifests.write(partial, manifest)
        settle(partial, folder)


def configs(release: Release) -> list[str]:
    """The configurations that a release has."""
    paths = [file["path"].split("/") for file in release.manifest["files"]]
    return sorted({path[1] for path in paths if path[0] == "data"})


def _filtered(release: Release, config: str, partial: Path, kept: int) -> DataFile:
    """The kept half of validation as one file."""
    frame = pl.concat([pl.read_parquet(path) for path in release.files(config, "validation")])
    mine = frame.filter(pl.Series([half(name) == kept for name in frame["sample_id"]], dtype=pl.Boolean))
    if mine.height < LEAST:
        raise InputError(
            f"{release.name} {release.version} has {frame.height} plans in its split validation, of which a search "
            f"would keep {mine.height} to compare by, and fewer than {LEAST} tell nothing; publish with a larger share "
            "under [release] validation"
        )
    path = partial / "data" / config / f"validation-{_digest(release, str(kept))[:8]}-00000-of-00001.parquet"
    mine.write_parquet(path, compression="zstd")
    return describe(partial, path, mine.height)


def _linked(home: Path, path: Path, partial: Path) -> DataFile:
    """A file of the release, by a second name where the disk allows that, else copied."""
    there = partial / path.relative_to(home)
    try:
        os.link(path, there)
    except OSError:
        shutil.copy2(path, there)
    return describe(partial, there, pl.scan_parquet(there).select(pl.len()).collect().item())


def _digest(release: Release, part: str) -> str:
    return hashlib.sha256(f"{release.digest} {part}".encode()).hexdigest()
