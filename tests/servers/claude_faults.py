"""The ways in which the service can fail, by name: each answers one request in place of a judgement."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.servers import claude_writing
from tests.servers.claude_protocol import Body, schema_of

if TYPE_CHECKING:
    from tests.servers.claude import Claude

Fault = Callable[["Claude", web.Request, Body, str], Coroutine[Any, Any, web.StreamResponse]]


async def rate_limited(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    return service.refuse(429, "rate_limit_error", "This would exceed your rate limit.", retry_after="0.05")


async def no_quota(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    said = "Quota exceeded for online prediction requests with base model: anthropic-claude-opus. quota_limit_value: 0"
    return service.refuse(429, "RESOURCE_EXHAUSTED", said)


async def overloaded(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    return service.refuse(529, "overloaded_error", "Overloaded", retry_after="0.05")


async def broken(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    return service.refuse(500, "api_error", "Internal server error")


async def unavailable(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    return service.refuse(503, "api_error", "Service unavailable")


async def reset(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    service.statuses[0] += 1
    return web.Response()


async def html(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    service.statuses[200] += 1
    return web.Response(text="<html><body>Gateway</body></html>", content_type="text/html")


def in_place_of_a_reply(service: "Claude", body: Body, model: str, content: list[Body], stop: str) -> web.Response:
    """A paid response that holds no judgement."""
    service.count_answer(body["messages"][-1]["content"])
    return web.json_response(service.envelope(body, model, content, stop))


async def truncated(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    content = [{"type": "text", "text": '{"criteria": {"selection": {"evidence": "The first step'}]
    return in_place_of_a_reply(service, body, model, content, "max_tokens")


async def refusal(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    return in_place_of_a_reply(service, body, model, [], "refusal")


async def empty(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    return in_place_of_a_reply(service, body, model, [], "end_turn")


async def prose(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    content = [{"type": "text", "text": "I would give this plan an 8 out of 10."}]
    return in_place_of_a_reply(service, body, model, content, "end_turn")


async def parrot(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    """A judge that says what it was told to say before it says what it thinks."""
    own = service.reply(body, model)["content"][0]
    thinks = json.dumps(own["input"]) if own["type"] == "tool_use" else own["text"]
    content = [{"type": "text", "text": service.repeats + thinks}]
    return in_place_of_a_reply(service, body, model, content, "end_turn")


async def undecided(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    names = schema_of(body)["properties"]["criteria"]["properties"]
    nothing = {"criteria": {name: {"evidence": "Nothing to go by.", "score": None} for name in names}}
    return in_place_of_a_reply(service, body, model, [{"type": "text", "text": json.dumps(nothing)}], "end_turn")


async def faulty(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    return of_another_kind(service, body, model, claude_writing.faulty)


async def unfit(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    return of_another_kind(service, body, model, claude_writing.unfit)


async def secretive(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    return of_another_kind(service, body, model, claude_writing.secretive)


def of_another_kind(service: "Claude", body: Body, model: str, write: Callable[[str], Body]) -> web.Response:
    """A paid reply of the right form that is not what was wanted."""
    text = body["messages"][-1]["content"]
    service.count_answer(text)
    return web.json_response(service.answer(body, model, write(text)))


async def too_long(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    return service.refuse(400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum")


async def forbidden(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    return service.refuse(403, "permission_error", "Your project may not use this model.")


async def slow(service: "Claude", request: web.Request, body: Body, model: str) -> web.StreamResponse:
    await asyncio.sleep(service.slow)
    service.count_answer(body["messages"][-1]["content"])
    return web.json_response(service.reply(body, model))


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        *(
            rate_limited,
            overloaded,
            broken,
            unavailable,
            reset,
            html,
            truncated,
            refusal,
            empty,
            prose,
            parrot,
            undecided,
        ),
        *(no_quota, too_long, forbidden, slow, faulty, unfit, secretive),
    )
}
