"""A child differs from its parent in content alone, and stands in its place only where a recipe asks for its maker."""

from typing import Any

import polars as pl
import pytest

from curation.children import CURRENT_FRAME, MAKERS, asked, child, replacements, with_children
from curation.membership import member_traces, members
from curation.recipe import Check, Recipe, Samples
from curation.sample import dumps, identify
from schemas import load_schema
from tests.test_membership import SCHEMA, row

PARENT: dict[str, Any] = {
    "sample_id": identify("plan", dumps([{"role": "user", "content": "Hi"}]), None, None, '{"plugins": []}'),
    "trace_id": "t-1",
    "parent_id": None,
    "turn": None,
    "kind": "plan",
    "source": "production",
    "timestamp": None,
    "request": "Hi",
    "messages": dumps([{"role": "user", "content": "Hi"}]),
    "candidates": None,
    "thinking": None,
    "plan": '{"plugins": []}',
    "n_steps": 0,
    "category": "0_step",
    "first_seen": None,
}


def test_a_child_has_the_id_of_its_content_and_names_its_parent() -> None:
    made = child(PARENT, thinking="Nothing is asked.")
    assert made["sample_id"] == identify("plan", PARENT["messages"], None, "Nothing is asked.", PARENT["plan"])
    assert made["parent_id"] == PARENT["sample_id"]
    same = set(PARENT) - {"sample_id", "parent_id", "thinking"}
    assert {key: made[key] for key in same} == {key: PARENT[key] for key in same}


def test_what_follows_from_the_content_follows_from_the_childs() -> None:
    messages = dumps(
        [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}, {"role": "user", "content": "C"}]
    )
    made = child(PARENT, messages=messages, plan='{"plugins": [{}, {}]}')
    assert (made["request"], made["n_steps"], made["category"]) == ("C", 2, "multi_turn")


def test_a_sample_is_no_child_of_itself() -> None:
    with pytest.raises(ValueError, match="nothing of sample"):
        child(PARENT, thinking=None)
    with pytest.raises(ValueError, match="request is not content"):
        child(PARENT, request="Ho")


def test_every_maker_can_be_asked_for_in_a_recipe() -> None:
    settings = load_schema("recipe")["properties"]["samples"]["properties"]
    everything = tuple(settings["backfill"]["items"]["enum"])
    hiding = Check(secret="redact", pii="pseudonymise")
    assert tuple(asked(Recipe("r", samples=Samples(backfill=everything), check=hiding))) == MAKERS
    assert tuple(asked(Recipe("r", samples=Samples(backfill=everything)))) == everything
    assert set(Samples().backfill) <= set(MAKERS)


def test_the_order_of_makers_is_not_the_recipes() -> None:
    recipe = Recipe("r", samples=Samples(backfill=("thinking", "schemas")))
    assert asked(recipe) == ["schemas", "thinking"]
    assert asked(recipe, before="thinking") == ["schemas"]
    assert asked(recipe, before="schemas") == []


def standing(pairs: list[tuple[str, str, str]], *rows: dict[str, Any], turns: str = "all") -> dict[str, str | None]:
    """sample_id -> what replaced it, for a recipe that asks for every maker."""
    recipe = Recipe("r", samples=Samples(turns=turns, backfill=MAKERS))
    links = member_traces(pl.DataFrame(list(rows), schema=SCHEMA), recipe)
    current = pl.DataFrame(pairs, schema=CURRENT_FRAME, orient="row")
    everyone = members(with_children(links, current, asked(recipe)))
    return dict(everyone.select("sample_id", "replaced_by").iter_rows())


def test_a_child_stands_where_its_parent_stood() -> None:
    assert standing([("schemas", "a", "A")], row("a"), row("b")) == {"a": "A", "A": None, "b": None}


def test_a_makers_child_is_made_of_the_last_form() -> None:
    pairs = [("schemas", "a", "A"), ("thinking", "A", "AT"), ("thinking", "a", "aT"), ("thinking", "b", "bT")]
    found = standing(pairs, row("a"), row("b"))
    assert found == {"a": "A", "A": "AT", "AT": None, "b": "bT", "bT": None}


def test_a_child_of_what_is_no_member_is_none() -> None:
    assert standing([("schemas", "z", "Z")], row("a")) == {"a": None}


def test_of_the_last_turn_the_child_counts_as_that_turn() -> None:
    turns = [row("a", parent_id="t", turn=1), row("b", parent_id="t", turn=5)]
    pairs = [("schemas", "a", "A"), ("schemas", "b", "B")]
    assert standing(pairs, *turns, turns="last") == {"b": "B", "B": None}
    assert standing(pairs, *turns) == {"a": "A", "A": None, "b": "B", "B": None}


def test_a_member_that_was_made_tells_its_origin_its_trajectory_and_by_whom() -> None:
    recipe = Recipe("r", samples=Samples(backfill=MAKERS))
    links = member_traces(pl.DataFrame([row("a", parent_id="t", turn=1)], schema=SCHEMA), recipe)
    pairs = [("schemas", "a", "A"), ("thinking", "A", "AT")]
    everyone = members(with_children(links, pl.DataFrame(pairs, schema=CURRENT_FRAME, orient="row"), asked(recipe)))
    assert everyone.select("sample_id", "parent_id", "origin_id", "maker").rows() == [
        ("A", "t", "a", "schemas"),
        ("AT", "t", "a", "thinking"),
        ("a", "t", "a", None),
    ]
    assert replacements(everyone) == {
        "A": {"sample_id": "AT", "maker": "thinking"},
        "a": {"sample_id": "A", "maker": "schemas"},
    }


def test_a_sample_that_a_trace_holds_too_is_not_called_made() -> None:
    recipe = Recipe("r")
    links = member_traces(pl.DataFrame([row("a"), row("A")], schema=SCHEMA), recipe)
    current = pl.DataFrame([("schemas", "a", "A")], schema=CURRENT_FRAME, orient="row")
    everyone = members(with_children(links, current, asked(recipe)))
    assert everyone.select("sample_id", "maker", "replaced_by").rows() == [("A", None, None), ("a", None, "A")]
