"""A run puts its model on the Hub while it trains and when it ends, and starts from a release there by its commit."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.release.test_hub import LocalHub
from tests.servers.hub_repo import Repo
from tests.servers.local_hub import running_hub
from tests.trainers.conftest import SMALL

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.process


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    with running_hub(tmp_path) as made:
        yield made


def run(hub: LocalHub, release: str | Path, out: Path, *more: str, **environment: str) -> Any:
    sets = [word for change in (*SMALL, "sft.max_steps=5", "sft.save_every=2") for word in ("--set", change)]
    return subprocess.run(
        [
            sys.executable, "-m", "curation.cli", "train", "sft", "--release", str(release), "--preset", "tiny-gemma4",
            "--out", str(out), *sets, "--json", *more,
        ],
        cwd=ROOT,
        env={**hub.environment, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=500,
    )  # fmt: skip


def pushed(hub: LocalHub) -> list[str]:
    """The titles of the model repository's commits, newest first, without the one that made it."""
    state = Repo(hub.at / "root", "_models/owner/planner").state
    at, titles = state["main"], []
    while at is not None:
        titles.append(state["commits"][at]["title"])
        at = state["commits"][at]["parent"]
    return titles[:-1]


@pytest.mark.slow
def test_every_nth_step_and_the_finished_run_are_pushed_and_only_once(
    hub: LocalHub, release: Path, tmp_path: Path
) -> None:
    from curation.release.targets.models import ModelRepository

    out = tmp_path / "run"
    hub.fault(r"POST /api/models/.*/commit/", 500, times=1)  # asked again
    done = run(hub, release, out, "--push-to", "hf://owner/planner", "--push-every", "2")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert pushed(hub) == ["Finished", "Step 4", "Step 2"]
    state = Repo(hub.at / "root", "_models/owner/planner").state
    assert told["pushed"] == {"to": "hf://owner/planner", "commit": state["main"]}
    assert state["private"]
    files = set(state["commits"][state["main"]]["tree"])
    assert {"model.safetensors", "tokenizer.json", "run.json", "README.md", "preset.toml", "metrics.jsonl"} <= files
    assert not [name for name in files if name.startswith(("checkpoints", ".lock"))]
    again = run(hub, release, out, "--push-to", "hf://owner/planner", "--push-every", "2")
    assert again.returncode == 0, again.stderr
    assert pushed(hub) == ["Finished", "Step 4", "Step 2"]
    assert ModelRepository.of("hf://owner/planner").repo == "owner/planner"


@pytest.mark.slow
@pytest.mark.slow
def test_a_hub_that_fails_stops_no_training_and_the_finished_run_is_pushed_by_the_same_command(
    hub: LocalHub, release: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    hub.fault(r"POST /api/models/.*/commit/", 403, times=2)
    bad = run(hub, release, out, "--push-to", "hf://owner/planner", "--push-every", "4")
    assert bad.returncode == 1
    assert "step 4 was not pushed: the Hub at" in bad.stderr
    assert "answered 403 when owner/planner was written; check HF_TOKEN" in bad.stderr
    assert "Traceback" not in bad.stderr
    assert json.loads((out / "run.json").read_text())["state"] == "finished"
    good = run(hub, release, out, "--push-to", "hf://owner/planner")
    assert good.returncode == 0, good.stderr
    assert "nothing is trained again" in good.stderr
    assert pushed(hub) == ["Finished"]


def test_a_release_on_the_hub_is_pinned_to_the_commit_of_its_tag(hub: LocalHub, release: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from curation.release.targets import open_target\n"
        "print(open_target('hf://owner/plans', Path()).publish(Path(sys.argv[1]), 'plans', '1.0.0').commit)"
    )
    made = subprocess.run(
        [sys.executable, "-c", code, str(release)], cwd=ROOT, env=hub.environment, capture_output=True, text=True
    )
    commit = made.stdout.strip().splitlines()[-1]
    ask = (
        "import sys; from curation.errors import CurationError; from trainers.release import open_release\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        found = open_release(name); print(found.commit, found.version, len(found.rows('sft', 'test')))\n"
        "    except CurationError as error:\n        print(type(error).__name__, error)"
    )
    names = ["hf://owner/plans@v1.0.0", "hf://owner/plans@v9.0.0", "hf://owner/nothing@v1.0.0"]
    done = subprocess.run(
        [sys.executable, "-c", ask, *names], cwd=ROOT, env=hub.environment, capture_output=True, text=True, check=True
    )
    found, no_tag, no_repo = done.stdout.splitlines()
    assert found.split()[:2] == [commit, "1.0.0"]
    assert "InputError owner/plans at" in no_tag
    assert "has no revision 'v9.0.0'" in no_tag
    assert "knows no dataset repository owner/nothing that may be read" in no_repo


def test_a_token_that_the_hub_refuses_is_told_before_anything_is_trained(
    hub: LocalHub, release: Path, tmp_path: Path
) -> None:
    done = run(hub, release, tmp_path / "run", "--push-to", "hf://owner/planner", HF_TOKEN="hf_wrong")
    assert done.returncode == 1
    assert "answered 401 when owner/planner was written; check HF_TOKEN" in done.stderr
    assert not (tmp_path / "run").exists()
