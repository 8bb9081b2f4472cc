"""Children are kept in the warehouse beside their parents, and replace them in the recipes that ask for them."""

from pathlib import Path

import polars as pl
import pytest

from curation.children import child
from curation.recipe import Recipe
from curation.recipes import load_recipe
from curation.sample import SAMPLE_FRAME
from flows import asking
from flows.checking import check
from flows.children import keep_children, standing
from flows.ingesting import ingest
from flows.loading import load_samples
from tests import traces
from warehouse import Store


class House:
    """A warehouse with twelve good traces."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "w.duckdb")
        self.folder = folder
        self.source = traces.write(folder / "t.jsonl", [traces.good(number) for number in range(12)])
        ingest(self.store, [str(self.source)], "ondemand", "production")

    def recipe(self, name: str = "t", samples: str = "") -> Recipe:
        file = self.folder / f"{name}.toml"
        file.write_text(
            traces.recipe_text(self.source, self.folder / "out", samples=samples).replace('"t"', f'"{name}"', 1)
        )
        return load_recipe(file)

    def think(self, recipe: Recipe, mark: str = "m", most: int = 12) -> pl.DataFrame:
        """Children by `thinking` of at most so many samples that have none."""
        ids = standing(self.store, recipe, "thinking")["sample_id"].head(most)
        rows = [
            {**child(row, thinking=f"The Weather plugin is asked ({mark})."), "mark": mark}
            for row in load_samples(self.store, ids).iter_rows(named=True)
        ]
        return pl.DataFrame(rows, schema={**SAMPLE_FRAME, "mark": pl.String()})


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


THINKING = 'backfill = ["thinking"]'


def test_the_same_children_again_are_nothing_new(house: House) -> None:
    made = house.think(house.recipe(samples=THINKING))
    assert keep_children(house.store, made, "thinking") == 12
    assert keep_children(house.store, made, "thinking") == 0
    assert load_samples(house.store, made["sample_id"]).height == 12


def test_what_is_left_to_do_is_what_has_no_child(house: House) -> None:
    recipe = house.recipe(samples=THINKING)
    keep_children(house.store, house.think(recipe, most=5), "thinking")
    assert standing(house.store, recipe, "thinking").height == 7
    keep_children(house.store, house.think(recipe), "thinking")
    assert standing(house.store, recipe, "thinking").is_empty()


def test_a_child_replaces_its_parent_where_it_is_asked_for_and_only_there(house: House) -> None:
    recipe, plain = house.recipe(samples=THINKING), house.recipe("plain")
    keep_children(house.store, house.think(recipe, most=5), "thinking")
    for each in (recipe, plain):
        check(house.store, each)
    told = asking.status(house.store, recipe)
    assert told["samples"] == 12 + 5
    assert {"stage": "lineage", "reason": "lineage.superseded", "samples": 5} in told["fell"]
    assert asking.status(house.store, plain)["samples"] == 12
    assert all(row["stage"] == "judge" for row in asking.status(house.store, plain)["fell"])


def test_the_last_child_that_a_maker_made_stands(house: House) -> None:
    recipe = house.recipe(samples=THINKING)
    keep_children(house.store, house.think(recipe, "first"), "thinking")
    first = house.think(house.recipe("plain", 'backfill = ["schemas"]'), "second")
    assert first.is_empty()
    other = pl.DataFrame(
        [
            {**child(row, thinking="A second thought."), "mark": "second"}
            for row in load_samples(house.store, house_ids(house)).iter_rows(named=True)
        ],
        schema={**SAMPLE_FRAME, "mark": pl.String()},
    )
    keep_children(house.store, other, "thinking")
    check(house.store, recipe)
    stands = asking.chosen_samples(house.store, recipe, False, None, None).filter(pl.col("reason") == "undecided")
    assert set(stands["thinking"]) == {"A second thought."}
    assert stands.height == 12


def house_ids(house: House) -> pl.Series:
    """The samples that traces hold."""
    return standing(house.store, house.recipe("plain"), "schemas")["sample_id"]
