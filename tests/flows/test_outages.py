"""What goes wrong at night ends in one sentence, costs nothing that was done, and the next refresh goes on from there."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.recipes import load_recipe
from flows import asking, checking, ingesting, judging
from tests import traces
from tests.conftest import Cli
from tests.flows.team import Team
from tests.servers.claude import Claude
from tests.servers.local_hub import running_hub
from tests.test_cli import claude
from warehouse import Store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TOO_SMALL = 8 * 2**20  # bytes: room for an empty warehouse and little more


@pytest.fixture
def night(cli: Cli, prefect: Team) -> Cli:
    """The command line in an empty folder, on a server that runs already."""
    cli.environment |= {key: value for key, value in prefect.cli.environment.items() if key.startswith("PREFECT_")}
    return cli


def recipe_over(night: Cli, *sources: Path, to: object = None, **sections: str) -> Path:
    path = night.folder / "r.toml"
    text = traces.recipe_text(sources[0], to or night.folder / "out", **sections)
    more = "".join(f'[[source]]\npath = "{source}"\nname = "production"\n' for source in sources[1:])
    path.write_text(text.replace("[judge]", f"{more}[judge]"))
    return path


def sentence_of(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence that a failed command says."""
    (line,) = [line for line in done.stderr.splitlines() if line.startswith(("error:", "stopped:"))]
    assert "Traceback" not in done.stderr
    return line


def test_a_source_that_is_half_there_tonight_is_named_with_its_first_bad_night_until_it_is_whole(night: Cli) -> None:
    good = [traces.good(number) for number in range(40)]
    whole = traces.write(night.folder / "a.jsonl", good[:20])
    packed = gzip.compress(traces.write(night.folder / "b.jsonl", good[20:]).read_bytes())
    half = night.folder / "b.jsonl.gz"
    half.write_bytes(packed[: len(packed) // 2])
    recipe = recipe_over(night, whole, half)
    first = night("refresh", recipe)
    assert first.returncode == 0, first.stderr
    assert f"{half} could not be read since" in first.stderr
    (trouble,) = night.json("status", "-r", recipe)["trouble"]
    night.ok("refresh", recipe)
    (again,) = night.json("status", "-r", recipe)["trouble"]
    assert (again["source"], again["since"]) == (str(half), trouble["since"])
    half.write_bytes(packed)
    told = json.loads(night.ok("refresh", recipe, "--json"))
    assert (told["funnel"]["trouble"], told["release"]["rows"]["train"] > 20) == ([], True)


def test_a_spent_budget_keeps_what_was_judged_publishes_nothing_and_the_next_period_goes_on(night: Cli) -> None:
    source = traces.write(night.folder / "t.jsonl", [traces.good(number) for number in range(60)])
    recipe = recipe_over(night, source, judge="budget_usd = 0.4")
    recipe.write_text(recipe.read_text().replace('"offline"', '"anthropic"'))
    with Claude() as service:
        stopped = night("refresh", recipe, **claude(service.url))
        assert (stopped.returncode, "$0.40" in sentence_of(stopped)) == (3, True)
        told = night.json("status", "-r", recipe)
        assert (told["last_refresh"]["state"], told["accepted"] > 0, told["releases"]) == ("stopped", True, [])
        recipe.write_text(recipe.read_text().replace("budget_usd = 0.4", "budget_usd = 40"))
        assert "published t 1.0.0" in night.ok("refresh", recipe, **claude(service.url))
        assert set(service.answered.values()) == {1}


@pytest.mark.parametrize(("fault", "token", "said"), [(503, "hf_local", "(503)"), (None, "hf_expired", "(401)")])
def test_a_hub_that_is_down_or_refuses_the_token_fails_once_and_later_gets_the_whole_release(
    cli: Cli, fault: int | None, token: str, said: str
) -> None:
    source = traces.write(cli.folder / "t.jsonl", [traces.good(number) for number in range(20)])
    recipe = recipe_over(cli, source, to="hf://owner/plans")
    store = Store(cli.warehouse)
    ingesting.ingest(store, [str(source)], "ondemand", "production")
    checking.check(store, load_recipe(recipe))
    judging.judge(store, load_recipe(recipe))
    with running_hub(cli.folder) as hub:
        environment = {key: value for key, value in hub.environment.items() if key.startswith("HF_")}
        if fault:
            hub.fault(".*", fault, times=10_000)
        failed = cli("publish", recipe, **environment | {"HF_TOKEN": token})
        assert (failed.returncode, said in sentence_of(failed), token in failed.stderr) == (1, True, False)
        assert [row["state"] for row in asking.releases(store, "t") if row["state"] == "published"] == []
        hub.fault("", "clear")
        assert "published t 1.0.0" in cli.ok("publish", recipe, **environment)
        assert hub.state["tags"].keys() == {"v1.0.0"}


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TOO_SMALL}", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_one_sentence_and_with_room_again_the_same_command_finishes(cli: Cli, full_disk: Path) -> None:
    many = [traces.again(traces.good(number % 144), trace_id=f"t-{number}") for number in range(2_000)]
    source = traces.write(cli.folder / "t.jsonl", many)
    cli.environment["CURATION_WAREHOUSE"] = str(full_disk / "w.duckdb")
    (full_disk / "ballast").write_bytes(os.urandom(TOO_SMALL - 2**20))
    failed = cli("ingest", source)
    assert (
        failed.returncode,
        f"the disk with the warehouse {full_disk / 'w.duckdb'} is full" in sentence_of(failed),
    ) == (1, True)
    subprocess.run(["mount", "-o", "remount,size=1G", full_disk], check=True)
    assert cli.json("ingest", source)["files"][0]["records"] == 2_000
    assert cli.json("status")["traces"] == 2_000


def test_a_warehouse_that_another_program_holds_is_waited_for_then_named(cli: Cli) -> None:
    source = traces.write(cli.folder / "t.jsonl", [traces.good(number) for number in range(12)])
    ingesting.ingest(Store(cli.warehouse), [str(source)], "ondemand", "production")
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(cli.warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        failed = cli("check")
        assert (failed.returncode, f"held open by process {other.pid}" in sentence_of(failed)) == (1, True)
        other.communicate()
    cli.ok("check")
