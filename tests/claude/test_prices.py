"""Prices: dated, per kind of token, and honest about models without one."""

import logging
from datetime import date

import pytest

from curation.claude.prices import price, price_list, warn_unpriced
from curation.claude.reply import Usage
from curation.recipe import Judge

DAY = date(2026, 11, 21)
ONE_OF_EACH = Usage(fresh=1_000_000, written=1_000_000, cached=1_000_000, output=1_000_000)


def test_each_kind_of_token_has_its_price():
    assert price("claude-opus-4-6", Usage(fresh=1_000_000), DAY) == 5.0
    assert price("claude-opus-4-6", Usage(written=1_000_000), DAY) == 6.25
    assert price("claude-opus-4-6", Usage(cached=1_000_000), DAY) == 0.5
    assert price("claude-opus-4-6", Usage(output=1_000_000), DAY) == 25.0


@pytest.mark.parametrize("name", ["claude-opus-4-6@20260205", "claude-opus-4-6-20260205", "claude-opus-4-6"])
def test_a_dated_name_has_the_models_price(name):
    assert price(name, ONE_OF_EACH, DAY) == price("claude-opus-4-6", ONE_OF_EACH, DAY)


def test_the_default_model_has_a_price():
    assert price(Judge().model, ONE_OF_EACH, DAY)


def test_the_offline_rubric_costs_nothing():
    assert price("offline-rubric-1", ONE_OF_EACH, DAY) == 0.0


def test_an_unknown_model_has_no_price_and_one_warning_that_names_the_file(caplog):
    warn_unpriced.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert price("claude-nonesuch-9", ONE_OF_EACH, DAY) is None
        assert price("claude-nonesuch-9", ONE_OF_EACH, date(2026, 11, 20)) is None
    assert [record.getMessage().count("prices.toml") for record in caplog.records] == [1]


@pytest.mark.parametrize("entry", price_list(), ids=lambda entry: f"{entry['model']} {entry['from']}")
def test_every_entry_is_whole_and_holds_from_its_day_on(entry):
    assert set(entry) == {"model", "from", "input", "cache_write", "cache_read", "output"}
    assert price(entry["model"], ONE_OF_EACH, entry["from"]) is not None
    assert entry["cache_read"] <= entry["input"] <= entry["output"]
