"""The Hub takes a release in one commit and one tag, over real HTTP against a local server that speaks its protocol."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.release import parquet
from tests.release.samples import facts, many, release
from tests.servers.hub_repo import Repo

ROOT = Path(__file__).resolve().parents[2]
TO = "hf://owner/plans"
TOKEN = "hf_local"


class LocalHub:
    """A running local Hub, and clients that talk to it from processes of their own."""

    def __init__(self, url: str, at: Path) -> None:
        self.url, self.at = url, at
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
        self.environment |= {"HF_ENDPOINT": url, "HF_HOME": str(at / "home"), "HF_HUB_DISABLE_XET": "1"}
        self.environment |= {"HF_TOKEN": TOKEN, "HF_HUB_DISABLE_TELEMETRY": "1"}

    def ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers)) as answer:
            return json.load(answer)

    def fault(self, match: str, kind: int | str, times: int = 1) -> None:
        self.ask("/_faults", {"match": match, "kind": kind, "times": times})

    def start(self, built: Path | None, version: str = "1.0.0", **environment: str) -> subprocess.Popen[str]:
        """A client process that publishes the built release (None: only asks whether the Hub would take one)."""
        arguments = [TO] if built is None else [str(built), TO, "tool-plans", version]
        return subprocess.Popen(
            [sys.executable, "-m", "tests.release.hub_client", *arguments],
            cwd=ROOT,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def publish(self, built: Path | None, version: str = "1.0.0", **environment: str) -> dict[str, str]:
        out, err = self.start(built, version, **environment).communicate(timeout=120)
        assert TOKEN not in out + err
        answer: dict[str, str] = json.loads(out)
        return answer

    def load(self, config: str, revision: str) -> dict[str, Any]:
        """What `datasets` reads back: the rows of each split, from a process with an empty cache."""
        code = (
            "import datasets, json, sys; found = datasets.load_dataset('owner/plans', sys.argv[1], revision=sys.argv[2]);"
            "print(json.dumps({split: list(rows) for split, rows in found.items()}))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, config, revision],
            env=self.environment | {"HF_HOME": str(self.at / f"reader-{time.monotonic_ns()}")},
            capture_output=True,
            text=True,
            check=True,
        )
        rows: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return rows

    @property
    def state(self) -> dict[str, Any]:
        return Repo(self.at / "root", "owner/plans").state

    def titles(self) -> list[str]:
        """The commits on main, oldest first."""
        listed: list[str] = []
        oid = self.state["main"]
        while oid is not None:
            listed.insert(0, self.state["commits"][oid]["title"])
            oid = self.state["commits"][oid]["parent"]
        return listed


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    command = [sys.executable, "-m", "tests.servers.hub", "--root", str(tmp_path / "root"), "--token", TOKEN]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield LocalHub(process.stdout.readline().split()[-1], tmp_path)
        process.kill()


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return release(tmp_path / "built", many(60)).folder


def test_a_release_is_one_commit_with_a_tag_in_a_private_repository(hub: LocalHub, built: Path) -> None:
    placed = hub.publish(built)
    assert placed["path"] == "hf://owner/plans@v1.0.0"
    assert hub.titles() == ["initial commit", "Release tool-plans v1.0.0"]
    assert hub.state["tags"] == {"v1.0.0": placed["commit"]} == {"v1.0.0": hub.state["main"]}
    assert hub.state["private"] is True
    tree = hub.state["commits"][placed["commit"]]["tree"]
    here = {str(path.relative_to(built)) for path in built.rglob("*") if path.is_file()}
    assert set(tree) == here | {".gitattributes"}
    assert all(tree[path]["lfs"] == path.endswith(".parquet") for path in tree)


@pytest.mark.parametrize("config", ["sft", "grpo"])
def test_what_load_dataset_reads_by_the_tag_is_what_was_built(config: str, hub: LocalHub, built: Path) -> None:
    datasets = pytest.importorskip("datasets")
    hub.publish(built)
    here = datasets.load_dataset(str(built), config, cache_dir=str(hub.at / "cache"))
    assert hub.load(config, "v1.0.0") == {split: list(rows) for split, rows in here.items()}


def test_publishing_again_is_success_and_changes_nothing(hub: LocalHub, built: Path) -> None:
    first = hub.publish(built)
    later = release(hub.at / "later", many(60), minute=5).folder
    assert hub.publish(later) == first
    assert len(hub.titles()) == 2


def test_a_new_version_replaces_main_and_the_old_one_stays_by_its_tag(hub: LocalHub, built: Path) -> None:
    first = hub.publish(built)
    newer = release(hub.at / "newer", many(70), facts(version="1.1.0", parent="1.0.0")).folder
    second = hub.publish(newer, "1.1.0")
    assert hub.state["tags"] == {"v1.0.0": first["commit"], "v1.1.0": second["commit"]}
    here = {str(path.relative_to(newer)) for path in newer.rglob("*") if path.is_file()}
    assert set(hub.state["commits"][second["commit"]]["tree"]) == here | {".gitattributes"}
    counts = [sum(map(len, hub.load("sft", revision).values())) for revision in ("v1.0.0", "v1.1.0", "main")]
    assert counts == [60, 70, 70]


def test_a_new_version_sends_only_the_files_that_the_hub_does_not_have(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "SHARD_LEAST", 10)
    monkeypatch.setattr(parquet, "SHARD_EVERY", 10)
    hub.publish(release(hub.at / "first", many(300)).folder)
    sent = [line for line in hub.ask("/_log") if line.startswith("PUT /_lfs/")]
    grown = many(310).with_columns(released_in=pl.when(pl.int_range(pl.len()) < 300).then(pl.lit("1.0.0")))
    newer = release(hub.at / "newer", grown, facts(version="1.1.0", parent="1.0.0"))
    hub.publish(newer.folder, "1.1.0")
    anew = [line for line in hub.ask("/_log") if line.startswith("PUT /_lfs/")][len(sent) :]
    assert len(sent) > 20
    assert 0 < len(anew) <= 2 * len(newer.rows)  # of both configurations the last file of each split
    assert sum(map(len, hub.load("sft", "v1.1.0").values())) == 310


def test_other_rows_under_a_tag_that_exists_are_refused(hub: LocalHub, built: Path) -> None:
    hub.publish(built)
    before = hub.state
    answer = hub.publish(release(hub.at / "other", many(61)).folder)
    assert answer["error"] == "TargetError"
    assert "owner/plans already has the tag v1.0.0" in answer["sentence"]
    assert "choose another version" in answer["sentence"]
    assert hub.state == before


@pytest.mark.parametrize(
    ("path", "says"),
    [("data/mine.csv", "already holds other files (data/mine.csv)"), ("manifest.json", "not the manif")],
)
def test_a_repository_with_something_else_in_it_is_refused(path: str, says: str, hub: LocalHub, built: Path) -> None:
    repo = Repo(hub.at / "root", "owner/plans")
    repo.create(private=False)
    repo.commit({**repo.tree("main"), path: repo.put(b"{}", lfs=False)}, "mine")
    answer = hub.publish(built)
    assert answer["error"] == "TargetError"
    assert says in answer["sentence"]
    assert hub.titles() == ["initial commit", "mine"]


def test_a_repository_of_another_dataset_is_refused(hub: LocalHub, built: Path) -> None:
    other = release(hub.at / "other", many(20), facts(name="other", version="3.0.0")).folder
    command = [sys.executable, "-m", "tests.release.hub_client", str(other), TO, "other", "3.0.0"]
    subprocess.run(command, cwd=ROOT, env=hub.environment, check=True, capture_output=True)
    assert "holds releases of other, not of tool-plans" in hub.publish(built)["sentence"]


@pytest.mark.slow
def test_an_attempt_that_was_killed_before_the_tag_is_finished_with_the_same_commit(hub: LocalHub, built: Path) -> None:
    hub.fault("POST .*/tag/", "hang")
    process = hub.start(built)
    wait_for(hub, "/tag/")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    commit = hub.state["main"]
    assert hub.state["tags"] == {}
    assert hub.publish(built)["commit"] == commit
    assert hub.state["tags"] == {"v1.0.0": commit}
    assert hub.titles() == ["initial commit", "Release tool-plans v1.0.0"]


@pytest.mark.slow
def test_an_attempt_that_was_killed_while_uploading_leaves_no_commit_and_the_next_succeeds(
    hub: LocalHub, built: Path
) -> None:
    hub.fault("PUT /_lfs/", "hang", times=9)
    process = hub.start(built)
    wait_for(hub, "PUT /_lfs/")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert hub.titles() == ["initial commit"]
    hub.ask("/_faults", {"match": "", "kind": "clear", "times": 0})
    assert "commit" in hub.publish(built)
    assert sum(map(len, hub.load("sft", "v1.0.0").values())) == 60


def test_when_somebody_else_commits_in_between_the_release_goes_on_top(hub: LocalHub, built: Path) -> None:
    hub.fault("POST .*/commit/main", "race")
    placed = hub.publish(built)
    assert hub.titles() == ["initial commit", "somebody else's", "Release tool-plans v1.0.0"]
    assert "LICENSE" in hub.state["commits"][placed["commit"]]["tree"]


@pytest.mark.parametrize(
    ("match", "kind"),
    [
        ("GET .*/refs", 500),
        ("POST .*/commit/main", 500),
        ("POST .*/tag/", 503),
        ("PUT /_lfs/", "drop"),
        ("POST .*/commit/main", "drop"),
        ("POST .*/preupload/", 429),
    ],
)
def test_a_fault_that_passes_is_overcome(match: str, kind: int | str, hub: LocalHub, built: Path) -> None:
    hub.fault(match, kind)
    placed = hub.publish(built)
    assert hub.state["tags"] == {"v1.0.0": placed["commit"]}
    assert hub.titles() == ["initial commit", "Release tool-plans v1.0.0"]


@pytest.mark.parametrize(
    ("kind", "says"), [(401, "refused the token"), (403, "does not let this token write"), (400, "told to answer 400")]
)
def test_a_refusal_is_one_sentence_and_is_not_asked_again(kind: int, says: str, hub: LocalHub, built: Path) -> None:
    hub.fault("POST .*/commit/main", kind, times=9)
    answer = hub.publish(built)
    assert answer["error"] == "ServiceError"
    assert says in answer["sentence"]
    assert "owner/plans" in answer["sentence"]
    assert sum("/commit/main" in line for line in hub.ask("/_log")) == 1
    assert hub.state["tags"] == {}


@pytest.mark.slow
def test_a_service_that_stays_down_ends_in_one_sentence(hub: LocalHub, built: Path) -> None:
    hub.fault("POST .*/tag/", 500, times=99)
    answer = hub.publish(built)
    assert answer["error"] == "ServiceError"
    assert "(500)" in answer["sentence"]
    assert "publish again" in answer["sentence"]
    assert len(hub.titles()) == 2


@pytest.mark.parametrize("asked", ["check", "publish"])
@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"HF_TOKEN": "hf_wrong"}, "set HF_TOKEN"),
        ({"HF_TOKEN": ""}, "There is no token for the Hub; set HF_TOKEN"),
        pytest.param(
            {"HF_ENDPOINT": "http://127.0.0.1:9"}, "http://127.0.0.1:9 cannot be reached", marks=pytest.mark.slow
        ),
    ],
)
def test_without_access_there_is_one_sentence_with_the_remedy(
    environment: dict[str, str], says: str, asked: str, hub: LocalHub, built: Path
) -> None:
    answer = hub.publish(built if asked == "publish" else None, **environment)
    assert answer["error"] == "ServiceError"
    assert says in answer["sentence"]
    assert "hf_wrong" not in answer["sentence"]
    assert hub.state == {}


def test_a_token_that_the_hub_knows_passes_the_check(hub: LocalHub) -> None:
    assert hub.publish(None) == {}


def wait_for(hub: LocalHub, part: str) -> None:
    """Until the Hub has been asked for something with `part` in it."""
    for _ in range(600):
        if any(part in line for line in hub.ask("/_log")):
            return
        time.sleep(0.05)
    raise AssertionError(f"the Hub was never asked for {part}")
