"""Candidates without parameters take the registry's, where a recipe asks for it; what differs from it is told."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.errors import InputError
from curation.recipe import Recipe
from curation.recipes import load_recipe
from curation.sample import dumps
from curation.stages import index_fingerprint
from flows import asking, completing, loading
from flows.checking import check
from flows.children import keep_children
from flows.completing import complete_candidates, find_conflicts
from flows.ingesting import ingest
from flows.judging import judge
from flows.publishing import publish
from flows.registering import import_plugins
from tests import traces
from tests.conftest import Cli
from warehouse import Store

BARE = {key: value for key, value in traces.OFFERED.items() if key != "parameters"}
FORGETFUL = traces.trace("forgetful", "Does it rain at the harbour?", traces.step("x", api_request_parameters={}))


def bare(trace: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """The trace with a candidate that says nothing of its parameters, or something else."""
    return {**trace, "candidates": [{**BARE, **parameters}]}


class House:
    """A warehouse of twelve good traces and one that forgets a parameter; nobody says what the plugin takes."""

    def __init__(self, folder: Path, *more: dict[str, Any]) -> None:
        self.store = Store(folder / "w.duckdb")
        self.folder = folder
        told = [*(bare(traces.good(number)) for number in range(12)), bare(FORGETFUL), *more]
        self.source = traces.write(folder / "t.jsonl", told)
        ingest(self.store, [str(self.source)], "ondemand", "production")

    def recipe(self, name: str = "t", **sections: str) -> Recipe:
        file = self.folder / f"{name}.toml"
        text = traces.recipe_text(self.source, self.folder / "out", **sections)
        file.write_text(text.replace('"t"', f'"{name}"', 1))
        return load_recipe(file)

    def register(self, **parameters: Any) -> None:
        """Imports the weather plugin, whose parameters are as in the traces of other tests but for what is given."""
        plugin = {**traces.OFFERED, "parameters": {**traces.OFFERED["parameters"], **parameters}}
        self.register_all(plugin)

    def register_all(self, *plugins: dict[str, Any]) -> None:
        file = self.folder / "registry.jsonl"
        file.write_text("".join(json.dumps(plugin) + "\n" for plugin in plugins))
        import_plugins(self.store, [str(file)])

    def fell(self, recipe: Recipe) -> dict[str, int]:
        return {row["reason"]: row["samples"] for row in asking.status(self.store, recipe)["fell"]}

    def standing(self, recipe: Recipe) -> pl.DataFrame:
        """The samples that no other one has replaced."""
        frame = asking.chosen_samples(self.store, recipe, False, None, None)
        return frame.filter(pl.col("reason").ne_missing("lineage.superseded"))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_what_the_registry_asks_for_is_asked_of_the_plan(house: House) -> None:
    recipe = house.recipe()
    check(house.store, recipe)
    assert house.fell(recipe) == {"undecided": 13}
    house.register()
    check(house.store, recipe)
    assert house.fell(recipe) == {"undecided": 12, "hydration.missing_required": 1, "lineage.superseded": 13}
    (row,) = asking.decisions(house.store, recipe).filter(pl.col("stage") == "hydration").iter_rows(named=True)
    assert row["reason"] == "hydration.missing_required"
    assert json.loads(row["detail"])["pointer"] == "/plugins/0/api_request_parameters/city"
    assert (row["trace_id"], row["trace_ids"]) == ("forgetful", ["forgetful"])


def test_a_recipe_that_asks_for_nothing_sees_its_samples_as_they_came(house: House) -> None:
    asks, plain = house.recipe(), house.recipe("plain", samples="backfill = []")
    house.register()
    for recipe in (plain, asks, plain):
        check(house.store, recipe)
    assert house.fell(plain) == {"undecided": 13}
    assert house.fell(asks)["hydration.missing_required"] == 1
    told = asking.status(house.store, plain)
    assert (told["samples"], told["made"], told["replaced"]) == (13, {}, 0)


def test_status_says_how_many_were_completed(house: House) -> None:
    house.register()
    recipe = house.recipe()
    check(house.store, recipe)
    told = asking.status(house.store, recipe)
    assert (told["samples"], told["made"], told["replaced"]) == (26, {"schemas": 13}, 13)
    assert told["samples"] == told["accepted"] + sum(row["samples"] for row in told["fell"])
    assert {stage["stage"]: stage["seen"] for stage in told["stages"]}["schema"] == 26
    assert {stage["stage"]: stage["seen"] for stage in told["stages"]}["dedup"] == 12


def test_a_sample_and_what_was_made_of_it_are_no_copies_of_each_other(house: House) -> None:
    asks, plain = house.recipe(), house.recipe("plain", samples="backfill = []")
    house.register()
    for recipe in (plain, asks, plain):
        check(house.store, recipe)
    both = asking.chosen_samples(house.store, asks, False, None, None).select("sample_id")
    assert both.height == 26
    mark = index_fingerprint(asks)
    assert house.store.read("signature_keys", {"members": both}, fingerprint=mark).height == 25
    assert house.store.read("similar_pairs", {"members": both}, fingerprint=mark).is_empty()


def test_again_nothing_is_made_and_nothing_is_decided(house: House) -> None:
    house.register()
    recipe = house.recipe()
    check(house.store, recipe)
    before = asking.status(house.store, recipe)
    assert complete_candidates(house.store, recipe) == 0
    house.register()
    house.register_all({"pluginId": "unrelated", "name": "Other", "parameters": {"type": "object", "properties": {}}})
    assert complete_candidates(house.store, recipe) == 0
    check(house.store, recipe)
    assert asking.status(house.store, recipe) == before


def test_a_child_of_an_older_registry_gives_its_place_to_one_of_todays(house: House) -> None:
    recipe = house.recipe()
    house.register()
    check(house.store, recipe)
    older = set(house.standing(recipe)["sample_id"])
    house.register(required=[])
    check(house.store, recipe)
    newer = house.standing(recipe)
    assert house.fell(recipe) == {"undecided": 13, "lineage.superseded": 13}
    assert newer.height == 13
    assert not older & set(newer["sample_id"])
    assert {json.loads(text)[0]["parameters"]["required"] == [] for text in newer["candidates"]} == {True}
    house.register()
    check(house.store, recipe)
    assert set(house.standing(recipe)["sample_id"]) == older


def test_what_was_made_before_a_stop_is_not_made_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = house.recipe()
    house.register()
    kept = []

    def stopped(store: Store, made: pl.DataFrame, maker: str) -> int:
        if kept:
            raise KeyboardInterrupt
        kept.append(keep_children(store, made, maker))
        return kept[0]

    monkeypatch.setattr(loading, "BATCH", 5)
    with monkeypatch.context() as patch:
        patch.setattr(completing, "keep_children", stopped)
        with pytest.raises(KeyboardInterrupt):
            check(house.store, recipe)
    assert kept == [5]
    assert complete_candidates(house.store, recipe) == 8
    check(house.store, recipe)
    assert asking.status(house.store, recipe)["made"] == {"schemas": 13}


def test_where_the_registry_forgets_the_schema_the_parent_stands_again(house: House) -> None:
    recipe = house.recipe()
    house.register()
    check(house.store, recipe)
    house.register_all(BARE)
    check(house.store, recipe)
    assert house.fell(recipe) == {"undecided": 13}


def test_a_trace_that_comes_later_is_completed_too_and_a_repeated_one_is_known_of_the_child(house: House) -> None:
    recipe = house.recipe()
    house.register()
    check(house.store, recipe)
    more = [bare(traces.good(20)), traces.again(bare(traces.good(0)), trace_id="again")]
    later = traces.write(house.folder / "later.jsonl", more)
    ingest(house.store, [str(later)], "ondemand", "production")
    check(house.store, recipe)
    assert asking.status(house.store, recipe)["made"] == {"schemas": 14}
    told = asking.explain(house.store, "good-0")
    child = told["samples"][1]["sample_id"]
    assert {trace["trace_id"] for trace in asking.explain(house.store, child)["traces"]} == {"good-0", "again"}


def test_a_trace_that_says_what_the_registry_would_is_the_same_sample(house: House) -> None:
    recipe = house.recipe()
    house.register()
    check(house.store, recipe)
    same = traces.write(house.folder / "same.jsonl", [traces.again(traces.good(0), trace_id="own")])
    ingest(house.store, [str(same)], "ondemand", "production")
    check(house.store, recipe)
    told = asking.status(house.store, recipe)
    assert (told["samples"], told["replaced"]) == (26, 13)
    plain = house.recipe("plain", samples='backfill = []\nturns = "last"')
    check(house.store, plain)
    assert asking.status(house.store, plain)["samples"] == 14


def test_the_judge_and_the_release_are_shown_the_completed_form(house: House) -> None:
    recipe = house.recipe()
    house.register()
    check(house.store, recipe)
    assert judge(house.store, recipe).done == 12
    done = publish(house.store, recipe)
    (file,) = (Path(done.path) / "data" / "grpo").glob("*.parquet")
    rows = pl.read_parquet(file)
    assert rows.height == 12
    assert set(rows["sample_id"]) == set(house.standing(recipe).filter("accepted")["sample_id"])
    assert all(
        json.loads(text) == [{**BARE, "parameters": traces.OFFERED["parameters"]}] for text in rows["candidates"]
    )
    assert all('"required"' in prompt[-1]["content"] for prompt in rows["prompt"])
    manifest = json.loads((Path(done.path) / "manifest.json").read_text())
    assert manifest["funnel"]["made"] == {"schemas": 13}
    assert "13 completed from the plugin registry" in (Path(done.path) / "README.md").read_text()


def test_nothing_is_judged_or_published_by_an_older_registry(house: House) -> None:
    recipe = house.recipe()
    check(house.store, recipe)
    house.register()
    with pytest.raises(InputError, match="registry has changed since t was last checked, and may complete 13"):
        judge(house.store, recipe)
    check(house.store, recipe)
    judge(house.store, recipe)
    house.register(required=[])
    with pytest.raises(InputError, match="registry has changed"):
        publish(house.store, recipe)
    house.register_all(BARE)
    with pytest.raises(InputError, match="13 samples that stood in the place of others"):
        publish(house.store, recipe)


def test_a_completed_sample_keeps_the_split_of_the_one_it_was_made_of(house: House) -> None:
    recipe = house.recipe(release="validation = 0.3\ntest = 0.3")
    for step in (check, judge, publish):
        step(house.store, recipe)
    house.register(required=[])
    for step in (check, judge, publish):
        step(house.store, recipe)
    held = [house.store.read("release_held", name="t", version=version) for version in ("1.0.0", "1.1.0")]
    assert not set(held[0]["sample_id"]) & set(held[1]["sample_id"])
    members = asking.chosen_samples(house.store, recipe, False, None, None)
    parent = dict(members.select("sample_id", "parent_id").iter_rows())
    split_before = dict(held[0].select("sample_id", "split").iter_rows())
    assert len(set(split_before.values())) > 1
    for sample_id, split in held[1].select("sample_id", "split").iter_rows():
        assert split == split_before[parent[sample_id]]


def test_an_explanation_tells_both_directions(house: House) -> None:
    recipe = house.recipe()
    house.register()
    check(house.store, recipe)
    parent, child = asking.explain(house.store, "forgetful")["samples"]
    assert [(one["sample_id"], one["maker"], one["stands"]) for one in parent["children"]] == [
        (child["sample_id"], "schemas", True)
    ]
    assert [(one["sample_id"], one["stands"]) for one in child["made_of"]] == [(parent["sample_id"], True)]
    house.register(required=[])
    parent, older = asking.explain(house.store, "forgetful")["samples"]
    assert [(one["sample_id"], one["stands"]) for one in older["made_of"]] == [(parent["sample_id"], False)]


def turn(name: str, result: str) -> list[dict[str, Any]]:
    call = {"id": f"id-{name}", "type": "function", "function": {"name": name, "arguments": "{}"}}
    return [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": f"id-{name}", "content": result},
    ]


def test_turns_of_a_run_are_completed_and_stay_turns_of_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    names = ("zeta", "alpha", "mid")
    messages = [{"role": "user", "content": "Do three things"}, *(m for name in names for m in turn(name, "done"))]
    tools = [{"type": "function", "function": {"name": name, "description": name}} for name in names]
    run = {"id": "run-1", "messages": [*messages, {"role": "assistant", "content": "Done."}], "tools": tools}
    ingest(house.store, [str(traces.write(tmp_path / "run.jsonl", [run]))], "openai", "runs")
    schema = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
    house.register_all({"pluginId": "alpha", "name": "alpha", "description": "alpha", "parameters": schema})
    text = 'name = "runs"\n[[source]]\nname = "runs"\n[check]\nthinking = "optional"\n'
    (tmp_path / "runs.toml").write_text(text)
    recipe = load_recipe(tmp_path / "runs.toml")
    check(house.store, recipe)
    told = asking.status(house.store, recipe)
    assert (told["samples"], told["made"]) == (6, {"schemas": 3})
    assert [row["samples"] for row in told["fell"] if row["reason"] == "hydration.missing_required"] == [1]
    (tmp_path / "runs.toml").write_text(text + '[samples]\nturns = "last"\n')
    recipe = load_recipe(tmp_path / "runs.toml")
    check(house.store, recipe)
    assert [plugin_of(row) for row in asking.chosen_samples(house.store, recipe, False, None, None)["plan"]] == [
        "mid"
    ] * 2
    told = asking.explain(house.store, asking.chosen_samples(house.store, recipe, False, None, 1)["trace_id"].item())
    assert [(row["kind"], row["turn"], bool(row["made_of"])) for row in told["samples"]] == [
        ("trajectory", None, False),
        *((("plan", position, made)) for position in (1, 3, 5) for made in (False, True)),
    ]


def plugin_of(plan: str) -> str:
    """The first plugin that a plan calls."""
    return str(json.loads(plan)["plugins"][0]["pluginId"])


OTHER = {"parameters": {"type": "object", "properties": {"city": {"type": "integer"}}, "required": ["city"]}}
SAME = {"parameters": {**traces.OFFERED["parameters"], "description": "What it takes"}}


@pytest.fixture
def differing(tmp_path: Path) -> House:
    return House(tmp_path, *(bare(traces.good(20 + n), **(OTHER if n < 2 else SAME)) for n in range(3)))


def test_conflicts_are_told_with_their_counts_and_an_example_and_drop_nothing(differing: House) -> None:
    recipe = differing.recipe()
    check(differing.store, recipe)
    before = differing.fell(recipe)
    assert find_conflicts(differing.store, recipe).conflicts == []
    differing.register()
    found = find_conflicts(differing.store, recipe)
    (conflict,) = found.conflicts
    assert (conflict.pluginId, conflict.samples, found.samples, found.plugins) == ("plugin-1", 2, 2, 1)
    assert conflict.difference == "city: type integer in the trace, string in the registry"
    assert conflict.trace_id in {"good-20", "good-21"}
    check(differing.store, recipe)
    assert differing.fell(recipe) == {**before, "undecided": 13, "hydration.missing_required": 1} | {
        "lineage.superseded": 13
    }


def test_conflicts_are_those_of_the_recipes_samples(differing: House) -> None:
    differing.register()
    (differing.folder / "else.toml").write_text('name = "else"\n[[source]]\nname = "elsewhere"\n')
    assert find_conflicts(differing.store, load_recipe(differing.folder / "else.toml")).samples == 0


def test_the_commands_warn_of_conflicts_and_list_them(cli: Cli) -> None:
    source = traces.write(cli.folder / "t.jsonl", [bare(traces.good(0)), bare(traces.good(1), **OTHER)])
    (cli.folder / "registry.jsonl").write_text(json.dumps(traces.OFFERED) + "\n")
    cli.ok("ingest", source)
    cli.ok("plugins", "import", "registry.jsonl")
    done = cli("check")
    assert done.returncode == 0, done.stderr
    assert "1 samples offer 1 plugins with other parameters than the registry has" in done.stderr
    assert "plugin-1: city: type integer in the trace, string in the registry (1 sample, such as good-1)" in done.stderr
    assert "1 completed from the plugin registry" in done.stdout
    told = cli.json("plugins", "conflicts")
    assert (told["recipe"], told["plugins"], told["samples"], len(told["conflicts"])) == ("default", 1, 1, 1)
    assert "such as good-1" in cli.ok("plugins", "conflicts")
    shown = cli.ok("explain", "good-0")
    assert " by schemas" in shown
    assert "stands in its place where a recipe asks for schemas" in shown


@pytest.mark.slow
def test_a_check_that_is_killed_while_it_completes_is_finished_by_the_next(cli: Cli) -> None:
    source = traces.write(
        cli.folder / "t.jsonl", [bare(traces.trace(f"t-{n}", f"Rain? {n}", traces.step("Oslo"))) for n in range(11_000)]
    )
    (cli.folder / "registry.jsonl").write_text(json.dumps(traces.OFFERED) + "\n")
    cli.ok("ingest", source)
    cli.ok("plugins", "import", "registry.jsonl")
    for delay in (2.0, 3.0, 4.0):
        process = cli.start("check")
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    told = cli.json("check")
    assert (told["samples"], told["made"], told["replaced"]) == (22_000, {"schemas": 11_000}, 11_000)
    assert dumps(cli.json("check")) == dumps(told)
