"""What the row stages cost: `python benchmarks/checks.py [--records N] [--plain N] [--json]`.

The yardstick is `orjson.loads` of the same samples' messages, candidates and plan, in the same run. Exits 1 where a goal
is missed. All goals are about CPU seconds, of this process and of those that it started, so other load on the machine
changes them little: what the cores are used for is told by the share of the work that each process bears.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import polars as pl
from plain_checks import fails

from curation.batch import Batch
from curation.deciding import Work, no_garbage_collection
from curation.recipe import Check
from curation.registry import bundled_plugins
from curation.stages import ROW_STAGES
from curation.synthesis import Catalogue, synthesize
from curation.synthesis.selfcheck import sample_rows
from flows.crew import cores, decide_all

BATCH = 5_000  # samples a batch
RATIO = 12.0  # goal: the seven stages cost at most so many times the yardstick
PLAINLY = 10.0  # goal: written plainly they cost at least so many times more
GROWTH = 1.15  # goal: all batches take at most so many times the memory of the first two
SPEEDUP = 1.5  # goal: two cores are so much faster than one, by the CPU that each process spends
JSON = ("messages", "candidates", "plan")
APART = ("pii", "grounding")  # goal: together at most RATIO times the yardstick, too
SEVEN = ("schema", "thinking", "plugin", "placeholder", "hydration", "dependency", "secret")
CHECK = Check()


def write_samples(count: int, folder: Path) -> list[Path]:
    """So many synthetic samples over the bundled registry, a file a batch."""
    catalogue, paths = Catalogue.of(bundled_plugins()), []
    waiting, traces = 0, synthesize(catalogue, count, seed=8)
    while waiting < count:
        size = min(BATCH, count - waiting)
        paths.append(folder / f"{len(paths):04}.parquet")
        sample_rows([next(traces) for _ in range(size)]).write_parquet(paths[-1])
        waiting += size
    return paths


def yardstick(samples: pl.DataFrame) -> float:
    """CPU seconds of parsing the samples' JSON once."""
    columns = [samples[name].to_list() for name in JSON]
    begin = time.process_time()
    for column in columns:
        for text in column:
            orjson.loads(text)
    return time.process_time() - begin


def stage_costs(samples: pl.DataFrame) -> dict[str, float]:
    """CPU seconds of each stage, and of the parsing that they share."""
    batch, spent = Batch(samples), dict[str, float]()
    begin = time.process_time()
    batch.answers, batch.values, batch.offers  # noqa: B018 - parsed once, when first looked at
    spent["parse"] = time.process_time() - begin
    for stage in ROW_STAGES:
        begin = time.process_time()
        stage.decide(batch, CHECK)
        spent[stage.NAME] = time.process_time() - begin
    return spent


