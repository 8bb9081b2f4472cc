"""A local server that speaks OpenAI's chat completions, answering as it is told, with faults on demand."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

KEY = "test-key"
MODEL = "planner"

Messages = list[dict[str, str]]
Fault = tuple[int, str, dict[str, str]]  # status, body, headers

FAULTS: dict[str, Fault] = {
    "busy": (429, '{"error": {"message": "too many requests"}}', {"Retry-After": "0.05"}),
    "broken": (500, "internal error", {}),
    "garbled": (200, "<html>not JSON</html>", {}),
    "other": (200, '{"object": "list"}', {}),
}


@dataclass
class OpenAi:
    """One such server, in a thread of its own: `with OpenAi(answer) as server: server.url`.

    `answer` makes the text of a completion from the messages. `faults`: names of FAULTS, met in turn by every
    `every`-th request. `reasoning`: text that is given apart from the content, as servers with a reasoning parser do.
    `newer`: whether the limit must be called max_completion_tokens. `stop_after`: so many answers, then none at all.
    """

    answer: Callable[[Messages], str]
    faults: Sequence[str] = ()
    every: int = 3
    latency: float = 0.0
    reasoning: str | None = None
    finish: str = "stop"
    newer: bool = False
    stop_after: int | None = None

    url: str = ""
    requests: int = 0
    answered: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def __enter__(self) -> Self:
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=(started,), daemon=True)
        self._thread.start()
        if not started.wait(20):
            raise RuntimeError("the server did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs in its environment."""
        return {"OPENAI_BASE_URL": self.url, "OPENAI_API_KEY": KEY}

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/chat/completions", self.completions)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def completions(self, request: web.Request) -> web.Response:
        """One request."""
        self.requests += 1
        number = self.requests
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            status, body, headers = self._respond(number, request, await request.json())
        finally:
            self.in_flight -= 1
        self.statuses[status] += 1
        if isinstance(body, str):
            return web.Response(status=status, text=body, headers=headers)
        return web.json_response(body, status=status, headers=headers)

    def _respond(self, number: int, request: web.Request, body: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {"error": {"message": "Incorrect API key provided"}}, {}
        if body.get("model") != MODEL:
            return 404, {"error": {"message": f"The model {body.get('model')!r} does not exist"}}, {}
        limit = "max_completion_tokens" if self.newer else "max_tokens"
        if not isinstance(body.get(limit), int) or not body.get("messages"):
            return 400, {"error": {"message": f"Unsupported parameter: use {limit!r} instead"}}, {}
        if self.stop_after is not None and self.answered >= self.stop_after:
            return 403, {"error": {"message": "your quota is spent"}}, {}
        if self.faults and number % self.every == 0:
            return FAULTS[self.faults[(number // self.every - 1) % len(self.faults)]]
        self.bodies.append(body)
        self.answered += 1
        text = self.answer(body["messages"])
        message = {"role": "assistant", "content": text}
        if self.reasoning is not None:
            message["reasoning_content"] = self.reasoning
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        usage = {"prompt_tokens": 1, "completion_tokens": len(text.split()), "total_tokens": 1}
        return 200, {"id": f"chatcmpl-{number}", "object": "chat.completion", "choices": [choice], "usage": usage}, {}
