"""Reasoning written for right plans that have none: a further sample each, paid for once, released where it is asked for."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

from curation.recipes import load_recipe
from flows import asking, backfilling
from flows.backfilling import Backfilled, backfill_thinking
from flows.checking import check
from flows.ingesting import ingest
from flows.registering import import_plugins
from tests import traces
from tests.claude.conftest import MODEL
from tests.conftest import Cli
from tests.servers.claude import Claude
from tests.test_cli import claude, refused, wait_for
from warehouse import Store

BACKFILL = ("backfill", "thinking", "--backend", "anthropic")


def mute(number: int) -> traces.Trace:
    """A good trace without its reasoning."""
    return silenced(traces.good(number))


def silenced(told: traces.Trace) -> traces.Trace:
    """The trace without its reasoning."""
    question, answer = told["messages"]
    plan = answer["content"].partition("</think>\n")[2]
    return traces.again(told, messages=[question, {**answer, "content": plan}])


@pytest.fixture
def source(cli: Cli) -> Path:
    """Twelve right plans without reasoning, some that are wrong in other ways, and six that have theirs."""
    wrong = [silenced(bad) for bad in traces.bad()]
    known = [traces.good(number) for number in range(12, 18)]
    return traces.write(cli.folder / "t.jsonl", [*[mute(number) for number in range(12)], *wrong, *known])


@pytest.fixture
def recipe(cli: Cli, source: Path) -> Path:
    path = cli.folder / "r.toml"
    path.write_text(traces.recipe_text(source, cli.folder / "out", samples='backfill = ["schemas", "thinking"]'))
    ingest(Store(cli.warehouse), [str(source)], "auto", "production")
    check(Store(cli.warehouse), load_recipe(path))
    return path


@pytest.fixture
def write(cli: Cli, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Backfilled]:
    """Has reasoning written, in this process."""

    def run(service: Claude, **given: Any) -> Backfilled:
        for name, value in claude(service.url).items():
            monkeypatch.setenv(name, value)
        return backfill_thinking(Store(cli.warehouse), load_recipe(recipe), "anthropic", MODEL, 5, **given)

    return run


def test_right_plans_get_their_reasoning_and_it_is_released(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    assert cli.json("status", "--recipe", recipe)["accepted"] == 0
    with Claude() as service:
        told = cli.json(*BACKFILL, "--recipe", recipe, **claude(service.url))
        assert (told["eligible"], told["asked"], told["made"], told["statuses"]) == (12, 12, 12, {"ok": 12})
        assert told["usd"] > 0
        again = cli.json(*BACKFILL, "--recipe", recipe, **claude(service.url))
        assert (again["eligible"], again["asked"], again["made"], service.requests) == (0, 0, 0, 12)
        shown = [body["messages"][0]["content"] for body in service.bodies]
    assert all("<<<" in message and "plugin-1" in message for message in shown)
    assert not [message for message in shown if "Weather plugin answers this" in message]

    cli.ok("check", "--recipe", recipe)
    cli.ok("judge", "--recipe", recipe)
    done = cli.json("publish", recipe)
    assert sum(done["rows"].values()) == 12 + 6
    loaded = datasets.load_dataset(done["path"], "sft", cache_dir=str(tmp_path / "cache"))
    texts = [row["completion"][0]["content"] for split in loaded.values() for row in split]
    assert sum("<think>The user's wish is served by plugin-1" in text for text in texts) == 12
    assert all(text.startswith("<think>") for text in texts)


def test_a_recipe_that_does_not_take_them_is_told_so(cli: Cli, source: Path) -> None:
    cli.ok("ingest", source)
    cli.ok("check")
    with Claude() as service:
        done = cli(*BACKFILL, "--limit", 3, **claude(service.url))
        assert done.returncode == 0, done.stderr
        assert "[samples] backfill" in done.stderr
        assert "3 new samples" in done.stdout
        assert service.requests == 3
        cli.ok(*BACKFILL, **claude(service.url))
        assert service.requests == 12


def test_a_funnel_in_which_plans_fell_without_reasoning_says_what_writes_it(cli: Cli, recipe: Path) -> None:
    hint = "`curation backfill thinking` writes it"
    assert hint in cli("status", "--recipe", recipe).stderr
    recipe.write_text(recipe.read_text().replace('backfill = ["schemas", "thinking"]', 'backfill = ["schemas"]'))
    assert hint not in cli("status", "--recipe", recipe).stderr


def test_killed_in_the_middle_it_goes_on(cli: Cli, recipe: Path, source: Path) -> None:
    traces.write(source, [mute(number) for number in range(60)])
    cli.ok("ingest", source)
    cli.ok("check", "--recipe", recipe)
    workers, arguments = 5, (*BACKFILL, "--recipe", recipe, "--workers", 5)
    with Claude(latency=0.3) as service:
        process = cli.start(*arguments, **claude(service.url))
        wait_for(lambda: len(service.answered) >= 15, process)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        told = cli.json(*arguments, **claude(service.url))
        assert told["made"] == told["eligible"] == len(service.answered)
        assert told["asked"] < told["eligible"]
        assert sum(number - 1 for number in service.answered.values()) <= workers


def test_a_budget_ends_it_and_the_next_run_goes_on(cli: Cli, recipe: Path) -> None:
    with Claude() as service:
        done = cli(*BACKFILL, "--recipe", recipe, "--budget-usd", 0.07, "--json", **claude(service.url))
        told = json.loads(done.stdout)
        assert done.returncode == 3, done.stderr
        assert 0 < told["made"] == service.requests < 12
        assert told["usd"] <= 0.07
        (said,) = [line for line in done.stderr.splitlines() if line.startswith("stopped:")]
        assert f"{12 - told['made']} samples remain" in said
        rest = cli.json(*BACKFILL, "--recipe", recipe, "--budget-usd", 5, **claude(service.url))
        assert rest["made"] == 12 - told["made"]
        assert set(service.answered.values()) == {1}


def test_what_cannot_be_is_one_sentence(cli: Cli, source: Path) -> None:
    refused(cli(*BACKFILL), "curation ingest")
    cli.ok("ingest", source)
    refused(cli(*BACKFILL), "has not been checked yet", "curation check")
    cli.ok("check")
    refused(cli("backfill", "thinking", "--backend", "offline"), "'offline'", "vertex")
    refused(cli("backfill", "thinking"), "ANTHROPIC_VERTEX_PROJECT_ID")
    refused(cli(*BACKFILL, "--model", "claude-nonesuch-9", "--budget-usd", 1), "prices.toml")


def test_the_original_stays_and_a_recipe_that_does_not_ask_sees_only_it(
    cli: Cli, write: Callable[..., Backfilled], source: Path
) -> None:
    with Claude() as service:
        assert write(service).made == 12
    plain = cli.folder / "plain.toml"
    plain.write_text(traces.recipe_text(source, cli.folder / "out2").replace('"t"', '"plain"', 1))
    store, recipe = Store(cli.warehouse), load_recipe(plain)
    check(store, recipe)
    told = asking.status(store, recipe)
    assert told["samples"] == 22
    assert {row["reason"]: row["samples"] for row in told["fell"]}["thinking.missing"] == 16
    (parent,) = [sample for sample in asking.explain(store, "good-0")["samples"] if not sample["made_of"]]
    assert parent["thinking"] is None
    (child,) = parent["children"]
    assert (child["maker"], child["stands"]) == ("thinking", True)
    assert child["mark"].startswith("thinking-")


def test_replies_without_reasoning_are_tried_in_three_runs_and_then_rest(write: Callable[..., Backfilled]) -> None:
    marked = traces.good(3)["messages"][0]["content"]
    with Claude(marked={marked: "refusal"}) as service:
        first = write(service)
        assert (first.made, first.tally.statuses) == (11, {"ok": 11, "refused": 1})
        for _ in range(3):
            last = write(service)
        assert (last.tally.done, last.resting, service.requests) == (0, 1, 14)
        assert write(service, retry=True).tally.done == 1
        assert service.requests == 15
    with Claude() as service:
        assert write(service, retry=True).made == 1


def test_what_a_row_stage_would_drop_is_told_and_not_made(write: Callable[..., Backfilled]) -> None:
    with Claude(marked={traces.good(5)["messages"][0]["content"]: "secretive"}) as service:
        told = write(service)
        assert (told.made, told.faulty, told.reasons) == (11, 1, {"secret.found": 1})
        assert write(service).tally.done == 0


def test_a_crash_before_the_samples_were_made_is_mended_without_a_request(
    write: Callable[..., Backfilled], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*given: object) -> int:
        raise KeyboardInterrupt

    with Claude() as service:
        with monkeypatch.context() as patch:
            patch.setattr(backfilling, "keep_children", dies)
            with pytest.raises(KeyboardInterrupt):
                write(service)
        assert service.requests == 12
        told = write(service)
        assert (told.made, told.tally.done, service.requests) == (12, 0, 12)


def test_where_the_registry_completes_a_sample_the_reasoning_is_written_for_that(
    cli: Cli, write: Callable[..., Backfilled], source: Path, recipe: Path
) -> None:
    bare = {key: value for key, value in traces.OFFERED.items() if key != "parameters"}
    traces.write(source, [traces.again(mute(20), candidates=[bare])])
    store = Store(cli.warehouse)
    registry = cli.folder / "registry.jsonl"
    registry.write_text(json.dumps(traces.OFFERED) + "\n")
    import_plugins(store, [str(registry)])
    ingest(store, [str(source)], "auto", "production")
    check(store, load_recipe(recipe))
    with Claude() as service:
        assert write(service).made == 13
        asked = [body["messages"][0]["content"] for body in service.bodies]
    assert all('"required":["city"]' in message for message in asked)
    check(store, load_recipe(recipe))
    told = asking.status(store, load_recipe(recipe))
    assert sum(row["samples"] for row in told["fell"] if row["stage"] == "judge") == 13 + 6
