"""The whole path as functions: trace to release, again with nothing new, and again after something changed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import datasets
import orjson
import polars as pl
import pytest

from curation.errors import InputError
from curation.recipe import Recipe
from curation.recipes import load_recipe
from curation.release.targets.folder import FolderTarget
from curation.stages import corpus_stages, row_stages
from flows import asking, publishing
from flows.checking import check, remember_stages
from flows.ingesting import ingest
from flows.judging import judge
from flows.publishing import publish
from tests import traces
from warehouse import Store


class Walk:
    """A warehouse, a source file and a recipe in one folder."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "w.duckdb")
        self.source = folder / "t.jsonl"
        self.file = folder / "r.toml"
        self.to = folder / "out"

    def recipe(self, **sections: str) -> Recipe:
        self.file.write_text(traces.recipe_text(self.source, self.to, **sections))
        return load_recipe(self.file)

    def walk(self, recipe: Recipe) -> publishing.Published:
        ingest(self.store, [str(self.source)], "auto", "production")
        check(self.store, recipe)
        judge(self.store, recipe)
        return publish(self.store, recipe)

    def decisions(self) -> dict[str, int]:
        """How many decisions each stage has, under all fingerprints."""
        with self.store.write() as transaction:
            rows = transaction._connection.sql("SELECT stage, count(*) FROM decision GROUP BY stage").fetchall()
        return dict(rows)


@pytest.fixture
def path(tmp_path: Path) -> Walk:
    made = Walk(tmp_path)
    good = [traces.good(number) for number in range(24)]
    poor = traces.trace(
        "poor", "Will Aarhus be dry at noon?", traces.step("Aarhus"), thinking="Cheese is made of milk."
    )
    traces.write(made.source, [*good, poor, *traces.bad(), traces.again(good[0], trace_id="again")], "not JSON")
    return made


def test_counts_in_are_counts_out(path: Walk) -> None:
    done = path.walk(path.recipe())
    told = asking.status(path.store, load_recipe(path.file))
    assert (told["traces"], told["unreadable"], told["repeated"], told["samples"]) == (31, 1, 1, 29)
    assert told["samples"] == told["accepted"] + sum(row["samples"] for row in told["fell"])
    assert sum(done.rows.values()) == told["accepted"]
    assert {row["reason"] for row in told["fell"]} == {trace["trace_id"].removeprefix("bad-") for trace in traces.bad()}


def test_the_release_loads_and_holds_just_the_accepted_samples(path: Walk, tmp_path: Path) -> None:
    recipe = path.recipe()
    done = path.walk(recipe)
    accepted = set(asking.chosen_samples(path.store, recipe, True, None, None)["sample_id"])
    loaded = datasets.load_dataset(done.path, "sft", cache_dir=str(tmp_path / "cache"))
    assert {sample_id for split in loaded.values() for sample_id in split["sample_id"]} == accepted
    assert len(accepted) == 25


def test_again_nothing_is_new(path: Walk) -> None:
    recipe = path.recipe()
    first = path.walk(recipe)
    before = path.decisions()
    second = path.walk(recipe)
    assert not second.new
    assert (second.version, second.path) == (first.version, first.path)
    assert path.decisions() == before
    assert len(asking.releases(path.store, "t")) == 1


def test_new_traces_make_the_next_version_and_keep_every_split(path: Walk) -> None:
    recipe = path.recipe(release="validation = 0.2\ntest = 0.2")
    path.walk(recipe)
    traces.write(path.source, [traces.good(number) for number in range(60)])
    second = path.walk(recipe)
    assert (second.version, second.new) == ("1.1.0", True)
    held = {v: path.store.read("release_held", name="t", version=v) for v in ("1.0.0", "1.1.0")}
    both = held["1.0.0"].join(held["1.1.0"], on="sample_id", how="left", suffix="_later")
    assert both["split"].to_list() == both["split_later"].to_list()
    assert held["1.1.0"].height > held["1.0.0"].height


def test_a_release_that_is_lost_is_placed_again_with_the_same_files(path: Walk) -> None:
    recipe = path.recipe()
    path.walk(recipe)
    traces.write(path.source, [traces.good(number) for number in range(12, 60)])  # some of them later than those before
    second = path.walk(recipe)
    place = Path(second.path or "")
    before = {file.name: file.read_bytes() for file in place.rglob("*.parquet")}
    shutil.rmtree(place)
    assert not path.walk(recipe).new
    assert {file.name: file.read_bytes() for file in place.rglob("*.parquet")} == before


