"""Each refresh leaves a row, a killed one is told as crashed, and a source in trouble keeps its first bad night."""

import re
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
FUNNEL |= {"changes": None}
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
        (
            ValueError("what a sample said"),
            "failed",
            r"it ended with ValueError at test_history\.py:\d+; the same .* says more",
        ),
    ],
)
def test_what_ends_a_refresh_is_kept_in_one_sentence_without_contents(
    store: Store, error: BaseException, state: str, detail: str
) -> None:
    with pytest.raises(type(error)):
        run(store, error)
    (row,) = told(store, "t")["refreshes"]
    assert (row["state"], row["accepted"]) == (state, 9)
    assert re.fullmatch(detail, row["detail"])
    last = last_refresh(store, "t")
    assert last is not None
    assert (last["state"], last["detail"], last["more_accepted"]) == (state, row["detail"], None)


def test_a_refresh_whose_process_is_gone_is_told_as_crashed_by_the_next(store: Store) -> None:
    killed = history.written_down(store, "t", "run-0")
    killed.__enter__()  # and no more is heard of it
    assert history.killed(store, "t") == ["run-0"]
    run(store)
    assert [row["state"] for row in told(store, None)["refreshes"]] == ["finished", "crashed"]
    assert history.killed(store, "t") == []
    assert history.last_funnel(store, "t") == {key: value for key, value in FUNNEL.items() if key in history.KEPT}


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


def test_a_release_is_shown_against_its_parent_with_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    counts = {"added": 4, "removed": 1, "moved": 0}
    told = {"name": "t", "version": "1.1.0", "parent": "1.0.0", **counts}
    told["by"] = [{"by": "split", "what": "train", "rows": 12, **counts}]
    done = Published("t", "1.1.0", "hf://team/t@v1.1.0", "c" * 40, {"train": 12}, new=True)
    assert morning.differences(told) == told["by"]
    assert morning.about(told, done) == "t 1.1.0 against 1.0.0: https://huggingface.co/datasets/team/t/tree/v1.1.0"
    text = morning.summary(FUNNEL | {"changes": told}, None, done, [])
    assert "published t 1.1.0 (12 train): https://huggingface.co/datasets/team/t/tree/v1.1.0" in text
    assert "+4 −1 rows against 1.0.0" in text
