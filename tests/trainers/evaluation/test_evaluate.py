"""An evaluation from release to table: right answers score 1, a killed one goes on, two models are compared."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from curation.errors import InputError, ServiceError, Stopped
from tests.conftest import Cli
from tests.servers.openai import MODEL, Messages, OpenAi
from trainers import evaluate as evaluation
from trainers.evaluate import Job, chosen, evaluate, folder_of, held_out, preset_of
from trainers.evaluation import results
from trainers.evaluation.metrics import COUNTS, METRICS, NAMES
from trainers.evaluation.pools import POOLS
from trainers.evaluation.summary import against
from trainers.presets import load_preset
from trainers.release import open_release


def request_of(messages: Messages) -> str:
    """What the user asks in a rendered prompt."""
    return messages[-1]["content"].rsplit("User Request: ", 1)[-1].strip()


@pytest.fixture
def server(golds: dict[str, str]) -> Iterator[OpenAi]:
    """A model that is always right."""
    with OpenAi(lambda messages: f"<think>So.</think>\n{golds[request_of(messages)]}") as running:
        yield running


@pytest.fixture
def job(release: Path, server: OpenAi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Its evaluation on the test split."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return Job(MODEL, open_release(release), load_preset("tiny-gemma4"), engine="openai", out=tmp_path / "e")


def test_a_model_that_is_right_scores_1_everywhere_in_every_pool(job: Job, golds: dict[str, str]) -> None:
    table, summary = evaluate(job)
    assert table.height == 3 * len(golds)
    for name in NAMES:
        assert set(table[name].drop_nulls()) == {1.0}, name
    assert list(summary["pools"]) == list(POOLS)
    for figures in summary["pools"].values():
        assert figures["n"] == len(golds)
        assert {one["mean"] for one in figures["metrics"].values()} == {1.0}
        assert {one["mean"] for one in figures["micro"].values()} == {1.0}
        assert figures["mean"]["mean"] == 1.0
        assert sum(one["n"] for one in figures["categories"].values()) == len(golds)
        assert sum(one["n"] for one in figures["difficulty"].values()) == len(golds)


def test_each_row_tells_what_was_asked_and_answered(job: Job, golds: dict[str, str]) -> None:
    table, summary = evaluate(job)
    again, told = results.read(job.folder)
    assert again.equals(table)
    assert told == json.loads(json.dumps(summary))
    assert set(table.columns) >= {"sample_id", "category", "pool", "prompt", "completion", "problem", *NAMES, *COUNTS}
    first = table.row(0, named=True)
    assert first["completion"] == f"<think>So.</think>\n{golds[first['request']]}"
    assert summary["release"] == {
        "name": "plans",
        "version": "1.0.0",
        "commit": None,
        "digest": job.release.digest,
        "split": "test",
    }
    assert summary["decoding"] == {
        "temperature": 0.0,
        "top_p": 1.0,
        "max_new_tokens": job.preset.decoding.max_new_tokens,
    }
    assert summary["versions"].keys() >= {"curation", "python", "torch", "transformers"}
    assert summary["engine"]["version"].startswith("openai http://127.0.0.1")


def test_an_evaluation_that_broke_off_goes_on_with_what_has_no_completion(job: Job, server: OpenAi) -> None:
    server.stop_after = 20
    with pytest.raises(ServiceError, match="your quota is spent"):
        evaluate(job)
    kept = len(results.known(job.folder))
    assert 0 < kept <= 20
    server.stop_after = None
    table, _ = evaluate(job)
    assert server.answered == 20 + table["prompt"].n_unique() - kept
    assert set(table["json_valid"]) == {1.0}
    before = server.requests
    assert evaluate(job)[0].equals(table)
    assert server.requests == before, "what is finished is asked no more"


def test_a_torn_line_of_the_journal_is_asked_again(job: Job, server: OpenAi) -> None:
    table, _ = evaluate(job)
    path = job.folder / results.JOURNAL
    path.write_bytes(path.read_bytes()[:-9])
    before = server.requests
    assert evaluate(job)[0].equals(table)
    assert server.requests == before + 1
    assert evaluate(job)[0].equals(table)
    assert server.requests == before + 1


def test_two_evaluations_into_one_folder_do_not_ask_twice(job: Job) -> None:
    results.begin(job.folder, evaluation.settings_of(job))
    with results.journal(job.folder), pytest.raises(Stopped, match="already evaluating into"):
        evaluate(job)


def test_a_smaller_evaluation_in_the_same_folder_loses_nothing(job: Job, server: OpenAi) -> None:
    evaluate(job)
    before = server.requests
    small, _ = evaluate(replace(job, limit=3, pools=("own",)))
    assert small.height == 3
    evaluate(job)
    assert server.requests == before


def test_a_folder_of_another_setting_is_refused(job: Job, tmp_path: Path) -> None:
    small = replace(job, limit=2)
    evaluate(small)
    with pytest.raises(InputError, match=r"with another seed; name another folder with --out"):
        evaluate(replace(small, seed=1))
    with pytest.raises(InputError, match="another preset"):
        evaluate(replace(small, preset=replace(job.preset, system="Plan.")))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty and holds no evaluation"):
        evaluate(replace(small, out=tmp_path / "mine"))


def test_a_prompt_that_two_pools_share_is_asked_once(job: Job, server: OpenAi) -> None:
    evaluate(replace(job, limit=4, pools=("own", "2")))
    assert server.answered == 4


def test_more_samples_include_the_fewer(release: Path) -> None:
    rows = [{"sample_id": str(i)} for i in range(50)]
    assert chosen(rows, 10) == chosen(reversed(rows), 20)[:10]  # type: ignore[arg-type]
    assert len(chosen(rows, 1000)) == 50


def test_another_model_is_compared_on_the_same_rows(job: Job, golds: dict[str, str], tmp_path: Path) -> None:
    right, summary = evaluate(job)
    wrong = right.with_columns(json_valid=pl.lit(0.0))
    found = against(right, wrong.head(wrong.height - 5), seed=0)
    assert found["own"]["json_valid"]["mean"] == 1.0
    assert found["own"]["json_valid"]["is_real"]
    assert found["own"]["plugin_match"]["p"] == 1.0
    assert sum(pool["json_valid"]["n"] for pool in found.values()) == right.height - 5
    told = evaluation.compare(job, right, summary, wrong, "other")
    assert results.read(job.folder)[1]["against"] == json.loads(json.dumps(told["against"]))
    strangers = wrong.with_columns(sample_id=pl.lit("none"))
    with pytest.raises(InputError, match="shares no sample and pool"):
        evaluation.compare(job, right, summary, strangers, "other")


def test_a_model_of_which_nothing_says_how_to_ask_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--preset"):
        preset_of(str(tmp_path), None)
    assert preset_of("owner/name", "tiny-gemma4").name == "tiny-gemma4"


def test_a_folder_is_named_after_model_release_and_split(tmp_path: Path) -> None:
    assert folder_of("owner/name", "plans", "1.0.0", "test") == Path("evaluations/owner--name/plans-v1.0.0-test")
    assert folder_of(str(tmp_path), "plans", "1.0.0", "test").parts[1] == tmp_path.name


def test_a_model_trained_again_in_the_same_folder_is_another_model(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"1")
    first = evaluation.fingerprint(str(tmp_path))
    os.utime(tmp_path / "model.safetensors", (0, 0))
    assert evaluation.fingerprint(str(tmp_path)) != first
    assert first.startswith(tmp_path.name)


def test_a_killed_command_goes_on_and_shows_both_tables_and_the_worst(
    cli: Cli, release: Path, golds: dict[str, str]
) -> None:
    """The whole way, as processes: killed, finished, compared, shown."""
    first = next(iter(golds))

    def answer(messages: Messages) -> str:
        said = request_of(messages)
        return "I cannot." if said == first else f"<think>So.</think>\n{golds[said]}"

    with OpenAi(answer, latency=0.05) as server:
        command = ("evaluate", "--model", MODEL, "--release", release, "--engine", "openai", "--preset", "tiny-gemma4",
                   "--workers", 2, "--out", "e")  # fmt: skip
        running = cli.start(*command, **server.environment)
        journal = cli.folder / "e" / results.JOURNAL
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and (not journal.exists() or journal.stat().st_size < 3000):
            time.sleep(0.02)
        running.kill()
        running.communicate()
        kept = len(results.known(cli.folder / "e"))
        assert kept > 0
        before = server.answered
        shown = cli.ok(*command, "--against", "e", **server.environment)
        table = pl.read_parquet(cli.folder / "e" / results.TABLE)
        assert server.answered == before + table["prompt"].n_unique() - kept
    for text in ("plugin-ID match", "published SFT + GRPO", "real production IDs", "BFCL AST match", "1_step",
                 "easy (1): exact match", "against e, on the same samples", "n=100 p="):  # fmt: skip
        assert text in shown
    worst = cli.ok("evaluate", "--show", "worst", "--out", "e", "--limit", 1)
    assert first.split("\n")[0][:40] in worst
    assert "the text is not JSON" in worst
    assert worst.count("wrote:") == 1
    assert (cli.folder / "e" / "evaluation.png").read_bytes().startswith(b"\x89PNG")


def test_a_tiny_real_model_is_evaluated_through_the_command(
    cli: Cli, release: Path, tiny: Callable[[str], Path]
) -> None:
    told = cli.json("evaluate", "--model", tiny("gemma4"), "--release", release, "--limit", 3, "--pool", "own")
    figures = told["pools"]["own"]
    assert (figures["n"], set(figures["metrics"])) == (3, set(NAMES))
    assert figures["metrics"]["json_valid"]["mean"] == 0.0
    assert sum(figures["problems"].values()) == 3
    assert told["engine"]["version"].startswith("transformers")
    folder = cli.folder / folder_of(str(tiny("gemma4")), "plans", "1.0.0", "test")
    assert {path.name for path in folder.iterdir()} == {
        results.SETTINGS, results.JOURNAL, results.TABLE, results.SUMMARY, "evaluation.md", "evaluation.png",
    }  # fmt: skip
    failed = cli("evaluate", "--model", tiny("gemma4"), "--release", release, "--split", "trial")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: the release plans 1.0.0 has no split 'trial'")
    assert cli("evaluate", "--model", tiny("gemma4")).returncode == 2
    assert set(METRICS) <= set(figures["metrics"])


@pytest.mark.parametrize(
    ("splits", "asked"),
    [
        ({"train": 9, "validation": 3, "test": 3}, "test"),
        ({"train": 9, "validation": 3}, "validation"),
        ({"train": 9}, "test"),  # which the error then names, with the splits that there are
    ],
)
def test_a_release_without_a_test_split_is_measured_on_validation(splits: dict[str, int], asked: str) -> None:
    assert held_out(splits) == asked
