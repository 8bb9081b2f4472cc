"""Candidates that say nothing of their parameters take the registry's; what each candidate says is read once."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import polars as pl

from curation.registry.conflicts import completed
from curation.sample import as_uuid, dumps

Json = dict[str, Any]

# What a sample's candidates say of their parameters: a row for each distinct pair; one without a plugin for a sample
# that was offered none. `digest` is that of the schema, null where the candidate has none.
SAID_FRAME: dict[str, pl.DataType] = {"sample_id": pl.String(), "plugin_id": pl.String(), "digest": pl.String()}
SCHEMA_FRAME: dict[str, pl.DataType] = {"digest": pl.String(), "parameters": pl.String()}


def said(samples: Iterable[tuple[str, str | None]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(SAID_FRAME, SCHEMA_FRAME of the schemas in it) of (sample_id, candidates as JSON text) pairs."""
    schemas: dict[str, str] = {}
    rows: list[tuple[str, str | None, str | None]] = []
    for sample_id, text in samples:
        found: dict[tuple[str | None, str | None], None] = {}
        for candidate in offered(text):
            parameters = candidate.get("parameters")
            written = None if parameters is None else dumps(parameters)
            mark = None if written is None else digest(written)
            if mark is not None and written is not None:
                schemas[mark] = written
            found[(candidate["pluginId"], mark)] = None
        rows += [(sample_id, *pair) for pair in found or {(None, None): None}]
    told = pl.DataFrame(rows, schema=SAID_FRAME, orient="row")
    return told, pl.DataFrame(list(schemas.items()), schema=SCHEMA_FRAME, orient="row")


def offered(text: str | None) -> list[Json]:
    """The candidates with an id; entries without a string `pluginId` offer nothing."""
    listed = None if text is None else orjson.loads(text)
    entries = listed if isinstance(listed, list) else ()
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("pluginId"), str)]


def digest(parameters: str) -> str:
    """128 bits of BLAKE2b over a schema's text, as a UUID."""
    return as_uuid(hashlib.blake2b(parameters.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest())


def complete(text: str, registry: Mapping[str, Json]) -> str:
    """The candidates, JSON text, with the registry's parameters where they have none of their own."""
    return dumps([completed(entry, registry) if isinstance(entry, dict) else entry for entry in orjson.loads(text)])
