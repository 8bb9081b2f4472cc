"""Parameter schemas as vendors write them (`dict`, `float`, `List[str]`, `required: true`) become JSON Schema."""

import re
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

TYPE_WORDS = Path(__file__).with_name("vendor_types.toml")
DRAFTS = {
    f"{scheme}://json-schema.org/{draft}schema"
    for scheme in ("http", "https")
    for draft in ("draft-06/", "draft-07/", "draft/2019-09/", "draft/2020-12/")
}  # draft-04 is rewritten: its 5.0 would be no integer, and its bounds are those of OpenAPI 3.0
TUPLE_ITEMS = ("draft-06", "draft-07", "2019-09")  # where a list under `items` is a tuple

GENERIC = re.compile(r"(?P<outer>[\w.]+)\s*[\[<(](?P<inner>.*)[\]>)]", re.DOTALL)
SPELLED = re.compile(r"(?P<outer>list|array|tuple|set)\s+of\s+(?P<inner>.+)", re.IGNORECASE)
ALTERNATIVES = re.compile(r"\s*\|\s*|\s+or\s+|\s*/\s*", re.IGNORECASE)

COUNTS = frozenset(
    (
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "minContains",
        "maxContains",
    )
)
TEXTS = frozenset(("pattern", "format"))
BOUNDS = frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
SINGLES = (
    "additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems", "propertyNames",
    "contains", "not", "if", "then", "else",
)  # fmt: skip
WORDS = ("title", "description")
KEPT = ("const", "default", "$anchor")


@cache
def type_words() -> dict[str, str]:
    """Each vendor's word, in lower case, and the JSON Schema type that it means."""
    table = tomllib.loads(TYPE_WORDS.read_text(encoding="utf-8"))
    return {word: standard for standard, words in table.items() for word in words}


def standardise(schema: Any) -> dict[str, Any] | bool:
    """The JSON Schema that a vendor's schema means; what cannot be understood is left out, so that it forbids nothing.

    Only schema positions are touched: a property that is called `type` or `required` stays a property. `nullable`
    becomes a null type, `allowed_values` an enum, `required: true` on a property an entry of its object's list.
    References other than to a place in the same schema are left out: nothing is ever fetched.
    """
    if isinstance(schema, bool):
        return schema
    if isinstance(schema, str):
        return typed(schema)
    if not isinstance(schema, dict):
        return True
    draft = schema.get("$schema")
    known = isinstance(draft, str) and draft.rstrip("#") in DRAFTS
    tuples = known and any(name in str(draft) for name in TUPLE_ITEMS)
    result = subschema(schema, tuples)
    return {"$schema": draft, **result} if known else result


def subschema(schema: dict[str, Any], tuples: bool) -> dict[str, Any]:
    """One subschema and all below it; `tuples`: its draft takes a list under `items` as a tuple."""

    def below(member: Any) -> Any:
        if isinstance(member, dict):
            return subschema(member, tuples)
        return typed(member) if isinstance(member, str) else member if isinstance(member, bool) else True

    result: dict[str, Any] = {key: schema[key] for key in KEPT if key in schema}
    result |= {key: schema[key] for key in WORDS if isinstance(schema.get(key), str)}
    if isinstance(schema.get("examples", schema.get("example")), list | str):
        result["examples"] = as_list(schema.get("examples", schema.get("example")))
    result |= {
        key: {name: below(s) for name, s in schema[key].items()} for key in MAPS if isinstance(schema.get(key), dict)
    }
    result |= {
        key: [below(s) for s in schema[key]] for key in LISTS if isinstance(schema.get(key), list) and schema[key]
    }
    result |= {key: below(schema[key]) for key in SINGLES if isinstance(schema.get(key), dict | bool)}
    items = schema.get("items")
    if isinstance(items, list):
        result["items" if tuples else "prefixItems"] = [below(s) for s in items] or [True]
        if not tuples and "additionalItems" in result:
            result["items"] = result.pop("additionalItems")
    elif isinstance(items, dict | bool | str):
        result["items"] = below(items)
    if isinstance(schema.get("$ref"), str) and schema["$ref"].startswith("#"):
        result["$ref"] = schema["$ref"]
    result |= assertions(schema)
    add_type(result, schema, below)
    add_required(result, schema)
    add_values(result, schema)
    return result


def assertions(schema: dict[str, Any]) -> dict[str, Any]:
    """The keywords about a single value, as far as they are well formed."""
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key in TEXTS:
            well_formed = isinstance(value, str)
        elif key in COUNTS:
            well_formed = is_number(value) and value >= 0
        elif key in BOUNDS:
            well_formed = is_number(value) and (key != "multipleOf" or value > 0)
        else:
            well_formed = False
        if well_formed:
            result[key] = value
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.get(exclusive) is True and bound in result:  # as OpenAPI 3.0 and draft-04 write it
            result[exclusive] = result.pop(bound)
    if isinstance(schema.get("uniqueItems"), bool):
        result["uniqueItems"] = schema["uniqueItems"]
    dependent = schema.get("dependentRequired")
    if isinstance(dependent, dict) and all(isinstance(names, list) for names in dependent.values()):
        result["dependentRequired"] = {key: unique_names(names) for key, names in dependent.items()}
    return result


