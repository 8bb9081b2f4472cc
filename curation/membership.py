"""Which samples a recipe is about: those of its sources, kinds and turns whose trace meets the source's condition."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from curation.errors import RecipeError
from curation.recipe import Recipe

MEMBER_FRAME: dict[str, pl.DataType] = {
    "sample_id": pl.String(),
    "kind": pl.String(),
    "parent_id": pl.String(),  # the trajectory that it is a turn of
    "timestamp": pl.Datetime("us", "UTC"),  # the earliest of the member's traces
    "origin_id": pl.String(),  # the sample of a trace that it was made of; itself, where it is one
    "maker": pl.String(),  # who made it; null: a trace holds it
    "replaced_by": pl.String(),  # the child that stands in its place; null: it stands itself
}

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
TERM = re.compile(r'\s*([A-Za-z_][\w.-]*)\s*(<=|>=|!=|=|<|>)\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null)\s*')


@dataclass(frozen=True)
class Term:
    """One comparison of a metadata key (dots reach into objects) with a literal."""

    key: str
    compare: str
    literal: Any

    def holds(self, metadata: Any) -> bool:
        """Whether it is true of this metadata; a missing key is null; values of other types are unequal, never less or more."""
        value = metadata
        for part in self.key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, bool) is not isinstance(self.literal, bool):
            return self.compare == "!="
        try:
            return OPERATORS[self.compare](value, self.literal)
        except TypeError:
            return False


def parse_condition(text: str | None) -> tuple[Term, ...]:
    """The terms of `key = "value" and other >= 3`; none for None. Raises RecipeError naming what it does not understand."""
    if text is None:
        return ()
    terms, position = [], 0
    while True:
        match = TERM.match(text, position)
        if not match:
            raise RecipeError(
                f'where = {text!r} is not understood at {text[position:]!r}; write key = "value", joined by and'
            )
        terms.append(Term(match[1], match[2], literal(match[3], text)))
        position = match.end()
        if position == len(text):
            return tuple(terms)
        if not text[position:].startswith("and "):
            raise RecipeError(
                f"where = {text!r} is not understood at {text[position:]!r}; conditions are joined by and"
            )
        position += len("and ")


def literal(written: str, text: str) -> Any:
    """The value of a literal. Raises RecipeError for one that JSON does not know."""
    try:
        return orjson.loads(written)
    except orjson.JSONDecodeError:
        raise RecipeError(f"where = {text!r} is not understood at {written!r}; values are written as in JSON") from None


def needs_metadata(recipe: Recipe) -> bool:
    """Whether any source of the recipe has a condition."""
    return any(source.where for source in recipe.sources)


def member_traces(rows: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """Those of (sample, trace) `rows` (sample_id, kind, parent_id, turn, source, timestamp, trace_key, metadata) that the recipe takes.

    Each as its own origin, made by nobody and replaced by nothing (see MEMBER_FRAME).
    """
    kept = rows.filter(pl.col("kind").is_in(recipe.samples.kinds))
    if needs_metadata(recipe):
        conditions = [(source.name, parse_condition(source.where)) for source in recipe.sources]
        kept = kept.filter(
            pl.Series(
                [met(name, text, conditions) for name, text in kept.select("source", "metadata").iter_rows()],
                dtype=pl.Boolean,
            )
        )
    if recipe.samples.turns == "last":
        last = pl.col("turn") == pl.col("turn").max().over("parent_id")
        kept = kept.filter(pl.col("parent_id").is_null() | last)
    nothing = pl.lit(None, pl.String)
    return kept.with_columns(origin_id="sample_id", maker=nothing, replaced_by=nothing)


def met(source: str, metadata: str | None, conditions: list[tuple[str, tuple[Term, ...]]]) -> bool:
    """Whether some source entry of that name has all its terms met."""
    value = orjson.loads(metadata) if metadata else {}
    return any(name == source and all(term.holds(value) for term in terms) for name, terms in conditions)


def members(links: pl.DataFrame) -> pl.DataFrame:
    """One row per sample of the recipe's (sample, trace) pairs, as a MEMBER_FRAME sorted by id."""
    return (
        links.group_by("sample_id")
        .agg(
            pl.col("kind").first(),
            pl.col("parent_id").min(),
            pl.col("timestamp").min(),
            pl.col("origin_id").min(),
            pl.when(pl.col("maker").is_null().any()).then(None).otherwise(pl.col("maker").first()).alias("maker"),
            pl.col("replaced_by").first(),
        )
        .sort("sample_id")
        .cast(dict(MEMBER_FRAME))  # type: ignore[arg-type]
    )
