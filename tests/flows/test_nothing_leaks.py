"""No command, file, log or error shows a credential that some trace holds, in whatever place it stands."""

import random
from collections.abc import Iterator
from pathlib import Path

import orjson
import polars as pl
import pytest

from curation.recipes import load_recipe
from flows import asking
from tests import traces
from tests.conftest import Cli
from tests.corpus.bases import handmade
from tests.corpus.leaks import FORMS, planted
from tests.flows.test_explaining import shown
from tests.flows.test_hiding import TOKEN
from warehouse import Store

PIECE = 10  # characters at both ends of what is secret of a credential: either would give it away


def pieces(name: str, seed: int) -> tuple[str, list[str]]:
    """A credential of this form, and the parts of it that nothing may show."""
    secret, other = FORMS[name](random.Random(f"{name}{seed}")), FORMS[name](random.Random(f"{name}{seed}-"))
    before, after = shared(secret, other), shared(secret[::-1], other[::-1])
    own = secret[before : len(secret) - after]
    lines = [line for line in own.split("\n") if len(line) >= PIECE] or [own]
    return secret, [part for line in lines for part in (line[:PIECE], line[-PIECE:])]


def shared(text: str, other: str) -> int:
    """How many characters both begin with."""
    return next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))


def corpus() -> tuple[list[traces.Trace], list[str]]:
    """A trace for each form of credential, each in a place of its own, and the parts that nothing may show."""
    records, hidden = [], []
    bases = [base for base in handmade() if base.name or base.origin.endswith(("nested", "diamond", "formats"))]
    for number, name in enumerate(sorted(FORMS)):
        secret, parts = pieces(name, 1)
        base = bases[number % len(bases)].copy()
        base.before[-1]["content"] = f"{base.before[-1]['content']} This is order {number}, please."
        ((variant, leak),) = planted(base, name, secret, random.Random(number))
        metadata = {"api_key": secret, "note": f"with {secret}", "variant": variant}
        records.append(leak.trace() | {"trace_id": f"leak-{number}", "metadata": metadata})
        hidden += parts
    return records, hidden


def broken() -> list[str]:
    """Lines that cannot be read, each with a credential where the reader stumbles."""
    return [
        TOKEN,
        f"{{'trace_id': '{TOKEN}'}}",
        f'{{"trace_id": "b1", "k": "{TOKEN}", "messages": NaN}}',
        orjson.dumps({"trace_id": "b2", "messages": TOKEN}).decode(),
        orjson.dumps({"trace_id": "b3", "messages": [{"role": TOKEN, "content": 5}]}).decode(),
        orjson.dumps({"trace_id": "b4", "messages": [{"role": "user", "content": {TOKEN: TOKEN}}]}).decode(),
        orjson.dumps({"trace_id": "b5", "candidates": TOKEN, "messages": [{"role": "user", "content": "hi"}]}).decode(),
        orjson.dumps({"trace_id": "b6", "timestamp": TOKEN, "messages": [{"role": "user", "content": "hi"}]}).decode(),
    ]


def said(cli: Cli, recipe: Path, hiding: Path, source: Path) -> Iterator[tuple[str, str]]:
    """(command, all that it printed) of every command that tells something of traces."""
    for command in (
        ("ingest", source),
        ("ingest", source, "--reread", "--json"),
        ("init", source, "--out", "drafted.toml"),
        ("doctor", "--recipe", recipe),
        ("check", "--recipe", recipe),
        ("check", "--recipe", recipe, "--dry-run", "--set", "check.secret=redact", "--json"),
        ("check", "--recipe", hiding, "--json"),
        ("status", "--recipe", recipe, "--why", "--json"),
        ("decisions", "--recipe", recipe),
        ("decisions", "--recipe", hiding, "--format", "parquet", "--out", "decisions.parquet"),
        ("samples", "--recipe", recipe),
        ("samples", "--recipe", recipe, "--reason", "secret.found", "--out", "samples.parquet"),
        ("explain", "leak-1"),
        ("explain", "leak-2", "--json"),
        ("plugins", "conflicts", "--recipe", recipe),
        ("judge", "--recipe", hiding),
        ("publish", hiding),
        ("releases",),
        ("runs",),
        ("takedown", "leak-1"),
    ):
        done = cli(*command)
        yield " ".join(map(str, command)), done.stdout + done.stderr


def left(folder: Path, besides: set[Path]) -> Iterator[tuple[str, str]]:
    """(name, text) of every file that was left, tables as what they say; the warehouse holds the traces as they came."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if file in besides or file.name in ("w.duckdb", "w.duckdb.wal"):
            continue
        if file.suffix == ".parquet":
            yield file.name, orjson.dumps(pl.read_parquet(file).to_dicts(), default=str).decode()
        else:
            yield file.name, file.read_bytes().decode("utf-8", "replace")


def written(folder: Path) -> tuple[Path, list[str]]:
    """The file of all traces, and the parts of credentials that nothing may show."""
    records, hidden = corpus()
    good = [traces.good(number) for number in range(5)]
    return traces.write(folder / "t.jsonl", [*records, *good], *broken()), [*hidden, TOKEN[5:]]


def shows(told: list[tuple[str, str]], hidden: list[str]) -> set[tuple[str, str]]:
    """What shows which part of a credential, as it is or as JSON writes it."""
    ways = {part: {part, orjson.dumps(part).decode()[1:-1]} for part in hidden}
    return {(what, part) for what, text in told for part in hidden if any(way in text for way in ways[part])}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_command_and_no_file_shows_a_credential(cli: Cli) -> None:
    source, hidden = written(cli.folder)
    recipe, hiding = cli.folder / "r.toml", cli.folder / "h.toml"
    recipe.write_text(traces.recipe_text(source, cli.folder / "out"))
    text = traces.recipe_text(source, cli.folder / "out").replace('"t"', '"h"', 1)
    hiding.write_text(f'{text}\n[check]\nsecret = "redact"\n')
    told = list(said(cli, recipe, hiding, source))
    store = Store(cli.warehouse)
    caught = asking.decisions(store, load_recipe(recipe)).filter(reason="secret.found")["trace_id"].to_list()
    assert {f"leak-{number}" for number in range(len(FORMS))} <= set(caught)
    for number in range(len(FORMS)):
        known = asking.explain(store, f"leak-{number}")
        told.append((f"explain leak-{number}", shown(known) + orjson.dumps(known).decode()))
    told += left(cli.folder, {source})
    assert {"decisions.parquet", "samples.parquet", "drafted.toml", "README.md", "manifest.json"} <= {
        what for what, _ in told
    }
    assert shows(told, hidden) == set()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_refresh_leaves_no_credential_in_its_logs_and_artifacts(cli: Cli) -> None:
    source, hidden = written(cli.folder)
    recipe = cli.folder / "r.toml"
    recipe.write_text(traces.recipe_text(source, cli.folder / "out"))
    done = cli("refresh", recipe)
    assert done.returncode == 0, done.stderr
    told = [("refresh", done.stdout + done.stderr), *left(cli.folder, {source})]
    assert any(what.endswith("prefect.db") for what, _ in told)
    assert shows(told, hidden) == set()


def test_every_form_of_credential_has_a_part_that_nothing_else_holds() -> None:
    records, hidden = corpus()
    text = orjson.dumps(records).decode()
    assert len(records) == len(FORMS) > 80
    assert all(len(part) >= 6 and (part in text or orjson.dumps(part).decode()[1:-1] in text) for part in hidden)
    assert "This is order 3" in text
