"""Kill -9 while credentials are redacted: the next run goes on, and leaves what an undisturbed one leaves, row by row."""

import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from flows.keys import fence_secret
from tests import traces
from tests.conftest import Cli
from tests.flows.facts import facts
from tests.flows.killing import killed_at_work, writes
from tests.flows.test_hiding import BOTH, TOKEN, leaky
from warehouse import Store

DELAYS = (0.0, 0.2, 0.5, 1.0)  # seconds of its work that a check is left, at most


def redacted(warehouse: Path) -> int:
    """How many children were made."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        ((made,),) = connection.execute("SELECT count(*) FROM derivation").fetchall()
    return int(made)


def walk(cli: Cli, recipe: Path, chance: random.Random | None) -> int:
    """Ingest, check, judge and publish; the check is first killed again and again. Returns how often it was."""
    source = recipe.with_name("t.jsonl")
    cli.ok("ingest", source)
    killed = 0
    for delay in DELAYS if chance else ():
        is_at_work = writes(cli.warehouse, cli.warehouse.with_name(f"{cli.warehouse.name}.wal"))
        killed += killed_at_work(cli.start("check", "--recipe", recipe), is_at_work, chance.uniform(0, delay))
    for command in (("check", "--recipe", recipe), ("judge", "--recipe", recipe), ("publish", recipe)):
        cli.ok(*command)
    return killed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_kills_while_credentials_are_redacted_leave_what_an_undisturbed_check_leaves(
    cli_in: Callable[[Path], Cli], tmp_path: Path, seed: int
) -> None:
    records = [*(traces.good(number) for number in range(40)), *(leaky(number) for number in range(60)), *traces.bad()]
    first = Store(tmp_path / "empty.duckdb")
    with first.write():
        pass
    fence_secret(first)  # the tokens come from the warehouse's key, so both walks begin with the same one
    found = []
    for name, chance in (("quiet", None), ("killed", random.Random(seed))):
        folder = tmp_path / name
        folder.mkdir()
        cli = cli_in(folder)
        cli.warehouse.write_bytes(first.path.read_bytes())
        source = traces.write(tmp_path / "t.jsonl", records)
        (folder / "t.jsonl").symlink_to(source)
        recipe = folder / "r.toml"
        recipe.write_text(f"{traces.recipe_text(source, folder / 'out')}\n[check]\n{BOTH}")
        killed = walk(cli, recipe, chance)
        assert (killed > 0) == (chance is not None)
        assert (
            redacted(cli.warehouse) == 120
        )  # of each leak one without the credential, and of that one with pseudonyms
        found.append(facts(cli.warehouse))
    quiet, after = found
    for table, rows in quiet.items():
        assert after[table] == rows, table
    (release,) = (tmp_path / "killed" / "out").iterdir()
    assert not any(TOKEN[5:].encode() in file.read_bytes() for file in release.rglob("*") if file.is_file())
