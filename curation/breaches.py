"""A breach is one way in which a call's values break the plugin's schema, under the code that a reader will see."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from jsonschema_rs import ValidationError, ValidationErrorKind

from curation.parameters import Parameters, Schemas, errors, is_present_after_all
from curation.references import is_reference

Path = tuple[str | int, ...]


class Breach(NamedTuple):
    """`path` leads from the parameters to the value; for something missing, to where it should stand."""

    reason: str
    path: Path
    seen: object = None


# The validator's word for what went wrong, and ours; every other word is an invalid value.
REASON_OF = {
    "type": "hydration.type_mismatch",
    "enum": "hydration.not_in_enum",
    "const": "hydration.not_in_enum",
    "falseSchema": "hydration.unknown_parameter",
}
JUDGES_WHOLE = ("enum", "const", "not", "contains", "uniqueItems", "oneOf")  # what lies within decides, at any depth
UNMEASURED = ("backtrackLimitExceeded", "regexEngineFailure", "fromUtf8")  # the validator gave up: nothing is known


def breaches(parameters: Parameters, values: dict[str, Any]) -> Iterator[Breach]:
    """Every breach of the schema, unknown parameters last; a reference satisfies any type, enum, format and pattern."""
    for error in errors(parameters.validator, values):
        yield from explained(error, parameters)
    for path, value in parameters.unknown(values):
        yield Breach("hydration.unknown_parameter", path, value)


def explained(error: ValidationError, parameters: Parameters) -> Iterator[Breach]:
    """One of the validator's errors in our words; none where a reference makes it moot."""
    path, kind = tuple(error.instance_path), error.kind
    value: Any = error.instance
    if is_default(value, parameters, path):
        return
    if is_present_after_all(error) or is_reference(value) or (kind.name in JUDGES_WHOLE and holds_reference(value)):
        return
    if isinstance(kind, ValidationErrorKind.Required):
        yield Breach("hydration.missing_required", (*path, kind.property))
    elif isinstance(kind, ValidationErrorKind.AdditionalProperties):
        yield from (Breach("hydration.unknown_parameter", (*path, key), value[key]) for key in kind.unexpected)
    elif isinstance(kind, ValidationErrorKind.PropertyNames):
        name = str(kind.error.instance)
        yield Breach("hydration.unknown_parameter", (*path, name), value[name])
    elif isinstance(kind, ValidationErrorKind.UnevaluatedProperties):
        # It names members too that are known but failed their own check: those are told on their own.
        known = known_names(parameters, path)
        yield from (
            Breach("hydration.unknown_parameter", (*path, k), value[k]) for k in kind.unexpected if k not in known
        )
    elif isinstance(kind, ValidationErrorKind.AnyOf | ValidationErrorKind.OneOfNotValid):
        yield from nearest(kind.context, path, value, parameters)
    elif isinstance(kind, ValidationErrorKind.OneOfMultipleValid):
        if isinstance(value, dict | list):  # alternatives that overlap on a plain value are the schema's carelessness
            yield Breach("hydration.invalid_value", path, value)
    elif kind.name in ("minItems", "minProperties") and not value:
        yield Breach("hydration.empty", path, value)
    elif kind.name not in UNMEASURED:
        yield Breach(REASON_OF.get(kind.name, "hydration.invalid_value"), path, value)


def nearest(branches: Iterable[list[ValidationError]], path: Path, value: Any, parameters: Parameters) -> list[Breach]:
    """What is wrong with a value that fits none of several alternatives: what is wrong with the one it comes nearest.

    Nearest is an alternative of the value's own type with the fewest breaches; where every alternative asks for
    another type, the type is wrong. An alternative that only a reference fails is satisfied.
    """
    told = [[breach for error in branch for breach in explained(error, parameters)] for branch in branches]
    if any(not branch for branch in told):
        return []
    own_type = [
        b for b in told if Breach("hydration.type_mismatch", path, value)[:2] not in [breach[:2] for breach in b]
    ]
    return min(own_type, key=len) if own_type else [Breach("hydration.type_mismatch", path, value)]


def is_default(value: Any, parameters: Parameters, path: Path) -> bool:
    """Whether it is the default that the schema itself declares: the schema's own word, whatever its other keywords say."""
    defaults = [schema["default"] for schema in schemas_at(parameters, path) if "default" in schema]
    return any(type(value) is type(default) and value == default for default in defaults)


def known_names(parameters: Parameters, path: Path) -> set[str]:
    """Every name that some schema lists for the object at `path`."""
    return {name for schema in schemas_at(parameters, path) for name in schema.get("properties", ())}


def schemas_at(parameters: Parameters, path: Path) -> Schemas:
    """Every subschema that says something of the value at `path`."""
    schemas = parameters.root
    for token in path:
        schemas = parameters.below(schemas, str(token))
    return schemas


def holds_reference(value: Any) -> bool:
    """Whether a reference stands anywhere within a value."""
    waiting = [value]
    while waiting:
        member = waiting.pop()
        if is_reference(member):
            return True
        if isinstance(member, dict):
            waiting.extend(member.values())
        elif isinstance(member, list):
            waiting.extend(member)
    return False
