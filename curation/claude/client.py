"""The client is the one line to a model: it holds the connections, and sends one request at a time on each."""

import asyncio
from collections.abc import Mapping
from typing import Any

from curation.claude.doors import Line, open_door
from curation.claude.outcome import Outcome

SPARE = 16  # connections beyond one a worker, so that a slow close never makes a worker wait for another's


class Client:
    """One shared line for a whole run, with a connection for every worker; retries are left to the caller.

    Raises InputError or ServiceError where the backend's credentials are missing or refused.
    """

    def __init__(self, backend: str, workers: int) -> None:
        self._door = open_door(backend)
        self._workers = workers
        self._line: Line | None = None

    def open(self) -> None:
        """Makes the line; must be called where the event loop runs. Raises InputError for an address that is none."""
        self._line = self._door(self._workers + SPARE)

    async def close(self) -> None:
        """Ends all connections."""
        if self._line is not None:
            await self._line.close()
            self._line = None

    async def send(self, body: Mapping[str, Any], timeout: float) -> Outcome:
        """Posts one request of the Messages API, waiting at most `timeout` seconds for the whole of its response.

        Raises ServiceError where Google's credentials can no longer be renewed, InputError for an address that is none.
        """
        if self._line is None:
            raise RuntimeError("the client is not open")
        try:
            async with asyncio.timeout(timeout):
                return await self._line.post(body)
        except TimeoutError:
            return Outcome(None, f"no reply within {timeout:g} s")
