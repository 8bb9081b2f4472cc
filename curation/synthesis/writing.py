"""What Claude wrote becomes a native trace, or the reason why it does not."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from string import Template
from typing import Any

import jsonschema
import orjson

from curation.claude.fence import fence_key
from curation.claude.reply import NOTHING, UnreadableError, Usage, open_reply, strict_json
from curation.sample import is_multi_turn
from curation.synthesis.mix import STEPS
from curation.synthesis.offline import Trace, trace_of
from curation.synthesis.ordering import Order, prompt, reply_schema
from curation.synthesis.selfcheck import row_faults

Check = Callable[[Trace], list[str]]

# The tools through which a service without structured output is made to reply, by the name of the reply's schema.
TOOLS = {"reply": "submit_sample", "thinking": "submit_thinking"}


@dataclass(frozen=True, slots=True)
class Written:
    """A reply to an order as it was read: `trace` where `status` is ok; else `why` not.

    `refused`, `truncated` and `unparseable` are about the reply; `unfit` is a sample that is not of the category
    asked for; `faulty` is one that fails a row stage.
    """

    status: str
    trace: Trace | None = None
    why: str | None = None
    usage: Usage = NOTHING


@dataclass(frozen=True, slots=True)
class Thought:
    """A reply to a plan without reasoning as it was read: `thinking` where `status` is ok; else `why` not."""

    status: str
    thinking: str | None = None
    why: str | None = None
    usage: Usage = NOTHING


def parse(raw: str, order: Order, model: str, passes: Check = row_faults) -> Written:
    """Reads a Messages API response of a model to an order.

    `passes` gives the reasons why a trace may not be kept, none where it may: by default the row stages' own codes.
    """
    opened = open_reply(raw, TOOLS["reply"], validator("reply"))
    if opened.status != "ok":
        return Written(opened.status, None, opened.detail, opened.usage)
    try:
        trace = trace_from(opened.answer, order, model)
    except UnreadableError as error:
        return Written("unfit", None, str(error), opened.usage)
    reasons = passes(trace)
    if reasons:
        return Written("faulty", None, ", ".join(reasons), opened.usage)
    return Written("ok", trace, None, opened.usage)


def parse_thinking(raw: str) -> Thought:
    """Reads a Messages API response to a plan that has no reasoning."""
    opened = open_reply(raw, TOOLS["thinking"], validator("thinking"))
    if opened.status != "ok":
        return Thought(opened.status, None, opened.detail, opened.usage)
    text = str(opened.answer["thinking"]).strip()
    if "<think>" in text or "</think>" in text:
        return Thought("unparseable", None, "the reasoning has tags around it", opened.usage)
    if not text:
        return Thought("unparseable", None, "the reasoning is empty", opened.usage)
    return Thought("ok", text, None, opened.usage)


def render_thinking(sample: dict[str, Any], secret: bytes) -> str:
    """The message that asks for the reasoning behind a sample's plan; a function of the sample and the secret alone.

    `sample` is a row of a sample frame with its messages filled; the data stands between fences that it cannot know.
    """
    unknown = "not recorded"
    shown = {
        "conversation": sample["messages"] or unknown,
        "candidates": sample["candidates"] or unknown,
        "plan": sample["plan"] or unknown,
    }
    key = fence_key(secret, sample["sample_id"], "\n".join(shown.values()))
    return Template(prompt("thinking.md")).substitute(shown, key=key)


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """Checks replies of a kind."""
    return jsonschema.Draft202012Validator(reply_schema(name))


def trace_from(answer: dict[str, Any], order: Order, model: str) -> Trace:
    """The native trace; raises UnreadableError where it is not what was ordered."""
    turns = [{"role": turn["role"], "content": turn["content"]} for turn in answer["turns"]]
    if turns[-1]["role"] != "user":
        raise UnreadableError("the last turn is not the user's")
    if is_multi_turn(turns) != (order.category == "multi_turn"):
        raise UnreadableError(f"{len(turns)} turns, where {order.category} was asked for")
    low, high = STEPS[order.category]
    if not low <= len(answer["steps"]) <= high:
        raise UnreadableError(f"{len(answer['steps'])} steps, where {order.category} was asked for")
    if "</think>" in answer["thinking"]:
        raise UnreadableError("the reasoning has tags in it")
    known = {plugin["pluginId"]: plugin for plugin in order.candidates}
    plan = orjson.dumps({"plugins": [step_of(step, known) for step in answer["steps"]]}).decode()
    turns.append({"role": "assistant", "content": f"<think>{answer['thinking'].strip()}</think>\n{plan}"})
    candidates = [{key: value for key, value in plugin.items() if key != "returns"} for plugin in order.candidates]
    trace = trace_of(turns, candidates, order.category, "claude")
    trace["metadata"] |= {"model": model, "style": order.style, "order": order.key}
    return trace


def step_of(step: dict[str, Any], known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A step as a plan lists it, with what is known of its plugin."""
    values = strict_json(step["parameters"])
    if not isinstance(values, dict):
        raise UnreadableError(f"the parameters of {step['pluginId']} are no JSON object")
    plugin = known.get(step["pluginId"], {})
    made: dict[str, Any] = {"pluginId": step["pluginId"]}
    made |= {key: plugin[key] for key in ("name", "description", "identifier", "method") if key in plugin}
    made |= {"api_request_parameters": values, "all_parameters_hydrated": True, "dependencies": step["dependencies"]}
    return made
