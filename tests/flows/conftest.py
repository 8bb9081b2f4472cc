"""One real Prefect server for all tests of flows that need no service of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.flows.team import Team


@pytest.fixture(scope="session")
def prefect(cli_in: Callable[[Path], Cli], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """The server, in a folder of its own; nothing is deployed to it yet."""
    made = Team(cli_in(tmp_path_factory.mktemp("team")))
    yield made
    made.stop()
