"""Values against schemas as people write them: no schema crashes the check, and the validator's word is the reference's."""

import tomllib
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.breaches import breaches
from curation.filters import hydration
from curation.hollow import EMPTY_WORDS
from curation.parameters import Parameters, errors
from curation.recipe import Check
from curation.vendor_schema import standardise, typed
from tests.labelled import batch_of, faults, planned, step

AT = "/plugins/0/api_request_parameters"
EMPTY = tomllib.loads(EMPTY_WORDS.read_text(encoding="utf-8"))


def found(schema: Any, parameters: Any) -> list[tuple[str, str]]:
    """The hydration faults of one call, with short codes and pointers from the parameters."""
    batch = batch_of([planned(step(parameters=parameters), candidates=[{"pluginId": "p", "parameters": schema}])])
    told = faults(hydration.decide(batch, Check()))[0]
    return [(reason.partition(".")[2], pointer.removeprefix(AT)) for reason, pointer in told]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("dict", {"type": "object"}),
        ("Dict[str, int]", {"type": "object"}),
        ("HashMap<String, List<Integer>>", {"type": "object"}),
        ("float", {"type": "number"}),
        ("LONG", {"type": "integer"}),
        ("String", {"type": "string"}),
        ("List[str]", {"type": "array", "items": {"type": "string"}}),
        ("typing.List[typing.Dict]", {"type": "array", "items": {"type": "object"}}),
        ("ArrayList<Double>", {"type": "array", "items": {"type": "number"}}),
        ("int[]", {"type": "array", "items": {"type": "integer"}}),
        ("list of strings", {"type": "array", "items": {}}),
        ("Tuple[int, str]", {"type": "array"}),
        ("Optional[int]", {"type": ["integer", "null"]}),
        ("int | None", {"type": ["integer", "null"]}),
        ("Union[str, List[int]]", {"type": ["array", "string"], "items": {"type": "integer"}}),
        ("str, optional", {"type": "string"}),
        ("any", {}),
        ("Optional[Any]", {}),
        ("geo point", {}),
        ("", {}),
    ],
)
def test_a_vendor_s_type_word_means_a_standard_type(word: str, meant: dict[str, Any]) -> None:
    assert typed(word) == meant


def hollow(request: str, key: str, value: str | None) -> bool:
    """Whether a hollow value is told, after this request."""
    parameters = {"type": "object", "properties": {key: {"type": "string"}}}
    row = planned(
        step(parameters={key: value}), request=request, candidates=[{"pluginId": "p", "parameters": parameters}]
    )
    return faults(hydration.decide(batch_of([row]), Check())) != [[]]


@pytest.mark.parametrize("request_", EMPTY["asked_catches"])
@pytest.mark.parametrize("value", ["", " "])
def test_what_the_user_wants_empty_may_be_empty(request_: str, value: str) -> None:
    assert not hollow(request_, "resolution", value)
    assert hollow(request_, "resolution", None)


@pytest.mark.parametrize("request_", EMPTY["asked_spares"])
def test_that_something_is_empty_asks_for_no_empty_value(request_: str) -> None:
    assert hollow(request_, "resolution", "")


@pytest.mark.parametrize("key", EMPTY["blank_key_catches"])
def test_a_blank_is_a_value_where_it_stands_between_things(key: str) -> None:
    assert not hollow("Join the two names", key, " ")
    assert hollow("Join the two names", key, "")


@pytest.mark.parametrize("key", EMPTY["blank_key_spares"])
def test_a_blank_is_no_value_elsewhere(key: str) -> None:
    assert hollow("Join the two names", key, " ")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 5},
        {"type": {"type": "string"}},
        {"properties": [1]},
        {"properties": {"a": None, "b": 7, "c": [], "d": "str"}},
        {"required": "a"},
        {"required": [1, "a", "a"]},
        {"enum": "x", "minimum": "1", "maxLength": -1, "multipleOf": 0, "pattern": 5},
        {"items": []},
        {"properties": {"a": {"items": [{"type": "int"}, True]}}},
        {"anyOf": []},
        {"anyOf": "x", "oneOf": {}, "not": 1, "allOf": [None]},
        {"$ref": "#/nowhere"},
        {"$ref": 5},
        {"$ref": "#"},
        {"$ref": "file:///etc/hostname"},
        {"$schema": "https://nobody.knows/this"},
        {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "properties": {"a": {"minimum": 1, "exclusiveMinimum": True}},
        },
        {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"items": [{"type": "string"}]}}},
        {"properties": {"a": {"pattern": "(?<!x)y"}, "b": {"pattern": "(["}}, "patternProperties": {"([": {}}},
        {"properties": {"a": {"$ref": "#/properties/a"}}},
        {"allOf": [{"$ref": "#"}]},
        {"dependentRequired": {"a": "b"}, "$defs": 5},
        {"additionalProperties": "no"},
        {"$id": "http://x.y/z", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"type": "string"}}},
        True,
        [],
        "object",
        None,
    ],
)
def test_no_schema_crashes_the_check(schema: object) -> None:
    parameters = {"a": [1, {"b": None}], "b": "x", "c": {"d": []}}
    assert isinstance(found(schema, parameters), list)


