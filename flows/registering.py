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
from curation.synthesis import DEFAULT, Catalogue, parse_mix, synthesize
from flows.ingesting import Ingestion, ingest
from warehouse import Store

SOURCE = "synthetic"  # the name under which synthetic traces are kept
TOLD_EVERY = 1_000


@dataclass(frozen=True)
class Imported:
    """What one import did: plugins in the registry now, and what of the files could not be taken."""

    plugins: int
    refusals: list[Refusal]
    notes: list[Note]


def import_plugins(store: Store, paths: Iterable[str]) -> Imported:
    """Reads plugins from OpenAPI documents, MCP tool lists or registry files, and keeps them by their id.

    A plugin that is known is replaced. Raises InputError where a file cannot be read or none of its plugins taken.
    """
    frames, refusals, notes = [], list[Refusal](), list[Note]()
    for path in paths:
        found = read_plugins(Path(path))
        if not found.plugins:
            why = f": {found.refusals[0].where}: {found.refusals[0].why}" if found.refusals else ""
            raise InputError(f"{path} holds no plugin that can be imported{why}")
        frames.append(plugin_frame(found.plugins, str(path)))
        refusals += found.refusals
        notes += found.notes
    incoming = pl.concat(frames).unique("plugin_id", keep="last", maintain_order=True)
    with store.write() as transaction:
        transaction.run("delete_plugins", {"incoming": incoming})
        transaction.run("insert_plugins", {"incoming": incoming})
    return Imported(incoming.height, refusals, notes)


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
    partial = out.with_name(f".{out.name}.partial")
    written = 0
    try:
        with partial.open("wb") as file:
            for written, trace in enumerate(traces, start=1):  # noqa: B007 - the count is the result
                file.write(orjson.dumps(trace) + b"\n")
        partial.replace(out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"--out {out} cannot be written: {error.strerror}") from error
    return written


def ingest_plans(store: Store, traces: Iterable[dict[str, Any]]) -> Ingestion:
    """Keeps the traces in the warehouse, like any others, under the source `synthetic`."""
    with tempfile.TemporaryDirectory(prefix="curation-synthetic-") as folder:
        path = Path(folder) / "synthetic.jsonl"
        write_traces(traces, path)
        return ingest(store, [str(path)], "ondemand", SOURCE)
