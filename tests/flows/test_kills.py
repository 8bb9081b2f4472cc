"""Kill -9 at any moment of any command: the next run finishes the work, and nothing stands twice."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import traces
from tests.conftest import Cli
from tests.flows.facts import facts
from tests.flows.killing import killed_at_work, writes
from tests.servers.claude import Claude
from tests.test_cli import claude

COMMANDS = ("ingest", "check", "judge", "publish")
DELAYS = {"ingest": 0.05, "check": 0.6, "judge": 1.0, "publish": 0.4}  # seconds: what of its work a command can do in


def work_of(command: str, cli: Cli, out: Path, service: Claude) -> Callable[[], bool]:
    """How it is seen from outside that the command, which is about to start, is at work."""
    if command == "judge":
        before = sum(service.answered.values())
        return lambda: sum(service.answered.values()) > before
    return writes(cli.warehouse, cli.warehouse.with_name(f"{cli.warehouse.name}.wal"), out)


def walk(cli: Cli, source: Path, recipe: Path, service: Claude, chance: random.Random | None) -> dict[str, int]:
    """Every command in turn, each first killed up to three times while it is at work; returns how often each was."""
    arguments = {
        "ingest": ("ingest", source),
        "check": ("check", "--recipe", recipe),
        "judge": ("judge", "--recipe", recipe),
        "publish": ("publish", recipe),
    }
    killed = dict.fromkeys(COMMANDS, 0)
    for command in COMMANDS:
        for attempt in range(3 if chance else 0):
            is_at_work = work_of(command, cli, recipe.parent / "out", service)
            process = cli.start(*arguments[command], **claude(service.url))
            delay = chance.uniform(0, DELAYS[command]) * attempt if chance else 0.0  # the first strikes as work begins
            killed[command] += killed_at_work(process, is_at_work, delay)
        cli.ok(*arguments[command], **claude(service.url))
    return killed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_kills_during_the_commands_leave_what_an_undisturbed_walk_leaves(
    cli_in: Callable[[Path], Cli], tmp_path: Path, seed: int
) -> None:
    source = traces.write(tmp_path / "t.jsonl", [*[traces.good(number) for number in range(144)], *traces.bad()], "{")
    found = []
    for name, chance in (("quiet", None), ("killed", random.Random(seed))):
        folder = tmp_path / name
        folder.mkdir()
        cli = cli_in(folder)
        recipe = folder / "r.toml"
        text = traces.recipe_text(source, folder / "out", judge="workers = 8")
        recipe.write_text(text.replace('"offline"', '"anthropic"'))
        with Claude(latency=0.1) as service:
            killed = walk(cli, source, recipe, service, chance)
            asked_twice = sum(number - 1 for number in service.answered.values())
        assert all(killed.values()) == (chance is not None), killed
        assert asked_twice <= 8 * killed["judge"]
        found.append(facts(cli.warehouse))
        assert [path.name for path in (folder / "out").iterdir()] == ["t-v1.0.0"]
    quiet, after = found
    # The key of the fences is random in each warehouse, so requests differ; nothing that is compared depends on it.
    for table, rows in quiet.items():
        assert after[table] == rows, table