def test_a_deeply_nested_schema_is_no_usable_schema() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(300):
        schema = {"type": "object", "properties": {"a": schema}}
    assert Parameters.of(schema) is None


def test_a_hostile_pattern_neither_hangs_nor_condemns() -> None:
    assert found({"properties": {"a": {"pattern": "^(?=(a+)+$)(a+)+b$"}}}, {"a": "a" * 60}) in (
        [],
        [("invalid_value", "/a")],
    )


@pytest.mark.parametrize(
    ("schema", "parameters", "expected"),
    [
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"a": {}, "b": {}}}, {"a": 1, "b": 2}, [("invalid_value", "")]),
        ({"properties": {"n": {"oneOf": [{"type": "int"}, {"type": "float"}]}}}, {"n": 5}, []),
        ({"anyOf": [{"properties": {"a": {}}}, {"type": "object"}]}, {"z": 1}, []),
        ({"properties": {"a": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "z": 1}, [("unknown_parameter", "/z")]),
        ({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, {"a": 1, "b": 1, "z": 1}, [("unknown_parameter", "/z")]),
        ({"properties": {"a": False}}, {"a": 1}, [("unknown_parameter", "/a")]),
        ({"propertyNames": {"pattern": "^x-", "maxLength": 3}}, {"x-a": 1, "long": 2}, [("unknown_parameter", "/long")]),
        ({"properties": {"a": {"type": "int"}}, "unevaluatedProperties": False}, {"a": "x", "z": 1}, [("type_mismatch", "/a"), ("unknown_parameter", "/z")]),
        ({"properties": {"a": {}, "b": {}}, "dependentRequired": {"a": ["b"]}}, {"a": 1}, [("missing_required", "/b")]),
        ({"properties": {"a": {"enum": ["1", "2"], "type": "integer"}}}, {"a": 1}, []),
        ({"properties": {"a": {"type": "string", "default": None}}}, {"a": None}, []),
        ({"properties": {"a": {"type": "boolean", "default": "dontcare"}, "b": {"enum": ["x"], "default": "any"}}}, {"a": "dontcare", "b": "any"}, []),
        ({"properties": {"a": {"type": "string", "default": 1}}}, {"a": True}, [("type_mismatch", "/a")]),
        ({"properties": {"a": {"nullable": True, "anyOf": [{"type": "string"}]}}}, {"a": None}, []),
        ({"properties": {"a": {"allowed_values": ["x"]}}}, {"a": "y"}, [("not_in_enum", "/a")]),
        ({"properties": {"a": {"type": "string", "minLength": 1, "enum": ["x"]}}}, {"a": ""}, [("empty", "/a")]),
        ({"properties": {"a": {"type": "integer"}}}, {"a": None}, [("empty", "/a")]),
        ({"properties": {"a": {"minItems": 2}}}, {"a": [1]}, [("invalid_value", "/a")]),
        ({"properties": {"a": {"minProperties": 1}}}, {"a": {}}, [("empty", "/a")]),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": ["{{q.output}}", "{{q.output}}"]}, []),
        ({"properties": {"a": {"enum": [["x"]]}}}, {"a": ["{{q.output}}"]}, []),
        ({"properties": {"a": {"items": {"type": "integer"}, "maxItems": 1}}}, {"a": ["{{q.output}}", 1]}, [("invalid_value", "/a")]),
        ({"properties": {"a": {"properties": {"b": {}}, "required": ["b", "c"]}}}, {"a": {"b": "{{q.output}}"}}, [("missing_required", "/a/c")]),
        ({"properties": {"a": {"type": "integer"}}}, {"a": "{{q}}"}, [("type_mismatch", "/a")]),
        ({"properties": {f: {"type": "string", "format": f} for f in ("email", "uri", "uuid", "ipv4", "date-time", "time")}}, dict.fromkeys(("email", "uri", "uuid", "ipv4", "date-time", "time"), "none such"), [("invalid_value", f"/{f}") for f in ("date-time", "email", "ipv4", "time", "uri", "uuid")]),
        ({"properties": {"a": {"format": "int32"}, "b": {"format": "password"}}}, {"a": 5, "b": "x"}, []),
    ],
)  # fmt: skip
def test_a_call_breaks_its_schema_just_so(schema: Any, parameters: Any, expected: list[tuple[str, str]]) -> None:
    assert sorted(found(schema, parameters)) == sorted(expected)


