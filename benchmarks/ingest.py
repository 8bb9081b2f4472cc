"""What bringing traces in costs: CPU against orjson's loads and dumps over the same bytes, and the largest memory.

    python benchmarks/ingest.py                     # 65,000 native traces of about 3.7 KB
    python benchmarks/ingest.py --records 650000    # ten times as many: memory must not grow with them

Prints a table (or `--json`) of CPU seconds, all threads together: the yardstick; read (parse and check the bytes),
canonicalise (samples, their ids, the frames) and store (DuckDB, to the closed file), each measured in the one run; the
ratio of their sum to the yardstick; the peak resident memory. Exits 1 where a goal is missed.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from curation import ingest as reading  # noqa: E402
from curation.ingest import DataFile  # noqa: E402
from flows import ingesting  # noqa: E402
from flows.filing import Known  # noqa: E402
from warehouse import Store  # noqa: E402

RATIO = 15  # times the yardstick, storing included
PEAK = 1000  # MB
WORDS = (ROOT / "README.md").read_text(encoding="utf-8").split()


def trace(number: int) -> bytes:
    """A native trace of about 3.7 KB, unlike every other: six candidates, some thinking, a plan of two steps."""
    words = [WORDS[(number * 31 + i * 7 + i * i) % len(WORDS)] for i in range(150)]
    offered = [candidate(number * 3 + i, words[i * 8 : i * 8 + 24]) for i in range(6)]
    steps = [step(chosen, f"{' '.join(words[:3])} {number}", offered[:i]) for i, chosen in enumerate(offered[:2])]
    answer = f"<think>{' '.join(words[20:105])} {number}</think>\n" + orjson.dumps({"plugins": steps}).decode()
    return orjson.dumps(
        {
            "trace_id": f"t-{number}",
            "source": "production",
            "timestamp": "2026-10-01T12:00:00Z",
            "messages": [
                {"role": "user", "content": f"{' '.join(words[:40])} {number}?"},
                {"role": "assistant", "content": answer},
            ],
            "candidates": offered,
            "metadata": {"outcome": "succeeded", "latency_ms": number % 9000},
        }
    )


def candidate(number: int, words: list[str]) -> dict[str, object]:
    """A plugin that takes two values."""
    values = {"query": {"type": "string", "description": " ".join(words[:6])}, "limit": {"type": "integer"}}
    return {
        "pluginId": f"plugin-{number % 5000}",
        "name": " ".join(words[:2]),
        "description": " ".join(words[2:12]),
        "identifier": "rest_api",
        "method": "POST",
        "parameters": {"type": "object", "properties": values, "required": ["query"]},
    }


def step(chosen: dict[str, object], query: str, earlier: list[dict[str, object]]) -> dict[str, object]:
    """A call of the plugin."""
    kept = {key: chosen[key] for key in ("pluginId", "name", "description", "identifier", "method")}
    parameters = {"query": query, "limit": 10}
    depends = [other["pluginId"] for other in earlier]
    return {**kept, "api_request_parameters": parameters, "all_parameters_hydrated": True, "dependencies": depends}


class Clock:
    """CPU seconds of this process, by what they were spent on."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        begin = time.process_time()
        try:
            yield
        finally:
            self.spent[what] = self.spent.get(what, 0.0) + time.process_time() - begin


def yardstick(path: Path, clock: Clock) -> None:
    """Every line through orjson, there and back."""
    with clock.on("yardstick"), path.open("rb") as file:
        for line in file:
            orjson.dumps(orjson.loads(line))


def parse_all(path: Path, clock: Clock) -> None:
    """What the reader does to the bytes before it looks at what they say, measured alone."""
    with clock.on("read"):
        for _, raw in reading.records(path):
            reading.parse(raw)


def bring_in(path: Path, store: Store, clock: Clock) -> ingesting.Report:
    """The whole way as `curation ingest` goes it, the writing apart from the reading."""
    begin, real = time.process_time(), Store.write

    @contextmanager
    def timed(self: Store):  # type: ignore[no-untyped-def]
        with clock.on("store"), real(self) as transaction:
            yield transaction

    Store.write = timed  # type: ignore[method-assign,assignment]
    try:
        report = ingesting.ingest_file(store, DataFile(path, "ondemand"), None, Known())
    finally:
        Store.write = real  # type: ignore[method-assign]
    clock.spent["whole"] = time.process_time() - begin
    return report


def peak_megabytes() -> float:
    """The most memory that this process has had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(records: int, folder: Path) -> dict[str, float]:
    """All figures of one run."""
    path, clock = folder / "traces.jsonl", Clock()
    with path.open("wb") as file:
        for number in range(records):
            file.write(trace(number) + b"\n")
    yardstick(path, clock)
    parse_all(path, clock)
    before = peak_megabytes()
    store = Store(folder / "w.duckdb")
    report = bring_in(path, store, clock)
    if (report.new_traces, report.unreadable) != (records, 0):
        raise SystemExit(f"{records} records became {report.new_traces} traces, {report.unreadable} of them unreadable")
    spent = clock.spent
    return {
        "records": records,
        "bytes_each": path.stat().st_size / records,
        "yardstick": spent["yardstick"],
        "read": spent["read"],
        "canonicalise": spent["whole"] - spent["store"] - spent["read"],
        "store": spent["store"],
        "whole": spent["whole"],
        "ratio": spent["whole"] / spent["yardstick"],
        "peak_mb": peak_megabytes(),
        "peak_before_mb": before,
        "warehouse_mb": store.path.stat().st_size / 1e6,
    }


def main() -> int:
    """Prints the figures; 1 where a goal is missed."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--records", type=int, default=65_000)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="curation-benchmark-") as folder:
        figures = measure(chosen.records, Path(folder))
    if chosen.json:
        print(json.dumps(figures, indent=2))
    else:
        print(
            f"{figures['records']:,} traces of {figures['bytes_each']:,.0f} bytes; CPU seconds, and times the yardstick"
        )
        for what in ("yardstick", "read", "canonicalise", "store", "whole"):
            print(f"  {what:<13}{figures[what]:8.2f}{figures[what] / figures['yardstick']:8.1f}")
        print(f"  peak memory {figures['peak_mb']:,.0f} MB, warehouse {figures['warehouse_mb']:,.0f} MB")
    goals = (("ratio", RATIO), ("peak_mb", PEAK))
    missed = [name for name, goal in goals if figures[name] > goal]
    for name in missed:
        print(f"missed: {name} is {figures[name]:,.1f}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
