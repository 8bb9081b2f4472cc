"""`curation generate` asks a model for one plan, and says what the row stages find in it."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from curation.cli import app
from curation.errors import InputError
from curation.recipe import Check
from curation.sample import dumps
from curation.stages import asked_of
from tests.trainers.knowing import OFFERED, PLAN, REQUEST
from trainers.generate import checked, read_candidates

ASKED = asked_of(Check())

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]
THOUGHT = "They ask for Lisbon."


@pytest.fixture
def run(knowing: Path, tmp_path: Path) -> Run:
    """The command with the model that knows one answer, and the candidates that it knows it for."""
    (tmp_path / "plugins.json").write_text(dumps(OFFERED))

    def call(*arguments: str, request: str = REQUEST) -> Result:
        given = [
            "generate",
            "--model",
            str(knowing),
            "--candidates",
            str(tmp_path / "plugins.json"),
            *arguments,
            request,
        ]
        return CliRunner().invoke(app, given)

    return call


def test_a_plan_without_fault_is_printed_alone_and_exits_0(run: Run) -> None:
    done = run()
    assert done.exit_code == 0, done.stderr
    assert done.stdout == PLAN + "\n"
    assert f"thinking: {THOUGHT}" in done.stderr
    assert f"{len(ASKED)} row stages: {len(ASKED)} pass" in done.stderr


def test_everything_about_it_is_one_object(run: Run) -> None:
    told = json.loads(run("--json").stdout)
    assert (told["plan"], told["thinking"], told["finish"]) == (PLAN, THOUGHT, "stop")
    assert told["stages"] == {stage.NAME: "pass" for stage in ASKED}
    assert (told["findings"], told["preset"], told["request"]) == ([], "knowing", REQUEST)
    assert told["tokens"] > 20


def snippets() -> list[tuple[str, str]]:
    """(page, command) of each `curation generate` that a reader can copy: from the README, docs and the model card."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "trainers").glob("*.md"))]
    found = [(page.name, line) for page in pages for line in page.read_text(encoding="utf-8").splitlines()]
    return [(page, line) for page, line in found if line.startswith("curation generate ")]


def test_there_are_commands_to_copy() -> None:
    assert {"README.md", "export.md"} <= {page for page, _ in snippets()}


@pytest.mark.parametrize(("page", "command"), snippets())
def test_a_command_that_is_shown_runs_as_it_stands(
    page: str, command: str, knowing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(knowing, tmp_path, dirs_exist_ok=True)  # the card's --model is the folder that it lies in
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "planner").symlink_to(knowing)
    (tmp_path / "candidates.json").write_text(dumps(OFFERED))
    (tmp_path / "plugins.jsonl").write_text(dumps(OFFERED[0]))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, shlex.split(command)[1:])
    assert (done.exit_code, done.stdout) == (0, PLAN + "\n"), done.stderr


def test_a_plan_that_a_stage_fails_is_printed_with_its_faults_and_exits_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "plugins.json").write_text(dumps([{**OFFERED[0], "pluginId": "climate"}]))
    done = run()
    assert done.exit_code == 1
    told = json.loads(run("--json").stdout)
    assert told["stages"]["plugin"] == "fail" or told["stages"]["schema"] == "fail"
    for finding in told["findings"]:
        assert f"{finding['outcome']} {finding['reason']} at {finding['pointer']}" in done.stderr


def test_a_cut_off_answer_says_what_cut_it(run: Run, knowing: Path, tmp_path: Path) -> None:
    preset = tmp_path / "short.toml"
    preset.write_text((knowing / "preset.toml").read_text().replace("max_new_tokens = 1024", "max_new_tokens = 12"))
    done = run("--preset", str(preset))
    assert done.exit_code == 1
    assert "cut off after 12 tokens, the preset's decoding.max_new_tokens" in done.stderr
    assert "fail schema.not_json" in done.stderr


def test_greedy_draws_nothing_whatever_the_preset_says(run: Run, knowing: Path, tmp_path: Path) -> None:
    preset = tmp_path / "hot.toml"
    preset.write_text(
        (knowing / "preset.toml")
        .read_text()
        .replace("temperature = 0.0", "temperature = 50.0")
        .replace("= 1024", "= 90")
    )
    assert run("--preset", str(preset)).stdout != PLAN + "\n"
    assert run("--preset", str(preset), "--greedy").stdout == PLAN + "\n"


def test_a_model_without_a_preset_asks_for_one(run: Run, knowing: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for file in knowing.iterdir():
        if file.name != "preset.toml":
            (bare / file.name).write_bytes(file.read_bytes())
    done = run("--model", str(bare))
    assert isinstance(done.exception, InputError)
    assert "--preset" in str(done.exception)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("gone.json", None, "no such file"),
        ("empty.json", "[]", "offers no plugin"),
        ("odd.json", '{"a": 1}', "neither of these"),
        ("broken.json", "{", "offers no plugin"),
        ("nameless.jsonl", '{"name": "x"}', "has no pluginId"),
    ],
)
def test_candidates_that_offer_nothing_are_one_sentence(
    name: str, text: str | None, sentence: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_candidates(tmp_path / name)


FORMS = {
    "list.json": dumps(OFFERED),
    "lines.jsonl": dumps(OFFERED[0]) + "\n",
    "mcp.json": dumps({"tools": [{"name": "weather", "inputSchema": OFFERED[0]["parameters"]}]}),
    "api.yaml": dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Weather", "version": "1"},
            "paths": {"/weather": {"get": {"operationId": "weather", "responses": {"200": {"description": "ok"}}}}},
        }
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_candidates_may_be_written_in_any_form_that_describes_plugins(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FORMS[name])
    offered, imported = read_candidates(tmp_path / name)
    assert len(offered) == 1
    assert not imported.refusals
    assert "returns" not in offered[0]


def test_a_stage_says_where_and_what(tmp_path: Path) -> None:
    plan = PLAN.replace('"Lisbon"', "5").replace('"dependencies":[]', '"dependencies":["radar"]')
    messages = [{"role": "user", "content": REQUEST}]
    stages, findings = checked(messages, OFFERED, None, plan, Check())
    told = {finding.reason: (finding.pointer, finding.seen) for finding in findings}
    assert told["hydration.type_mismatch"] == ("/plugins/0/api_request_parameters/city", 5)
    assert told["dependency.unknown"] == ("/plugins/0/dependencies/0", "radar")
    assert told["thinking.missing"] == ("/thinking", None)
    assert {name for name, outcome in stages.items() if outcome == "fail"} == {"hydration", "dependency", "thinking"}
    assert checked(messages, OFFERED, None, PLAN, Check(thinking="optional"))[1] == []
