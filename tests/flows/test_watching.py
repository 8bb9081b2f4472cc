"""The judge is watched: canaries in every run that asks, sentinels in every scheduled one, and releases held by both."""

from dataclasses import replace
from pathlib import Path

import pytest

from curation.errors import Stopped
from curation.judge.canaries import load_canaries
from curation.recipe import Recipe, Schedule
from curation.recipes import load_recipe
from curation.release.guards import Candidate
from flows import asking, guarding, judging, publishing, reviewing, watching
from flows.checking import check
from flows.ingesting import ingest
from flows.judging import judge
from tests import traces
from tests.claude.conftest import environment
from tests.conftest import Cli
from tests.servers.claude import Body, Claude
from tests.test_cli import claude
from warehouse import Store

SAMPLES = 24
EACH_ONCE = {canary.name: 1 for canary in load_canaries()}


class Shop:
    """A warehouse whose samples wait for a local Claude."""

    def __init__(self, folder: Path, service: Claude) -> None:
        self.store, self.service, self.source = Store(folder / "w.duckdb"), service, folder / "t.jsonl"
        self.path = folder / "r.toml"
        self.write(SAMPLES)

    def write(self, count: int) -> None:
        traces.write(self.source, [traces.good(number) for number in range(count)])
        text = traces.recipe_text(self.source, self.path.parent / "out").replace('"offline"', '"anthropic"')
        self.path.write_text(text)

    @property
    def recipe(self) -> Recipe:
        return load_recipe(self.path)

    def arrives(self, count: int) -> "Shop":
        """So many samples are there from now on, checked."""
        self.write(count)
        ingest(self.store, [str(self.source)], "auto", "production")
        check(self.store, self.recipe)
        return self

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.store.write() as transaction:
            return transaction._connection.execute(sql).fetchall()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    with Claude() as service:
        for name, value in environment(service.url).items():
            monkeypatch.setenv(name, value)
        yield Shop(tmp_path, service).arrives(SAMPLES)


def test_canaries_ride_in_every_run_that_asks_and_are_no_samples(shop: Shop) -> None:
    tally = judge(shop.store, shop.recipe)
    assert dict(shop.service.canaries) == EACH_ONCE
    assert (tally.done, tally.good, sum(tally.overalls.values())) == (SAMPLES, SAMPLES, SAMPLES)
    assert tally.watched == len(EACH_ONCE)
    assert 0 < tally.watch_usd < tally.usd
    told = asking.status(shop.store, shop.recipe)
    assert told["samples"] == SAMPLES
    assert told["usd"] == pytest.approx(tally.usd), "what they cost is told"
    ids = ", ".join(f"'{canary.sample_id}'" for canary in load_canaries())
    for table in ("sample", "decision", "judgement", "verdict"):
        assert shop.rows(f"SELECT count(*) FROM {table} WHERE sample_id IN ({ids})") == [(0,)]
    assert watching.findings(shop.store, shop.recipe) == ()

    judge(shop.store, shop.recipe)
    assert dict(shop.service.canaries) == EACH_ONCE, "a run that asks nothing asks about no canary"
    shop.arrives(SAMPLES + 1)
    judge(shop.store, shop.recipe)
    assert set(shop.service.canaries.values()) == {2}, "another run, another occasion"


def test_a_resumed_run_keeps_its_occasion_and_pays_for_no_canary_twice(shop: Shop) -> None:
    small = replace(shop.recipe, judge=replace(shop.recipe.judge, budget_usd=0.45, workers=1))
    with pytest.raises(Stopped, match="budget"):
        judge(shop.store, small)
    assert 0 < shop.service.requests < SAMPLES
    assert dict(shop.service.canaries) == EACH_ONCE
    judge(shop.store, shop.recipe)
    assert shop.service.requests == SAMPLES
    assert dict(shop.service.canaries) == EACH_ONCE
    assert shop.rows("SELECT count(*), count(finished_at) FROM occasion") == [(1, 1)]


def test_an_occasion_that_was_left_open_long_ago_is_not_gone_on_with(shop: Shop) -> None:
    specification = judging.specification_of(shop.recipe)
    first = watching.begin(shop.store, shop.recipe, specification)
    assert watching.begin(shop.store, shop.recipe, specification) == first
    shop.rows("UPDATE occasion SET started_at = started_at - INTERVAL 1 DAY")
    assert watching.begin(shop.store, shop.recipe, specification) != first


def test_a_judge_that_is_fooled_ends_well_and_its_release_is_held_until_somebody_approves(shop: Shop) -> None:
    shop.service.fooled = True
    judge(shop.store, shop.recipe)
    found = watching.findings(shop.store, shop.recipe)
    assert len(found) == 1
    assert "claude-opus-4-6" in found[0]
    assert "8 of 13 canaries were misjudged" in found[0]

    held = publishing.publish(shop.store, shop.recipe)
    assert (held.state, held.guards) == ("held", found)
    shop.service.fooled = False
    shop.arrives(SAMPLES + 1)
    judge(shop.store, shop.recipe)
    assert publishing.publish(shop.store, shop.recipe).state == "held", "what was judged then may be wrong still"
    reviewing.approve(shop.store, "t@1.0.0")
    shop.arrives(SAMPLES + 2)
    judge(shop.store, shop.recipe)
    assert publishing.publish(shop.store, shop.recipe).state == "published", "it was looked at"


