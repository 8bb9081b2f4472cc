"""`curation refresh` is one Prefect flow on a real server: whole, repeatable, and never the truth of what is done."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.lock import only_one
from tests import traces
from tests.conftest import Cli
from tests.flows.facts import facts
from warehouse import Store


def recipe_in(cli: Cli, count: int = 12) -> Path:
    source = traces.write(
        cli.folder / "t.jsonl", [*[traces.good(number) for number in range(count)], *traces.bad()], "{"
    )
    path = cli.folder / "r.toml"
    path.write_text(traces.recipe_text(source, cli.folder / "out"))
    return path


def test_a_refresh_ends_with_the_funnel_and_the_release_and_again_with_nothing_new(cli: Cli) -> None:
    recipe = recipe_in(cli)
    first = cli("refresh", recipe)
    assert first.returncode == 0, first.stderr
    for word in ("traces", "accepted", "plugin.unknown", "published t 1.0.0", str(cli.folder / "out" / "t-v1.0.0")):
        assert word in first.stdout
    assert "1 of 17 records cannot be read" in first.stderr
    assert "load_dataset" in first.stderr
    for noise in ("Traceback", "nanobind", "ERROR", "prefect"):
        assert noise not in first.stderr
    assert Store(cli.warehouse).read("unannounced")["version"].to_list() == ["1.0.0"]  # no server of ours heard of it
    second = cli("refresh", recipe, "--json")
    told = json.loads(second.stdout)
    assert (told["release"]["new"], told["release"]["version"]) == (False, "1.0.0")
    assert len(list((cli.folder / "out").iterdir())) == 1


def test_what_a_stage_refuses_is_one_sentence_and_the_next_refresh_finishes(cli: Cli) -> None:
    recipe = recipe_in(cli)
    text = recipe.read_text()
    recipe.write_text(text.replace('licence = "apache-2.0"', ""))
    done = cli("refresh", recipe)
    assert (done.returncode, done.stdout) == (1, "")
    assert "licence" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (cli.folder / "out").exists()
    recipe.write_text(text)
    assert "published t 1.0.0" in cli.ok("refresh", recipe)


def test_a_source_in_trouble_is_named_since_its_first_bad_night_and_the_others_go_on(cli: Cli) -> None:
    recipe = recipe_in(cli)
    gone = cli.folder / "gone.jsonl"
    recipe.write_text(recipe.read_text().replace("[judge]", f'[[source]]\npath = "{gone}"\n[judge]'))
    done = cli("refresh", recipe)
    assert done.returncode == 0, done.stderr
    assert "published t 1.0.0" in done.stdout
    assert f"{gone} could not be read since" in done.stderr
    told = cli.json("status", "-r", recipe)
    assert [row["source"] for row in told["trouble"]] == [str(gone)]
    assert (told["last_refresh"]["state"], told["last_refresh"]["version"]) == ("finished", "1.0.0")
    assert f"{gone} could not be read since" in cli.ok("status", "-r", recipe)
    assert "finished" in cli.ok("runs", "t")


def test_of_two_refreshes_of_one_recipe_the_second_says_that_the_first_one_runs(cli: Cli) -> None:
    recipe = recipe_in(cli)
    with only_one(cli.warehouse, "refresh", "t"):
        second = cli("refresh", recipe)
    assert (second.returncode, second.stdout) == (3, "")
    assert f"process {os.getpid()} is already refreshing this recipe" in second.stderr
    assert not cli.warehouse.exists()


def killed_at_times(cli: Cli, recipe: Path, delays: list[float]) -> None:
    """Starts a refresh and kills it with all its children, once for each delay; then lets one run through."""
    for delay in delays:
        process = cli.start("refresh", recipe)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert cli("refresh", recipe).returncode == 0


@pytest.mark.slow
def test_kills_at_any_time_leave_what_an_undisturbed_run_leaves(cli_in: Callable[[Path], Cli], tmp_path: Path) -> None:
    source = tmp_path / "t.jsonl"
    many = [traces.again(traces.good(number), trace_id=f"t-{number}") for number in range(144)]
    traces.write(source, [*many, *traces.bad()], "{")
    warehouses = []
    for name, delays in (("quiet", []), ("killed", [6.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0])):
        folder = tmp_path / name
        folder.mkdir()
        cli = cli_in(folder)
        (folder / "r.toml").write_text(traces.recipe_text(source, folder / "out"))
        killed_at_times(cli, folder / "r.toml", delays)
        warehouses.append(facts(cli.warehouse))
        assert [path.name for path in (folder / "out").iterdir()] == ["t-v1.0.0"]
    quiet, killed = warehouses
    for table, rows in quiet.items():
        assert killed[table] == rows, table
    assert len(quiet["judgement"]) == len({row[0] for row in quiet["judgement"]})
    assert len(killed["decision"]) == len({(row[0], row[1], row[2]) for row in killed["decision"]})
