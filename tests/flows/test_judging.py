"""Judging as functions, over real HTTP: what is asked again and what never is, what it would cost, who is drawn first."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from curation.claude.budget import Budget
from curation.claude.tally import Tally
from curation.errors import InputError, Stopped
from curation.recipe import Recipe
from curation.recipes import load_recipe
from curation.show.histogram import histogram
from curation.stages import pipeline
from flows import asking, estimating, judging, reparsing
from flows.checking import check, survivors
from flows.ingesting import ingest
from flows.judging import judge
from flows.loading import read_members
from flows.progress import listening
from flows.publishing import publish
from tests import traces
from tests.claude.conftest import environment
from tests.servers.claude import Claude
from warehouse import Store

SAMPLES = 24


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Claude]:
    with Claude() as started:
        for name, value in environment(started.url).items():
            monkeypatch.setenv(name, value)
        yield started


@pytest.fixture
def checked(tmp_path: Path) -> tuple[Store, Recipe]:
    """A warehouse with samples that wait for Claude."""
    store, source = Store(tmp_path / "w.duckdb"), tmp_path / "t.jsonl"
    traces.write(source, [traces.good(number) for number in range(SAMPLES)])
    path = tmp_path / "r.toml"
    path.write_text(traces.recipe_text(source, tmp_path / "out").replace('"offline"', '"anthropic"'))
    recipe = load_recipe(path)
    ingest(store, [str(source)], "auto", "production")
    check(store, recipe)
    return store, recipe


def asks(recipe: Recipe, **judge: object) -> Recipe:
    """The recipe with other settings of its judge."""
    return replace(recipe, judge=replace(recipe.judge, **judge))  # type: ignore[arg-type]


def test_another_threshold_or_weight_asks_nothing(service, checked):
    store, recipe = checked
    service.score = lambda name, body: 5 if name == "form" else 9
    judge(store, recipe)
    for settings, accepted in (
        ({"accept": 8.5}, SAMPLES),
        ({"accept": 9.0}, 0),
        ({"accept": 8.5, "weights": {"form": 20.0}}, 0),
        ({"accept": 8.5, "weights": {"form": 0.0}}, SAMPLES),
        ({"accept": 8.5, "lift": 2.0}, 0),
    ):
        judge(store, asks(recipe, **settings))
        assert asking.status(store, recipe)["accepted"] == accepted, settings
    assert service.requests == SAMPLES
    assert max(service.canaries.values()) == 1


def standing(store: Store, recipe: Recipe) -> list[str]:
    """What the verdicts let through to the judge, which must be just what the decisions of the stages before it do."""
    members = read_members(store, recipe)
    found = judging.before_judge(store, recipe, members)["sample_id"].to_list()
    by_decisions = survivors(store, recipe, members, [asked.stage for asked in pipeline(recipe)[:-1]])
    assert found == by_decisions["sample_id"].to_list()
    return found


def test_the_judge_is_asked_about_what_every_stage_before_it_lets_through(service, checked, tmp_path):
    store, recipe = checked
    service.score = lambda name, body: 3 if "Lisbon" in body["messages"][-1]["content"] else 9
    copies = [{**traces.good(number), "trace_id": f"again-{number}"} for number in range(3)]
    near = traces.good(3)
    near["trace_id"], near["messages"][0]["content"] = "near", near["messages"][0]["content"] + " Please."
    ingest(store, [str(traces.write(tmp_path / "more.jsonl", [*copies, near, *traces.bad()]))], "auto", "production")
    assert len(standing(store, recipe)) == SAMPLES, "what came after the check is not there yet"
    check(store, recipe)
    waiting = standing(store, recipe)
    assert len(waiting) >= SAMPLES
    judge(store, recipe, limit=5)
    assert standing(store, recipe) == waiting
    judge(store, recipe)
    assert len(standing(store, recipe)) >= len(waiting)
    with store.write() as transaction:  # as a kill leaves it between a change of the recipe and the choice that follows
        transaction.run("delete_verdicts", recipe=recipe.name)
    assert len(standing(store, recipe)) >= len(waiting)


def test_a_mended_parser_reads_what_is_stored_and_asks_nothing(service, checked):
    store, recipe = checked
    judge(store, recipe)
    with store.write() as transaction:  # as a parser with a fault would have left them
        transaction._connection.execute("UPDATE judgement SET status = 'unparseable', scores = NULL, overall = NULL")
    judging.settle(store, recipe, judging.specification_of(recipe))
    assert asking.status(store, recipe)["accepted"] == 0

    done = reparsing.reparse(store, recipe)

    assert (done.read, done.changed) == (SAMPLES, SAMPLES)
    assert asking.status(store, recipe)["accepted"] == SAMPLES
    assert reparsing.reparse(store, recipe).changed == 0
    assert service.requests == SAMPLES


def test_a_reply_cut_off_twice_is_one_try_of_three(service, checked):
    store, recipe = checked
    service.marked[""] = "truncated"  # every one
    for _ in range(4):
        judge(store, recipe)
    assert service.requests == 3 * 2 * SAMPLES, "asked again once in each run, and three runs"
    service.marked.clear()
    judge(store, recipe, retry=True)
    assert asking.status(store, recipe)["accepted"] == SAMPLES


def test_what_another_judge_was_paid_for_is_not_asked_again_unless_somebody_pays(service, checked):
    store, recipe = checked
    judge(store, recipe)
    other = asks(recipe, model="claude-haiku-4-5")

    with pytest.raises(Stopped) as stopped:
        judge(store, other)

    told = str(stopped.value)
    for named in ("claude-opus-4-6", "claude-haiku-4-5", f"{SAMPLES} samples", "$", "--rejudge"):
        assert named in told
    assert service.requests == SAMPLES
    judge(store, other, rejudge=True)
    assert service.requests == 2 * SAMPLES
    judge(store, recipe)
    assert service.requests == 2 * SAMPLES, "what the first has judged is still there"


def test_the_offline_rubric_stands_in_nobodys_way(service, checked):
    store, recipe = checked
    judge(store, asks(recipe, backend="offline"))
    judge(store, recipe)
    assert service.requests == SAMPLES
    judge(store, asks(recipe, backend="offline"))


def test_a_dry_run_tells_the_price_and_asks_nothing(service, checked):
    store, recipe = checked
    told = estimating.estimate(store, recipe, None, "first", False)
    assert service.requests == 0
    assert told.samples == SAMPLES
    assert told.usd is not None
    assert told.most is not None

    tally = judge(store, recipe)

    assert told.usd / 4 < tally.usd < told.most, "an estimate, and a bound"
    assert estimating.estimate(store, recipe, None, "first", False).samples == 0
    other = estimating.estimate(store, asks(recipe, model="claude-haiku-4-5"), None, "first", False)
    assert other.again == SAMPLES
    with pytest.raises(InputError, match="costs nothing"):
        estimating.estimate(store, asks(recipe, backend="offline"), None, "first", False)


def test_a_stratified_first_look_sees_every_category(service, checked):
    store, recipe = checked
    two = [
        traces.trace(
            f"two-{n}", f"Will Bergen {n} and Oslo {n} be dry?", traces.step(f"Bergen {n}"), traces.step(f"Oslo {n}")
        )
        for n in range(3)
    ]
    source = Path(recipe.sources[0].path or "")
    traces.write(source, [*(traces.good(number) for number in range(SAMPLES)), *two])
    ingest(store, [str(source)], "auto", "production")
    check(store, recipe)
    specification = judging.specification_of(recipe)
    work = judging.chosen_work(store, recipe, specification, False, None, "first")

    drawn = judging.chosen_work(store, recipe, specification, False, 6, "stratified")

    assert drawn.height == 6
    categories = store.read("sample_categories", {"work": drawn.select("sample_id")})
    there = store.read("sample_categories", {"work": work.select("sample_id")})
    assert set(categories["category"]) == set(there["category"])
    assert drawn.equals(judging.chosen_work(store, recipe, specification, False, 6, "stratified"))
    tally = judge(store, recipe, limit=6, sampled="stratified")
    assert tally.done == 6
    assert sum(tally.overalls.values()) == 6
    assert tally.good == 6


def test_a_histogram_shows_every_score_and_its_number():
    lines = list(histogram(Counter({9: 1234, 3: 1})))
    assert len(lines) == 11
    assert lines[9].endswith("# 1,234")
    assert lines[3].split() == ["3", "#", "1"]
    assert list(histogram(Counter())) == []


def test_progress_tells_speed_acceptance_money_and_waiting_times():
    told: list[str] = []
    tally = Tally(in_flight=3, good=2, usd=1.0, seconds=10.0)
    tally.statuses["ok"] = 20
    tally.latencies.extend([1.0, 2.0, 30.0])
    with listening(lambda what, done, total, note: told.append(note)):
        judging.tell("judge", tally, 100, Budget(5.0, spent=1.0))
    assert told == ["3 in flight, 2.0/s, 2 accepted, $1.00 spent, $4.00 left, a reply in 2.0 s, 95% within 30.0 s"]


def test_what_the_judge_wrote_is_told_by_explain_and_is_in_no_release(service, checked, tmp_path):
    store, recipe = checked
    service.evidence = "The judge's very own words on {}."
    judge(store, recipe)
    (kept,) = asking.explain(store, "good-3")["samples"][0]["judgements"]
    assert "The judge's very own words on order" in kept["rationale"]
    publish(store, recipe)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        told = pl.read_parquet(path).write_json() if path.suffix == ".parquet" else path.read_text()
        assert "very own words" not in told, path
