"""Each refresh leaves a row, a killed one is told as crashed, and a source in trouble keeps its first bad night."""

from pathlib import Path

import pytest

from curation.errors import InputError, Stopped
from flows import history, morning
from flows.asking import last_refresh
from flows.publishing import Published
from flows.recording import history as told
from warehouse import Store

FUNNEL = {"recipe": "t", "traces": 12, "samples": 12, "accepted": 9, "usd": 1.5, "releases": []}
FUNNEL |= {"stages": [{"stage": "plugin", "seen": 12, "pass": 9, "flag": 0, "fail": 3, "abstain": 0, "reasons": {}}]}
FUNNEL |= {"fell": [{"stage": "plugin", "reason": "plugin.unknown", "samples": 3}]}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "w.duckdb")


def run(store: Store, error: BaseException | None = None) -> None:
    with history.written_down(store, "t", "run-1") as row:
        row.funnel, row.version = dict(FUNNEL), "1.0.0"
        if error:
            raise error


@pytest.mark.parametrize(
    ("error", "state", "detail"),
    [
        (Stopped("the budget is spent"), "stopped", "the budget is spent"),
        (InputError("no such file"), "failed", "no such file"),
        (ValueError("what a sample said"), "failed", "it ended with ValueError; the run's log says more"),
    ],
)
def test_what_ends_a_refresh_is_kept_in_one_sentence_without_contents(
    store: Store, error: BaseException, state: str, detail: str
) -> None:
    with pytest.raises(type(error)):
        run(store, error)
    (row,) = told(store, "t")["refreshes"]
    assert (row["state"], row["detail"], row["accepted"]) == (state, detail, 9)
    last = last_refresh(store, "t")
    assert last is not None
    assert (last["state"], last["detail"], last["more_accepted"]) == (state, detail, None)


def test_a_refresh_whose_process_is_gone_is_told_as_crashed_by_the_next(store: Store) -> None:
    killed = history.written_down(store, "t", "run-0")
    killed.__enter__()  # and no more is heard of it
    assert history.killed(store, "t") == ["run-0"]
    run(store)
    assert [row["state"] for row in told(store, None)["refreshes"]] == ["finished", "crashed"]
    assert history.killed(store, "t") == []
    assert history.last_funnel(store, "t") == {key: value for key, value in FUNNEL.items() if key != "releases"}


def test_a_source_in_trouble_keeps_its_first_bad_night_until_it_is_well(store: Store) -> None:
    run(store)
    first = history.keep_trouble(store, "t", {"a": "a is missing"})
    second = history.keep_trouble(store, "t", {"a": "a is empty", "b": "b is missing"})
    assert [row["source"] for row in second] == ["a", "b"]
    assert second[0]["since"] == first[0]["since"]
    assert history.trouble(store, "t")[0]["sentence"] == "a is empty"
    assert history.keep_trouble(store, "t", {}) == history.trouble(store, "t") == []


def test_the_morning_tables_hold_the_funnel_against_the_last_run(store: Store) -> None:
    before = FUNNEL | {"accepted": 5, "usd": 1.0, "fell": []}
    table = morning.stages(FUNNEL, before)
    assert table[-1] == {"stage": "accepted", "outcome": "left", "samples": 9, "since the last run": "+4"}
    (drop,) = morning.drops("r.toml", FUNNEL, before)
    assert (drop["since the last run"], drop["see them"]) == (
        "+3",
        "curation samples --recipe r.toml --reason plugin.unknown --limit 20",
    )
    assert morning.drops("r.toml", FUNNEL, None)[0]["since the last run"] == ""
    held = Published("t", "1.1.0", None, None, {"train": 9}, new=True, state="held", guards=("too few",))
    text = morning.summary(FUNNEL, before, held, [])
    assert "$0.50 spent" in text
    assert "curation releases approve t@1.1.0" in text
    assert morning.key_of("my_plans.v2") == "my-plans-v2"
