"""What reading carries over of real data: for every set under a folder its records, its samples, and all that was lost.

    python benchmarks/fidelity.py DATA_DIR                  # a folder that holds a folder for each set
    python benchmarks/fidelity.py DATA_DIR --markdown       # as it stands in docs/formats.md

Reads every set as `curation ingest` does, into a warehouse of its own that is thrown away. A set without traces (a
plugin registry, bare requests) is named with why. Exits 1 where records in are not records out.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from curation.errors import InputError  # noqa: E402
from curation.fidelity import summary  # noqa: E402
from curation.formats.lines import records  # noqa: E402
from curation.formats.opening import Place  # noqa: E402
from curation.ingest import discover  # noqa: E402
from flows.ingesting import ingest  # noqa: E402
from warehouse import Store  # noqa: E402

COLUMNS = ("set", "format", "read", "joined", "unreadable", "samples", "lost", "why")


class Set(NamedTuple):
    """One set, read."""

    name: str
    format: str
    found: dict[str, Any]  # as curation.fidelity.summary gives it
    samples: int
    seconds: float
    unaccounted: int  # records of its files that are neither traces nor joined into one


def read_set(folder: Path) -> Set:
    """Everything that reading the set finds. Raises InputError where it holds no traces."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="curation-fidelity-") as scratch:
        done = ingest(Store(Path(scratch) / "w.duckdb"), [str(folder)])
    done.require_whole()
    rows = [
        {**row, "path": report.path, "source": ""}
        for report in done.reports
        for row in [
            *({"what": key, "field": "", "records": report.fidelity[key], "example_line": 1} for key in KEYS),
            *report.fidelity["lost"],
            *signals(report.fidelity["signals"]),
        ]
    ]
    there = sum(1 for file in discover([str(folder)]).files for _ in records(Place(str(file.path), file.path)))
    formats = sorted(Counter(report.format for report in done.reports))
    found = summary(rows)
    samples = sum(report.new_samples for report in done.reports)
    return Set(folder.name, ", ".join(formats), found, samples, time.monotonic() - begin, there - found["read"])


KEYS = ("read", "joined", "unreadable")
UNDEFINED = "undefined_tool"  # a defect of the set, and nothing that reading lost


def signals(told: dict[str, int]) -> list[dict[str, Any]]:
    """The outcomes told, as rows."""
    return [{"what": "signal", "field": key, "records": number, "example_line": 1} for key, number in told.items()]


def rows_of(one: Set) -> list[tuple[str, ...]]:
    """The lines of a set in the table: what was lost, one a line, the worst first."""
    head = (one.name, one.format, *(f"{one.found[key]:,}" for key in KEYS), f"{one.samples:,}")
    lost = [(f"{row['field']} ({row['records']:,})", row["what"]) for row in one.found["lost"]] or [("nothing", "")]
    return [(*(head if i == 0 else ("",) * len(head)), *line) for i, line in enumerate(lost)]


def short(one: Set) -> tuple[str, ...]:
    """A set in one line: the lost fields by kind."""
    kinds: dict[str, list[str]] = {}
    for row in one.found["lost"]:
        kinds.setdefault(row["what"], []).append(row["field"])
    told = [f"{kind} {', '.join(f'`{f}`' for f in fields)}" for kind, fields in kinds.items() if kind != UNDEFINED]
    called = sum(row["records"] for row in one.found["lost"] if row["what"] == UNDEFINED)
    told += (
        [f"{called} calls of a tool that was not offered" if called > 1 else "1 call of a tool that was not offered"]
        if called
        else []
    )
    lost = "; ".join(told) or "nothing"
    return one.name, f"`{one.format}`", *(f"{one.found[key]:,}" for key in KEYS), f"{one.samples:,}", lost


def show(sets: list[Set], markdown: bool) -> None:
    """The table."""
    if markdown:
        lines = [("set", "format", "read", "joined", "unreadable", "samples", "not carried over"), ("---",) * 7]
        print("\n".join(f"| {' | '.join(line)} |" for line in [*lines, *map(short, sets)]))
        return
    table = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in (*KEYS, "samples") else "left")
    for one in sets:
        for row in rows_of(one):
            table.add_row(*row)
    Console(width=160).print(table)


def main() -> int:
    """Prints the table; 1 where a record is unaccounted for."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("data", type=Path)
    options.add_argument("--markdown", action="store_true")
    chosen = options.parse_args()
    sets = []
    for folder in sorted(path for path in chosen.data.iterdir() if path.is_dir()):
        try:
            sets.append(read_set(folder))
        except InputError as error:
            print(f"{folder.name}: {error}", file=sys.stderr)
    show(sets, chosen.markdown)
    missing = [one for one in sets if one.unaccounted]
    for one in missing:
        print(f"{one.name}: {one.unaccounted} records are unaccounted for", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
