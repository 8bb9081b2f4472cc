"""A local service that speaks Claude's Messages API, its path on Vertex AI, and chat completions, with faults on demand.

Run by itself: `python -m tests.servers.claude --port 8990`; its counts are at `/stats`. The address of the API is then
`http://127.0.0.1:8990` for ANTHROPIC_BASE_URL and `http://127.0.0.1:8990/v1` for ANTHROPIC_VERTEX_BASE_URL.
"""

import argparse
import asyncio
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web

from curation.judge.canaries import Canary, load_canaries
from tests.servers.claude_chat import as_completion, as_messages_api
from tests.servers.claude_faults import FAULTS
from tests.servers.claude_protocol import Body, invalid, schema_of
from tests.servers.claude_writing import written

KEY = "test-key"  # the only credential that is accepted, on either path
MODELS = ("claude-opus-4-6", "claude-haiku-4-5")
VERTEX_VERSION = "vertex-2023-10-16"
CACHE_MINIMUM = 4096  # tokens: a shorter prefix is silently not cached
ATTEMPTS_KEPT = 20_000
CANARIES = {str(canary.row["messages"]): canary for canary in load_canaries()}  # by what stands in their message
DESERVED, UNDESERVED = 9, 2  # what a judge worth its price gives them on every criterion


@dataclass
class Claude:
    """One such service, in a thread of its own: `with Claude(latency=0.5) as service: service.url`.

    `faults`: names of FAULTS; every `every`-th request in turn gets the next one. `marked`: text -> fault, given to
    each request whose user message holds that text, however often it is asked. `score` is what every criterion gets.

    Requests about the judge's canaries are counted in `canaries` by name, and nowhere else: they meet `marked` faults
    alone, and get the scores that they deserve, unless the service is `fooled`: then `score` is for them, too.
    """

    latency: float = 0.0
    faults: tuple[str, ...] = ()
    every: int = 5
    marked: dict[str, str] = field(default_factory=dict)
    structured: bool = True  # whether structured output is allowed
    newer: bool = False  # whether chat completions must call the limit max_completion_tokens
    score: Callable[[str, Body], int | None] = lambda name, body: 9
    evidence: str = "Step 1 and {}."  # what is written for each criterion, whose name stands in it
    repeats: str = ""  # what the fault `parrot` says before its own reply
    slow: float = 3.0  # seconds that the fault `slow` takes
    fooled: bool = False
    quota_per_s: float = 0.0  # requests a second that are let through, at most a second's worth at once; 0: all

    requests: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    bodies: list[Body] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)  # user message -> replies of status 200
    asked: Counter[str] = field(default_factory=Counter)  # user message -> requests
    statuses: Counter[int] = field(default_factory=Counter)
    canaries: Counter[str] = field(default_factory=Counter)
    faulted: int = 0
    cached: set[str] = field(default_factory=set)
    _room: float = 0.0
    _looked: float = 0.0
    url: str = ""

    def __enter__(self) -> Self:
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=(started,), daemon=True)
        self._thread.start()
        if not started.wait(20):
            raise RuntimeError("the service did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self.start(0))
        started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def start(self, port: int) -> web.AppRunner:
        """Listens on this port of the loopback interface; 0 takes a free one."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/messages", self.direct)
        app.router.add_post(
            "/v1/projects/{project}/locations/{region}/publishers/anthropic/models/{model}:rawPredict", self.vertex
        )
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/stats", self.stats)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def stats(self, request: web.Request) -> web.Response:
        """What has happened so far."""
        counts = {name: getattr(self, name) for name in ("requests", "in_flight", "most_in_flight", "faulted")}
        return web.json_response({**counts, "statuses": {str(k): n for k, n in self.statuses.items()}})

    async def direct(self, request: web.Request) -> web.StreamResponse:
        """The first-party path."""
        given = request.headers.get("x-api-key") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        if given != KEY:  # older SDKs send the first header, newer ones the second
            return self.refuse(401, "authentication_error", "invalid x-api-key")
        if not request.headers.get("anthropic-version"):
            return self.refuse(400, "invalid_request_error", "anthropic-version: header is required")
        body = await request.json()
        return await self.message(request, body, str(body.get("model")))

    async def vertex(self, request: web.Request) -> web.StreamResponse:
        """Vertex AI's path: the model in the address, the version in the body, a bearer token."""
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return self.refuse(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        body = await request.json()
        if body.get("anthropic_version") != VERTEX_VERSION:
            return self.refuse(400, "invalid_request_error", f"anthropic_version: expected {VERTEX_VERSION}")
        if "model" in body:
            return self.refuse(400, "invalid_request_error", "model: Extra inputs are not permitted")
        return await self.message(request, body, request.match_info["model"])

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """The path of OpenAI-compatible servers."""
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return self.refuse(401, "invalid_api_key", "Incorrect API key provided")
        body = await request.json()
        if self.newer and "max_completion_tokens" not in body:
            return self.refuse(400, "unsupported_parameter", "max_tokens: use 'max_completion_tokens' instead")
        body["max_tokens"] = body.pop("max_completion_tokens", body.get("max_tokens"))
        return as_completion(await self.message(request, as_messages_api(body), str(body.get("model"))))

    async def message(self, request: web.Request, body: Body, model: str) -> web.StreamResponse:
        """One request, from either path."""
        if model not in MODELS:
            return self.refuse(404, "not_found_error", f"model: {model}")
        wrong = invalid(body)
        if wrong:
            return self.refuse(400, "invalid_request_error", wrong)
        if "output_config" in body and not self.structured:
            return self.refuse(400, "invalid_request_error", "output_config: not allowed by organization policy")
        text = body["messages"][-1]["content"]
        if self.canary_in(text):
            return await self.watched(request, body, model, text)
        self.requests += 1
        number = self.requests
        self.asked[text] += 1
        if self.quota_per_s and not self.room():
            return self.refuse(429, "RESOURCE_EXHAUSTED", "Quota exceeded; please try again later.")
        if len(self.bodies) < ATTEMPTS_KEPT:
            self.bodies.append(body)
            self.headers.append(dict(request.headers))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.latency)
            fault = self.fault_of(number, text)
            if fault:
                self.faulted += 1
                return await FAULTS[fault](self, request, body, model)
            self.count_answer(text)
            return web.json_response(self.reply(body, model))
        finally:
            self.in_flight -= 1

    async def watched(self, request: web.Request, body: Body, model: str, text: str) -> web.StreamResponse:
        """One request about a canary."""
        self.canaries[self.canary_in(text).name] += 1
        await asyncio.sleep(self.latency)
        fault = self.fault_of(0, text)
        return await FAULTS[fault](self, request, body, model) if fault else web.json_response(self.reply(body, model))

    def canary_in(self, text: str) -> Canary | None:
        """The canary that a message is about, if it is about one."""
        return next((canary for said, canary in CANARIES.items() if said in text), None)

    def room(self) -> bool:
        """Whether the quota has room for one more request, which then is taken."""
        now = time.monotonic()
        self._room = min(self.quota_per_s, self._room + (now - self._looked) * self.quota_per_s)
        self._looked = now
        if self._room < 1:
            return False
        self._room -= 1
        return True

    def count_answer(self, text: str) -> None:
        """One reply that is paid for."""
        if not self.canary_in(text):
            self.answered[text] += 1
            self.statuses[200] += 1

    def fault_of(self, number: int, text: str) -> str | None:
        """The fault that this request is to meet, if any."""
        for mark, fault in self.marked.items():
            if mark in text:
                return fault
        if self.faults and number and number % self.every == 0:
            return self.faults[(number // self.every - 1) % len(self.faults)]
        return None

    def refuse(self, status: int, kind: str, message: str, **headers: str) -> web.Response:
        """An error as the API words it."""
        self.statuses[status] += 1
        error = {"type": "error", "error": {"type": kind, "message": message}}
        return web.json_response(error, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def reply(self, body: Body, model: str) -> Body:
        """A whole reply: every criterion of the schema that was sent, scored; or what the message asks to be written."""
        schema = schema_of(body)
        if "criteria" not in schema["properties"]:
            return self.answer(body, model, written(schema, body["messages"][-1]["content"]))
        names = schema["properties"]["criteria"]["properties"]
        canary = None if self.fooled else self.canary_in(body["messages"][-1]["content"])
        deserved = canary and (DESERVED if canary.holds(DESERVED) else UNDESERVED)
        scores = {
            name: {"evidence": self.evidence.replace("{}", name), "score": deserved or self.score(name, body)}
            for name in names
        }
        return self.answer(body, model, {"criteria": scores})

    def answer(self, body: Body, model: str, answer: Body) -> Body:
        """The message that carries an answer, in the way that the request asks for."""
        if "tools" in body:
            content = [{"type": "tool_use", "id": "toolu_1", "name": body["tools"][0]["name"], "input": answer}]
        else:
            content = [{"type": "text", "text": json.dumps(answer)}]
        return self.envelope(body, model, content, "tool_use" if "tools" in body else "end_turn")

    def envelope(self, body: Body, model: str, content: list[Body], stop: str) -> Body:
        """The message around the content, with the usage that the text amounts to at four characters a token."""
        prefix = json.dumps([body.get("tools"), body.get("system")])
        held = len(prefix) // 4 if "cache_control" in prefix and len(prefix) // 4 >= CACHE_MINIMUM else 0
        known = prefix in self.cached
        if held:
            self.cached.add(prefix)
        usage = {
            "input_tokens": len(json.dumps(body["messages"])) // 4 + (0 if held else len(prefix) // 4),
            "cache_creation_input_tokens": 0 if known else held,
            "cache_read_input_tokens": held if known else 0,
            "output_tokens": len(json.dumps(content)) // 4,
        }
        identity = "msg_" + hashlib.sha256(body["messages"][-1]["content"].encode()).hexdigest()[:20]
        told = {"id": identity, "type": "message", "role": "assistant", "model": model, "content": content}
        return {**told, "stop_reason": stop, "stop_sequence": None, "usage": usage}


def main() -> None:
    """Serves until it is killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8990)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each reply")
    parser.add_argument("--fault", action="append", default=[], choices=sorted(FAULTS), help="may be given again")
    parser.add_argument("--every", type=int, default=5, help="how many requests there are to a fault")
    parser.add_argument("--mark", action="append", default=[], metavar="TEXT=FAULT", help="a fault for marked requests")
    parser.add_argument("--no-structured-output", action="store_true", help="refuse output_config")
    given = parser.parse_args()
    service = Claude(
        latency=given.latency,
        faults=tuple(given.fault),
        every=given.every,
        marked=dict(mark.split("=", 1) for mark in given.mark),
        structured=not given.no_structured_output,
    )

    async def serve() -> None:
        await service.start(given.port)
        print(service.url, flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
