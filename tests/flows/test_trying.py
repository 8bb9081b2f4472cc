"""What a changed setting would drop and rescue is told beforehand, and nothing is written."""

from pathlib import Path
from typing import Any

import pytest

from curation.errors import RecipeError, Stopped
from curation.lock import only_one
from curation.recipe import Recipe
from curation.recipes import load_recipe, parse_recipe
from curation.recipes.settings import with_settings
from flows.checking import check
from flows.ingesting import ingest
from flows.trying import try_out
from tests import traces
from tests.flows.test_hiding import leaky
from tests.warehouse.versions import rows_of
from warehouse import Store, StoreError


def mute(number: int) -> traces.Trace:
    """A good trace without its reasoning."""
    trace = traces.good(number) | {"trace_id": f"mute-{number}"}
    trace["messages"][-1]["content"] = trace["messages"][-1]["content"].partition("</think>")[2]
    return trace


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Recipe]:
    """A warehouse whose recipe was checked, with three good traces and some that fall."""
    folder = tmp_path_factory.mktemp("tried")
    good = [traces.good(number) for number in range(3)]
    odd = traces.trace("odd", "Is there snow on the peak?", traces.step("Zugspitze"))
    source = traces.write(folder / "t.jsonl", [*good, odd, mute(5), leaky(1), *traces.bad()])
    (folder / "r.toml").write_text(traces.recipe_text(source, folder / "out"))
    store, recipe = Store(folder / "w.duckdb"), load_recipe(folder / "r.toml")
    ingest(store, [str(source)], "ondemand", "production")
    check(store, recipe)
    return store, recipe


def told(house: tuple[Store, Recipe], *settings: str) -> dict[str, Any]:
    """What a dry run tells, which leaves every row as it was and nothing beside the warehouse but locks."""
    store, recipe = house
    before = rows_of(store.path)
    tried = try_out(store, recipe, settings)
    assert rows_of(store.path) == before
    assert not store.path.with_name(f"{store.path.name}.dry-run").exists()
    return tried


def changes(tried: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """reason -> (drops, rescues)."""
    return {row["reason"]: (row["drops"], row["rescues"]) for row in tried["reasons"] if row["drops"] or row["rescues"]}


def names(row: dict[str, Any], what: str) -> list[str]:
    return [example["trace_id"] for example in row[f"{what}_examples"]]


def test_a_loosened_setting_rescues(house: tuple[Store, Recipe]) -> None:
    tried = told(house, "check.thinking=optional")
    assert (tried["before"], tried["after"], tried["unchecked"]) == (4, 5, 0)
    (row,) = tried["reasons"]
    assert (row["reason"], row["found_before"], row["found"]) == ("thinking.missing", 1, 0)
    assert names(row, "rescue") == ["mute-5"]


def test_a_new_rule_drops_and_rules_that_are_off_rescue(house: tuple[Store, Recipe]) -> None:
    off = ("placeholder.angle_slot=off", "placeholder.your_something=off")
    tried = told(house, *off, "placeholder.peak.pattern=^Zugspitze$", "placeholder.weather.pattern='^(?:Oslo|Lima)$'")
    assert changes(tried) == {"placeholder.value": (1, 1)}  # Oslo was said, and what was said is a value
    (row,) = [row for row in tried["reasons"] if row["drops"]]
    assert (names(row, "drop"), names(row, "rescue")) == (["odd"], ["bad-placeholder.value"])


def test_a_setting_that_makes_children_is_tried_with_them(house: tuple[Store, Recipe]) -> None:
    assert changes(told(house, "check.secret=redact")) == {"secret.found": (0, 1)}


def test_what_was_never_checked_is_told_apart(tmp_path: Path, house: tuple[Store, Recipe]) -> None:
    store = Store(tmp_path / "w.duckdb")
    source = traces.write(tmp_path / "t.jsonl", [traces.good(0), *traces.bad()[:1]])
    ingest(store, [str(source)], "ondemand", "production")
    tried = told((store, house[1]))
    assert (tried["before"], tried["after"], tried["unchecked"]) == (0, 1, 2)
    assert changes(tried) == {"placeholder.value": (1, 0)}


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("thinking", "SECTION.KEY=VALUE"),
        ("judge.accept=3", "a check reads nothing of [judge]"),
        ("check.thinking=maybe", "[check] thinking = 'maybe' is refused"),
        ("check.thinkng=optional", "did you mean 'thinking'?"),
        ("placeholder.anglee_slot=off", "did you mean angle_slot?"),
        ("placeholder.mine.pattern=(", "[placeholder] mine.pattern is no regular expression: unclosed group"),
        ("placeholder.mine.spare_key=(", "[placeholder] mine: no rule is called so"),
        ("placeholder.filler.spare_key=(", "[placeholder] filler.spare_key is no regular expression"),
        ("placeholder.filler=on", "[placeholder] filler = 'on' is refused"),
    ],
)
def test_a_setting_that_a_recipe_may_not_have_is_refused(house: tuple[Store, Recipe], setting: str, says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        with_settings(house[1], [setting])
    assert says in str(caught.value)


def test_a_setting_says_what_the_same_line_of_a_recipe_says() -> None:
    text = 'name = "a"\n[check]\nempty_plan = "allow"\n'
    more = (
        text + 'thinking = "optional"\n[dedup]\nthreshold = 0.9\n[placeholder]\nfiller = "off"\nmine.pattern = "^x$"\n'
    )
    recipe = parse_recipe(text, Path("r.toml"))
    settings = [
        "check.thinking=optional",
        "dedup.threshold=0.9",
        'placeholder.filler="off"',
        "placeholder.mine.pattern=^x$",
    ]
    tried, written = with_settings(recipe, settings), parse_recipe(more, Path("r.toml"))
    assert (tried.check, tried.dedup) == (written.check, written.dedup)
    assert [change.id for change in tried.check.placeholder] == ["filler", "mine"]


def test_two_dry_runs_take_turns_and_without_a_warehouse_there_is_nothing_to_try(
    tmp_path: Path, house: tuple[Store, Recipe]
) -> None:
    store, recipe = house
    with only_one(store.path, "dry-run"), pytest.raises(Stopped, match="already trying"):
        try_out(store, recipe, [])
    with pytest.raises(StoreError, match="no warehouse"):
        try_out(Store(tmp_path / "none.duckdb"), recipe, [])
    assert list(tmp_path.iterdir()) == []