def test_without_the_shards_of_the_last_release_the_next_one_has_the_same_rows(path: Walk) -> None:
    recipe = path.recipe()
    path.walk(recipe)
    shards = path.store.path.with_name("w.duckdb.shards")
    assert {file.read_bytes() for file in shards.rglob("*.parquet")} == {
        file.read_bytes() for file in path.to.rglob("*.parquet")
    }
    shutil.rmtree(shards)
    again = path.walk(recipe)
    assert (again.new, again.version) == (False, "1.0.0")


def test_a_changed_setting_redoes_only_the_stage_that_reads_it(path: Walk) -> None:
    path.walk(path.recipe())
    before = path.decisions()
    check(path.store, path.recipe(check='thinking = "optional"'))
    after = path.decisions()
    assert after["thinking"] == 2 * before["thinking"]
    assert {stage: n for stage, n in after.items() if stage != "thinking"} == {
        stage: n for stage, n in before.items() if stage != "thinking"
    }


def test_two_recipes_live_side_by_side(path: Walk) -> None:
    recipe = path.recipe()
    path.walk(recipe)
    strict = replace(recipe, name="other", judge=replace(recipe.judge, accept=10.0))
    check(path.store, strict)
    judge(path.store, strict)
    assert asking.status(path.store, strict)["accepted"] == 24
    assert asking.status(path.store, recipe)["accepted"] == 25


def test_what_another_recipe_has_brought_and_checked_before_the_judge_is_judged_and_published(path: Walk) -> None:
    recipe = path.recipe()
    ingest(path.store, [str(path.source)], "auto", "production")
    check(path.store, recipe)
    traces.write(path.source, [traces.good(number) for number in range(40)])
    ingest(path.store, [str(path.source)], "auto", "production")
    check(path.store, replace(recipe, name="other"))
    judge(path.store, recipe)
    done = publish(path.store, recipe)
    assert sum(done.rows.values()) == asking.status(path.store, recipe)["accepted"] == 41


def test_a_new_threshold_of_the_judge_asks_nothing(path: Walk) -> None:
    recipe = path.recipe()
    path.walk(recipe)
    strict = replace(recipe, judge=replace(recipe.judge, accept=10.0))
    assert judge(path.store, strict).done == 0
    told = asking.status(path.store, strict)
    assert told["accepted"] + sum(row["samples"] for row in told["fell"]) == 29
    assert any(row["reason"] == "judge.below_threshold" for row in told["fell"])


def test_a_release_is_not_made_of_what_another_judge_scored(path: Walk) -> None:
    recipe = path.recipe()
    path.walk(recipe)
    with pytest.raises(InputError, match="last judged otherwise than the recipe says"):
        publish(path.store, replace(recipe, judge=replace(recipe.judge, accept=9.0)))


def test_what_is_not_checked_is_not_judged_and_what_is_not_judged_is_not_published(path: Walk) -> None:
    recipe = path.recipe()
    ingest(path.store, [str(path.source)], "auto", "production")
    with pytest.raises(InputError, match=r"has not been checked yet.*curation check"):
        judge(path.store, recipe)
    check(path.store, recipe)
    with pytest.raises(InputError, match=r"undecided at judge.*curation judge"):
        publish(path.store, recipe)
    judge(path.store, recipe, limit=5)
    with pytest.raises(InputError, match="20 samples of t are undecided at judge"):
        publish(path.store, recipe)
    judge(path.store, recipe)
    traces.write(path.source, [traces.good(number) for number in range(30)])
    ingest(path.store, [str(path.source)], "auto", "production")
    with pytest.raises(InputError, match="came after its last check"):
        publish(path.store, recipe)
    assert not path.to.exists()


def test_a_copy_that_the_judge_puts_out_lets_the_other_copy_back_in(path: Walk) -> None:
    request = traces.REQUESTS[0].format("Oslo")
    poor = traces.trace("poor", request, traces.step("Oslo"), thinking="Cheese is made of milk, and of patience.")
    fair = traces.trace("fair", request, traces.step("Oslo"))
    traces.write(path.source, [traces.again(poor, timestamp="2026-01-01T00:00:00Z"), fair])
    recipe = path.recipe()
    recipe = replace(recipe, judge=replace(recipe.judge, accept=8.0))
    ingest(path.store, [str(path.source)], "auto", "production")
    check(path.store, recipe)
    assert [row["reason"] for row in asking.status(path.store, recipe)["fell"] if row["stage"] == "dedup"] == [
        "duplicate.exact"
    ]
    assert judge(path.store, recipe).done == 2
    told = asking.status(path.store, recipe)
    assert told["accepted"] == 1
    assert [row["reason"] for row in told["fell"]] == ["judge.below_threshold"]
    assert asking.chosen_samples(path.store, recipe, True, None, None)["trace_id"].to_list() == ["fair"]


