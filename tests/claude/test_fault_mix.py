"""A fifth of all replies is a fault, of ten kinds: every sample ends judged or as a named abstention, and nothing is lost."""

from collections import Counter

import pytest

from curation.claude.journal import journal_folder
from curation.claude.pool import run_errand
from curation.judge.judgement import STATUSES
from tests.claude.conftest import claude
from tests.judge.samples import frame, kept, numbered

SAMPLES, WORKERS, LATENCY = 150, 20, 0.02

MIX = (
    *("rate_limited", "overloaded", "broken", "unavailable", "reset"),  # 429, 529, 500, 503, and no reply at all
    *("html", "truncated", "refusal", "empty", "slow"),  # slow: ten times the latency
)


@pytest.mark.parametrize("backend", ["vertex", "anthropic", "openai"])
def test_a_mix_of_faults_leaves_every_sample_judged_or_named_and_the_next_runs_take_up_the_rest(
    backend, serve, warehouse
):
    service = serve(faults=MIX, every=5, latency=LATENCY, slow=10 * LATENCY)
    rows = numbered(SAMPLES)

    tally = run_errand([frame(rows)], claude(backend, WORKERS), journal_folder(warehouse), WORKERS)

    assert service.faulted == service.requests // 5, "one request in five"
    assert service.faulted >= SAMPLES // 5
    assert tally.done == SAMPLES
    last = final(warehouse)
    assert set(last) == {row["sample_id"] for row in rows}
    assert set(last.values()) <= set(STATUSES)
    told = Counter(last.values())
    assert told["ok"] >= 0.9 * SAMPLES, "what was garbled, or did not come, was asked for once more"
    assert told["refused"] == tally.statuses["refused"] > 0
    judged = kept(warehouse)
    assert judged.filter(judged["status"] != "ok")["overall"].null_count() == judged.height - told["ok"]
    assert tally.usd == pytest.approx(judged["usd"].sum())

    for _ in range(4):
        attempts, known = Counter(kept(warehouse)["sample_id"]), final(warehouse)
        rest = [{**row, "attempt": attempts[row["sample_id"]]} for row in rows if known[row["sample_id"]] != "ok"]
        if not rest:
            break
        run_errand([frame(rest)], claude(backend, WORKERS), journal_folder(warehouse), WORKERS)
    assert set(final(warehouse).values()) == {"ok"}


def final(warehouse) -> dict[str, str]:
    """Sample -> the status that counts: a score where there is one, else the last."""
    found: dict[str, str] = {}
    for sample_id, status in kept(warehouse).select("sample_id", "status").iter_rows():
        if found.get(sample_id) != "ok":
            found[sample_id] = status
    return found
