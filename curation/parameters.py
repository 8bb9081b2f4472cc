"""What a plugin takes: its parameter schema, compiled once, and what that schema says of any place in a call."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import jsonschema_rs
import orjson

from curation.pointer import tokens
from curation.vendor_schema import standardise

OPEN_KEYS = ("additionalProperties", "patternProperties", "unevaluatedProperties")
BRANCHES = ("anyOf", "oneOf")
JOINED = ("then", "else")
KEPT_COMPILED = 4096  # schemas: a batch's working set, some 50 KB each at most
DEEPEST = 200  # levels of nesting: the validator stops with an error at 255
BACKTRACKING = jsonschema_rs.FancyRegexOptions(
    backtrack_limit=100_000
)  # a hostile `pattern` gives up instead of hanging

Schemas = list[dict[str, Any]]


@dataclass(frozen=True)
class Parameters:
    """A candidate's `parameters` in standard form, with its validator.

    `schema` forbids nothing that could not be understood, and what cannot be compiled is not checked: a `pattern`
    that is no regular expression or a `$ref` into nowhere is left out, the rest of the schema still holds.
    """

    schema: dict[str, Any]

    @classmethod
    def of(cls, parameters: object) -> "Parameters | None":
        """The parameters of a candidate; None where they are no usable schema."""
        if not isinstance(parameters, dict):
            return None
        try:
            return compiled(orjson.dumps(parameters))
        except (orjson.JSONEncodeError, RecursionError):  # nested deeper than any schema that means something
            return None

    @cached_property
    def validator(self) -> jsonschema_rs.Validator:
        """Checks formats too; fetches nothing."""
        return compile_schema(self.schema)

    @cached_property
    def names(self) -> frozenset[str] | None:
        """The parameters that may be sent; None: any."""
        return declared(self.root)

    @cached_property
    def root(self) -> Schemas:
        """Every subschema that says something of the parameters as a whole."""
        return self.applicable([self.schema])

    def at(self, pointer: str) -> Schemas:
        """Every subschema that says something of the value at `pointer` (into the parameters), alternatives included."""
        schemas = self.root
        for token in tokens(pointer):
            schemas = self.below(schemas, token)
        return schemas

    def below(self, schemas: Schemas, token: str) -> Schemas:
        """The subschemas of the member `token` of a value that `schemas` describe."""
        return self.applicable(member for schema in schemas for member in members(schema, token))

    def applicable(self, schemas: Iterable[Any]) -> Schemas:
        """The schemas with all that they refer to, join or offer as alternatives."""
        found: Schemas = []
        waiting = [schema for schema in schemas if isinstance(schema, dict)]
        while waiting:
            schema = waiting.pop(0)
            if any(schema is other for other in found):
                continue
            found.append(schema)
            parts = [s for key in ("allOf", *BRANCHES) for s in schema.get(key, ())]
            parts += [schema[key] for key in JOINED if key in schema]
            parts += schema.get("dependentSchemas", {}).values()
            if "$ref" in schema:
                parts.append(follow(self.schema, schema["$ref"]))
            waiting += [part for part in parts if isinstance(part, dict)]
        return found

    def fit(self, values: dict[str, Any]) -> bool:
        """Whether a call without lists and objects in it breaks nothing: what most calls are, told quickly."""
        if self.names is not None and not self.names.issuperset(values):
            return False
        for value in values.values():
            if isinstance(value, dict | list):
                return False
        return self.validator.is_valid(values)

    def unknown(self, values: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
        """Every value that no schema declares, as (path, value), where the schema leaves open whether more may come."""
        if self.names is not None and not self.names.issuperset(values):
            yield from (((name,), value) for name, value in values.items() if name not in self.names)
        waiting: list[tuple[tuple[str | int, ...], Any, Schemas]] = []

        def descend(path: tuple[str | int, ...], value: Any, schemas: Schemas) -> None:
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            for key, member in inner:
                if member and isinstance(member, dict | list):
                    described = self.below(schemas, str(key))
                    if described:
                        waiting.append(((*path, key), member, described))

        descend((), values, self.root)
        while waiting:
            path, value, schemas = waiting.pop()
            if isinstance(value, dict):
                names = declared(schemas)
                if names is not None:
                    yield from (((*path, name), member) for name, member in value.items() if name not in names)
            descend(path, value, schemas)


@lru_cache(maxsize=KEPT_COMPILED)
def compiled(parameters: bytes) -> Parameters:
    """The parameters of this schema text; the same content is compiled once."""
    schema = standardise(orjson.loads(parameters))
    return Parameters(schema if isinstance(schema, dict) else {})


def compile_schema(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    """A validator of the schema, or of what can be compiled of it."""
    try:
        return build(schema)
    except ValueError:
        rest = pruned(schema, schema)
        return build(rest if compiles(rest) else {})


def errors(validator: jsonschema_rs.Validator, instance: Any) -> Iterator[jsonschema_rs.ValidationError]:
    """Every error; what is nested deeper than the validator can go is measured as if it ended there."""
    try:
        found = validator.iter_errors(instance)
    except ValueError:  # "Recursion limit reached", raised before anything is checked
        found = validator.iter_errors(cut(instance, DEEPEST))
    return (error for error in found if not is_present_after_all(error))


def is_present_after_all(error: jsonschema_rs.ValidationError) -> bool:
    """Whether a property is called missing that is there.

    jsonschema-rs 0.60 says so where a required name is undeclared and `additionalProperties` is false.
    """
    kind = error.kind
    return (
        isinstance(kind, jsonschema_rs.ValidationErrorKind.Required)
        and isinstance(error.instance, dict)
        and kind.property in error.instance
    )


def cut(value: Any, depth: int) -> Any:
    """The value down to `depth` levels; a container below that is empty."""
    if isinstance(value, dict):
        return {key: cut(member, depth - 1) for key, member in value.items()} if depth else {}
    if isinstance(value, list):
        return [cut(member, depth - 1) for member in value] if depth else []
    return value


def build(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    """A validator (draft 2020-12 unless `$schema` says otherwise) that checks formats and never reaches out."""
    return jsonschema_rs.validator_for(schema, validate_formats=True, offline=True, pattern_options=BACKTRACKING)


def pruned(schema: Any, root: dict[str, Any]) -> Any:
    """The schema without the keywords that alone keep it from being compiled."""
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs", "definitions", "dependentSchemas", "patternProperties"):
            kept[key] = {
                n: pruned(s, root) for n, s in value.items() if key != "patternProperties" or compiles({"pattern": n})
            }
        elif isinstance(value, list) and key in ("anyOf", "oneOf", "allOf", "prefixItems", "items"):
            kept[key] = [pruned(member, root) for member in value]
        elif key == "$ref":
            if value == "#" or follow(root, value) is not None:
                kept[key] = value
        elif isinstance(value, dict) and key not in ("const", "default", "dependentRequired"):
            kept[key] = pruned(value, root)
        elif key in ("default", "$schema", "$anchor") or compiles({key: value}):
            kept[key] = value
    return kept


def compiles(schema: dict[str, Any]) -> bool:
    """Whether this small schema can be compiled at all."""
    try:
        build(schema)
    except ValueError:
        return False
    return True


def follow(root: dict[str, Any], reference: str) -> Any:
    """What a `$ref` within the schema leads to; None: nothing."""
    if reference == "#":
        return root
    found: Any = root
    for token in tokens(reference.removeprefix("#")):
        if isinstance(found, dict) and token in found:
            found = found[token]
        elif isinstance(found, list) and token.isdigit() and int(token) < len(found):
            found = found[int(token)]
        else:
            return None
    return found if reference.startswith("#/") and isinstance(found, dict | bool) else None


def members(schema: dict[str, Any], token: str) -> Iterator[Any]:
    """What one schema says of the member `token`, an object's key or an array's position."""
    if token in schema.get("properties", ()):
        yield schema["properties"][token]
    else:
        matched = [s for key, s in schema.get("patternProperties", {}).items() if matches(key, token)]
        yield from matched or [schema.get("additionalProperties")]
    if token.isdigit():
        first = schema.get("prefixItems", schema["items"] if isinstance(schema.get("items"), list) else [])
        yield first[int(token)] if int(token) < len(first) else schema.get("items", schema.get("additionalItems"))


def matches(pattern: str, key: str) -> bool:
    """Whether a `patternProperties` key matches; a pattern that Python cannot read matches."""
    try:
        return re.search(pattern, key) is not None
    except re.error:
        return True


def declared(schemas: Schemas) -> frozenset[str] | None:
    """The names that an object described by `schemas` may have; None: any.

    Any, where nobody lists properties, where one of the schemas says itself what else may come
    (`additionalProperties`, `patternProperties`: the validator then judges), or where one of several alternatives is
    an object of which nothing is said.
    """
    if any(key in schema for schema in schemas for key in OPEN_KEYS):
        return None
    speaking = [schema["properties"] for schema in schemas if "properties" in schema]
    if not speaking or ("properties" not in schemas[0] and any(is_free(s) for s in schemas[1:])):
        return None
    return frozenset(name for properties in speaking for name in properties)


def is_free(schema: dict[str, Any]) -> bool:
    """An alternative that takes any object: no type but object, and no word about its members."""
    return not schema or (
        schema.get("type") == "object" and not {"properties", "$ref", "allOf", *BRANCHES} & schema.keys()
    )
