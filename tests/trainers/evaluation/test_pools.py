"""A pool holds the plan's plugins and as many others as asked, the nearest of the release, always the same ones."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from curation.errors import InputError
from curation.render import render_prompt
from curation.sample import dumps
from tests.trainers.evaluation.conftest import rows
from trainers.evaluation.pools import Catalogue, parse_pools, pooled


def plugin(name: str, description: str) -> dict[str, Any]:
    return {"pluginId": name, "name": name, "description": description, "parameters": {"type": "object"}}


WEATHER = plugin("weather", "tells the weather of a city")
FORECAST = plugin("forecast", "forecasts the weather of a city for days")
RAIN = plugin("rain", "tells whether rain comes to a city")
MUSIC = plugin("music", "plays a song")
TWIN = plugin("weather-2", "tells the weather of a city")
BANK = plugin("bank", "moves money between accounts")
RELEASE = [WEATHER, FORECAST, RAIN, MUSIC, BANK]


def row(own: list[dict[str, Any]] | None, *called: str, history: bool = False) -> dict[str, Any]:
    """A row of the configuration `grpo`."""
    before = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}] if history else []
    steps = [{"pluginId": name, "api_request_parameters": {}, "dependencies": []} for name in called]
    return {
        "sample_id": "s-1",
        "prompt": render_prompt([*before, {"role": "user", "content": "Weather?"}], own),
        "candidates": None if own is None else dumps(own),
        "plan": orjson.dumps({"plugins": steps}).decode(),
        "request": "Weather?",
    }


def ids(shown: dict[str, Any] | None) -> list[str]:
    assert shown is not None
    return [candidate["pluginId"] for candidate in orjson.loads(shown["candidates"])]


def catalogue(*plugins: dict[str, Any]) -> Catalogue:
    return Catalogue([None, dumps(list(plugins)), dumps(list(plugins))])


def test_the_nearest_others_come_in_first() -> None:
    shown, short = pooled(row([WEATHER], "weather"), "3", catalogue(*RELEASE))
    assert set(ids(shown)) == {"weather", "forecast", "rain"}
    assert not short


def test_what_says_the_same_as_the_right_plugin_is_no_wrong_choice() -> None:
    shown, short = pooled(row([WEATHER], "weather"), "6", catalogue(TWIN, *RELEASE))
    assert set(ids(shown)) == {"weather", "forecast", "rain", "music", "bank"}
    assert short


def test_a_smaller_pool_keeps_the_plans_plugins_and_then_those_in_front() -> None:
    shown, _ = pooled(row(RELEASE, "bank"), "3", catalogue(*RELEASE))
    assert ids(shown) == ["weather", "forecast", "bank"]


def test_a_plan_of_more_plugins_than_the_pool_keeps_them_all() -> None:
    shown, _ = pooled(row(RELEASE, "bank", "music", "rain"), "2", catalogue(*RELEASE))
    assert ids(shown) == ["rain", "music", "bank"]


def test_the_rows_own_pool_is_the_row() -> None:
    given = row(RELEASE, "bank")
    assert pooled(given, "own", catalogue(*RELEASE)) == (given, False)
    assert pooled(given, "own", None) == (given, False)


def test_the_same_pool_comes_out_whatever_the_order_of_the_release() -> None:
    given = row([WEATHER, MUSIC], "weather")
    first, _ = pooled(given, "5", catalogue(*RELEASE))
    assert first is not None
    again, _ = pooled(given, "5", Catalogue([dumps(RELEASE[3:]), dumps(RELEASE[:3])]))
    assert first == again
    other, _ = pooled(given | {"sample_id": "s-2"}, "5", catalogue(*RELEASE))
    assert sorted(ids(other)) == sorted(ids(first))
    assert ids(other) != ids(first), "the place of the right plugin is the sample's own"


def test_the_prompt_shows_the_pool_and_nothing_else_changes() -> None:
    given = row([WEATHER], "weather", history=True)
    shown, _ = pooled(given, "3", catalogue(*RELEASE))
    assert shown is not None
    chosen = orjson.loads(shown["candidates"])
    messages = [{"role": m["role"], "content": m["content"]} for m in given["prompt"][1:-1]]
    assert shown["prompt"] == render_prompt([*messages, {"role": "user", "content": "Weather?"}], chosen)


def test_where_it_is_not_known_what_was_offered_there_is_no_pool_but_the_own() -> None:
    assert pooled(row(None, "weather"), "6", catalogue(*RELEASE)) == (None, False)
    assert pooled(row(None, "weather"), "own", catalogue(*RELEASE))[0] is not None


def test_a_plan_without_calls_gets_the_neighbours_of_what_was_offered() -> None:
    shown, _ = pooled(row([WEATHER]), "2", catalogue(*RELEASE))
    assert set(ids(shown)) == {"weather", "forecast"}


def test_a_prompt_that_shows_its_candidates_otherwise_is_one_sentence() -> None:
    given = row([WEATHER], "weather")
    given["prompt"][-1]["content"] = "Weather?"
    with pytest.raises(InputError, match=r"sample s-1 does not show its candidates.*--pool own"):
        pooled(given, "3", catalogue(*RELEASE))


@pytest.mark.parametrize(("text", "pools"), [("6,own,12", ("6", "own", "12")), (" own ,6,6", ("own", "6"))])
def test_pools_are_read(text: str, pools: tuple[str, ...]) -> None:
    assert parse_pools(text) == pools


@pytest.mark.parametrize("text", ["", ",", "six", "0", "6,-1", "6,all"])
def test_what_is_no_pool_is_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match="such as 6,own,12"):
        parse_pools(text)


@pytest.mark.parametrize("pool", ["2", "6", "12"])
def test_in_a_real_release_every_pool_is_full_and_holds_the_plan(release: Path, pool: str) -> None:
    listed = rows(release, "grpo", "test")
    known = Catalogue(
        one["candidates"] for split in ("train", "validation", "test") for one in rows(release, "grpo", split)
    )
    for one in listed:
        shown, short = pooled(one, pool, known)
        called = {step["pluginId"] for step in orjson.loads(one["plan"])["plugins"]}
        assert called <= set(ids(shown))
        assert len(ids(shown)) == len(set(ids(shown))) == max(int(pool), len(called)) or short
        assert not short
