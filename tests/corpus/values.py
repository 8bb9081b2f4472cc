"""Values that stand for a value, and values that break the plugin's schema."""

import random
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.corpus.bases import Base
from tests.corpus.planting import PARAMETERS, Place, drop, expecting, places, put, some, text_places

Json = Any
HERE = Path(__file__).parent
PER_BASE = 12  # values planted in one base
# Parameters whose names say that a slot or a stand-in is what they are for.
MEANT = re.compile(
    r"template|format|pattern|regex|code|html|script|snippet|status|state|unit|type|mode|env|action|category|column|field|"
    r"query|branch|list|kind|class|method|chart|sort|order|view|display|prompt|label|tag|variable|expression|formula|sql|command|key|name|equation|function|string|text|array|list_name|venue|value|option",
    re.IGNORECASE,
)


@cache
def table(name: str) -> Json:
    """A data file of the corpus."""
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def caught() -> list[tuple[str, str]]:
    """(family, value) of every placeholder."""
    return [(family, value) for family, values in table("placeholders")["caught"].items() for value in values]


def placeholders(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A stand-in in a place of free text, at any depth, and in a number's place."""
    yield from echoes(base, rng)
    said = base.request().lower()
    open_places = [place for place in text_places(base) if not MEANT.search(place.key())]
    numbers = [
        p
        for p in places(base)
        if isinstance(p.value, int | float) and not isinstance(p.value, bool) and "enum" not in p.schema
    ]
    for family, value in some(rng, caught(), PER_BASE):
        if is_said(value, said):
            continue
        if open_places:
            place = rng.choice(open_places)
            yield f"{family}: {value}", expecting(put(base, place, value), ("placeholder.value", place.pointer()))
        if numbers and rng.random() < 0.2:
            place = rng.choice(numbers)
            yield (
                f"{family}, for a number: {value}",
                expecting(put(base, place, value), ("placeholder.value", place.pointer())),
            )


def echoes(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A value that only repeats its parameter's name or description."""
    for place in some(rng, [p for p in text_places(base) if not MEANT.search(p.key()) and len(p.key()) > 2], 2):
        for value in (place.key(), place.key().upper(), place.key().replace("_", " ")):
            if f"'{value.lower()}'" not in base.request().lower():
                yield "its own name", expecting(put(base, place, value), ("placeholder.value", place.pointer()))
        described = place.schema.get("description")
        if isinstance(described, str) and described.count(" ") > 1 and described.lower() not in base.request().lower():
            yield "its own description", expecting(put(base, place, described), ("placeholder.value", place.pointer()))


def is_said(value: str, said: str) -> bool:
    """Whether the conversation holds the value, or any longer word of it: then it might be the user's."""
    return any(part in said for part in [value.lower(), *re.findall(r"[\w.@-]{4,}", value.lower())])


def empty(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """Nothing where something is asked for."""
    for place in some(rng, text_places(base), 2):
        for value in (None, "", " ", "\n", "\t ", "\u00a0", "\u200b", "\u3000", "\ufeff"):
            yield repr(value), expecting(put(base, place, value), ("hydration.empty", place.pointer()))
    for place in some(
        rng,
        [
            p
            for p in places(base)
            if isinstance(p.value, int | float | bool) and types(p) & {"integer", "int", "number", "boolean"}
        ],
        1,
    ):
        for value in (None, ""):
            yield f"no number: {value!r}", expecting(put(base, place, value), ("hydration.empty", place.pointer()))
    for place in places(base):
        if place.schema.get("minItems", 0) > 0:
            yield "no items", expecting(put(base, place, []), ("hydration.empty", place.pointer()))


def types(place: Place) -> set[str]:
    """The type words of a place's schema, where nothing else of it says more."""
    said = place.schema.get("type")
    if {"anyOf", "oneOf", "allOf", "$ref", "enum", "const", "default", "nullable"} & place.schema.keys():
        return set()
    return {said} if isinstance(said, str) else set()


WRONG: dict[str, tuple[Json, ...]] = {
    "string": (5, 5.5, True, ["x"], {"x": 1}, 0, False),
    "integer": ("5", 5.5, True, [5], {"n": 5}, "five", "5.0"),
    "number": ("5.5", False, [1], {"n": 1}, "one", "1e3"),
    "boolean": ("true", 1, 0, "false", [True], "yes", "True"),
    "array": ("x", "a, b", {"0": "x"}, 5, '["x"]', True),
    "object": ("x", ["x"], 5, '{"a": 1}', True),
}
WORDS = {
    "str": "string",
    "String": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "dict": "object",
    "list": "array",
    "Long": "integer",
    "List[str]": "array",
}


def mistyped(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A value of another type than the schema says."""
    typed = [(place, WORDS.get(word, word)) for place in places(base) for word in types(place)]
    for place, word in some(rng, typed, 4):
        for value in WRONG.get(word, ()):
            yield (
                f"{value!r} for {word}",
                expecting(put(base, place, value), ("hydration.type_mismatch", place.pointer())),
            )


def missing(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A required parameter is left out, at any depth."""
    for i, step in enumerate(base.steps):
        schema = next(
            (c.get("parameters") or {} for c in base.candidates or () if c["pluginId"] == step["pluginId"]), {}
        )
        for name in some(
            rng,
            [
                n
                for n in schema.get("required") or ()
                if n in step[PARAMETERS] and n in (schema.get("properties") or {})
            ],
            2,
        ):
            place = Place(i, (name,), step[PARAMETERS][name], {})
            yield "left out", expecting(drop(base, place), ("hydration.missing_required", place.pointer()))
            for other in {name.upper(), name + "_", name.capitalize(), f" {name}"} - (
                schema.get("properties") or {}
            ).keys():
                renamed = drop(base, place)
                renamed.steps[i][PARAMETERS][other] = place.value
                yield "renamed", expecting(renamed, ("hydration.missing_required", place.pointer()))
    for place in places(base):
        for name in place.schema.get("required") or () if isinstance(place.value, dict) else ():
            if isinstance(place.schema["required"], list) and name in place.value:
                inner = Place(place.step, (*place.path, name), place.value[name], {})
                yield "left out within", expecting(drop(base, inner), ("hydration.missing_required", inner.pointer()))


def outside_enum(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """Another word than those that the schema lists."""
    for place in places(base):
        listed = place.schema.get("enum")
        if not isinstance(listed, list) or place.value not in listed:
            continue
        text = isinstance(place.value, str)
        first = str(place.value)
        tries = (
            [
                first.swapcase(),
                first + " ",
                " " + first,
                first + "s",
                "something else",
                first[:-1],
                f'"{first}"',
                f"{first}, {first}",
            ]
            if text
            else [max(v for v in listed if isinstance(v, int | float)) + 1, -7]
        )
        for value in tries:
            if value not in listed and str(value).strip():
                yield f"{value!r}", expecting(put(base, place, value), ("hydration.not_in_enum", place.pointer()))
    for place in places(base):
        if "const" in place.schema:
            yield (
                "another const",
                expecting(put(base, place, place.schema["const"] + 1), ("hydration.not_in_enum", place.pointer())),
            )


BAD_FORMATS: dict[str, tuple[str, ...]] = {
    "date": (
        "2026-02-30",
        "2026-13-01",
        "04.03.2026",
        "03/04/2026",
        "tomorrow",
        "2026-3-4",
        "20260304",
        "March 4, 2026",
        "2026-03-04T00:00:00Z",
        "2026-03",
        "next Friday",
    ),
    "date-time": (
        "2026-03-04",
        "2026-03-04T25:00:00Z",
        "2026-03-04 at 9",
        "noon",
        "2026-03-04T09:30",
        "09:30",
        "2026-02-30T10:00:00Z",
    ),
    "email": (
        "marta",
        "marta@",
        "@northquay.com",
        "marta at northquay.com",
        "marta northquay.com",
        "marta@@northquay.com",
        "a b@c.com",
    ),
    "uri": ("not a link", "northquay", "http//x.y", "//x.y/z", "/only/a/path", "www.northquay.com"),
    "uuid": ("3f2504e0", "3f2504e0-4f89-41d3-9a0c", "not-a-uuid", "3f2504e04f8941d39a0c0305e82c330g"),
    "ipv4": ("10.1.2", "10.1.2.300", "::1", "ten.one.two.three", "10.1.2.3.4"),
}


def invalid_values(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """The right type, and still not what the schema allows."""
    for place in places(base):
        said, tries = place.schema, list[Json]()
        number = isinstance(place.value, int | float) and not isinstance(place.value, bool) and "enum" not in said
        if number:
            tries += [said["maximum"] + n for n in (1, 100) if isinstance(said.get("maximum"), int | float)]
            tries += [said["minimum"] - n for n in (1, 100) if isinstance(said.get("minimum"), int | float)]
            tries += [
                said["exclusiveMinimum"] - n
                for n in (0, 1)
                if isinstance(said.get("exclusiveMinimum"), int | float)
                and not isinstance(said.get("exclusiveMinimum"), bool)
            ]
            tries += [said["multipleOf"] + 1] if said.get("multipleOf", 0) > 1 else []
        elif isinstance(place.value, str) and "{{" not in place.value:
            tries += BAD_FORMATS.get(str(said.get("format")), ())
            tries += ["!!" + place.value, place.value + " \u0001"] if said.get("pattern", "").startswith("^[") else []
            tries += [place.value * (said["maxLength"] + 1)] if "maxLength" in said else []
            tries += ["q"] if said.get("minLength", 0) > 1 else []
        elif isinstance(place.value, list):
            tries += [place.value + place.value] if said.get("uniqueItems") else []
            tries += [[f"v{n}" for n in range(said["maxItems"] + 1)]] if "maxItems" in said else []
        for value in tries:
            yield f"{value!r}", expecting(put(base, place, value), ("hydration.invalid_value", place.pointer()))


def unknown_parameters(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A parameter of which the schema knows nothing, at the top and within objects."""
    extras: dict[str, Json] = {
        "language": "en",
        "x-trace": 1,
        "verbose": True,
        "options": {"deep": 1},
        "Notes": ["as discussed"],
        "städte": "Graz",
        "a/b": 1,
        "__proto__": "x",
        "limit ": 5,
        "": "x",
    }
    for i, step in enumerate(base.steps):
        schema = next(
            (c.get("parameters") or {} for c in base.candidates or () if c["pluginId"] == step["pluginId"]), {}
        )
        if not is_closed(schema):
            continue
        for name, value in some(rng, list(extras.items()), 4):
            if name not in schema["properties"]:
                planted = base.copy()
                planted.steps[i][PARAMETERS][name] = value
                yield name, expecting(planted, ("hydration.unknown_parameter", Place(i, (name,), value, {}).pointer()))
    for place in places(base):
        if isinstance(place.value, dict) and is_closed(place.schema):
            inner = Place(place.step, (*place.path, "colour"), "red", {})
            if "colour" not in place.schema["properties"]:
                yield (
                    "within",
                    expecting(
                        put(base, place, {**place.value, "colour": "red"}),
                        ("hydration.unknown_parameter", inner.pointer()),
                    ),
                )


def is_closed(schema: Json) -> bool:
    """Whether a schema lists properties and does not itself say what else may come."""
    opening = {"additionalProperties", "patternProperties", "anyOf", "oneOf", "allOf", "$ref"} & schema.keys()
    return bool(schema.get("properties")) and not opening
