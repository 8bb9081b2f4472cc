"""Training runs are recorded once, wherever they were made, and a model that is worse than the last is said loudly."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from curation.errors import InputError, ServiceError
from flows import recording
from flows.training import failure_recorded
from tests.conftest import Cli
from tests.servers.local_hub import running_hub
from warehouse import Store


def run_folder(folder: Path, version: str, score: float, began: str) -> Path:
    """What a trainer and its evaluation leave behind."""
    folder.mkdir(parents=True)
    release = {"name": "plans", "version": version, "commit": None, "digest": f"d{version}", "reference": "releases/x"}
    run = {"kind": "sft", "state": "finished", "release": release, "preset": {"name": "tiny"}, "model": "random"}
    run |= {"seed": 0, "started_at": began, "finished_at": began, "metrics": {"train_loss": 0.5}}
    (folder / "run.json").write_text(json.dumps(run))
    mean = {"n": 50, "mean": score, "low": score - 0.05, "high": score + 0.05}
    told: dict[str, Any] = {"model": str(folder), "preset": "tiny", "release": {**release, "split": "test"}}
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluation.json").write_text(json.dumps(told | {"pools": {"own": {"mean": mean}}}))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "w.duckdb")


def test_a_run_is_recorded_once_with_its_evaluation(store: Store, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "one", "1.0.0", 0.8, "2026-10-01T01:00:00Z")
    assert [recording.add(store, str(folder)).new for _ in range(2)] == [True, False]
    (row,) = recording.history(store, "plans")["runs"]
    assert (row["preset"], row["version"], row["score"], row["address"]) == ("tiny", "1.0.0", 0.8, str(folder))
    assert recording.history(store, "others")["runs"] == []


def test_release_and_preset_make_a_run_one_wherever_and_whenever_it_was_made(store: Store, tmp_path: Path) -> None:
    first = run_folder(tmp_path / "one", "1.0.0", 0.8, "2026-10-01T01:00:00Z")
    again = run_folder(tmp_path / "elsewhere", "1.0.0", 0.8, "2026-10-05T01:00:00Z")
    assert [recording.add(store, str(folder)).new for folder in (first, again)] == [True, False]
    assert [row["address"] for row in recording.history(store, "plans")["runs"]] == [str(again)]
    assert recording.finished(store, "sft", "plans", "1.0.0", "tiny", "") == str(again)
    for other in (("grpo", "1.0.0", "tiny"), ("sft", "1.1.0", "tiny"), ("sft", "1.0.0", "large")):
        assert recording.finished(store, other[0], "plans", other[1], other[2], "") is None
    assert recording.finished(store, "sft", "plans", "1.0.0", "tiny", "another model") is None


@pytest.mark.parametrize(("score", "worse"), [(0.6, True), (0.78, False), (0.9, False)])
def test_a_model_that_is_surely_worse_than_the_last_is_told(
    store: Store, tmp_path: Path, score: float, worse: bool
) -> None:
    recording.add(store, str(run_folder(tmp_path / "one", "1.0.0", 0.8, "2026-10-01T01:00:00Z")))
    done = recording.add(store, str(run_folder(tmp_path / "two", "1.1.0", score, "2026-10-02T01:00:00Z")))
    assert bool(done.regressions) == worse
    late = recording.add(store, str(run_folder(tmp_path / "old", "0.9.0", 0.1, "2026-09-01T01:00:00Z")))
    assert late.regressions == ()  # nothing was trained before it


@pytest.mark.parametrize(("said", "recorded"), [("running", "crashed"), ("failed", "failed")])
def test_a_run_whose_process_ended_without_an_end_has_crashed(
    store: Store, tmp_path: Path, said: str, recorded: str
) -> None:
    path = run_folder(tmp_path / "one", "1.0.0", 0.8, "2026-10-01T01:00:00Z") / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"state": said, "detail": "no room"}))
    recording.add(store, str(path.parent), ended=True)
    (row,) = recording.history(store, "plans")["runs"]
    assert (row["state"], row["detail"]) == (recorded, "no room")
    assert recording.finished(store, "sft", "plans", "1.0.0", "tiny", "") is None


def test_a_trainer_that_fails_is_among_the_runs_where_this_box_has_the_warehouse(store: Store, tmp_path: Path) -> None:
    def fail(known: Store | None) -> None:
        with pytest.raises(ServiceError, match="it ended"), failure_recorded(known, tmp_path / "one"):
            raise ServiceError("it ended")

    fail(store)
    assert not store.exists()  # it failed before it began: Prefect's run says so
    path = run_folder(tmp_path / "one", "1.0.0", 0.8, "2026-10-01T01:00:00Z") / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"state": "running"}))
    fail(None)
    assert not store.exists()
    fail(store)
    path.write_text("{")
    fail(store)  # in its own words, whatever the folder holds
    assert [row["state"] for row in recording.history(store, "plans")["runs"]] == ["crashed"]


def test_a_run_that_somebody_else_wrote_is_shown_without_commands_to_the_terminal(cli: Cli) -> None:
    path = run_folder(cli.folder / "one", "1.0.0", 0.8, "2026-10-01T01:00:00Z") / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"state": "odd\u202e", "detail": "no \x1b[31mroom"}))
    cli.ok("runs", "add", path.parent)
    shown = cli.ok("runs")
    assert "odd\ufffd" in shown
    assert "no \ufffd[31mroom" in shown


def test_what_is_no_run_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no run\.json"):
        recording.add(store, str(tmp_path))
    (tmp_path / "run.json").write_text('{"kind": "sft"}')
    with pytest.raises(InputError, match="cannot be read"):
        recording.add(store, str(tmp_path))
    assert not store.exists()


def test_the_command_warns_of_a_regression_and_the_list_shows_both(cli: Cli) -> None:
    run_folder(cli.folder / "one", "1.0.0", 0.8, "2026-10-01T01:00:00Z")
    run_folder(cli.folder / "two", "1.1.0", 0.3, "2026-10-02T01:00:00Z")
    assert "recorded the sft run of tiny on plans 1.0.0, 1 evaluations" in cli.ok("runs", "add", "one")
    second = cli("runs", "add", "two")
    assert second.returncode == 0
    assert "REGRESSION" in second.stderr
    shown = cli.ok("runs")
    assert shown.index("plans 1.1.0") < shown.index("plans 1.0.0")


def test_a_run_that_was_left_on_the_hub_is_recorded_from_there(cli: Cli) -> None:
    folder = run_folder(cli.folder / "one", "1.0.0", 0.8, "2026-10-01T01:00:00Z")
    push = "import sys; from curation.release.targets.models import ModelRepository as M; from pathlib import Path; "
    push += "M.of('hf://team/planner').push(Path(sys.argv[1]), 'plans 1.0.0, tiny')"
    with running_hub(cli.folder) as hub:
        environment = {key: hub.environment[key] for key in hub.environment if key.startswith("HF_")}
        subprocess.run([sys.executable, "-c", push, str(folder)], env=cli.environment | environment, check=True)
        assert "1 evaluations: hf://team/planner" in cli.ok("runs", "add", "hf://team/planner", **environment)
        unknown = cli("runs", "add", "hf://team/nobody", **environment)
        refused = cli("runs", "add", "hf://team/planner", **environment | {"HF_TOKEN": "hf_expired"})
    (run,) = cli.json("runs")["runs"]
    assert (run["address"], run["score"]) == ("hf://team/planner", 0.8)
    assert (unknown.returncode, "there is no model repository hf://team/nobody" in unknown.stderr) == (1, True)
    assert (refused.returncode, "check HF_TOKEN" in refused.stderr) == (1, True)
