"""Looks whether what a recipe needs is there: warehouse, sources, judge, target; changes nothing."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curation.claude.budget import budget_of
from curation.claude.doors import require
from curation.errors import CurationError
from curation.ingest import discover
from curation.recipe import Recipe
from curation.release.targets import open_target
from warehouse import Store, StoreError

ENOUGH_DISK = 2**30  # bytes: the warehouse of 65,000 samples takes a tenth


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `state` is ok, note (runs, but know this) or bad (does not run); `remedy` says what to do."""

    state: str
    what: str
    remedy: str = ""


def examine(store: Store, recipe: Recipe) -> list[Finding]:
    """Every finding, in the order of the path."""
    looks = (
        about_warehouse(store),
        about_sources(store, recipe),
        about_judge(recipe),
        about_backfill(recipe),
        about_release(recipe),
    )
    return [finding for look in looks for finding in look]


def about_warehouse(store: Store) -> Iterator[Finding]:
    """Can it be read, and is there room?"""
    if store.exists():
        try:
            traces = store.read("trace_counts", {"sources": no_sources()}, only_sources=False).row(0, named=True)
            yield Finding("ok", f"warehouse {store.path}: {traces['traces']:,} traces")
        except StoreError as error:
            yield Finding("bad", f"warehouse {store.path}", str(error))
    else:
        yield Finding("ok", f"warehouse {store.path} does not exist yet; the first ingest makes it")
    folder = next(parent for parent in [store.path.resolve().parent, *store.path.resolve().parents] if parent.exists())
    if not os.access(folder, os.W_OK):
        yield Finding("bad", f"the folder {folder} cannot be written", "choose another warehouse with --warehouse")
    free = shutil.disk_usage(folder).free
    if free < ENOUGH_DISK:
        yield Finding(
            "note",
            f"{free / 2**20:,.0f} MiB free in {folder}",
            "free some room; a release and its warehouse want a few hundred MiB",
        )


def no_sources() -> pl.DataFrame:
    """An empty table of source names: all of them."""
    return pl.DataFrame(schema={"name": pl.String})


def about_sources(store: Store, recipe: Recipe) -> Iterator[Finding]:
    """Is there something to read?"""
    if not recipe.sources:
        if store.exists():
            yield Finding("ok", "no [[source]]: the recipe takes every trace in the warehouse")
        else:
            yield Finding(
                "bad",
                "the recipe names no [[source]] and there is no warehouse",
                "`curation ingest PATH`, or add a [[source]]",
            )
    for source in recipe.sources:
        if source.path is None:
            yield Finding("ok", f"source {source.name}: what is in the warehouse under this name")
            continue
        try:
            found = discover([source.path], source.format)
            formats = ", ".join(sorted({file.format for file in found.files}))
            yield Finding("ok", f"source {source.name}: {source.path} ({len(found.files)} files, {formats})")
        except CurationError as error:
            yield Finding("bad", f"source {source.name}: {source.path}", str(error))


def about_judge(recipe: Recipe) -> Iterator[Finding]:
    """Can the judge be asked?"""
    if recipe.judge.backend == "offline":
        yield Finding(
            "note",
            "judge: the offline rubric, which is not Claude",
            'for Claude set [judge] backend = "vertex" or "anthropic", or "openai" for a server of your own',
        )
        return
    try:
        require(recipe.judge.backend, os.environ)
        budget_of(recipe.judge.budget_usd, recipe.judge.model)
        yield Finding(
            "ok",
            f"judge: {recipe.judge.model} through {recipe.judge.backend}, {recipe.judge.workers} requests in flight",
        )
    except CurationError as error:
        yield Finding("bad", f"judge: {recipe.judge.backend}", str(error))


def about_backfill(recipe: Recipe) -> Iterator[Finding]:
    """Can the reasoning that the recipe takes be written?"""
    if "thinking" in recipe.samples.backfill and recipe.judge.backend == "offline":
        yield Finding(
            "note",
            "backfill: the recipe takes samples with written reasoning, and its judge's backend cannot write it",
            "`curation backfill thinking --backend vertex` or `--backend anthropic` does",
        )


def about_release(recipe: Recipe) -> Iterator[Finding]:
    """Can the result be published?"""
    if recipe.release.licence:
        yield Finding("ok", f"licence {recipe.release.licence}")
    else:
        yield Finding("bad", "no licence", 'add licence = "…" (such as "apache-2.0") under [release]')
    try:
        open_target(recipe.release.to, Path.cwd()).check()
        yield Finding("ok", f"target {recipe.release.to}")
    except CurationError as error:
        yield Finding("bad", f"target {recipe.release.to}", str(error))
