"""The platform's prompt form: how a request, its candidates, its history and its answer are written for a model.

Whoever shows a model a request (a release, a reward, an evaluation) writes it here, so that what is trained on is what
is asked. A rendered message has exactly the keys `role` (system, user or assistant) and `content` (a string): the one
form that every chat template renders and that Parquet gives back unchanged.
"""

from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

import orjson

from curation.formats.answer import index_of
from curation.formats.calls import planned
from curation.sample import Message

Rendered = dict[str, str]
Candidate = dict[str, Any]


@cache
def _prompt(name: str) -> str:
    return (files("curation") / "prompts" / name).read_text(encoding="utf-8").rstrip("\n")


@cache
def _request() -> tuple[str, str, str]:
    """What stands before the candidates, between them and the request, and after it."""
    before, _, rest = _prompt("request.md").partition("$candidates")
    between, _, after = rest.partition("$request")
    return before, between, after


def system_prompt() -> str:
    """What the model is told it is, where a sample does not say so itself."""
    return _prompt("system.md")


def render_request(request: str, candidates: list[Candidate] | None) -> str:
    """A user message with the plugins offered for it; the bare request where it is not known what was offered."""
    if candidates is None:
        return request
    listed = orjson.dumps(candidates, option=orjson.OPT_INDENT_2).decode()
    before, between, after = _request()
    return f"{before}{listed}{between}{request}{after}"


def render_answer(thinking: str | None, plan: str) -> str:
    """The assistant's whole answer: its thinking, where it has any, then the plan's text as it stands."""
    return plan if thinking is None else f"<think>{thinking}</think>\n{plan}"


def render_prompt(
    messages: list[Message], candidates: list[Candidate] | None, known: list[Candidate] | None = None
) -> list[Rendered]:
    """Everything the model reads before it answers, as messages that any chat template can render.

    A system message comes first: the sample's own, else the default. The candidates stand in the last user message.
    Calls and their results in the history become text: an assistant turn that calls plugins is written as the plan it
    was, with what `known` (None: the candidates) says of each plugin, results as a user message. Neighbours of one role become one message, because some templates insist that
    user and assistant alternate; for the same reason a system message inside the conversation is written as a user's.
    """
    messages = in_call_order(messages)
    last_user = max((i for i, message in enumerate(messages) if message["role"] == "user"), default=None)
    called: dict[str, str] = {}
    has_calls = any(message.get("tool_calls") for message in messages)
    plugins = index_of(candidates if known is None else known) if has_calls else {}
    rendered: list[Rendered] = []
    for i, message in enumerate(messages):
        text = _text(message, called, plugins)
        if i == last_user:
            text = render_request(text, candidates)
        role = _role(message["role"], rendered)
        if rendered and rendered[-1]["role"] == role:
            rendered[-1]["content"] = "\n\n".join(part for part in (rendered[-1]["content"], text) if part)
        else:
            rendered.append({"role": role, "content": text})
    if last_user is None:
        rendered.append({"role": "user", "content": render_request("", candidates)})
    if rendered[0]["role"] != "system":
        rendered.insert(0, {"role": "system", "content": system_prompt()})
    return rendered


def in_call_order(messages: list[Message]) -> list[Message]:
    """The messages with the results of parallel calls in the order of the calls, however they came in."""
    ordered: list[Message] = []
    rank: dict[str, int] = {}
    for message in messages:
        if message["role"] != "tool":
            calls = message.get("tool_calls") or []
            rank = {call["id"]: i for i, call in enumerate(calls) if isinstance(call, dict) and call.get("id")}
            ordered.append(message)
            continue
        place = len(ordered)
        own = rank.get(message.get("tool_call_id") or "", len(rank))
        while place and ordered[place - 1]["role"] == "tool":
            before = rank.get(ordered[place - 1].get("tool_call_id") or "", len(rank))
            if before <= own:
                break
            place -= 1
        ordered.insert(place, message)
    return ordered


def _role(role: str, before: list[Rendered]) -> str:
    if role == "system":
        return "system" if all(message["role"] == "system" for message in before) else "user"
    return "assistant" if role == "assistant" else "user"


def _text(message: Message, called: dict[str, str], known: dict[str, Candidate]) -> str:
    """A message as text; `called` remembers which call id asked which plugin, for the results that follow.

    Calls are written just as the answer of that turn is, with what is `known` of each plugin.
    """
    content: str = message.get("content") or ""
    if message["role"] == "tool":
        plugin = called.get(message.get("tool_call_id") or "") or message.get("name") or "the call"
        return Template(_prompt("result.md")).substitute(plugin=plugin, result=content)
    calls = [call for call in message.get("tool_calls") or [] if isinstance(call.get("function"), dict)]
    if not calls:
        return content
    for call in calls:
        if call.get("id"):
            name = call["function"]["name"]
            called[call["id"]] = known.get(name, {}).get("pluginId") or name
    plan = planned(calls, known, {})
    return f"{content}\n{plan}" if content else plan


def choose_candidates(candidates: list[Candidate], plan: str, limit: int | None) -> list[Candidate]:
    """At most `limit` of the candidates, in the order given; those that the plan calls are never left out.

    None: all of them. The others are kept from the front, so the choice depends on nothing but the sample.
    """
    if limit is None or len(candidates) <= limit:
        return candidates
    called = _called(plan)
    kept: set[int] = set()
    for i, candidate in enumerate(candidates):
        if candidate.get("pluginId") in called:
            called.discard(candidate["pluginId"])  # of candidates with one id the first is the one that is called
            kept.add(i)
    for i in range(len(candidates)):
        if len(kept) >= limit:
            break
        kept.add(i)
    return [candidate for i, candidate in enumerate(candidates) if i in kept]


def _called(plan: str) -> set[str]:
    try:
        steps = orjson.loads(plan)["plugins"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return set()
    ids = (step.get("pluginId") for step in steps if isinstance(step, dict)) if isinstance(steps, list) else ()
    return {plugin for plugin in ids if isinstance(plugin, str)}
