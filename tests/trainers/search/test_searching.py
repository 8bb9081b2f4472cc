"""A search keeps what is surely better, fails what cannot be trained, reads test once, and goes on after kill -9."""

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.errors import InputError, MachineError
from tests.claude.conftest import environment
from tests.conftest import Cli
from tests.servers.claude import Claude
from tests.trainers.search.conftest import CHANGES, GENTLE, HARSH, SEEDS, SPACE, TRIALS, WILD, job, preset_of
from trainers.presets import changed, load_preset
from trainers.release import open_release
from trainers.run import read_run
from trainers.search import history, ledger, searching
from trainers.search.claude import counted
from trainers.search.drawing import Drawn
from trainers.search.halves import half, halves
from trainers.search.searching import Job, search
from trainers.search.space import load_space, parse_space
from trainers.search.tables import HEADINGS, verdict
from trainers.search.trial import FailedError, Order, require_own_fault, trained

Searched = tuple[Path, dict[str, Any], list[str]]


def decided(out: Path) -> list[dict[str, Any]]:
    """What was decided of each trial, without what the clock says."""
    told = [json.loads((history.folder_of(out, n) / history.TRIAL).read_text()) for n in range(TRIALS + 1)]
    return [{key: value for key, value in one.items() if key != "seconds"} for one in told]


@pytest.mark.slow
def test_what_is_surely_better_is_kept_and_nothing_else(searched: Searched) -> None:
    start, gentle, wild, harsh = history.read(searched[0])
    assert [trial.settings["sft.learning_rate"] for trial in (start, gentle, wild, harsh)] == [0.5, GENTLE, WILD, HARSH]
    assert (start.kept, gentle.kept, wild.kept, harsh.kept) == (True, True, False, False)
    assert gentle.gain is not None
    assert gentle.gain.low > 0.1
    assert gentle.against == 0
    assert harsh.against == 1  # a trial is held against the best, not against the one before it
    assert harsh.gain is not None
    assert harsh.gain.high < 0


@pytest.mark.slow
def test_a_trial_that_cannot_be_trained_is_a_result(searched: Searched) -> None:
    wild = history.read(searched[0])[2]
    assert (wild.state, wild.plan) == ("failed", None)
    assert "became" in str(wild.why)


@pytest.mark.slow
def test_the_winner_is_confirmed_with_plans_and_seeds_that_no_trial_had(
    searched: Searched, plain_release: Path
) -> None:
    out, told, _ = searched
    found = told["confirmation"]
    assert (told["best"], found["trial"], found["confirmed"]) == (1, 1, True)
    assert found["seeds"] == [SEEDS, SEEDS + 1]
    test = set(open_release(plain_release).rows("grpo", "test")["sample_id"])
    assert set(pl.read_parquet(out / "confirmation" / "001" / "scores.parquet")["sample_id"]) == test
    for number in (0, 1, 3):
        tried = pl.read_parquet(history.folder_of(out, number) / "scores.parquet")
        assert sorted(set(tried["seed"])) == list(range(SEEDS))
        assert not test & set(tried["sample_id"])


def test_no_trial_is_given_the_test_split_or_trains_on_what_it_is_asked_for(
    plain_release: Path, tmp_path: Path
) -> None:
    release = open_release(plain_release)
    learned, measured = halves(release, tmp_path / "halves")
    assert (set(learned.splits), set(measured.splits)) == ({"train", "validation"}, {"validation"})
    for config in ("sft", "grpo"):
        whole = set(release.rows(config, "validation")["sample_id"])
        kept, searched_on = (set(one.rows(config, "validation")["sample_id"]) for one in (learned, measured))
        assert kept | searched_on == whole
        assert not kept & searched_on
        assert {half(name) for name in searched_on} == {1}
        assert learned.rows(config, "train")["sample_id"] == release.rows(config, "train")["sample_id"]
    with pytest.raises(InputError, match="has no split 'test'"):
        learned.rows("grpo", "test")


