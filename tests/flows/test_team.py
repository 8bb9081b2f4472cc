"""A team's deployments for real: prefect.yaml is deployed, a version starts its trainer elsewhere, and a chat is told."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flows import recording
from tests import traces
from tests.conftest import ROOT
from tests.flows.team import Chat, Team, small_preset
from tests.flows.test_recording import run_folder
from warehouse import Store

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def team(prefect: Team) -> Team:
    folder = prefect.cli.folder
    source = traces.write(folder / "t.jsonl", [traces.good(number) for number in range(144)])
    recipe = folder / "r.toml"
    recipe.write_text(traces.recipe_text(source, folder / "out", release="test = 0.1"))
    small_preset(folder, "tiny-gemma4", "sft.max_steps=2", "sft.max_length=2048")
    small_preset(folder, "tiny-gemma4-grpo", "grpo.max_steps=1", "grpo.max_new_tokens=4", "grpo.evaluate_rows=2")
    prefect.deploy(
        {
            "recipe: demo": f"recipe: {recipe}",
            "warehouse: warehouse/curation.duckdb": f"warehouse: {prefect.cli.warehouse}",
            "curation.dataset.demo": "curation.dataset.t",
            "curation.model.demo": "curation.model.t",
            "preset: gemma4-e2b}": f"preset: {folder / 'tiny-gemma4.toml'}}}",
        }
    )
    return prefect


def test_every_deployment_of_prefect_yaml_is_there_with_its_schedule_and_its_trigger(team: Team) -> None:
    found = {f"{team.ask('flows/' + one['flow_id'])['name']}": one for one in team.ask("deployments/filter", {})}
    assert {name: one["work_pool_name"] for name, one in found.items()} == {
        "refresh": "curation", "judge": "curation", "publish": "curation", "train-sft": "gpu", "train-grpo": "gpu",
        "record": "curation",
    }  # fmt: skip
    (schedule,) = found["refresh"]["schedules"]
    assert (schedule["schedule"]["cron"], schedule["active"]) == ("0 2 * * *", True)
    expected = sorted(automation["trigger"]["expect"] for automation in team.ask("automations/filter", {}))
    assert expected == [["curation.dataset.published"], ["curation.model.trained"]]


def test_a_refresh_there_publishes_and_its_version_starts_the_trainer_that_never_sees_the_warehouse_but_is_recorded(
    team: Team,
) -> None:
    team.prefect("deployment", "run", "refresh/curation")
    (refreshed,) = team.wait("a refresh", lambda: team.runs("curation", "Completed", "Failed"))
    assert refreshed["state"]["name"] == "Completed", refreshed["state"]["message"]
    (trained,) = team.wait("a training run", lambda: team.runs("gpu", "Completed", "Failed"))
    assert trained["state"]["name"] == "Completed", trained["state"]["message"]
    told = trained["parameters"]
    assert (told["name"], told["version"], told["reference"]) == (
        "t",
        "1.0.0",
        str(team.cli.folder / "out" / "t-v1.0.0"),
    )
    assert "warehouse" not in told
    folder = team.cli.folder / "runs" / "tiny-gemma4-t-v1.0.0-seed0"
    assert json.loads((folder / "run.json").read_text())["state"] == "finished"
    (recorded,) = team.wait("the record", lambda: team.runs("curation", "Completed", "Failed")[1:])
    assert recorded["state"]["name"] == "Completed", recorded["state"]["message"]
    (run,) = team.cli.json("runs", "t")["runs"]
    assert (run["version"], run["address"], run["score"] is not None) == ("1.0.0", str(folder), True)


def test_the_runs_leave_what_the_morning_sees(team: Team) -> None:
    found = {one["key"]: one for one in team.ask("artifacts/latest/filter", {})}
    assert {"t-funnel", "t-drops", "t-summary", "t-curve"} <= found.keys()
    funnel = json.loads(found["t-funnel"]["data"])
    assert funnel[0] == {"stage": "traces", "outcome": "left", "samples": 144, "since the last run": ""}
    assert "published t 1.0.0" in found["t-summary"]["data"]
    assert "| loss |" in found["t-curve"]["data"]
    logs = "\n".join(one["message"] for one in team.ask("logs/filter", {"limit": 200}))
    assert re.search(r"^144 new traces in 1 files, 0 unreadable \(\d+\.\d s\)$", logs, re.MULTILINE)
    assert re.search(r"^judged \d+ samples, \d+ good enough, \$0\.00 \(\d+\.\d s\)$", logs, re.MULTILINE)
    shown = logs + "".join(one["data"] for one in found.values())
    assert [word for word in (*traces.CITIES, "ferry", "umbrella", "plugin-1") if word in shown] == []


def test_a_trainer_that_is_submitted_by_hand_is_followed_to_its_end(team: Team) -> None:
    model = team.cli.folder / "runs" / "tiny-gemma4-t-v1.0.0-seed0"
    words = ("train", "grpo", "--release", "t@1.0.0", "--preset", "tiny-gemma4-grpo.toml", "--model", model)
    done = team.cli(*words, "--submit", "--wait", "--pool", "gpu")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"Completed: {team.address}/runs/flow-run/[0-9a-f-]+\n", done.stdout)
    assert "Running" in done.stderr
    folder = team.cli.folder / "runs" / "tiny-gemma4-grpo-t-v1.0.0-seed0"
    assert json.loads((folder / "run.json").read_text())["kind"] == "grpo"
    wrong = team.cli(*words, "--submit", "--pool", "cpu")
    assert (wrong.returncode, "work pool gpu, not cpu" in wrong.stderr) == (1, True)


def test_the_webhook_of_the_docs_tells_of_a_failed_run_and_of_a_worse_model_in_one_sentence(team: Team) -> None:
    chat = Chat()
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    environment = team.cli.environment | {"WEBHOOK": chat.url}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=600)
    team.prefect("deployment", "run", "refresh/curation", "-p", "recipe=nowhere.toml")
    (told,) = team.wait("the word in the chat", lambda: chat.told)
    assert told == {
        "text": "refresh nowhere is Failed: there is no recipe at nowhere.toml; `curation init PATH` writes one"
    }
    recorded(team, "one", "1.0.0", 0.8)
    folder = recorded(team, "two", "1.1.0", 0.3)
    (_, worse) = team.wait("the word of the worse model", lambda: chat.told if len(chat.told) > 1 else None)
    assert re.match(rf"record {folder} is Worse: \S+ scores 0\.300 .* scored 0\.800", worse["text"])


def recorded(team: Team, name: str, version: str, score: float) -> Path:
    """The folder of a run that the deployment `record` has written down."""
    folder = run_folder(team.cli.folder / name, version, score, f"2026-10-01T0{version[2]}:00:00Z")
    team.prefect("deployment", "run", "record/curation", "-p", f"address={folder}")
    known = Store(team.cli.warehouse)
    team.wait("its record", lambda: version in [run["version"] for run in recording.history(known, "plans")["runs"]])
    return folder
