"""Keeps the plugin registry in the warehouse, and makes synthetic plans over it."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from curation.errors import InputError
from curation.registry import Note, Refusal, bundled_plugins, plugin_frame, plugins_of, read_plugins
from curation.registry.imported import Plugin
from curation.synthesis import DEFAULT, Catalogue, parse_mix, synthesize
from flows.ingesting import Ingestion, ingest
from flows.outfile import whole_file
from warehouse import Store

SOURCE = "synthetic"  # the name under which synthetic traces are kept
TOLD_EVERY = 1_000


@dataclass(frozen=True)
class Imported:
    """What one import did: how many plugins it took, and what of the files could not be taken.

    Of the `plugins`, so many were `new`, and so many known under their id and are `changed`; the others stood just so.
    """

    plugins: int
    new: int
    changed: int
    refusals: list[Refusal]
    notes: list[Note]


def import_plugins(store: Store, paths: Iterable[str]) -> Imported:
    """Reads plugins from OpenAPI documents, MCP tool lists or registry files, and keeps them by their id.

    A plugin that is known is replaced. Of two that this import has under one id, the first is taken, and another one is a
    refusal. Raises InputError where a file cannot be read or holds no plugin.
    """
    frames, refusals, notes = [], list[Refusal](), list[Note]()
    seen: dict[str, Plugin] = {}
    for path in paths:
        found = read_plugins(Path(path), seen)
        if not (found.plugins or found.notes):
            first = found.refusals[0] if found.refusals else Refusal(str(path), "there is no plugin in it")
            raise InputError(f"{path} holds no plugin that can be imported: {first.where}: {first.why}")
        frames.append(plugin_frame(found.plugins, str(path)))
        refusals += found.refusals
        notes += found.notes
    incoming = pl.concat(frames)
    before = registry(store).select("plugin_id", before="digest")
    known = incoming.join(before, on="plugin_id", how="inner")
    with store.write() as transaction:
        transaction.run("delete_plugins", {"incoming": incoming})
        transaction.run("insert_plugins", {"incoming": incoming})
    changed = known.filter(pl.col("digest") != pl.col("before")).height
    return Imported(incoming.height, incoming.height - known.height, changed, refusals, notes)


def registry(store: Store) -> pl.DataFrame:
    """The registry as a PLUGIN_FRAME; empty before anything was imported."""
    return store.read("plugins") if store.exists() else plugin_frame([], "")


def catalogue_of(store: Store) -> Catalogue:
    """The registry made ready for synthesis, or the bundled plugins where nothing was imported."""
    known = registry(store)
    return Catalogue.of(bundled_plugins() if known.is_empty() else plugins_of(known))


def make_plans(store: Store, count: int, seed: int, mix: str | None) -> tuple[Catalogue, Iterator[dict[str, Any]]]:
    """(catalogue, native traces) by rules over the registry."""
    catalogue = catalogue_of(store)
    return catalogue, synthesize(catalogue, count, seed, parse_mix(mix) if mix else DEFAULT)


def write_traces(traces: Iterable[dict[str, Any]], out: Path) -> int:
    """One native trace a line, whole or not at all; returns how many. Raises InputError where it cannot be written."""
    written = 0
    with whole_file(out) as path, path.open("wb") as file:
        for written, trace in enumerate(traces, start=1):  # noqa: B007 - the count is the result
            file.write(orjson.dumps(trace) + b"\n")
    return written


def ingest_plans(store: Store, traces: Iterable[dict[str, Any]]) -> Ingestion:
    """Keeps the traces in the warehouse, like any others, under the source `synthetic`."""
    with tempfile.TemporaryDirectory(prefix="curation-synthetic-") as folder:
        path = Path(folder) / "synthetic.jsonl"
        write_traces(traces, path)
        return ingest(store, [str(path)], "ondemand", SOURCE)