@pytest.mark.slow
def test_every_reply_is_in_the_ledger_and_only_the_bests_weights_are_left(searched: Searched) -> None:
    out = searched[0]
    kept = ledger.records(out)
    assert [one["trial"] for one in kept] == [1, 2, 3]
    assert all(counted(one)["usd"] > 0 for one in kept)
    assert list((out / ledger.JOURNAL).iterdir()) == []
    assert sorted(path.parts[-3] for path in out.glob("trials/*/model-seed-*/model.safetensors")) == ["001"] * SEEDS
    assert len(list(out.glob("trials/*/model-seed-*/metrics.jsonl"))) == SEEDS * TRIALS + 1  # one failed at its first


@pytest.mark.slow
def test_table_picture_and_the_best_preset_lie_in_the_folder(searched: Searched) -> None:
    out, told, said = searched
    page = (out / "README.md").read_text()
    assert f"| {' | '.join(HEADINGS)} |" in page
    assert "sft.learning_rate 0.5 → 1e-06" in page
    assert verdict(told, history.read(out)).startswith("Trial 1 is confirmed. On")
    assert (out / "search.png").read_bytes().startswith(b"\x89PNG")
    assert load_preset(out / "best.toml").sft.learning_rate == GENTLE
    assert any(line.startswith("trial 1 is kept: plan 0.") for line in said)


@pytest.mark.slow
def test_a_finished_search_tries_nothing_again_and_another_one_is_told(
    searched: Searched, plain_release: Path, planning: Path
) -> None:
    same = job(plain_release, planning, searched[0])
    assert search(same, Drawn(same.space, same.preset), lambda _: None) == searched[1]
    other = job(plain_release, planning, searched[0], trials=TRIALS + 1)
    with pytest.raises(InputError, match=r"holds a search with another trials; choose another folder with --out"):
        search(other, Drawn(other.space, other.preset), lambda _: None)


def test_where_nothing_helps_the_preset_stays_and_test_is_not_read(
    plain_release: Path, planning: Path, tmp_path: Path
) -> None:
    """How often a line is logged changes no model: every gain is 0."""
    idle = 'name = "idle"\ntrain = "sft"\n[settings]\n"sft.log_every" = { from = 1, to = 1000 }\n'
    made = job(plain_release, planning, tmp_path / "s", space=parse_space(idle, "idle"), trials=1, proposer="optuna")
    said: list[str] = []
    told = search(made, Drawn(made.space, made.preset), said.append)
    assert (told["best"], told["confirmation"]) == (0, None)
    assert history.read(made.out)[1].gain.mean == 0  # type: ignore[union-attr]
    assert not (made.out / "confirmation").exists()
    assert any("the split test is not read" in line for line in said)
    assert said[0].startswith("1 trials beside the preset as it is, of 2 models each, measured on ")
    assert said[0].endswith("plans of validation: 4 models to train, and 4 more to confirm one that is kept")


def test_too_few_seeds_or_plans_are_told_before_anything_is_trained(
    plain_release: Path, planning: Path, tmp_path: Path
) -> None:
    one = job(plain_release, planning, tmp_path / "one", seeds=1)
    with pytest.raises(InputError, match=r"with 1 seed a trial that is lucky looks like one that is better"):
        search(one, Drawn(one.space, one.preset), lambda _: None)
    many = job(plain_release, planning, tmp_path / "many", trials=500)
    with pytest.raises(InputError, match=r"choose --trials from 1 to 200"):
        search(many, Drawn(many.space, many.preset), lambda _: None)


