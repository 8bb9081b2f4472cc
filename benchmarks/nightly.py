"""Nights with kills and faults, beside the same nights in peace: `python benchmarks/nightly.py [--nights N] [--traces N] [--kills N] [--seed N]`.

Every night brings new traces to two warehouses. In the quiet one a real `curation refresh` runs once. In the other one
it is killed with SIGKILL, with all its processes, at random times, so often as `--kills` says; its judge and its Hub
fail now and then; and it is run again until it ends well, before the next night's traces come. Prints a line a night,
then the table, and at last whether both warehouses hold the same rows in all tables (but times, ids of runs and commits) and
whether the last night cost at most 1.5 times the CPU of the second: by a straight line through all nights, because the
same night costs a fifth more or less from one run to the next; both nights themselves are told, too. Exits 1 where not.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.nights import rows, traffic  # noqa: E402
from benchmarks.nights.services import HUB_FAULTS  # noqa: E402
from benchmarks.nights.world import WORKERS, Ended, World, after, worlds  # noqa: E402

GROWTH = 1.5  # times the CPU of the second night that the last one may cost
TRIES = 6  # refreshes of one night, beside those that are killed, after which something is wrong
RECIPE = """name = "nights"
[[source]]
path = "{incoming}"
name = "production"
[check]
secret = "redact"
[judge]
backend = "anthropic"
accept = 7
workers = {workers}
[release]
to = "hf://owner/nights"
licence = "apache-2.0"
"""


@dataclass
class Night:
    """What one night came to, seconds of CPU and of time."""

    number: int
    samples: int
    quiet_cpu: float
    quiet_s: float
    killed_cpu: float = 0.0
    refreshes: int = 0  # of the world that is killed
    kills: list[str] = field(default_factory=list)  # what each broke off
    failures: int = 0  # refreshes that an outage ended


def deliver(incoming: Path, lines: list[str], number: int) -> None:
    """Half of a night's traces in a file of their own, the other half at the end of one that grows."""
    half = len(lines) // 2
    (incoming / f"night-{number:03}.jsonl").write_text("".join(line + "\n" for line in lines[:half]))
    with (incoming / "all.jsonl").open("a") as growing:
        growing.writelines(line + "\n" for line in lines[half:])


def survive(world: World, night: Night, kills: int, chance: random.Random) -> None:
    """The night of a world that is killed `kills` times, and run again until it ends well."""
    for _ in range(kills):
        set_fault(world, chance)
        if came_to(world, night, world.refresh(after(chance.uniform(0, night.quiet_s)))):
            return
    for _ in range(TRIES):
        if came_to(world, night, world.refresh()):
            return
        world.hub.fault("", "clear", 0)
    raise RuntimeError(f"night {night.number} does not end well: {(world.folder / 'said.log').read_text()}")


def set_fault(world: World, chance: random.Random) -> None:
    """One of the Hub's faults, or none."""
    if chance.random() < 0.7:
        world.hub.fault(*chance.choice(HUB_FAULTS))


def came_to(world: World, night: Night, ended: Ended) -> bool:
    """Counts a refresh; whether it ended well."""
    night.refreshes += 1
    night.killed_cpu += ended.cpu
    if ended.killed:
        night.kills.append(world.prefect.last_task())
    elif ended.code:
        night.failures += 1
    return ended.code == 0


def walk(quiet: World, killed: World, incoming: Path, asked: argparse.Namespace) -> Iterator[Night]:
    """Every night in turn, in both worlds."""
    chance = random.Random(asked.seed)
    for number in range(1, asked.nights + 1):
        if number > 1:
            deliver(incoming, traffic.night(asked.seed, number, asked.traces, asked.nights), number)
        ended = quiet.refresh()
        if ended.code:
            raise RuntimeError(f"a quiet night ended with {ended.code}: {ended.said}")
        night = Night(number, rows.counted(quiet.warehouse, "sample"), ended.cpu, ended.wall)
        survive(killed, night, asked.kills, chance)
        yield night


