"""The schemas are the single source of truth: tables, frames and the recipe's types have just their fields."""

import dataclasses
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest

from curation.decision import DECISION_FRAME, OUTCOMES
from curation.ingest import TRACE_FRAME
from curation.judge.judgement import JUDGEMENT_FRAME
from curation.recipe import Check, Dedup, Judge, Recipe, Release, RuleChange, Samples, Source
from curation.sample import KINDS, SAMPLE_FRAME
from schemas import NAMES, load_schema
from warehouse import Store
from warehouse.queries import query

POLARS = {"string": (pl.String, pl.Datetime, pl.Binary), "integer": (pl.Int32, pl.Int64), "number": (pl.Float64,)}
DUCKDB = {
    "string": ("VARCHAR", "UUID", "BLOB", "TIMESTAMP WITH TIME ZONE"),
    "integer": ("INTEGER", "BIGINT"),
    "number": ("DOUBLE",),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_a_valid_one_and_is_described(name: str) -> None:
    schema = load_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]


def kinds_of(field: dict[str, Any]) -> set[str]:
    """The JSON types of a field without null."""
    if "enum" in field:
        return {"string"}
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    return set(types) - {"null"}


FRAMES = {"trace": TRACE_FRAME, "sample": SAMPLE_FRAME, "judgement": JUDGEMENT_FRAME}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_has_just_the_fields_of_its_schema(name: str) -> None:
    properties = load_schema(name)["properties"]
    assert list(FRAMES[name]) == list(properties)
    for field, kind in FRAMES[name].items():
        (json_type,) = kinds_of(properties[field])
        assert isinstance(kind, POLARS[json_type]), field


def test_the_decision_frame_is_the_schema_without_what_the_writer_adds() -> None:
    schema = load_schema("decision")
    assert set(DECISION_FRAME) == set(schema["properties"]) - {"stage", "fingerprint", "decided_at"}
    assert tuple(schema["properties"]["outcome"]["enum"]) == OUTCOMES
    assert tuple(load_schema("sample")["properties"]["kind"]["enum"]) == KINDS


@pytest.mark.parametrize("name", ["trace", "sample", "decision", "judgement"])
def test_a_table_has_just_the_fields_of_its_schema(name: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "w.duckdb")
    with store.write():
        pass
    import duckdb

    with duckdb.connect(str(store.path)) as connection:
        rows = connection.execute(f"DESCRIBE {name}").fetchall()
    columns = {row[0]: (row[1], row[2]) for row in rows}
    schema = load_schema(name)
    assert list(columns) == list(schema["properties"])
    for field, (kind, null) in columns.items():
        (json_type,) = kinds_of(schema["properties"][field])
        assert kind in DUCKDB[json_type], field
        if null == "NO":
            assert field in schema["required"], field


SECTIONS = {"samples": Samples, "check": Check, "dedup": Dedup, "judge": Judge, "release": Release}


def test_the_recipe_types_have_just_the_keys_of_the_schema() -> None:
    properties = load_schema("recipe")["properties"]
    renamed = {"sources": "source", "kinds": "from"}
    own = {renamed.get(field.name, field.name) for field in dataclasses.fields(Recipe)} - {"origin", "text"}
    assert own == set(properties) - {"placeholder"}  # a section of the file that `check` keeps
    rules = properties["placeholder"]["additionalProperties"]["then"]["properties"]
    assert {field.name for field in dataclasses.fields(RuleChange)} - {"id", "off"} == set(rules)
    for section, type_ in SECTIONS.items():
        keys = {renamed.get(field.name, field.name) for field in dataclasses.fields(type_)} - {"placeholder"}
        assert keys == set(properties[section]["properties"]), section
    assert {field.name for field in dataclasses.fields(Source)} == set(properties["source"]["items"]["properties"])


def test_every_default_of_a_recipe_is_allowed_by_the_schema() -> None:
    properties = load_schema("recipe")["properties"]
    for section, type_ in SECTIONS.items():
        for key, value in dataclasses.asdict(type_()).items():
            if value is not None and key != "placeholder":
                rule = properties[section]["properties"]["from" if key == "kinds" else key]
                jsonschema.validate(list(value) if isinstance(value, tuple) else value, rule)


def test_the_queries_that_write_name_the_columns_in_the_order_of_the_table() -> None:
    for name in ("trace", "sample"):
        text = query(f"insert_{name}").split("SELECT")[1].split("FROM")[0]
        selected = text.replace("::UUID", "").replace("\n", " ")
        assert [word.strip() for word in selected.split(",")] == list(load_schema(name)["properties"])
