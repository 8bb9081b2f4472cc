"""Two real refreshes at once: of one recipe the second one stands back; of two recipes both go on, in turns."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from tests import traces
from tests.conftest import Cli
from tests.flows.facts import facts
from tests.servers.claude import Claude
from tests.servers.claude_protocol import Body
from tests.test_cli import claude
from warehouse import Store

PATIENCE = 300.0  # seconds until what never comes fails the test

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@dataclass
class Held(Claude):
    """A judge that answers nobody until it is let go."""

    came: int = 0
    let_go: threading.Event = field(default_factory=threading.Event)

    async def message(self, request: web.Request, body: Body, model: str) -> web.StreamResponse:
        self.came += 1
        while not self.let_go.is_set():
            await asyncio.sleep(0.02)
        return await super().message(request, body, model)


def wait_until(seen: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < until
        time.sleep(0.05)


def recipe_of(cli: Cli, name: str, first: int, backend: str) -> Path:
    """A recipe over a file and a source of its own."""
    source = traces.write(cli.folder / f"{name}.jsonl", [traces.good(number) for number in range(first, first + 20)])
    text = traces.recipe_text(source, cli.folder / "out").replace('name = "production"', f'name = "{name}"')
    path = cli.folder / f"{name}.toml"
    path.write_text(text.replace('name = "t"', f'name = "{name}"').replace('"offline"', f'"{backend}"'))
    return path


def test_a_second_refresh_of_the_same_recipe_stands_back_and_says_for_whom(cli: Cli) -> None:
    recipe = recipe_of(cli, "one", 0, "anthropic")
    with Held() as service:
        first = cli.start("refresh", recipe, **claude(service.url))
        wait_until(lambda: service.came > 0)
        second = cli("refresh", recipe, **claude(service.url))
        asked = service.came
        service.let_go.set()
        _, said = first.communicate()
    assert (second.returncode, second.stdout) == (3, "")
    assert f"process {first.pid} is already refreshing this recipe" in second.stderr
    assert first.returncode == 0, said
    assert service.came == asked
    assert [(row["state"], row["version"]) for row in cli.json("runs", "one")["refreshes"]] == [("finished", "1.0.0")]


def test_refreshes_of_two_recipes_go_on_beside_each_other(cli: Cli) -> None:
    one, other = recipe_of(cli, "one", 0, "anthropic"), recipe_of(cli, "other", 20, "offline")
    store = Store(cli.warehouse)
    with Held() as service:
        first = cli.start("refresh", one, **claude(service.url))
        wait_until(lambda: service.came > 0)
        second = cli.start("refresh", other)
        wait_until(lambda: second.poll() is not None or not store.read("recipe_stages", recipe="other").is_empty())
        assert (first.poll(), second.poll()) == (None, None)  # the second has checked while the first one judges
        service.let_go.set()
        said = [process.communicate()[1] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    found = facts(cli.warehouse)
    assert [row[:3] for row in found["release"]] == [("one", "1.0.0", "published"), ("other", "1.0.0", "published")]
    assert len(found["sample"]) == 40
    assert len(found["judgement"]) == len({row[0] for row in found["judgement"]}) == 40
    assert len(found["decision"]) == len({row[:3] for row in found["decision"]})
