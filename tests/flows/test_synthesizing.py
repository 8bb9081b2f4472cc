"""Plans written to order, by the command and over real HTTP: kept, told, paid for once, whatever stops it."""

import json
import os
import re
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from curation.claude.reply import UnreadableError
from curation.errors import InputError
from curation.recipes import load_recipe
from curation.registry import bundled_plugins
from curation.synthesis import Catalogue, orders, writing
from flows.loading import read_members
from flows.registering import import_plugins
from flows.synthesizing import Composed, Wish, dry_run, synthesize_with_claude
from flows.writing import fold_writings
from tests.claude.conftest import MODEL
from tests.conftest import Cli
from tests.servers.claude import Claude
from tests.test_cli import claude, refused, wait_for
from warehouse import Store

FAULTS = ("refusal", "truncated", "prose", "faulty", "unfit", "rate_limited", "broken", "reset")


def synthetic(cli: Cli) -> list[dict[str, object]]:
    """The samples of the warehouse, as `curation samples` tells them."""
    return [json.loads(line) for line in cli.ok("samples").splitlines()]


@pytest.mark.parametrize("backend", ["vertex", "anthropic"])
def test_thirty_are_kept_although_every_fifth_reply_is_none(cli: Cli, backend: str) -> None:
    with Claude(faults=FAULTS, every=5) as service:
        done = cli("synthesize", "--count", 30, "--backend", backend, "--json", **claude(service.url))
        told = json.loads(done.stdout)
        assert (done.returncode, told["kept"], told["new_traces"]) == (0, 30, 30)
        assert set(told["statuses"]) == {"ok", "refused", "truncated", "unparseable", "faulty", "unfit"}
        assert told["reasons"] == {"plugin.unknown": told["statuses"]["faulty"]}
        assert told["usd"] == pytest.approx(told["usd_this_run"])
        assert told["usd_per_trace"] == pytest.approx(told["usd"] / 30)
        for word in ("1 faulty", "plugin.unknown", "a kept trace", "$"):
            assert word in done.stderr
        assert set(service.answered.values()) == {1}
        asked = service.requests
        again = cli.json("synthesize", "--count", 30, "--backend", "anthropic", **claude(service.url))
        assert service.requests == asked, "by the other door the same model is not asked again"
        assert (again["kept"], again["new_traces"], again["usd_this_run"]) == (30, 0, 0)
    funnel = cli.json("check")
    assert funnel["samples"] == 30
    assert not [row for row in funnel["fell"] if row["stage"] not in ("judge", "dedup")]
    assert len(synthetic(cli)) == 30


def test_killed_in_the_middle_it_goes_on_and_asks_at_most_what_was_in_flight_again(cli: Cli) -> None:
    workers, arguments = 8, ("synthesize", "--count", 60, "--backend", "anthropic", "--workers", 8)
    with Claude(latency=0.3, faults=("refusal", "faulty"), every=10) as service:
        for wanted in (10, 30):
            process = cli.start(*arguments, **claude(service.url))
            wait_for(lambda wanted=wanted: len(service.answered) >= wanted, process)
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        told = cli.json(*arguments, **claude(service.url))
        assert (told["kept"], told["new_traces"]) == (60, 60)
        assert sum(number - 1 for number in service.answered.values()) <= 2 * workers
        assert max(service.answered.values()) <= 3
    assert len(synthetic(cli)) == 60


