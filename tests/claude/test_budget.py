"""A budget over real HTTP: never more is spent, nothing that was paid for is lost, and the next run goes on."""

import math

import pytest

from curation.claude.asking import Patience
from curation.claude.budget import Budget, budget_of
from curation.claude.journal import journal_folder
from curation.claude.pool import run_errand
from curation.errors import InputError
from tests.claude.conftest import MODEL, claude
from tests.judge.samples import frame, frames, kept, numbered


def most(serve) -> float:
    """The most that one of the numbered samples can cost."""
    errand = claude()
    found = errand.service.most(errand.message(numbered(1)[0]))
    assert found is not None
    return found


@pytest.mark.parametrize("workers", [1, 20])
@pytest.mark.parametrize("requests", [0.5, 3.5, 8])
def test_never_more_is_spent_and_what_was_paid_for_is_kept(serve, warehouse, workers, requests):
    service = serve(latency=0.02)
    budget = Budget(requests * most(serve))

    tally = run_errand(frames(600), claude(workers=workers), journal_folder(warehouse), workers, budget=budget)

    assert tally.out_of_budget
    assert not tally.interrupted
    assert tally.usd == pytest.approx(budget.spent)
    assert budget.spent <= budget.limit
    assert budget.reserved == pytest.approx(0)
    assert kept(warehouse).height == tally.done == len(service.answered) == service.requests
    assert service.most_in_flight <= max(1, int(requests)), "what is in flight is counted with the most it can cost"
    assert budget.limit - budget.spent < most(serve), "no more is left than the next request might cost"


def test_the_next_run_goes_on_with_a_budget_of_its_own(serve, warehouse):
    service = serve()
    run_errand(frames(40), claude(), journal_folder(warehouse), 5, budget=Budget(1.2 * most(serve)))
    first = set(kept(warehouse)["sample_id"])
    rest = [row for row in numbered(40) if row["sample_id"] not in first]
    assert 0 < len(rest) < 40

    tally = run_errand([frame(rest)], claude(), journal_folder(warehouse), 5, budget=Budget(1000.0))

    assert not tally.stopped
    assert kept(warehouse)["sample_id"].n_unique() == 40
    assert set(service.answered.values()) == {1}


def test_a_budget_that_is_enough_stops_nothing(serve, warehouse):
    serve()
    budget = Budget(1000.0)
    tally = run_errand(frames(30), claude(), journal_folder(warehouse), 10, budget=budget)
    assert (tally.done, tally.stopped) == (30, False)
    assert budget.spent == pytest.approx(tally.usd)


@pytest.mark.parametrize("fault", ["slow", "reset"])
def test_a_request_without_a_reply_counts_as_if_it_had_been_paid_for(serve, warehouse, fault):
    service = serve(marked={"Case": fault}, slow=1.0)
    budget = Budget(2.5 * most(serve))
    hasty = Patience(tries=5, base=0.01, cap=0.02, timeout=0.3)

    tally = run_errand(frames(20), claude(patience=hasty), journal_folder(warehouse), 1, budget=budget)

    assert tally.out_of_budget
    assert service.requests == 2, "the service may charge for what it did not answer"
    assert budget.unseen == pytest.approx(budget.spent)
    assert budget.spent <= budget.limit
    assert kept(warehouse).is_empty()


def test_a_service_that_was_never_reached_has_charged_nothing(warehouse, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "any")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    budget = Budget(1000.0)
    tally = run_errand([frame(numbered(3))], claude(), journal_folder(warehouse), 3, budget=budget)
    assert tally.statuses == {"api_error": 3}
    assert budget.spent == 0.0


@pytest.mark.parametrize("behaviour", [{}, {"structured": False}], ids=["structured", "by tool call"])
def test_no_request_costs_more_than_was_set_aside_for_it(serve, warehouse, behaviour):
    serve(**behaviour)
    run_errand(frames(10), claude(), journal_folder(warehouse), 2)
    assert 0 < kept(warehouse)["usd"].max() < most(serve)


def test_a_model_without_a_price_has_no_budget_and_the_error_names_the_file():
    with pytest.raises(InputError, match=r"claude-nonesuch-9.*prices\.toml"):
        budget_of(5.0, "claude-nonesuch-9")
    assert budget_of(None, "claude-nonesuch-9").limit == math.inf


@pytest.mark.parametrize("usd", [0.0, -1.0, math.inf, math.nan])
def test_a_budget_is_a_number_above_0(usd):
    with pytest.raises(InputError, match="above 0"):
        budget_of(usd, MODEL)