def test_a_judge_that_accepts_nothing_is_named_where_its_canaries_fail(shop: Shop) -> None:
    shop.service.fooled, shop.service.score = True, lambda name, body: 1
    strict = replace(shop.recipe, judge=replace(shop.recipe.judge, accept=8.0))
    judge(shop.store, strict)
    with pytest.raises(Stopped, match=r"no sample of t is accepted.*canaries were misjudged"):
        publishing.publish(shop.store, strict)


def test_canaries_without_a_score_are_asked_again_a_few_times_and_then_told(shop: Shop) -> None:
    shop.service.marked = {canary.row["messages"]: "refusal" for canary in load_canaries() if canary.kind == "good"}  # type: ignore[misc]
    judge(shop.store, shop.recipe)
    (found,) = watching.findings(shop.store, shop.recipe)
    assert "of 4 canaries of the kind good only 0 got a score at all" in found


def scheduled(shop: Shop) -> None:
    judge(shop.store, shop.recipe, scheduled=True)


def test_sentinels_are_frozen_once_and_judged_again_in_every_scheduled_run(shop: Shop) -> None:
    scheduled(shop)
    assert shop.rows("SELECT count(*) FROM sentinel") == [(0,)], "nothing was judged before"
    scheduled(shop)
    assert shop.service.requests == 2 * SAMPLES, "all of so few samples are sentinels"
    shop.arrives(SAMPLES + 1)
    scheduled(shop)
    judge(shop.store, shop.recipe)
    assert shop.service.requests == 3 * SAMPLES + 1, "the set stays as it is, and other runs leave it alone"
    assert shop.rows("SELECT count(DISTINCT occasion) FROM watch WHERE kind = 'sentinel'") == [(2,)]
    assert shop.rows("SELECT count(*) FROM judgement") == [(SAMPLES + 1,)]
    assert watching.findings(shop.store, shop.recipe) == ()


def half_a_point_less(name: str, body: Body) -> int:
    return 8 if name in ("selection", "order") else 9


def test_a_shift_of_the_sentinels_holds_the_release_and_says_why(shop: Shop) -> None:
    for _ in range(2):
        scheduled(shop)
    assert publishing.publish(shop.store, shop.recipe).state == "published"
    shop.service.score = half_a_point_less
    shop.arrives(SAMPLES + 1)
    scheduled(shop)
    held = publishing.publish(shop.store, shop.recipe)
    assert held.state == "held"
    assert f"scores the same {SAMPLES} sentinels 0.50 points lower" in held.guards[0]
    assert "interval" in held.guards[0]

    watching.freeze(shop.store, shop.recipe, judging.specification_of(shop.recipe))
    scheduled(shop)
    assert publishing.publish(shop.store, shop.recipe).state == "published", "held against a new set"


def test_the_watch_reaches_the_guards_as_sentences() -> None:
    candidate = Candidate(5, 5, {}, None, ("a sentence",))
    assert guarding.tripped(Recipe("t").guard, candidate) == ("a sentence",)


def refreshing(cli: Cli, cron: bool) -> Path:
    source = traces.write(cli.folder / "t.jsonl", [traces.good(number) for number in range(SAMPLES)])
    path = cli.folder / "r.toml"
    sections = {"schedule": 'cron = "0 2 * * *"'} if cron else {}
    text = traces.recipe_text(source, cli.folder / "out", judge="budget_usd = 5", **sections)
    path.write_text(text.replace('"offline"', '"anthropic"'))
    return path


def test_the_judge_warns_with_0_and_publish_holds_with_3(cli: Cli) -> None:
    recipe = refreshing(cli, cron=False)
    cli.ok("ingest", cli.folder / "t.jsonl")
    cli.ok("check", "--recipe", recipe)
    with Claude(fooled=True) as service:
        judged = cli("judge", "--recipe", recipe, **claude(service.url))
        assert judged.returncode == 0
        assert "canaries were misjudged" in judged.stderr
        assert "13 canaries)" in judged.stderr
    held = cli("publish", recipe)
    assert held.returncode == 3, held.stderr
    assert "canaries were misjudged" in held.stderr
    assert dict(service.canaries) == EACH_ONCE


def test_a_refresh_whose_judge_is_fooled_ends_with_3_and_says_so(cli: Cli) -> None:
    recipe = refreshing(cli, cron=False)
    with Claude(fooled=True) as service:
        held = cli("refresh", recipe, **claude(service.url))
    assert held.returncode == 3, held.stderr
    assert "held t 1.0.0" in held.stdout
    assert "canaries were misjudged" in held.stderr


def test_a_refresh_of_a_recipe_with_a_schedule_judges_its_sentinels(cli: Cli) -> None:
    recipe = refreshing(cli, cron=True)
    with Claude() as service:
        for _ in range(2):
            cli.ok("refresh", recipe, **claude(service.url))
        assert service.requests == 2 * SAMPLES
        assert set(service.canaries.values()) == {2}
    assert load_recipe(recipe).schedule == Schedule("0 2 * * *")