@pytest.mark.slow
def test_a_winner_that_fails_with_other_seeds_is_not_confirmed_and_the_search_ends(
    searched: Searched, plain_release: Path, planning: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search as it was before its confirmation, where no model can be trained any more."""
    out = tmp_path / "s"
    shutil.copytree(searched[0], out)
    shutil.rmtree(out / "confirmation")
    told = json.loads((out / "search.json").read_text())
    (out / "search.json").write_text(json.dumps({**told, "state": "running", "confirmation": None}))

    def fails(*order: Any) -> Path:
        raise FailedError("the loss became nan at step 2")

    monkeypatch.setattr(searching, "trained", fails)
    same = job(plain_release, planning, out)
    found = search(same, Drawn(same.space, same.preset), lambda _: None)
    assert (found["state"], found["best"], found["confirmation"]["confirmed"]) == ("finished", 1, False)
    assert "trial 0 failed: the loss became nan at step 2" in verdict(found, history.read(out))
    assert "is not confirmed: stay with the preset as it is" in (out / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.process
def test_a_model_is_made_in_a_process_of_its_own_and_its_end_is_told(
    plain_release: Path, planning: Path, tmp_path: Path
) -> None:
    release = open_release(plain_release)
    said: list[str] = []
    good = Order("sft", changed(preset_of(planning), {"sft.learning_rate": GENTLE}), 3, release, tmp_path / "good")
    assert trained(good, True, said.append) == tmp_path / "good"
    run = read_run(tmp_path / "good") or {}
    assert (run["state"], run["seed"], run["steps"]) == ("finished", 3, 3)
    assert said
    wild = Order("sft", changed(good.preset, {"sft.learning_rate": WILD}), 3, release, tmp_path / "wild")
    with pytest.raises(FailedError, match="became"):
        trained(wild, True, said.append)
    gone = Order("nobody", good.preset, 3, release, tmp_path / "gone")
    with pytest.raises(FailedError, match="it ended with exit code 1: KeyError: 'nobody'"):
        trained(gone, True, said.append)


def test_a_process_that_was_killed_is_nobodys_settings() -> None:
    with pytest.raises(MachineError, match="killed from outside"):
        require_own_fault(-9, "")
    with pytest.raises(FailedError, match="it ended with signal 11: Segmentation fault"):
        require_own_fault(-11, "Segmentation fault")


@pytest.mark.slow
def test_the_bundled_space_of_grpo_is_searched_by_trials_that_learn_from_rewards(
    plain_release: Path, planning: Path, tmp_path: Path
) -> None:
    few = ["max_steps=1", "prompts=2", "generations=2", "rows=4", "max_new_tokens=60", "evaluate_rows=4"]
    told = [f"model={json.dumps(str(planning))}", "decoding.max_new_tokens=60", *(f"grpo.{one}" for one in few)]
    preset = load_preset("tiny-gemma4-grpo", told)
    space = load_space("grpo", preset)
    made = Job(open_release(plain_release), "r", preset, space, tmp_path / "s", trials=1, seeds=2, proposer="optuna")
    found = search(made, Drawn(space, preset), lambda _: None)
    start, drawn = history.read(made.out)
    assert (found["state"], start.state, drawn.state) == ("finished", "measured", "measured")
    assert drawn.settings != start.settings
    for seed in (0, 1):
        run = read_run(history.folder_of(made.out, 1) / f"model-seed-{seed}") or {}
        assert (run["kind"], run["preset"]["grpo"]["loss"]) == ("grpo", drawn.settings["grpo.loss"])


@pytest.mark.slow
@pytest.mark.process
def test_a_killed_search_goes_on_to_the_same_decisions_and_pays_for_nothing_twice(
    searched: Searched, plain_release: Path, planning: Path, cli: Cli
) -> None:
    (cli.folder / "rates.toml").write_text(SPACE)
    sets = [word for change in CHANGES for word in ("--set", change)]
    command = ["search", "--release", plain_release, "--preset", "tiny-gemma4", "--model", planning, "--space"]
    command += ["rates.toml", "--backend", "anthropic", "--budget-usd", "1", "--trials", TRIALS, "--seeds", SEEDS]
    command += ["--out", "out", *sets]
    out = cli.folder / "out"
    with Claude() as service:
        given = environment(service.url) | {"OMP_NUM_THREADS": "1"}
        process = cli.start(*command, **given)
        while not (history.folder_of(out, 1) / "model-seed-0").exists():
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert history.read(out)[1].state == "proposed"
        told = cli.json(*command, **given)
        assert service.requests == TRIALS
    assert told["state"] == "finished"
    assert decided(out) == decided(searched[0])
    confirmed, whole = told["confirmation"], searched[1]["confirmation"]
    assert confirmed == whole