def add_type(result: dict[str, Any], schema: dict[str, Any], below: Callable[[Any], Any]) -> None:
    """Writes the standard `type` (and, for `List[str]`, `items`) of a subschema into its result."""
    said = schema.get("type")
    if isinstance(said, dict):  # a schema written where a type was asked for
        result.setdefault("allOf", []).append(below(said))
        return
    meant = (
        typed(said)
        if isinstance(said, str)
        else union([typed(w) for w in said if isinstance(w, str)])
        if isinstance(said, list)
        else {}
    )
    if "type" in meant:
        result["type"] = meant["type"]
        if schema.get("nullable") is True:
            result["type"] = sorted({"null", *as_list(meant["type"])})
    if schema.get("nullable") is True:
        result["nullable"] = True  # no keyword of JSON Schema, but says that null is meant where no type is said
        for key in ("anyOf", "oneOf"):
            if key in result:
                result[key] = [*result[key], {"type": "null"}]
    if "items" in meant and "items" not in result and "prefixItems" not in result:
        result["items"] = meant["items"]


def add_required(result: dict[str, Any], schema: dict[str, Any]) -> None:
    """Gathers the required names: the list as it stands, and the properties that call themselves required."""
    listed = schema.get("required")
    names = unique_names(listed) if isinstance(listed, list) else []
    properties = schema.get("properties")
    if isinstance(properties, dict):
        names += [
            n for n, s in properties.items() if isinstance(s, dict) and s.get("required") is True and n not in names
        ]
    if names:
        result["required"] = names


def add_values(result: dict[str, Any], schema: dict[str, Any]) -> None:
    """Writes the enum, unless it is empty or no member fits the declared type: then it cannot be meant so."""
    for key in ("enum", "allowed_values"):
        values = schema.get(key)
        if isinstance(values, list) and values:
            types = as_list(result.get("type", []))
            if not types or any(fits(value, types) for value in values):
                result["enum"] = [*values, None] if schema.get("nullable") is True and None not in values else values
            return


def typed(word: str) -> dict[str, Any]:
    """What one vendor's type says: `List[str]` is an array of strings, `Optional[int]` an integer or null, `any` nothing."""
    word = re.sub(r",?\s*\(?\boptional\b\)?\s*$", "", word.strip(), flags=re.IGNORECASE).strip()
    standard = type_words().get(word.lower().rpartition(".")[2])
    if standard:
        return {"type": standard}
    if word.endswith("[]"):
        return {"type": "array", "items": typed(word[:-2])}
    generic = GENERIC.fullmatch(word) or SPELLED.fullmatch(word)
    if generic:
        return parametrised(generic["outer"].rpartition(".")[2].lower(), split(generic["inner"]))
    parts = ALTERNATIVES.split(word)
    return union([typed(part) for part in parts]) if len(parts) > 1 else {}


def parametrised(outer: str, inner: list[str]) -> dict[str, Any]:
    """What a type with parameters says: the container's type, and its items' where they are all alike."""
    if outer == "optional":
        return union([*(typed(word) for word in inner), {"type": "null"}])
    if outer == "union":
        return union([typed(word) for word in inner])
    standard = type_words().get(outer)
    if standard == "array" and len(inner) == 1:
        return {"type": "array", "items": typed(inner[0])}
    return {"type": standard} if standard else {}


def union(meanings: list[dict[str, Any]]) -> dict[str, Any]:
    """A value of any of these types; nothing, as soon as one of them says nothing."""
    if not meanings or not all(meanings):
        return {}
    types = sorted({name for meaning in meanings for name in as_list(meaning["type"])})
    items = [meaning["items"] for meaning in meanings if "items" in meaning]
    return {"type": types[0] if len(types) == 1 else types} | ({"items": items[0]} if len(items) == 1 else {})


def split(text: str) -> list[str]:
    """The parameters of a type, at the commas that stand in no brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "[<(") - (char in "]>)")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts if part.strip()]


def fits(value: Any, types: list[str]) -> bool:
    """Whether a JSON value is of one of these standard types."""
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, int | float):
        return "number" in types or ("integer" in types and float(value).is_integer())
    names = {str: "string", list: "array", dict: "object", type(None): "null"}
    return names.get(type(value)) in types


def is_number(value: Any) -> bool:
    """A JSON number, which Python's true is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def unique_names(names: list[Any]) -> list[str]:
    """The strings among `names`, each once."""
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def as_list(value: Any) -> list[Any]:
    """A type as the list of types that it abbreviates."""
    return value if isinstance(value, list) else [value]
