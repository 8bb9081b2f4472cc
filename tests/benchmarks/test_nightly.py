"""Nights with kills and faults end as quiet ones do, and what compares them sees a difference."""

import json
from argparse import Namespace
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import nightly
from benchmarks.nights import rows, traffic
from flows.ingesting import ingest
from tests import traces
from warehouse import Store


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.timeout(3600)
def test_three_small_nights_with_kills_and_faults_end_as_three_quiet_ones(tmp_path: Path) -> None:
    told = nightly.measure(tmp_path, Namespace(nights=3, traces=60, kills=2, seed=3))
    assert told["faults"] == []
    assert sum(told["kills"].values()) > 0
    assert [night.number for night in told["nights"]] == [1, 2, 3]


def test_a_night_is_the_same_for_a_seed_and_holds_something_of_every_kind() -> None:
    size, nights = 400, 9
    lines = [traffic.night(7, number, size, nights) for number in (1, 2, nights)]
    assert lines[1] == traffic.night(7, 2, size, nights) != traffic.night(8, 2, size, nights)
    readable = [[json.loads(line) for line in night if line.endswith("}")] for night in lines]
    assert sum(map(len, readable)) < 3 * size  # some are broken off
    ids = [Counter(trace["trace_id"] for trace in night) for night in readable]
    assert set(ids[0]) & set(ids[1])  # some came before
    assert ["AKIA" in "".join(night) for night in lines] == [True] * 3
    assert [traffic.REFUSED in "".join(night) for night in lines] == [True, True, False]


def test_a_row_that_only_one_warehouse_holds_is_seen(tmp_path: Path) -> None:
    found = []
    files = [traces.write(tmp_path / f"{number}.jsonl", [traces.good(number)]) for number in range(3)]
    for name, number in (("one", 2), ("same", 2), ("more", 3)):
        store = Store(tmp_path / name / "w.duckdb")
        ingest(store, [str(path) for path in files[:number]])
        found.append(store.path)
    assert rows.differences(found[0], found[1]) == {}
    differing = rows.differences(found[0], found[2])
    assert {table: differing[table] for table in ("trace", "sample", "sample_trace")} == {
        "trace": (0, 1),
        "sample": (0, 1),
        "sample_trace": (0, 1),
    }


def nights(*seconds: float) -> list[nightly.Night]:
    return [nightly.Night(number, 0, cpu, cpu) for number, cpu in enumerate(seconds, start=1)]


def test_growth_is_told_by_a_line_that_single_nights_do_not_bend() -> None:
    steady = [20 + 0.2 * night for night in range(1, 31)]
    assert nightly.growth(nights(*steady)) == pytest.approx(26 / 20.4)
    assert nightly.growth(nights(*steady[:-1], 90.0)) == pytest.approx(26 / 20.4, rel=0.01)
    assert nightly.growth(nights(*(10.0 * night for night in range(1, 31)))) == pytest.approx(15)
    assert nightly.growth(nights(7.0)) == 1
    assert nightly.growth(nights(7.0, 9.0)) == 1
