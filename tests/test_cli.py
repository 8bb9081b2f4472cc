"""The command line keeps its contract: results alone on stdout, one sentence on stderr, exit codes that mean something."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests import traces
from tests.conftest import Cli
from tests.servers.claude import KEY, Claude

VERBS = (
    *("init", "doctor", "ingest", "check", "judge", "publish", "refresh"),
    *("status", "decisions", "samples", "explain", "releases approve", "runs add", "serve", "synthesize"),
    *("warehouse size", "warehouse backup", "warehouse restore", "warehouse compact"),
)


@pytest.fixture
def source(cli: Cli) -> Path:
    good = [traces.good(number) for number in range(12)]
    return traces.write(cli.folder / "t.jsonl", [*good, *traces.bad()], "not JSON")


@pytest.fixture
def recipe(cli: Cli, source: Path) -> Path:
    path = cli.folder / "r.toml"
    path.write_text(traces.recipe_text(source, cli.folder / "out"))
    return path


def refused(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    """One sentence on stderr that holds the words; nothing on stdout, no traceback."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith(("error:", "stopped:"))]
    assert len(said) == 1, done.stderr
    for word in words:
        assert word in said[0]


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_has_help_with_an_example(cli: Cli, verb: str) -> None:
    text = cli.ok(*verb.split(), "--help")
    assert f"Example: curation {verb}" in text
    assert "--warehouse" in text


def test_what_is_printed_a_line_each_is_one_object_with_json(cli: Cli, recipe: Path, source: Path) -> None:
    drafted = cli.json("init", source, "--out", "drafted.toml")
    assert drafted["recipe"] == "drafted.toml"
    assert any(str(source) in finding for finding in drafted["findings"])
    cli.ok("ingest", source)
    cli.ok("check", "--recipe", recipe)
    for verb, arguments in (("samples", ("--limit", "3")), ("decisions", ())):
        asked = (verb, "--recipe", recipe, *arguments)
        told = cli.json(*asked)
        assert told == {verb: [json.loads(line) for line in cli.ok(*asked).splitlines()]}
        assert cli.json(*asked, "--out", "rows.jsonl") == {"rows": len(told[verb]), "out": "rows.jsonl"}
    assert cli.json("plugins", "list") == {"plugins": []}