def test_a_kill_between_placing_and_noting_a_release_is_mended_by_the_next_publish(
    path: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = path.recipe()
    ingest(path.store, [str(path.source)], "auto", "production")
    check(path.store, recipe)
    judge(path.store, recipe)
    real = Store.write

    class Killed(BaseException):
        pass

    def dies_at_the_end(self: Store):  # type: ignore[no-untyped-def]
        if (path.to / "t-v1.0.0").exists():
            raise Killed
        return real(self)

    monkeypatch.setattr(Store, "write", dies_at_the_end)
    with pytest.raises(Killed):
        publish(path.store, recipe)
    monkeypatch.undo()
    assert asking.releases(path.store, "t")[0]["state"] == "building"
    traces.write(path.source, [traces.good(number) for number in range(40)])
    done = path.walk(recipe)
    told = asking.releases(path.store, "t")
    assert [(r["version"], r["state"]) for r in told] == [("1.0.0", "published"), ("1.1.0", "published")]
    assert done.version == "1.1.0"
    manifest = orjson.loads((path.to / "t-v1.0.0" / "manifest.json").read_bytes())
    assert manifest["samples"]["count"] == 25


def test_a_check_that_was_killed_after_the_recipe_changed_leaves_nothing_to_publish(path: Walk) -> None:
    recipe = path.recipe()
    path.walk(recipe)
    changed = replace(recipe, check=replace(recipe.check, thinking="optional"))
    remember_stages(path.store, changed, [*row_stages(changed.check), *corpus_stages(changed)])
    with pytest.raises(InputError, match="curation check"):
        publish(path.store, changed)


def test_a_release_that_was_stopped_before_it_was_placed_is_not_published_behind_ones_back(
    path: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = path.recipe()
    ingest(path.store, [str(path.source)], "auto", "production")
    check(path.store, recipe)
    judge(path.store, recipe)

    class Stopping(BaseException):
        pass

    def stopped(*given: object) -> None:
        raise Stopping

    monkeypatch.setattr(FolderTarget, "publish", stopped)
    with pytest.raises(Stopping):
        publish(path.store, recipe)
    monkeypatch.undo()
    strict = replace(recipe, judge=replace(recipe.judge, accept=10.0))
    done = path.walk(strict)
    assert (done.version, sum(done.rows.values())) == ("1.0.0", 24)
    assert [(r["version"], r["state"]) for r in asking.releases(path.store, "t")] == [("1.0.0", "published")]


def test_a_version_is_published_once(path: Walk, tmp_path: Path) -> None:
    recipe = path.recipe()
    path.walk(recipe)
    with pytest.raises(InputError, match="published already"):
        publish(path.store, recipe, str(tmp_path / "other"), "1.0.0")
    with pytest.raises(InputError, match=r"lower than 1\.0\.0"):
        publish(path.store, recipe, None, "0.9.0")
    assert path.store.read("release_held", name="t", version="1.0.0").height == 25


def run_of(number: int, exchanges: int) -> traces.Trace:
    """An agent run of so many tool calls, in OpenAI form, under one trace_id however long it has grown."""
    city = traces.CITIES[number]
    messages: list[traces.Trace] = []
    for turn in range(exchanges):
        call = {"name": "Weather", "arguments": json.dumps({"city": f"{city} {turn}"})}
        messages += [
            {"role": "user", "content": f"{traces.REQUESTS[(number + turn) % 12].format(city)} ({turn})"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": f"c{turn}", "type": "function", "function": call}],
            },
            {"role": "tool", "tool_call_id": f"c{turn}", "content": "sunny"},
            {"role": "assistant", "content": f"It is sunny in {city}."},
        ]
    tool = {"name": "Weather", "description": "Weather of a city", "parameters": traces.OFFERED["parameters"]}
    return {"trace_id": f"run-{number}", "messages": messages, "tools": [{"type": "function", "function": tool}]}


def test_a_run_that_grew_stays_in_one_split_and_has_one_last_turn(path: Walk) -> None:
    recipe = path.recipe(check='thinking = "optional"', release="validation = 0.3\ntest = 0.3")
    traces.write(path.source, [run_of(number, 2) for number in range(12)])
    path.walk(recipe)
    traces.write(path.source, [run_of(number, 3) for number in range(12)])
    path.walk(recipe)
    held = path.store.read("release_held", name="t", version="1.1.0")
    samples = asking.chosen_samples(path.store, recipe, True, None, None).join(held, on="sample_id")
    assert samples.height == 36
    assert samples.group_by("trace_id").agg(splits=pl.col("split").n_unique())["splits"].max() == 1
    last = replace(recipe, name="last", samples=replace(recipe.samples, turns="last"))
    check(path.store, last)
    assert asking.status(path.store, last)["samples"] == 12
