"""Each check leaves in how many samples each reason was found, so that the next one can be held against it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curation.recipe import Recipe
from curation.recipes import load_recipe
from flows.checking import check
from flows.ingesting import ingest
from flows.judging import judge
from flows.loading import read_members
from flows.reasons import keep_reasons, why
from tests import traces
from warehouse import Store


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    file = tmp_path / "r.toml"
    text = traces.recipe_text(tmp_path / "none.jsonl", tmp_path / "out").replace("accept = 0", "accept = 10")
    file.write_text(text)
    return load_recipe(file)


def told(store: Store, recipe: Recipe) -> dict[str, dict[str, Any]]:
    return {row["reason"]: row for row in why(store, recipe)["reasons"]}


def arrives(store: Store, folder: Path, *records: traces.Trace) -> None:
    ingest(
        store, [str(traces.write(folder / f"{records[0]['trace_id']}.jsonl", list(records)))], "ondemand", "production"
    )


def test_every_reason_has_its_count_share_change_and_examples(tmp_path: Path, recipe: Recipe) -> None:
    store = Store(tmp_path / "w.duckdb")
    bad = traces.bad()
    arrives(store, tmp_path, traces.good(0), traces.good(1), *bad)
    check(store, recipe)
    first = told(store, recipe)
    assert {reason: row["found"] for reason, row in first.items()} == {
        trace["trace_id"].removeprefix("bad-"): 1 for trace in bad
    }
    row = first["plugin.unknown"]
    assert (row["stage"], row["fell"], row["flagged"], row["change"]) == ("plugin", 1, 0, None)
    assert row["share"] == pytest.approx(1 / 6)
    assert [example["trace_id"] for example in row["examples"]] == ["bad-plugin.unknown"]
    assert why(store, recipe)["since"] is None

    more = [
        traces.trace(f"more-{n}", f"Weather of {city}?", traces.step(city, pluginId="p"))
        for n, city in enumerate(("Graz", "Linz", "Wels", "Enns"))
    ]
    arrives(store, tmp_path, *more)
    check(store, recipe)
    row = told(store, recipe)["plugin.unknown"]
    assert (row["found"], row["change"], len(row["examples"])) == (5, 4, 3)
    assert told(store, recipe)["hydration.flag"]["change"] == 0
    check(store, recipe)
    assert told(store, recipe)["plugin.unknown"]["change"] == 0


def test_what_the_judge_finds_belongs_to_the_check_before_it(tmp_path: Path, recipe: Recipe) -> None:
    store = Store(tmp_path / "w.duckdb")
    wrong = [traces.trace(f"t-{n}", traces.REQUESTS[n].format("Graz"), traces.step("Porto")) for n in range(3)]
    arrives(store, tmp_path, *wrong)
    for _ in range(2):
        check(store, recipe)
        judge(store, recipe)
    row = told(store, recipe)["judge.below_threshold"]
    assert (row["found"], row["fell"], row["change"]) == (3, 3, 0)
    assert store.read("last_checked", recipe=recipe.name, most=9).height == 2


def test_what_another_recipe_has_checked_since_is_not_counted_before(tmp_path: Path, recipe: Recipe) -> None:
    store = Store(tmp_path / "w.duckdb")
    wrong = [
        traces.trace(f"t-{n}", f"Weather of {city}?", traces.step(city, pluginId="p"))
        for n, city in enumerate(("Graz", "Linz", "Wels"))
    ]
    arrives(store, tmp_path, *wrong[:1])
    check(store, recipe)
    arrives(store, tmp_path, *wrong[1:])
    check(store, replace(recipe, name="other"))
    check(store, recipe)
    row = told(store, recipe)["plugin.unknown"]
    assert (row["found"], row["change"]) == (3, 2)


def test_a_check_that_was_killed_after_a_change_keeps_what_was_counted(tmp_path: Path, recipe: Recipe) -> None:
    store = Store(tmp_path / "w.duckdb")
    arrives(store, tmp_path, traces.good(0), *traces.bad())
    check(store, recipe)
    check(store, recipe)
    keep_reasons(store, recipe, read_members(store, recipe))
    with store.write() as transaction:
        transaction.run("delete_verdicts", recipe=recipe.name)
    check(store, recipe)
    assert {row["change"] for row in told(store, recipe).values()} == {0}


def test_a_reason_that_is_found_no_more_is_told_with_what_it_lost(tmp_path: Path, recipe: Recipe) -> None:
    store = Store(tmp_path / "w.duckdb")
    mute = traces.good(1)
    mute["messages"][-1]["content"] = mute["messages"][-1]["content"].partition("</think>")[2]
    arrives(store, tmp_path, mute, traces.good(0))
    check(store, recipe)
    check(store, replace(recipe, check=replace(recipe.check, thinking="optional")))
    row = told(store, recipe)["thinking.missing"]
    assert (row["found"], row["fell"], row["change"], row["examples"]) == (0, 0, -1, [])