@pytest.mark.parametrize("arguments", [["nonsense"], ["ingest"], ["judge", "--workers", "0"], ["status", "--colour"]])
def test_wrong_usage_exits_2(cli: Cli, arguments: list[str]) -> None:
    done = cli(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""


def test_what_cannot_be_ingested_is_told_in_one_sentence_and_nothing_is_made(cli: Cli) -> None:
    (cli.folder / "empty.jsonl").touch()
    (cli.folder / "folder").mkdir()
    (cli.folder / "folder" / "notes.txt").write_text("hello")
    (cli.folder / "other.jsonl").write_text('{"animal": "cat"}\n')
    refused(cli("ingest", "missing.jsonl"), "missing.jsonl")
    refused(cli("ingest", "empty.jsonl"), "empty.jsonl", "empty")
    refused(cli("ingest", "folder"), "folder", "no traces")
    refused(cli("ingest", "other.jsonl"), "other.jsonl", "animal", "ondemand")
    refused(cli("ingest", "other.jsonl", "--format", "cobol"), "cobol", "ondemand")
    assert not cli.warehouse.exists()


def test_one_broken_line_costs_that_line_and_strict_says_so(cli: Cli, source: Path) -> None:
    done = cli("ingest", source)
    assert done.returncode == 0
    assert "1 of 17" in done.stderr
    assert "line 17" in done.stderr
    strict = cli("ingest", source, "--strict")
    assert strict.returncode == 1
    assert "error: 1 records cannot be read, and --strict allows none" in strict.stderr
    assert cli.json("status")["traces"] == 17


def test_the_first_three_of_many_broken_lines_are_named(cli: Cli, source: Path) -> None:
    traces.write(source, [traces.good(1)], *["{"] * 7)
    done = cli("ingest", source)
    for word in ("7 of 8", "line 2", "line 3", "line 4", "and 4 more"):
        assert word in done.stderr
    assert "line 5" not in done.stderr


def test_a_warehouse_that_is_none_is_refused_by_every_command(cli: Cli, source: Path) -> None:
    cli.warehouse.write_text("this is no database")
    for arguments in (["ingest", source], ["check"], ["status"], ["explain", "x"], ["releases"]):
        refused(cli(*arguments), "w.duckdb", "not a DuckDB file")
    assert cli.warehouse.read_text() == "this is no database"


def test_asking_before_anything_was_ingested_says_what_to_do(cli: Cli, recipe: Path) -> None:
    for arguments in (
        ["check"],
        ["judge"],
        ["status"],
        ["decisions"],
        ["samples"],
        ["explain", "x"],
        ["publish", recipe],
    ):
        refused(cli(*arguments), "curation ingest")
    assert not cli.warehouse.exists()


def test_a_recipe_with_a_wrong_key_names_it(cli: Cli, recipe: Path) -> None:
    recipe.write_text(recipe.read_text() + "[dedup]\ntreshold = 0.8\n")
    refused(cli("refresh", recipe), "treshold", "did you mean 'threshold'")
    assert not cli.warehouse.exists()


def test_the_path_by_commands(cli: Cli, recipe: Path, source: Path) -> None:
    cli.ok("ingest", source)
    cli.ok("check", "--recipe", recipe)
    told = cli.json("judge", "--recipe", recipe)
    assert told["accepted"] == 12
    first = cli.json("publish", recipe)
    assert set(first) >= {"name", "version", "path", "commit", "rows"}
    assert first["new"]
    assert sum(first["rows"].values()) == 12
    assert not cli.json("publish", recipe)["new"]
    assert [release["version"] for release in cli.json("releases")["releases"]] == ["1.0.0"]
    assert cli.json("status", "--recipe", recipe)["releases"][0]["rows"] == first["rows"]


def test_decisions_are_one_row_per_fault(cli: Cli, source: Path) -> None:
    cli.ok("ingest", source)
    cli.ok("check")
    rows = [json.loads(line) for line in cli.ok("decisions").splitlines()]
    found = {(row["trace_id"], row["reason"]) for row in rows if row["outcome"] == "fail"}
    assert found == {(trace["trace_id"], trace["trace_id"].removeprefix("bad-")) for trace in traces.bad()}
    assert all(set(row["detail"]) == {"pointer", "seen"} for row in rows)
    cli.ok("decisions", "--format", "parquet", "--out", "d.parquet")
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT count(*) FROM '{cli.folder / 'd.parquet'}'").fetchall() == [(len(rows),)]
    assert cli("decisions", "--format", "parquet").returncode == 2


def test_a_reason_that_no_stage_gives_is_refused_with_those_that_are(cli: Cli, source: Path) -> None:
    cli.ok("ingest", source)
    done = cli("samples", "--reason", "hydration.missing")
    refused(done, "'hydration.missing'", "did you mean hydration.missing_required", "schema.not_json", "undecided")
    cli.ok("samples", "--reason", "undecided")


def test_samples_are_exported_by_verdict_and_by_reason(cli: Cli, source: Path, recipe: Path) -> None:
    cli.ok("ingest", source)
    cli.ok("check", "--recipe", recipe)
    cli.ok("judge", "--recipe", recipe)
    rows = [json.loads(line) for line in cli.ok("samples", "--recipe", recipe, "--accepted").splitlines()]
    assert len(rows) == 12
    assert all(row["accepted"] for row in rows)
    (fallen,) = map(json.loads, cli.ok("samples", "--recipe", recipe, "--reason", "plugin.unknown").splitlines())
    assert (fallen["trace_id"], fallen["reason"]) == ("bad-plugin.unknown", "plugin.unknown")
    assert len(cli.ok("samples", "--recipe", recipe, "--limit", "3").splitlines()) == 3


def test_explain_tells_a_stranger_why_a_sample_fell(cli: Cli, source: Path) -> None:
    cli.ok("ingest", source)
    cli.ok("check")
    text = cli.ok("explain", "bad-plugin.unknown")
    for word in (
        "t.jsonl:15",
        "How is Bergen doing today?",
        "not accepted",
        "plugin.unknown",
        "/plugins/0/pluginId",
        "plugin-9",
    ):
        assert word in text
    sample_id = cli.json("explain", "bad-plugin.unknown")["samples"][0]["sample_id"]
    assert cli.json("explain", sample_id)["samples"][0]["sample_id"] == sample_id
    refused(cli("explain", "no-such-id"), "no-such-id", "curation samples")


def test_explain_tells_what_is_wrong_with_a_trace_that_cannot_be_read(cli: Cli, source: Path) -> None:
    cli.ok("ingest", source)
    with duckdb.connect(str(cli.warehouse), read_only=True) as connection:
        ((key,),) = connection.execute("SELECT trace_key::VARCHAR FROM trace WHERE error IS NOT NULL").fetchall()
    assert "cannot be read" in cli.ok("explain", key)


def test_init_writes_a_recipe_that_runs_as_it_is(cli: Cli, source: Path) -> None:
    done = cli("init", source, "--out", "mine.toml")
    assert done.returncode == 0
    assert "12 plans" in done.stderr or "16 plans" in done.stderr
    refused(cli("init", source, "--out", "mine.toml"), "mine.toml", "exists already")
    told = cli.json("doctor", "--recipe", "mine.toml")
    assert not [finding for finding in told["findings"] if finding["state"] == "bad"]
    cli.ok("ingest", source)
    cli.ok("check", "--recipe", "mine.toml")
    assert cli.json("status", "--recipe", "mine.toml")["recipe"] == "mine"


def test_doctor_says_what_is_missing_and_exits_1(cli: Cli, recipe: Path) -> None:
    recipe.write_text('name = "t"\n[[source]]\npath = "gone.jsonl"\n[release]\nto = "hf://me/data"\n')
    done = cli("doctor", "--recipe", recipe)
    assert done.returncode == 1
    bad = [line for line in done.stdout.splitlines() if line.startswith("BAD")]
    assert [
        word
        for line, word in zip(bad, ("gone.jsonl", "vertex", "licence", "hf://me/data"), strict=True)
        if word not in line
    ] == []
    assert "Traceback" not in done.stderr


def test_no_credentials_for_vertex_is_one_sentence_before_anything_is_asked_or_changed(cli: Cli, source: Path) -> None:
    cli.ok("ingest", source)
    cli.ok("check")
    before = cli.json("status")
    refused(cli("judge", "--backend", "vertex"), "ANTHROPIC_VERTEX_PROJECT_ID", "CLOUD_ML_REGION")
    assert cli.json("status") == before


def claude(url: str) -> dict[str, str]:
    return {
        "ANTHROPIC_VERTEX_PROJECT_ID": "p",
        "CLOUD_ML_REGION": "global",
        "ANTHROPIC_VERTEX_BASE_URL": f"{url}/v1",
        "CURATION_VERTEX_TOKEN": KEY,
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": url,
    }


@pytest.mark.parametrize("backend", ["vertex", "anthropic"])
def test_claude_judges_over_http_and_nothing_is_asked_twice(cli: Cli, source: Path, backend: str) -> None:
    cli.ok("ingest", source)
    cli.ok("check")
    with Claude() as service:
        told = cli.json("judge", "--backend", backend, "--workers", 4, **claude(service.url))
        assert (told["accepted"], service.requests) == (12, 12)
        assert told["usd"] > 0
        cli.ok("judge", "--backend", backend, "--workers", 9, **claude(service.url))
        assert service.requests == 12


def test_a_reply_that_is_no_score_is_an_abstention_that_the_next_run_asks_again(cli: Cli, source: Path) -> None:
    cli.ok("ingest", source)
    cli.ok("check")
    marked = traces.good(3)["messages"][0]["content"]
    with Claude(marked={marked: "refusal"}) as service:
        told = cli.json("judge", "--backend", "anthropic", **claude(service.url))
    assert told["accepted"] == 11
    assert {row["reason"]: row["samples"] for row in told["fell"]}["judge.failed"] == 1
    with Claude() as service:
        told = cli.json("judge", "--backend", "anthropic", **claude(service.url))
        assert (told["accepted"], service.requests) == (12, 1)


def test_a_refused_key_stops_the_run_with_one_sentence(cli: Cli, source: Path) -> None:
    cli.ok("ingest", source)
    cli.ok("check")
    with Claude() as service:
        refused(cli("judge", "--backend", "anthropic", **claude(service.url) | {"ANTHROPIC_API_KEY": "wrong"}), "401")
        assert service.requests <= 12
    assert cli.json("status")["accepted"] == 0


def test_one_judge_at_a_time_and_status_answers_meanwhile(cli: Cli, source: Path) -> None:
    traces.write(source, [traces.good(number) for number in range(60)])
    cli.ok("ingest", source)
    cli.ok("check")
    with Claude(latency=1.5) as service:
        judge = cli.start("judge", "--backend", "vertex", "--workers", 4, **claude(service.url))
        try:
            wait_for(lambda: service.requests > 0, judge)
            second = cli("judge", "--backend", "vertex", **claude(service.url))
            refused(second, str(judge.pid), code=3)
            wait_for(lambda: service.answered, judge)
            told = cli.json("status")
            assert (told["samples"], told["accepted"]) == (60, 0)
            assert told["waiting_replies"] > 0, "they are safe in the journal, and told"
            assert judge.poll() is None
        finally:
            os.killpg(judge.pid, signal.SIGKILL)
            judge.wait()


def test_ctrl_c_keeps_what_was_answered_and_the_same_command_goes_on(cli: Cli, source: Path) -> None:
    traces.write(source, [traces.good(number) for number in range(40)])
    cli.ok("ingest", source)
    cli.ok("check")
    with Claude(latency=0.3) as service:
        judge = cli.start("judge", "--backend", "anthropic", "--workers", 5, **claude(service.url))
        wait_for(lambda: service.requests >= 15, judge)
        judge.send_signal(signal.SIGINT)
        _, said = judge.communicate(timeout=60)
        assert judge.returncode == 130, said
        assert "goes on from here" in said
        assert service.requests < 40
        told = cli.json("judge", "--backend", "anthropic", "--workers", 5, **claude(service.url))
        assert told["accepted"] + sum(row["samples"] for row in told["fell"]) == told["samples"]
        assert max(service.answered.values()) == 1


def wait_for(true: object, process: "subprocess.Popen[str]", seconds: float = 60) -> None:
    """Until the condition holds; fails where the process ends first."""
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_package_of_the_same_name_from_elsewhere_stops_every_command(cli: Cli) -> None:
    (cli.folder / "schemas").mkdir()
    (cli.folder / "schemas" / "__init__.py").write_text("load_schema = None\n")
    root = Path(__file__).resolve().parents[1]
    code = f"import sys; sys.path[:0] = [{str(cli.folder)!r}, {str(root)!r}]; from curation.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "releases"], cwd=cli.folder, capture_output=True, text=True)
    assert done.returncode == 1
    assert "'schemas' is not curation's own" in done.stderr


def test_results_can_be_piped_into_something_that_stops_reading(cli: Cli, source: Path) -> None:
    cli.ok("ingest", source)
    cli.ok("check")
    command = " ".join(cli.command("samples")) + " | head -c 10"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=cli.folder,
        env=cli.environment,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
