"""A release is built in one go from samples, splits and facts, and its folder appears whole or not at all."""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from curation.errors import InputError, RecipeError
from curation.recipe import Release
from curation.release import card, manifest
from curation.release.facts import Facts
from curation.release.parquet import Load, Written, describe, write_splits
from curation.release.rows import CONFIGS
from curation.release.shelf import Shelf
from curation.release.splits import SPLITS
from curation.release.staging import scratch, settle
from curation.release.verify import expect_same

VERSION = r"[0-9]+\.[0-9]+\.[0-9]+"  # as in schemas/manifest.schema.json


@dataclass(frozen=True)
class Built:
    """A release that lies complete in `folder`.

    `rows`: samples by split, empty splits absent; `digest`: over the rows of every configuration and nothing else, so
    two releases with one digest hold the same data; `manifest`: the values of manifest.json, the files among them.
    """

    folder: Path
    rows: dict[str, int]
    digest: str
    files: tuple[str, ...]
    manifest: dict[str, Any]


def folder_name(name: str, version: str) -> str:
    """What the folder of a release is called everywhere; `datasets` keys its cache on it, so it must be unique."""
    return f"{name}-v{version}"


def build(
    folder: Path,
    samples: pl.DataFrame,
    splits: pl.DataFrame,
    facts: Facts,
    settings: Release,
    created_at: datetime,
    load: Load | None = None,
    shelf: Shelf | None = None,
) -> Built:
    """Writes the release of `samples` into `folder`: data, card and manifest.

    `samples`: a sample frame (messages filled) with `overall`, the judge's score, 0-10 or null; `splits`: sample_id and
    split of each of them; `settings`: the recipe's own, for configurations and candidates. Where `load` gives the text of
    samples, `samples` may be without it and then has `size`, the bytes of it; `released_in`, where it is there, orders rows
    (see write_splits). From `shelf` is taken what the last release had already, and the new one is kept there.

    Where `folder` already holds this very version with the same rows, intact, it is left as it is and described. Raises
    TargetError where it holds anything else, RecipeError without a licence, InputError without samples or with samples
    that are no plans.
    """
    _check(samples, splits, facts, settings)
    with scratch(folder) as partial:
        made = _write(partial, samples, splits, facts, settings, created_at, load, shelf)
        if folder.exists():
            made = expect_same(folder, made)
        else:
            settle(partial, folder)
    return _built(folder, made)


def _check(samples: pl.DataFrame, splits: pl.DataFrame, facts: Facts, settings: Release) -> None:
    if samples.is_empty():
        raise InputError(f"{facts.name} has no accepted samples to release; `curation status` shows where they fell")
    if re.fullmatch(VERSION, facts.version) is None:
        raise InputError(f"version {facts.version!r} must be three numbers, such as 1.0.0")
    if not facts.licence.strip():
        raise RecipeError(f'{facts.name} has no licence; set [release] licence = "…" (such as "apache-2.0")')
    unknown = [config for config in settings.configs if config not in CONFIGS]
    if unknown or not settings.configs:
        raise RecipeError(f"[release] configs = {list(settings.configs)} must be some of {list(CONFIGS)}")
    wanted, given = samples["sample_id"], splits["sample_id"]
    if wanted.n_unique() != samples.height or not wanted.sort().equals(given.sort()):
        raise ValueError("each sample must come once, and with one split")


def _write(
    folder: Path,
    samples: pl.DataFrame,
    splits: pl.DataFrame,
    facts: Facts,
    settings: Release,
    created_at: datetime,
    load: Load | None,
    shelf: Shelf | None,
) -> dict[str, Any]:
    """Writes all files of the release and returns its manifest."""
    placed = samples.select("sample_id", "category", "source").with_row_index("at").join(splits, on="sample_id")
    at = {split: placed.filter(pl.col("split") == split)["at"] for split in SPLITS}
    at = {split: positions for split, positions in at.items() if positions.len()}
    rows = {split: positions.len() for split, positions in at.items()}
    limit = settings.candidates_per_prompt
    written = write_splits(folder, settings.configs, samples, at, limit, load, shelf)
    data = {config: {split: done.files for split, done in by.items()} for config, by in written.items()}
    tally = placed.group_by("split", "category", "source").len("n")
    (folder / card.CARD).write_text(card.render(facts, card.Contents(data, rows, tally)), encoding="utf-8")
    files = [file for by in data.values() for shards in by.values() for file in shards]
    files.append(describe(folder, folder / card.CARD))
    made = manifest.make(facts, created_at, rows, _digest(written), files)
    manifest.write(folder, made)
    return made


def _digest(written: dict[str, dict[str, Written]]) -> str:
    """One hash of all rows: which configuration, which split, and the digest of the rows there."""
    lines = [f"{config} {split} {done.digest}\n" for config, by in written.items() for split, done in by.items()]
    return sha256("".join(sorted(lines)).encode()).hexdigest()


def _built(folder: Path, made: dict[str, Any]) -> Built:
    files = tuple(file["path"] for file in made["files"])
    return Built(folder, made["splits"], made["samples"]["digest"], files, made)
