"""Where in a plan something can be planted, and what a planted plan is expected to be told."""

import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from curation.pointer import pointer
from tests.corpus.bases import Base

Json = Any
Plant = Callable[[Base, random.Random], Iterator[tuple[str, Base]]]  # (variant, planted copy with `expected`)
PARAMETERS = "api_request_parameters"
STRING_WORDS = ("string", "str", "String", "text")


class Place(NamedTuple):
    """A value of a step: where it stands, what it is, what its own schema says ({} where nothing)."""

    step: int
    path: tuple[str | int, ...]
    value: Json
    schema: Json

    def pointer(self) -> str:
        """The pointer into the plan."""
        return pointer(("plugins", self.step, PARAMETERS, *self.path))

    def key(self) -> str:
        """The name that the value stands under."""
        return next((str(token) for token in reversed(self.path) if isinstance(token, str)), "")


def places(base: Base) -> Iterator[Place]:
    """Every value of the plan, containers too, in document order."""
    schemas = {candidate["pluginId"]: candidate.get("parameters") for candidate in base.candidates or ()}
    for i, step in enumerate(base.steps):
        yield from within(i, (), step[PARAMETERS], schemas.get(step["pluginId"]) or {})


def within(step: int, path: tuple[str | int, ...], value: Json, schema: Json) -> Iterator[Place]:
    """The values inside one value; a schema is followed through properties and items only."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in inner:
        below = (schema.get("properties") or {}).get(key) if isinstance(key, str) else schema.get("items")
        below = below if isinstance(below, dict) else {}
        yield Place(step, (*path, key), member, below)
        yield from within(step, (*path, key), member, below)


def put(base: Base, place: Place, value: Json) -> Base:
    """A copy with another value at a place."""
    changed = base.copy()
    holder = changed.steps[place.step][PARAMETERS]
    for token in place.path[:-1]:
        holder = holder[token]
    holder[place.path[-1]] = value
    return changed


def drop(base: Base, place: Place) -> Base:
    """A copy without the value at a place."""
    changed = base.copy()
    holder = changed.steps[place.step][PARAMETERS]
    for token in place.path[:-1]:
        holder = holder[token]
    del holder[place.path[-1]]
    return changed


def expecting(base: Base, *faults: tuple[str, str]) -> Base:
    """The base, with what should be told of it."""
    base.expected = list(faults)
    return base


def is_free_text(place: Place) -> bool:
    """Whether any text at all may stand here."""
    said = place.schema
    constrained = {
        "format",
        "pattern",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "allOf",
        "maxLength",
        "minLength",
        "not",
        "$ref",
        "default",
    } & said.keys()
    return (
        isinstance(place.value, str)
        and "{{" not in place.value
        and said.get("type") in STRING_WORDS
        and not constrained
    )  # fmt: skip


def text_places(base: Base) -> list[Place]:
    """The places of free text, those in lists and objects too."""
    return [place for place in places(base) if is_free_text(place)]


def some(rng: random.Random, things: list[Json], count: int) -> list[Json]:
    """At most so many of the things, by chance."""
    return things if len(things) <= count else rng.sample(things, count)
