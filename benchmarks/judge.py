"""How close the judge's pool comes to a bare HTTP client: `python benchmarks/judge.py [--samples N] [--workers N] [--latency S]`.

A local service with the given latency runs in a process of its own, and so does each contender, one after the other:
`bare` posts the same bodies with aiohttp and does nothing else; the backends go the whole way of `curation judge`
(message, request, journal synced to disk, reply read). Prints a table, or `--json`; exits 1 where a goal is missed. At
the end `curation status` is asked again and again while `curation judge` works on a warehouse of as many samples.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from curation.claude.asking import Claude  # noqa: E402
from curation.claude.doors import NEEDED  # noqa: E402
from curation.claude.journal import journal_folder  # noqa: E402
from curation.claude.pool import run_errand  # noqa: E402
from curation.judge.backend import open_backend  # noqa: E402
from curation.judge.rubric import load_rubric  # noqa: E402
from tests import traces  # noqa: E402
from tests.claude.conftest import MODEL, environment  # noqa: E402
from tests.judge.samples import SECRET, frames  # noqa: E402

THROUGHPUT = 0.90  # of the bare client's
CPU = 2.5  # seconds of the client for 1,000 requests
STATUS = 5.0  # seconds that `curation status` may take while a run judges
GROWTH = 1.2  # times the memory of a run that five times as many samples may take
MORE = 5


def bare(samples: int, workers: int) -> None:
    """Posts every body and reads the answer's bytes: the least that any client has to do."""
    import aiohttp

    errand = open_backend("anthropic", MODEL, load_rubric(), SECRET, workers)
    assert isinstance(errand.service, Claude)
    form = errand.service.form
    url = f"{os.environ['ANTHROPIC_BASE_URL']}/v1/messages"
    headers = {
        "x-api-key": os.environ["ANTHROPIC_API_KEY"],
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
    }
    rows = (row for frame in frames(samples) for row in frame.iter_rows(named=True))
    bodies = (json.dumps(form.body(errand.message(row), by_tool=False)).encode() for row in rows)

    async def work(session: aiohttp.ClientSession) -> None:
        for body in bodies:
            async with session.post(url, data=body, headers=headers) as response:
                await response.read()

    async def all_of_it() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=workers)) as session:
            await asyncio.gather(*(work(session) for _ in range(workers)))

    asyncio.run(all_of_it())


def judged(backend: str, samples: int, workers: int) -> None:
    """The whole way of the judge, without DuckDB."""
    errand = open_backend(backend, MODEL, load_rubric(), SECRET, workers)
    with tempfile.TemporaryDirectory(prefix="curation-judge-") as folder:
        tally = run_errand(frames(samples), errand, journal_folder(Path(folder) / "w.duckdb"), workers)
    if tally.statuses != {"ok": samples}:
        raise SystemExit(f"{backend}: {dict(tally.statuses)} of {samples}")