def peak() -> float:
    """The most memory that this process has had resident, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def costs(paths: list[Path]) -> dict[str, float]:
    """CPU seconds over all batches, and the peaks of memory after two batches and after all."""
    spent: dict[str, float] = {}
    for number, path in enumerate(paths):
        samples = pl.read_parquet(path)
        with no_garbage_collection():
            for name, seconds in {"yardstick": yardstick(samples), **stage_costs(samples)}.items():
                spent[name] = spent.get(name, 0.0) + seconds
        if number == 1:
            spent["peak of two"] = peak()
    return {**spent, "peak of all": peak()}


def works(paths: list[Path]) -> Iterator[Work]:
    """Every batch, to be asked of every stage."""
    for path in paths:
        samples = pl.read_parquet(path)
        yield Work(samples, {stage.NAME: samples["sample_id"] for stage in ROW_STAGES})


@dataclass(frozen=True)
class Spent:
    """Seconds of one way to check all batches: on the clock, of this process's CPU, of all its workers' CPU."""

    wall: float
    own: float
    workers: float


def spent(paths: list[Path], workers: int) -> Spent:
    """What it takes with so many processes, their start included."""
    before, own, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time(), time.monotonic()
    for _ in decide_all(works(paths), CHECK, workers):
        pass
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    theirs = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(time.monotonic() - begin, time.process_time() - own, theirs)


def speedup(one: Spent, many: Spent, workers: int) -> float:
    """How much faster the many are than the one where nothing else runs.

    The work ends no sooner than the busiest process, nor than all of it fits on the cores; batches go to whoever is
    free, so the workers bear equal shares.
    """
    return one.own / max(many.own, many.workers / workers, (many.own + many.workers) / cores())


def plainly(samples: pl.DataFrame) -> tuple[float, float, float]:
    """CPU seconds of the plain version and of ours over the same samples, and the share on which both agree."""
    rows = samples.to_dicts()
    fails(rows[0])
    begin = time.process_time()
    failed = [fails(row) for row in rows]
    plain = time.process_time() - begin
    begin = time.process_time()
    (decided,) = decide_all([Work(samples, dict.fromkeys(SEVEN, samples["sample_id"]))], CHECK, 1)
    ours = time.process_time() - begin
    told = pl.concat([frame.select("sample_id", "outcome") for frame in decided.decisions.values()])
    bad = set(told.filter(outcome="fail")["sample_id"])
    same = sum(own == (sample_id in bad) for own, sample_id in zip(failed, samples["sample_id"], strict=True))
    return plain, ours, same / len(rows)


def measure(count: int, plain: int) -> dict[str, float]:
    """All figures of one run."""
    with tempfile.TemporaryDirectory(prefix="curation-benchmark-") as folder:
        paths = write_samples(count, Path(folder))
        figures = costs(paths)
        figures["ratio"] = (figures["parse"] + sum(figures[name] for name in SEVEN)) / figures["yardstick"]
        figures["apart"] = sum(figures[name] for name in APART) / figures["yardstick"]
        figures["growth"] = figures["peak of all"] / figures.get("peak of two", figures["peak of all"])
        one, many = spent(paths, 1), spent(paths, cores())
        figures["speedup"] = speedup(one, many, cores())
        figures |= {"one process": one.own, "parent": many.own, "workers": many.workers}
        figures["on the clock"] = one.wall / many.wall
        written, ours, figures["agreement"] = plainly(pl.read_parquet(paths[0]).head(plain))
        figures["plainly"] = written / ours
    return figures


def main() -> int:
    """Prints the figures; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--plain", type=int, default=500, help="samples for the plain version, which is slow")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.records, options.plain)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        print(f"{options.records:,} samples on {cores()} of {os.cpu_count()} cores; CPU seconds, times the yardstick")
        for name in ("yardstick", "parse", *(stage.NAME for stage in ROW_STAGES)):
            print(f"  {name:<12}{figures[name]:8.2f}{figures[name] / figures['yardstick']:8.2f}")
        print(f"  the seven together     {figures['ratio']:8.2f}  (goal: at most {RATIO:g})")
        print(f"  pii and grounding      {figures['apart']:8.2f}  (goal: at most {RATIO:g})")
        print(
            f"  written plainly        {figures['plainly']:8.1f}  times ours (goal: {PLAINLY:g}); agree on {figures['agreement']:.1%}"
        )
        print(
            f"  all cores              {figures['speedup']:8.2f}  times as fast as one process (goal: {SPEEDUP:g}); "
            f"{figures['one process']:.1f} s of CPU in one, {figures['parent']:.1f} + {figures['workers']:.1f} in parent and workers; "
            f"on the clock {figures['on the clock']:.2f}"
        )
        print(
            f"  peak memory            {figures['peak of all']:8.0f}  MB, {figures['growth']:.2f} times that of two batches"
        )
    goals = {
        "ratio": figures["ratio"] <= RATIO,
        "apart": figures["apart"] <= RATIO,
        "plainly": figures["plainly"] >= PLAINLY,
        "growth": figures["growth"] <= GROWTH,
    }
    goals["speedup"] = figures["speedup"] >= SPEEDUP or cores() < 2
    for name, met in goals.items():
        if not met:
            print(f"missed: {name} is {figures[name]:.2f}", file=sys.stderr)
    return 0 if all(goals.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
