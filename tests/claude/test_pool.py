"""The pool over real HTTP: how many are in flight, what becomes of faults, and what stops a run."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from curation.claude.journal import count, journal_folder
from curation.claude.pool import run_errand
from curation.claude.tally import Tally
from curation.judge.backend import open_backend
from curation.judge.judgement import JUDGEMENT_FRAME, STATUSES
from curation.judge.rubric import load_rubric
from curation.judge.specification import specify
from tests.claude.conftest import HASTY, MODEL, claude
from tests.judge.samples import SECRET, frame, frames, kept, numbered, sample

CLAUDE = ("vertex", "anthropic", "openai")


@pytest.mark.parametrize("backend", CLAUDE)
def test_four_hundred_requests_are_in_flight_at_once(backend, serve, warehouse):
    service = serve(latency=3.0)  # longer than it takes to send them all on a busy machine
    opened = open_backend(backend, MODEL, load_rubric(), SECRET, 400)

    tally = run_errand(frames(500), opened, journal_folder(warehouse), 400)

    assert service.most_in_flight == 400
    assert tally.statuses == {"ok": 500}


def test_a_server_that_calls_the_limit_otherwise_is_understood(serve, warehouse):
    service = serve(newer=True)
    tally = run_errand(frames(20), claude("openai", workers=2), journal_folder(warehouse), 2)
    assert tally.statuses == {"ok": 20}
    assert service.statuses[400] <= 2, "the name is remembered for the run"


def test_a_chat_completion_is_the_same_judgement_as_a_message(serve, warehouse):
    serve()
    rows = {}
    for backend in ("anthropic", "openai"):
        run_errand([frame(numbered(2))], claude(backend, workers=1), journal_folder(warehouse), 1)
    for row in kept(warehouse).iter_rows(named=True):
        rows.setdefault(row["backend"], []).append(row)
    same = ("status", "scores", "overall", "rationale", "output_tokens")
    assert [[row[key] for key in same] for row in rows["openai"]] == [
        [row[key] for key in same] for row in rows["anthropic"]
    ]
    assert {row["spec"] for row in rows["openai"]}.isdisjoint(row["spec"] for row in rows["anthropic"])
    assert json.loads(rows["openai"][0]["raw"])["object"] == "chat.completion"


@pytest.mark.parametrize("backend", CLAUDE)
def test_a_hundred_requests_are_in_flight_at_once(backend, serve, warehouse):
    service = serve(latency=1.0)
    opened = open_backend(backend, MODEL, load_rubric(), SECRET, 100)

    tally = run_errand(frames(250), opened, journal_folder(warehouse), 100)

    assert service.most_in_flight == 100
    assert service.requests == 250
    assert tally.statuses == {"ok": 250}
    judged = kept(warehouse)
    assert judged.height == judged["sample_id"].n_unique() == 250
    assert judged.schema == JUDGEMENT_FRAME
    assert set(judged["overall"]) == {9.0}
    assert set(judged["backend"]) == {backend}
    assert judged["usd"].min() > 0


def test_both_doors_to_claude_send_the_same_message_and_share_a_specification(serve, warehouse):
    service = serve()
    for backend in ("vertex", "anthropic"):
        run_errand([frame(numbered(1))], claude(backend), journal_folder(warehouse), 1)

    direct, vertex = service.bodies[1], service.bodies[0]
    assert vertex.pop("anthropic_version") == "vertex-2023-10-16"
    assert direct.pop("model") == MODEL
    assert direct == vertex
    assert kept(warehouse).height == 1, "asked by the other door, it is the same judgement"


def test_what_is_static_comes_first_and_is_marked_for_the_cache(serve, warehouse):
    service = serve()
    run_errand(frames(3), claude(), journal_folder(warehouse), 1)

    prefixes = {json.dumps({k: body[k] for k in ("system", "output_config", "model")}) for body in service.bodies}
    assert len(prefixes) == 1
    assert service.bodies[0]["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert len({body["messages"][0]["content"] for body in service.bodies}) == 3


TRANSIENT = ("rate_limited", "overloaded", "broken", "unavailable", "reset", "html")


@pytest.mark.parametrize("backend", CLAUDE)
def test_faults_that_pass_are_ridden_out(backend, serve, warehouse):
    service = serve(faults=TRANSIENT, every=5)

    tally = run_errand(frames(120), claude(backend), journal_folder(warehouse), 20)

    assert service.faulted >= 24
    assert tally.statuses == {"ok": 120}
    assert set(service.answered.values()) == {1}, "no reply was paid for twice"


LASTING = {
    "truncated": "truncated",
    "refusal": "refused",
    "empty": "unparseable",
    "prose": "unparseable",
    "html": "unparseable",
    "undecided": "cannot_judge",
    "broken": "api_error",
    "overloaded": "api_error",
    "reset": "api_error",
    "too_long": "api_error",
    "slow": "api_error",
}


GARBLED = [["truncated"], ["empty"], ["prose"]]  # by the model itself: paid for, and asked once more


def test_every_sample_ends_judged_or_as_a_named_abstention_and_only_those_are_asked_again(serve, warehouse):
    faults = list(LASTING)
    rows = [sample(f"Book a hotel in Oslo for 3 nights. Mark-{i % 22:02d}, case {i}") for i in range(66)]
    service = serve(marked={f"Mark-{i:02d}": fault for i, fault in enumerate(faults)}, slow=9.0)
    hasty = type(HASTY)(tries=2, base=0.01, cap=0.02, timeout=4.0)

    run_errand([frame(rows)], claude(patience=hasty), journal_folder(warehouse), 20)

    first = kept(warehouse)
    twice = {row["sample_id"] for i, row in enumerate(rows) if faults[i % 22 : i % 22 + 1] in GARBLED}
    assert first.height == 66 + len(twice), "a reply that is cut off or holds no answer is asked for again at once"
    by_sample = dict(zip(first["sample_id"], first.iter_rows(named=True), strict=True))
    for i, row in enumerate(rows):
        found = by_sample[row["sample_id"]]
        expected = LASTING[faults[i % 22]] if i % 22 < len(faults) else "ok"
        assert found["status"] == expected, found["raw"]
        assert (found["overall"] is None) == (expected != "ok"), "an error is never a score"
        assert found["rationale"]
    assert set(first["status"]) == set(STATUSES)

    service.marked.clear()
    again = [
        {**row, "attempt": 1 + (row["sample_id"] in twice)}
        for row in rows
        if by_sample[row["sample_id"]]["status"] != "ok"
    ]
    asked = service.requests
    run_errand([frame(again)], claude(), journal_folder(warehouse), 20)

    assert service.requests - asked == len(again) == 33
    both = kept(warehouse)
    assert both.height == 66 + len(twice) + 33
    assert both.filter(pl.col("status") == "ok")["sample_id"].n_unique() == 66


def test_the_raw_reply_is_kept_as_it_came(serve, warehouse):
    serve(marked={"Case 00000": "html", "Case 00001": "truncated"})
    run_errand([frame(numbered(2))], claude(), journal_folder(warehouse), 2)

    assert kept(warehouse)["status"].sort().to_list() == ["truncated", "truncated", "unparseable"]
    raw = dict(zip(kept(warehouse)["status"], kept(warehouse)["raw"], strict=True))
    assert raw["unparseable"] == "<html><body>Gateway</body></html>"
    assert json.loads(raw["truncated"])["stop_reason"] == "max_tokens"


@pytest.mark.parametrize("backend", CLAUDE)
def test_where_structured_output_is_refused_replies_come_by_tool_call(backend, serve, warehouse):
    service = serve(structured=False)

    tally = run_errand(frames(60), claude(backend, workers=5), journal_folder(warehouse), 5)

    assert tally.statuses == {"ok": 60}
    assert service.statuses[400] <= 5, "the refusal is remembered for the run"
    assert all("tools" in body for body in service.bodies)
    plain = specify(backend, MODEL, load_rubric()).spec
    assert set(kept(warehouse)["spec"]) == {plain}, "how the form is enforced is no other judge"


def test_a_service_that_cannot_be_reached_is_an_abstention(warehouse, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "any")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    tally = run_errand([frame(numbered(3))], claude(), journal_folder(warehouse), 3)
    assert tally.statuses == {"api_error": 3}
    assert set(kept(warehouse)["usd"]) == {0.0}


def test_the_work_list_is_read_as_room_comes_up(serve, warehouse):
    service = serve(latency=0.02)
    ahead = []

    def watched() -> Iterator[pl.DataFrame]:
        for i in range(20):
            ahead.append(10 * i - len(service.answered))
            yield frame(numbered(10, 10 * i))

    run_errand(watched(), claude(workers=5), journal_folder(warehouse), 5)

    assert len(service.answered) == 200
    assert max(ahead) <= 5, "a frame is fetched only when all but those in flight are answered"


def test_progress_is_told_and_the_last_word_is_the_result(serve, warehouse):
    serve(latency=0.05)
    told: list[tuple[int, int]] = []
    tally = run_errand(
        frames(60), claude(workers=4), journal_folder(warehouse), 4, lambda t: told.append((t.done, t.in_flight))
    )
    assert told[-1] == (60, 0) == (tally.done, tally.in_flight)
    assert all(in_flight <= 4 for _, in_flight in told)
    assert tally.usd > 0
    assert tally.seconds > 0


def test_the_journal_can_be_folded_while_judging_goes_on(serve, warehouse):
    serve(latency=0.02)
    folded: dict[str, str] = {}
    times = []

    def fold() -> None:
        found = kept(warehouse)
        folded.update(zip(found["judgement_id"], found["status"], strict=True))
        times.append(found.height)
        if len(times) == 2:
            raise OSError("the warehouse is locked")

    run_errand(frames(300), claude(workers=5), journal_folder(warehouse), 5, fold=fold, fold_every=0.2)

    assert len(times) >= 3, "a fold that failed was tried again"
    assert any(0 < seen < 300 for seen in times), "none saw the judging half done"
    folded.update(dict.fromkeys(kept(warehouse)["judgement_id"], "ok"))
    assert len(folded) == 300


def test_off_the_main_thread_the_judge_works_too(warehouse):
    told: list[Tally] = []
    offline = open_backend("offline", "", load_rubric(), SECRET, 5)
    thread = threading.Thread(target=lambda: told.append(run_errand(frames(10), offline, journal_folder(warehouse), 5)))
    thread.start()
    thread.join()
    assert told[0].done == 10


def test_the_offline_rubric_needs_no_account_and_says_who_it_is(warehouse):
    offline = open_backend("offline", "claude-opus-4-6", load_rubric(), SECRET, 100)
    tally = run_errand(frames(300), offline, journal_folder(warehouse), 100)

    judged = kept(warehouse)
    assert tally.statuses == {"ok": 300}
    assert set(judged["model"]) == {"offline-rubric-1"}
    assert set(judged["usd"]) == {0.0}
    assert set(judged["input_tokens"]) == {0}
    assert all("offline rubric:" in text for text in judged["rationale"])
    assert not any("claude" in raw for raw in judged["raw"])


def test_asking_twice_without_folding_between_counts_once(warehouse: Path):
    for _ in range(2):
        offline = open_backend("offline", "", load_rubric(), SECRET, 10)
        run_errand(frames(40), offline, journal_folder(warehouse), 10)
    assert count(journal_folder(warehouse)) == 80
    assert kept(warehouse).height == 40