def contend(name: str, samples: int, workers: int) -> None:
    """In a process of its own: runs once and prints what it took."""
    wall, cpu = time.monotonic(), time.process_time()
    if name == "bare":
        bare(samples, workers)
    else:
        judged(name, samples, workers)
    took = {"wall_s": time.monotonic() - wall, "cpu_s": time.process_time() - cpu}
    print(json.dumps(took | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def measured(name: str, samples: int, workers: int, url: str) -> dict[str, Any]:
    """What a contender took, per request where that makes sense."""
    command = [sys.executable, __file__, "--contender", name, "--samples", str(samples), "--workers", str(workers)]
    done = subprocess.run(
        command, env={**os.environ, **environment(url)}, stdout=subprocess.PIPE, text=True, check=True
    )
    took = json.loads(done.stdout.splitlines()[-1])
    per_second = {"per_s": samples / took["wall_s"], "cpu_per_1000": 1000 * took["cpu_s"] / samples}
    return {"client": name, "samples": samples, **took, **per_second}


@contextmanager
def served(latency: float) -> Iterator[str]:
    """The local service's address while it runs."""
    command = [sys.executable, "-m", "tests.servers.claude", "--port", "0", "--latency", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def status_times(samples: int, workers: int, url: str) -> list[float]:
    """Seconds that each `curation status` took while a `curation judge` was at work, one after the other."""
    with tempfile.TemporaryDirectory(prefix="curation-status-") as name:
        folder = Path(name)
        rows = [traces.trace(f"t-{n}", f"Is it dry in Oslo at hour {n}?", traces.step("Oslo")) for n in range(samples)]
        recipe = folder / "r.toml"
        source = traces.write(folder / "t.jsonl", rows)
        text = traces.recipe_text(source, folder / "out", judge=f"workers = {workers}", dedup="threshold = 1.0")
        recipe.write_text(text.replace('"offline"', '"anthropic"'))
        given = {
            **os.environ,
            **environment(url),
            "CURATION_WAREHOUSE": str(folder / "w.duckdb"),
            "PYTHONPATH": str(ROOT),
        }

        def command(*words: str) -> list[str]:
            return [sys.executable, "-m", "curation.cli", *words]

        for words in (("ingest", str(source)), ("check", "--recipe", str(recipe))):
            subprocess.run(command(*words), env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        took = []
        with subprocess.Popen(
            command("judge", "--recipe", str(recipe)), env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as judge:
            while judge.poll() is None:
                began = time.monotonic()
                asked = command("status", "--recipe", str(recipe), "--json")
                subprocess.run(asked, env=given, stdout=subprocess.DEVNULL, check=True)
                took.append(time.monotonic() - began)
        if judge.returncode:
            raise SystemExit(f"curation judge ended with {judge.returncode}")
        return took


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The rows for a person."""
    yield "| client | samples | wall s | requests/s | of bare | CPU-s per 1,000 | peak MB |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        yield (
            f"| {row['client']} | {row['samples']:,} | {row['wall_s']:.1f} | {row['per_s']:.1f} | {row['of_bare']:.2f} "
            f"| {row['cpu_per_1000']:.2f} | {row['peak_mb']:.0f} |"
        )


def missed(
    rows: list[dict[str, Any]], small: dict[str, Any], large: dict[str, Any], statuses: list[float]
) -> list[str]:
    """The goals that were not reached."""
    found = [f"{row['client']}: {row['of_bare']:.2f} of bare" for row in rows if row["of_bare"] < THROUGHPUT]
    found += [f"{row['client']}: {row['cpu_per_1000']:.2f} CPU-s" for row in rows if row["cpu_per_1000"] > CPU]
    if large["peak_mb"] > GROWTH * small["peak_mb"]:
        found.append(f"memory grows from {small['peak_mb']:.0f} to {large['peak_mb']:.0f} MB")
    if max(statuses) > STATUS:
        found.append(f"status took {max(statuses):.1f} s")
    return found


def main() -> int:
    """Measures every contender and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--contender", choices=("bare", *NEEDED), help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.contender:
        contend(asked.contender, asked.samples, asked.workers)
        return 0
    with served(asked.latency) as url:
        rows = [measured(name, asked.samples, asked.workers, url) for name in ("bare", *NEEDED)]
    with served(0.0) as url:
        sizes = [measured("vertex", samples, asked.workers, url) for samples in (asked.samples, MORE * asked.samples)]
    with served(asked.latency) as url:
        statuses = status_times(asked.samples, asked.workers, url)
    for row in rows:
        row["of_bare"] = row["per_s"] / rows[0]["per_s"]
    memory = {row["samples"]: row["peak_mb"] for row in sizes}
    print(
        json.dumps({"clients": rows, "memory": memory, "status_s": statuses}, indent=2)
        if asked.json
        else "\n".join(table(rows))
    )
    print(f"peak memory by samples, no latency: {memory}; load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    print(f"{len(statuses)} times status while judging, the slowest {max(statuses):.1f} s", file=sys.stderr)
    for fault in (found := missed(rows, *sizes, statuses)):
        print(f"missed: {fault}", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
