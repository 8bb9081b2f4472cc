"""The registry is kept in the warehouse, and what is made over it walks the whole path."""

import json
import os
from pathlib import Path

import pytest

from tests.conftest import Cli


def openapi(path: Path, *names: str) -> Path:
    city = {"name": "city", "in": "query", "required": True, "schema": {"type": "string"}, "description": "The city"}
    paths = {
        f"/{name}": {
            "get": {"operationId": name, "description": f"Looks up the {name} of a city.", "parameters": [city]}
        }
        for name in names
    }
    document = {"openapi": "3.0.3", "info": {"title": "Town", "version": "1"}, "paths": paths}
    path.write_text(json.dumps(document))
    return path


def test_an_imported_document_is_listed_and_imported_again_changes_nothing(cli: Cli) -> None:
    path = openapi(cli.folder / "o.json", "weather", "population")
    for _ in range(2):
        assert "2 plugins imported" in cli.ok("plugins", "import", path)
    rows = [json.loads(line) for line in cli.ok("plugins", "list").splitlines()]
    assert len(rows) == 2
    assert all("city" in row["parameters"]["properties"] for row in rows)


def test_a_file_without_plugins_is_refused_in_one_sentence(cli: Cli) -> None:
    (cli.folder / "x.json").write_text('{"animal": "cat"}')
    done = cli("plugins", "import", "x.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "x.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_synthetic_plans_pass_the_row_stages_and_are_the_same_for_the_same_seed(cli: Cli) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        cli.ok("synthesize", "--count", 60, "--seed", 5, "--out", name)
    assert (cli.folder / "a.jsonl").read_bytes() == (cli.folder / "b.jsonl").read_bytes()
    assert "60 new synthetic traces" in cli.ok("synthesize", "--count", 60, "--seed", 5)
    told = cli.json("check")
    assert told["samples"] == 60
    fell = sum(row["samples"] for row in told["fell"] if row["stage"] != "judge")
    assert fell <= 3


@pytest.mark.parametrize("mix", ["seven=1", "1_step=a", "1_step=-1"])
def test_a_mix_that_is_none_is_refused(cli: Cli, mix: str) -> None:
    done = cli("synthesize", "--count", 5, "--mix", mix)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


def test_an_import_says_what_is_new_and_what_has_changed(cli: Cli) -> None:
    path = openapi(cli.folder / "o.json", "weather", "population")
    assert "2 plugins imported (2 new, 0 changed)" in cli.ok("plugins", "import", path)
    path.write_text(path.read_text().replace("Looks up the weather", "Tells the weather"))
    assert "2 plugins imported (0 new, 1 changed)" in cli.ok("plugins", "import", path)


def test_of_two_plugins_with_one_id_in_an_import_the_first_is_taken_and_the_other_is_named(cli: Cli) -> None:
    (cli.folder / "a.jsonl").write_text('{"pluginId": "p-1", "name": "First"}\n')
    (cli.folder / "b.jsonl").write_text('{"pluginId": "p-1", "name": "Second"}\n{"pluginId": "p-2"}\n')
    done = cli("plugins", "import", "a.jsonl", "b.jsonl")
    assert "2 plugins imported (2 new, 0 changed), 1 refused" in done.stdout
    assert "b.jsonl: p-1: not imported: another plugin has this id (First)" in done.stderr
    assert [json.loads(line)["name"] for line in cli.ok("plugins", "list").splitlines()] == ["First", None]


def test_the_first_notes_of_an_import_are_shown_and_the_rest_counted(cli: Cli) -> None:
    lines = [json.dumps({"pluginId": f"p-{i}", "parameters": {"properties": {"x": {"type": "no"}}}}) for i in range(7)]
    (cli.folder / "r.jsonl").write_text("\n".join(lines))
    done = cli("plugins", "import", "r.jsonl")
    assert "7 notes; --json lists the 7 notes" in done.stdout
    assert done.stderr.count("note: r.jsonl:") == 5
    assert "r.jsonl:1: the parameters are written in a vendor's words" in done.stderr


def test_a_pipe_is_written_to_and_stays_a_pipe(cli: Cli) -> None:
    pipe = cli.folder / "pipe"
    os.mkfifo(pipe)
    writer = cli.start("synthesize", "--count", 3, "--out", pipe)
    with pipe.open() as file:
        assert len(file.read().splitlines()) == 3
    assert writer.wait(60) == 0
    assert pipe.is_fifo()


@pytest.mark.parametrize("backend", ["offline", "anthropic"])
def test_a_folder_as_the_file_to_write_is_refused_before_anybody_is_asked(cli: Cli, backend: str) -> None:
    done = cli("synthesize", "--count", 3, "--backend", backend, "--out", ".")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: --out '.' is a folder; name a file\n"


def test_a_budget_of_nothing_means_nothing_to_the_rules(cli: Cli) -> None:
    done = cli("synthesize", "--count", 3, "--budget-usd", 0)
    assert done.returncode == 1
    assert "the backend offline asks no model" in done.stderr