def test_ctrl_c_keeps_what_was_written(cli: Cli) -> None:
    with Claude(latency=0.4) as service:
        process = cli.start(
            "synthesize", "--count", 60, "--backend", "anthropic", "--workers", 5, **claude(service.url)
        )
        wait_for(lambda: len(service.answered) >= 10, process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
        assert process.returncode == 130, said
        assert "goes on from here" in said
        kept = len(service.answered)
        assert 10 <= kept < 60
        assert len(synthetic(cli)) == kept
        cli.ok("synthesize", "--count", 60, "--backend", "anthropic", **claude(service.url))
        assert set(service.answered.values()) == {1}


def test_a_budget_ends_it_with_everything_kept_and_the_next_run_goes_on(cli: Cli) -> None:
    arguments = ("synthesize", "--count", 25, "--backend", "anthropic")
    with Claude() as service:
        done = cli(*arguments, "--budget-usd", 0.4, "--json", **claude(service.url))
        told = json.loads(done.stdout)
        assert done.returncode == 3, done.stderr
        assert 0 < told["kept"] < 25
        assert told["usd_this_run"] <= 0.4
        (said,) = [line for line in done.stderr.splitlines() if line.startswith("stopped:")]
        for word in (
            "$0.40",
            f"spent ${told['usd']:.2f}",
            "left",
            f"{25 - told['kept']} traces remain",
            "goes on from here",
        ):
            assert word in said
        assert len(synthetic(cli)) == told["kept"] == service.requests
        assert cli.json(*arguments, **claude(service.url))["kept"] == 25
        assert set(service.answered.values()) == {1}


def test_a_dry_run_prints_orders_and_price_and_asks_nothing(cli: Cli) -> None:
    with Claude() as service:
        done = cli("synthesize", "--count", 7, "--backend", "vertex", "--dry-run")
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 7
        assert re.search(
            r"7 requests \(0 orders are answered already\).*about \$0\.\d\d, and never more than \$\d\.\d\d",
            done.stderr,
        )
        assert "nothing was asked" in done.stderr
        assert not cli.warehouse.exists()
        cli.ok("synthesize", "--count", 4, "--backend", "anthropic", **claude(service.url))
        asked = service.requests
        told = cli.json("synthesize", "--count", 7, "--backend", "vertex", "--dry-run")
        assert told["answered"] == 4
        assert [order["answered"] for order in told["orders"]] == [True] * 4 + [False] * 3
        assert 0 < told["usd"] < told["most"]
        assert service.requests == asked


def test_what_cannot_be_is_one_sentence_before_anything_is_asked(cli: Cli) -> None:
    refused(cli("synthesize", "--count", 3, "--backend", "gpt"), "'gpt'", "vertex", "anthropic")
    refused(cli("synthesize", "--count", 3, "--backend", "vertex"), "ANTHROPIC_VERTEX_PROJECT_ID", "CLOUD_ML_REGION")
    refused(cli("synthesize", "--count", 3, "--budget-usd", 5), "--backend vertex")
    refused(cli("synthesize", "--count", 3, "--dry-run"), "--backend vertex")
    refused(
        cli("synthesize", "--count", 3, "--backend", "anthropic", "--model", "claude-nonesuch-9", "--budget-usd", 5),
        "claude-nonesuch-9",
        "prices.toml",
    )
    refused(cli("synthesize", "--count", 3, "--backend", "anthropic", "--budget-usd", 0), "above 0")
    assert not (cli.folder / "w.duckdb.writing").exists()


class Desk:
    """A warehouse in which orders are written, in this process."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.store = Store(folder / "w.duckdb")
        self._patch = patch

    def write(self, service: Claude, count: int, out: str | None = None, **wished: Any) -> Composed:
        for name, value in claude(service.url).items():
            self._patch.setenv(name, value)
        return synthesize_with_claude(self.store, wish(count, **wished), self.folder / out if out else None)

    def lines(self, name: str) -> list[str]:
        return (self.folder / name).read_text().splitlines()

    def writings(self) -> pl.DataFrame:
        """Everything that Claude wrote, whoever asked for it."""
        with duckdb.connect(str(self.store.path), read_only=True) as connection:
            return connection.sql("SELECT * FROM writing").pl()


def wish(count: int, **wished: Any) -> Wish:
    return Wish(**{"count": count, "seed": 0, "mix": None, "backend": "anthropic", "model": MODEL, **wished})


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_what_is_kept_says_who_wrote_it_to_which_order_and_a_recipe_can_pick(desk: Desk) -> None:
    with Claude() as service:
        made = desk.write(service, 21, seed=4)
    told = [trace["metadata"] for trace in made.traces]
    assert [row["order"] for row in told] == [f"4/{number}" for number in range(21)]
    assert {(row["backend"], row["model"]) for row in told} == {("claude", MODEL)}
    assert set(Counter(row["style"] for row in told).values()) == {3}
    recipe = desk.folder / "r.toml"
    condition = f'style = "story" and model = "{MODEL}"'
    recipe.write_text(f"name = 'stories'\n[[source]]\nname = 'synthetic'\nwhere = '{condition}'\n")
    assert read_members(desk.store, load_recipe(recipe)).height == 3


def test_with_more_wished_for_only_the_rest_is_asked_and_the_first_stay(desk: Desk) -> None:
    with Claude(faults=("faulty",), every=4) as service:
        desk.write(service, 9, "a.jsonl")
        asked = service.requests
        desk.write(service, 15, "b.jsonl")
        assert set(service.answered.values()) == {1}
        assert service.requests > asked
        fewer = service.requests
        assert desk.write(service, 4, "c.jsonl").tally.done == 0
        assert service.requests == fewer
    assert [len(desk.lines(name)) for name in ("a.jsonl", "b.jsonl", "c.jsonl")] == [9, 15, 4]
    assert desk.lines("b.jsonl")[:9] == desk.lines("a.jsonl")
    assert desk.lines("c.jsonl") == desk.lines("a.jsonl")[:4]
    assert desk.store.read("stored_traces", format="ondemand", first=0, last=99).is_empty(), "a file is no source"


def test_another_seed_another_model_or_another_mix_is_another_order(desk: Desk) -> None:
    with Claude() as service:
        for wished in ({}, {"seed": 1}, {"mix": "4_step=1"}, {"model": "claude-haiku-4-5"}):
            before = service.requests
            assert desk.write(service, 3, "x.jsonl", **wished).tally.done == service.requests - before > 0


def test_where_too_much_is_left_out_it_stops_at_a_stated_number_of_orders(desk: Desk) -> None:
    with Claude(marked={"These are the candidates": "unfit"}) as service:
        made = desk.write(service, 3)
        assert service.requests == made.orders == 3 * 3 + 20
    for word in ("0 of 3", "29 orders", "3 a trace and 20", "--seed"):
        assert word in made.ending
    assert made.statuses == {"unfit": 29}


def test_stored_replies_are_read_anew_and_a_better_parser_asks_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(answer: object, order: object, model: object) -> None:
        raise UnreadableError("this parser reads nothing")

    with monkeypatch.context() as worse:
        worse.setattr(writing, "trace_from", blind)
        with Claude() as service:
            assert desk.write(service, 2).statuses == {"unfit": 2 * 3 + 20}
            paid = service.requests
    with Claude() as service:
        made = desk.write(service, 26)
        assert (len(made.traces), service.requests, paid) == (26, 0, 26)
        assert made.new_traces == 26


def test_orders_that_met_only_errors_are_tried_again_and_after_three_runs_passed_over(desk: Desk) -> None:
    (first,) = orders(Catalogue.of(bundled_plugins()), 1)
    anchor = first.message[-200:]
    with Claude(marked={anchor: "too_long"}) as service:
        for run in range(1, 5):
            made = desk.write(service, 2)
            assert made.statuses == {"ok": 2, "api_error": 1}
            assert service.asked[first.message] == 2 * min(run, 3), "by text, then by tool call"
    assert made.usd > 0
    assert set(Counter(desk.writings()["status"]).items()) == {("ok", 2), ("api_error", 3)}


def test_the_estimate_is_near_what_it_costs_and_never_below_the_most(desk: Desk) -> None:
    told = dry_run(desk.store, wish(12))
    with Claude() as service:
        paid = desk.write(service, 12).usd
    assert told.usd is not None
    assert told.most is not None
    assert told.usd / 3 < paid < told.usd * 3
    assert paid < told.most


def test_a_registry_too_small_for_the_mix_is_named(desk: Desk) -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    plugin = {"pluginId": "p", "name": "Sky", "description": "Tells the weather", "parameters": parameters}
    file = desk.folder / "registry.jsonl"
    file.write_text(json.dumps(plugin) + "\n")
    import_plugins(desk.store, [str(file)])
    with Claude() as service:
        with pytest.raises(InputError, match=r"1 plugins.*4_step.*import more plugins"):
            desk.write(service, 3)
        assert service.requests == 0


def test_the_raw_replies_stand_in_the_warehouse_good_or_bad(desk: Desk) -> None:
    with Claude(faults=("refusal", "faulty"), every=3) as service:
        made = desk.write(service, 8)
    rows = desk.writings()
    assert rows.height == made.orders
    assert dict(rows["status"].value_counts().iter_rows()) == made.statuses
    assert rows["usd"].sum() == pytest.approx(made.usd)
    assert all(json.loads(raw)["type"] == "message" for raw in rows["raw"])
    assert set(rows["task"]) == {"order"}
    assert rows.filter(pl.col("status") != "ok")["why"].null_count() == 0
    assert set(json.loads(rows["asked"][0])) == {"key", "category", "style", "candidates"}
    assert not list(Path(f"{desk.store.path}.writing").glob("*.jsonl"))


def test_a_crash_between_folding_and_discarding_counts_nothing_twice(desk: Desk) -> None:
    with Claude() as service, pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.writing.discard", lambda file: None)
        desk.write(service, 5)
    assert fold_writings(desk.store) == 0
    assert desk.writings().height == 5