def table(nights: list[Night]) -> Iterator[str]:
    """The nights for a person."""
    yield "| night | samples | quiet: CPU s | quiet: s | killed: CPU s | refreshes | killed in | failed |"
    yield "|---|---|---|---|---|---|---|---|"
    yield from map(row, nights)


def row(night: Night) -> str:
    """One night."""
    kills = ", ".join(night.kills) or "none"
    return (
        f"| {night.number} | {night.samples:,} | {night.quiet_cpu:.1f} | {night.quiet_s:.0f} | {night.killed_cpu:.1f} "
        f"| {night.refreshes} | {kills} | {night.failures} |"
    )


def faults(quiet: World, killed: World, nights: list[Night]) -> Iterator[str]:
    """What is not as it must be."""
    for name, (one, other) in rows.differences(quiet.warehouse, killed.warehouse).items():
        yield f"{name}: {one} rows only in the quiet warehouse, {other} only in the killed one"
    kills = sum(len(night.kills) for night in nights)
    twice = sum(count - 1 for count in killed.judge.answered.values()) - sum(
        count - 1 for count in quiet.judge.answered.values()
    )
    if twice > WORKERS * kills:
        yield f"{twice} samples were judged twice, more than were in flight at {kills} kills"
    for world in (quiet, killed):
        if left := rows.counted(world.warehouse, "refresh", "state = 'running'"):
            yield f"{left} refreshes are said to run in {world.folder.name}"
    if running := killed.prefect.running():
        yield f"Prefect believes {len(running)} runs to run"


def growth(nights: list[Night]) -> float:
    """How many times the CPU of the second night the last one cost, by the line of Theil and Sen: no single night bends it."""
    first, last = nights[min(1, len(nights) - 1)], nights[-1]
    pairs = list(combinations(nights, 2))
    slope = median((b.quiet_cpu - a.quiet_cpu) / (b.number - a.number) for a, b in pairs) if pairs else 0.0
    start = median(night.quiet_cpu - slope * night.number for night in nights)
    return (start + slope * last.number) / (start + slope * first.number)


def prepared(folder: Path, asked: argparse.Namespace) -> Path:
    """The recipe of all worlds, and the first night's traces."""
    incoming, recipe = folder / "incoming", folder / "nights.toml"
    incoming.mkdir()
    recipe.write_text(RECIPE.format(incoming=incoming, workers=WORKERS))
    deliver(incoming, traffic.night(asked.seed, 1, asked.traces, asked.nights), 1)
    return recipe


def measure(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """All nights in a folder, and what was found wrong at their end."""
    with worlds(folder, prepared(folder, asked)) as make:
        quiet, killed = make("quiet", False), make("killed", True)
        nights = []
        for night in walk(quiet, killed, folder / "incoming", asked):
            nights.append(night)
            print(row(night), file=sys.stderr, flush=True)
        found = list(faults(quiet, killed, nights))
        kills = Counter(kill for night in nights for kill in night.kills)
        return {"nights": nights, "kills": kills, "faults": found}


def main(arguments: list[str] | None = None) -> int:
    """Measures and tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--traces", type=int, default=2000, help="that come each night")
    parser.add_argument("--kills", type=int, default=1, help="refreshes of each night that are killed")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="curation-nights-") as folder:
        told = measure(Path(folder), asked)
    nights, kills = told["nights"], told["kills"]
    print("\n".join(table(nights)))
    print(f"\nkilled {sum(kills.values())} times, in {dict(kills)}")
    second, last = nights[min(1, len(nights) - 1)].quiet_cpu, nights[-1].quiet_cpu
    print(
        f"the last night cost {(grown := growth(nights)):.2f} times the CPU of the second by a line through all of them "
        f"({last:.1f} s and {second:.1f} s are {last / second:.2f}); {GROWTH} at most is the goal"
    )
    for fault in told["faults"]:
        print(f"missed: {fault}")
    print("the warehouses differ" if told["faults"] else "both warehouses hold the same rows")
    return int(bool(told["faults"]) or grown > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