def test_a_property_called_like_a_keyword_stays_a_property() -> None:
    properties = {
        name: {"type": "str"}
        for name in ("type", "properties", "required", "enum", "items", "$ref", "anyOf", "default")
    }
    schema = standardise({"type": "dict", "properties": properties, "required": ["type"]})
    assert isinstance(schema, dict)
    assert schema["properties"] == {name: {"type": "string"} for name in properties}
    assert found({"type": "dict", "properties": properties}, dict.fromkeys(properties, "x")) == []


SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([0.5, 2.0, "", "a", "abc", "2026-01-01"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
LEAF_SCHEMAS = st.one_of(
    st.builds(
        lambda t: {"type": t}, st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
    ),
    st.builds(lambda v: {"enum": v}, st.lists(SCALARS, min_size=1, max_size=3, unique_by=repr)),
    st.builds(lambda v: {"const": v}, SCALARS),
    st.builds(lambda n: {"minimum": n}, st.integers(-3, 3)),
    st.builds(lambda n: {"type": "string", "minLength": n, "pattern": "^a"}, st.integers(0, 3)),
    st.builds(lambda n: {"minItems": n, "uniqueItems": True}, st.integers(0, 2)),
    st.builds(lambda n: {"maxItems": n, "maxProperties": n + 1, "maxLength": n}, st.integers(0, 2)),
    st.builds(lambda n, m: {"exclusiveMaximum": n, "multipleOf": m}, st.integers(-3, 3), st.sampled_from([1, 2, 0.5])),
    st.builds(lambda f: {"type": "string", "format": f}, st.sampled_from(["date", "ipv4", "uuid"])),
    st.builds(lambda name: {"dependentRequired": {"a": [name]}}, st.sampled_from("bc")),
    st.sampled_from([{"$ref": "#/$defs/d"}, {"const": {"a": 1}}, {"enum": [[], {}, None, False, 0]}]),
)
DEFINED: dict[str, Any] = {"d": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}}
SCHEMAS = st.recursive(
    LEAF_SCHEMAS,
    lambda inner: st.one_of(
        st.builds(
            lambda p, r, more: {"type": "object", "properties": p, "required": r, **more},
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            st.sampled_from([{}, {"additionalProperties": False}]),
        ),
        st.builds(lambda s: {"type": "array", "items": s}, inner),
        st.builds(lambda first, rest: {"prefixItems": [first], "items": rest}, inner, inner),
        st.builds(lambda s: {"additionalProperties": s, "properties": {"a": {}}}, inner),
        st.builds(lambda s: {"patternProperties": {"^[ab]$": s}, "additionalProperties": False}, inner),
        st.builds(lambda key, s: {key: s}, st.sampled_from(["not", "contains", "propertyNames"]), inner),
        st.builds(lambda i, t, e: {"if": i, "then": t, "else": e}, inner, inner, inner),
        st.builds(
            lambda key, s: {key: s},
            st.sampled_from(["anyOf", "oneOf", "allOf"]),
            st.lists(inner, min_size=1, max_size=2),
        ),
    ),
    max_leaves=5,
).map(lambda schema: {**schema, "$defs": DEFINED})
FORMATS = jsonschema.Draft202012Validator.FORMAT_CHECKER


@given(SCHEMAS, VALUES)
@settings(max_examples=400, deadline=None)
def test_the_compiled_validator_and_the_reference_find_the_same_keyword_at_the_same_place(
    schema: Any, value: Any
) -> None:
    reference = jsonschema.Draft202012Validator(schema, format_checker=FORMATS)
    expected = {(tuple(error.absolute_path), error.validator) for error in reference.iter_errors(value)}
    compiled = errors(jsonschema_rs.validator_for(schema, offline=True, validate_formats=True), value)
    assert {(tuple(error.instance_path), keyword(error)) for error in compiled} == expected


def keyword(error: jsonschema_rs.ValidationError) -> str:
    """The keyword that a value broke; of a name, the one that the name broke, as the reference tells it."""
    while isinstance(error.kind, jsonschema_rs.ValidationErrorKind.PropertyNames):
        error = error.kind.error
    return error.kind.name


def says_one_of(schema: Any) -> bool:
    """Whether `oneOf` stands anywhere: there we are more lenient than the reference, see docs/checks.md."""
    members = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    return (isinstance(schema, dict) and "oneOf" in schema) or any(says_one_of(member) for member in members)


@given(
    SCHEMAS.filter(lambda schema: not says_one_of(schema)), st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=3)
)
@settings(max_examples=300, deadline=None)
def test_a_call_is_faulted_if_the_reference_refuses_it_and_else_only_for_undeclared_values(
    schema: Any, value: Any
) -> None:
    parameters = Parameters.of(schema)
    assert parameters is not None
    reasons = {breach.reason for breach in breaches(parameters, value)}
    if jsonschema.Draft202012Validator(standardise(schema), format_checker=FORMATS).is_valid(value):
        assert reasons <= {"hydration.unknown_parameter"}
    else:
        assert reasons
