"""What ends a run before its time: faults that no retry mends, a full disk, Ctrl-C; and what is kept then."""

import os
import resource
import signal
from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest

from curation.claude.asking import FIRST_WAVE
from curation.claude.doors import NEEDED
from curation.claude.journal import journal_folder
from curation.claude.pool import run_errand
from curation.claude.tally import Tally
from curation.errors import InputError, ServiceError
from curation.judge.backend import open_backend
from curation.judge.rubric import load_rubric
from tests.claude.conftest import HASTY, MODEL, claude
from tests.judge.samples import SECRET, frame, frames, kept, numbered

CLAUDE = ("vertex", "anthropic", "openai")


@pytest.mark.parametrize("backend", CLAUDE)
def test_a_refused_credential_stops_the_run_at_once_with_one_sentence(backend, serve, warehouse, monkeypatch):
    service = serve(latency=0.05)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "wrong")
    monkeypatch.setenv("CURATION_VERTEX_TOKEN", "wrong")
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")

    with pytest.raises(ServiceError) as caught:
        run_errand(frames(500), claude(backend, workers=10), journal_folder(warehouse), 10)

    assert service.statuses[401] <= 10
    assert "401" in str(caught.value)
    named = {"vertex": "CURATION_VERTEX_TOKEN", "anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
    assert named[backend] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert kept(warehouse).height == 0, "nobody's plan is to blame for a wrong key"


@pytest.mark.parametrize(("behaviour", "model", "said"), [
    ({"marked": {"Case": "forbidden"}}, MODEL, "403"),
    ({}, "claude-nonesuch-9", "404"),
])  # fmt: skip
def test_a_model_that_may_not_be_used_stops_the_run(behaviour, model, said, serve, warehouse):
    service = serve(**behaviour)
    with pytest.raises(ServiceError, match=said) as caught:
        run_errand(frames(300), claude(workers=5, model=model), journal_folder(warehouse), 5)
    assert sum(service.statuses.values()) <= 5
    assert model in str(caught.value)


def test_when_every_request_is_invalid_the_run_stops(serve, warehouse):
    service = serve(marked={"Case": "too_long"})
    with pytest.raises(ServiceError, match="every request"):
        run_errand(frames(300), claude(workers=5), journal_folder(warehouse), 5)
    assert service.requests <= 2 * (FIRST_WAVE + 5), (
        "each of the first wave and what was in flight, and again by tool call"
    )


@pytest.mark.parametrize("backend", CLAUDE)
def test_a_few_invalid_rows_before_the_first_reply_stop_nobody(backend, serve, warehouse):
    few = {f"Case {number:05d}": "too_long" for number in range(FIRST_WAVE - 1)}
    serve(marked=few, latency=0.1)
    tally = run_errand(frames(40), claude(backend, workers=20), journal_folder(warehouse), 20)
    assert tally.statuses == {"api_error": FIRST_WAVE - 1, "ok": 40 - (FIRST_WAVE - 1)}


def test_many_invalid_rows_after_a_wave_with_one_good_reply_stop_nobody(serve, warehouse):
    many = {f"Case {number:05d}": "too_long" for number in range(1, 40)}
    serve(marked=many)
    tally = run_errand(frames(40), claude(workers=1), journal_folder(warehouse), 1)
    assert tally.statuses == {"api_error": 39, "ok": 1}


def test_invalid_rows_while_a_slow_reply_of_the_first_wave_is_on_its_way_stop_nobody(serve, warehouse):
    many = {f"Case {number:05d}": "too_long" for number in range(1, 40)} | {"Case 00000": "slow"}
    serve(marked=many, slow=2.0)
    tally = run_errand(frames(40), claude(workers=20), journal_folder(warehouse), 20)
    assert tally.statuses == {"api_error": 39, "ok": 1}


def test_a_quota_of_nothing_stops_the_run_at_once(serve, warehouse):
    service = serve(marked={"Case": "no_quota"})
    with pytest.raises(ServiceError, match="quota is 0"):
        run_errand(frames(300), claude("vertex", workers=5), journal_folder(warehouse), 5)
    assert service.requests <= 5


def test_a_service_that_never_lets_anything_through_stops_the_run(serve, warehouse):
    service = serve(marked={"Case": "rate_limited"})
    with pytest.raises(ServiceError, match="let nothing through"):
        run_errand(frames(300), claude(patience=replace(HASTY, nothing=1.0)), journal_folder(warehouse), 5)
    assert not service.answered


def test_a_fault_after_good_replies_loses_none_of_them(serve, warehouse):
    service = serve(marked={"Case 00030": "forbidden"})
    with pytest.raises(ServiceError):
        run_errand(frames(100), claude(workers=5), journal_folder(warehouse), 5)
    assert kept(warehouse).height == len(service.answered) >= 30


@pytest.mark.parametrize("backend", CLAUDE)
def test_missing_credentials_are_named_before_anything_is_asked(backend):
    with pytest.raises(InputError) as caught:
        open_backend(backend, MODEL, load_rubric(), SECRET, 100)
    assert all(name in str(caught.value) for name in NEEDED[backend])


def test_google_credentials_that_cannot_be_used_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("ANTHROPIC_VERTEX_PROJECT_ID", "p")
    monkeypatch.setenv("CLOUD_ML_REGION", "global")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(ServiceError, match="gcloud auth application-default login"):
        open_backend("vertex", MODEL, load_rubric(), SECRET, 100)


def test_an_unknown_backend_is_named():
    with pytest.raises(InputError, match=r"'gpt'.*vertex"):
        open_backend("gpt", MODEL, load_rubric(), SECRET, 100)


def test_a_journal_that_cannot_be_written_stops_the_run(serve, warehouse):
    serve()
    journal_folder(warehouse).write_text("a file where the folder should be")
    with pytest.raises(ServiceError, match="cannot be kept"):
        run_errand(frames(50), claude(), journal_folder(warehouse), 5)


def test_a_disk_that_fills_up_stops_the_run_and_loses_nothing_that_was_kept(serve, warehouse):
    serve()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    try:
        with pytest.raises(ServiceError, match="make room"):
            run_errand(frames(200), claude(), journal_folder(warehouse), 5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert 0 < kept(warehouse).height < 200
    assert run_errand(frames(200), claude(), journal_folder(warehouse), 5).done == 200
    assert kept(warehouse).height == 200


def test_a_broken_work_list_is_told_as_it_is(serve, warehouse):
    serve()

    def broken() -> Iterator[pl.DataFrame]:
        yield frame(numbered(5))
        raise InputError("the work list cannot be read")

    with pytest.raises(InputError, match="work list"):
        run_errand(broken(), claude(), journal_folder(warehouse), 2)
    assert kept(warehouse).height == 5


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_lets_what_is_in_flight_end(serve, warehouse):
    service = serve(latency=0.5)

    def once(tally: Tally) -> None:
        if tally.done and not tally.interrupted:
            press_ctrl_c()

    tally = run_errand(frames(1000), claude(workers=10), journal_folder(warehouse), 10, once)

    assert tally.interrupted
    assert 0 < tally.done < 1000
    assert kept(warehouse).height == len(service.answered) == tally.done, "what was asked was kept"


def test_a_second_ctrl_c_stops_now(serve, warehouse):
    service = serve(latency=30.0)

    def again_and_again(tally: Tally) -> None:
        if tally.in_flight:
            press_ctrl_c()

    tally = run_errand(frames(1000), claude(workers=10), journal_folder(warehouse), 10, again_and_again)

    assert tally.interrupted
    assert tally.done == 0
    assert service.requests <= 10
    assert not service.answered, "nobody waited for the replies"
