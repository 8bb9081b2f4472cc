"""Has every parameter the value that the plugin's schema asks for?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from curation.batch import Batch
from curation.breaches import breaches
from curation.decision import Fault, decided
from curation.filters.schema import brief
from curation.hollow import EMPTY_WORDS, asked_for, holds_blanks
from curation.parameters import Schemas
from curation.plugin import Offer
from curation.pointer import pointer
from curation.recipe import Check
from curation.vendor_schema import TYPE_WORDS, as_list

NAME = "hydration"
VERSION = "3"
KINDS = ("plan",)
REASONS = (
    "hydration.empty",
    "hydration.missing_required",
    "hydration.type_mismatch",
    "hydration.not_in_enum",
    "hydration.invalid_value",
    "hydration.unknown_parameter",
    "hydration.flag",
)
SETTINGS: tuple[str, ...] = ()
DATA: tuple[Path, ...] = (TYPE_WORDS, EMPTY_WORDS)

PARAMETERS = "api_request_parameters"
BLANK = r"^[\s\u200b\u200c\u200d\u2060\ufeff]*$"  # white space, and the characters that take no space at all


def decide(batch: Batch, check: Check) -> pl.DataFrame:
    """Every value against the schema of the candidate that the step calls, one code for each place: REASONS' first.

    Without a usable schema (candidates unknown, plugin not offered, no `parameters`) only `hydration.empty` and
    `hydration.flag` can be found; of a schema that cannot be compiled whole, what cannot be compiled is not checked.
    """
    rank = {reason: place for place, reason in enumerate(REASONS)}
    first: dict[tuple[int, str], Fault] = {}
    for fault in (*empty_values(batch), *schema_faults(batch), *flag_faults(batch)):
        known = first.get((fault.row, fault.pointer))
        if known is None or rank[fault.reason] < rank[known.reason]:
            first[fault.row, fault.pointer] = fault
    return decided(batch.samples["sample_id"], REASONS, first.values(), batch.unmeasured)


def empty_values(batch: Batch) -> Iterator[Fault]:
    """null, "" and blank text where neither the schema names that value nor, of a text, the user asks for it."""
    hollow = batch.values.filter(
        (pl.col("type") == "null") | ((pl.col("type") == "string") & pl.col("text").str.contains(BLANK))
    )
    for row, i, at, kind, text in hollow.iter_rows():
        step = dict(batch.answers[row].steps)[i]
        schemas = schemas_at(batch.offers[row], step, at.removeprefix(f"/plugins/{i}/{PARAMETERS}"))
        value = None if kind == "null" else text
        if names_value(schemas, value):
            continue
        if value is None or not ((value and holds_blanks(at)) or asked_for(batch.samples["messages"][row])):
            yield Fault(row, "hydration.empty", at, value)


def schema_faults(batch: Batch) -> Iterator[Fault]:
    """Every breach of the candidates' schemas."""
    for row, (answer, offer) in enumerate(zip(batch.answers, batch.offers, strict=True)):
        for i, step in answer.steps if offer else ():
            values = step.get(PARAMETERS)
            parameters = offer.parameters(step.get("pluginId")) if offer else None
            if parameters is not None and isinstance(values, dict) and not parameters.fit(values):
                for reason, path, seen in breaches(parameters, values):
                    yield Fault(row, reason, pointer(("plugins", i, PARAMETERS, *path)), brief(seen))


def flag_faults(batch: Batch) -> Iterator[Fault]:
    """Steps that do not say, with JSON true, that all their parameters are hydrated."""
    for row, answer in enumerate(batch.answers):
        for i, step in answer.steps:
            flag = step.get("all_parameters_hydrated")
            if flag is not True:
                yield Fault(row, "hydration.flag", f"/plugins/{i}/all_parameters_hydrated", brief(flag))


def schemas_at(offer: Offer | None, step: dict[str, Any], at: str) -> Schemas:
    """What the schema of the step's candidate says of the value at `at`; nothing, where there is no schema."""
    parameters = offer.parameters(step.get("pluginId")) if offer else None
    return parameters.at(at) if parameters else []


def names_value(schemas: Schemas, value: str | None) -> bool:
    """Whether a schema allows this very value by name: in an enum, as its const or default, or as the null type."""
    for schema in schemas:
        if value in schema.get("enum", ()) or schema.get("const", ...) == value or schema.get("default", ...) == value:
            return True
        if value is None and (schema.get("nullable") or "null" in as_list(schema.get("type"))):
            return True
    return False
