"""An answer's text is its thinking and then its plan; tool calls are written as the plan that they are."""

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from curation.errors import FormatError
from curation.formats.strict import parse_value
from curation.sample import dumps

OPEN, CLOSE = "<think>", "</think>"
PLAN = re.compile(r'\{\s*"plugins"')  # how a plan begins

Candidate = dict[str, Any]


@dataclass(slots=True)
class Call:
    """One call of a plugin: `name` is its pluginId, `arguments` an object, or the text that should have been one."""

    name: str
    arguments: dict[str, Any] | str
    dependencies: list[str] = field(default_factory=list)


def split(text: str) -> tuple[str | None, str]:
    """An answer as (thinking, plan).

    The thinking is what the first closed block at the start holds; the plan is the rest. Where the block is never
    closed there is no thinking, and the plan is the object that ends the text, or the whole text without one.
    """
    stripped = text.strip()
    if not stripped.startswith(OPEN):
        return None, stripped
    end = stripped.find(CLOSE)
    if end >= 0:
        return stripped[len(OPEN) : end].strip(), stripped[end + len(CLOSE) :].strip()
    begins = [match.start() for match in PLAN.finditer(stripped)]
    for begin in (begins[0], begins[-1]) if begins else ():
        if is_json(stripped[begin:]):
            return None, stripped[begin:]
    return None, stripped


def is_json(text: str) -> bool:
    """Whether the whole text is one JSON value."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def is_plan(text: str) -> bool:
    """Whether the text is an object of the platform's form, by its one required key."""
    if '"plugins"' not in text:
        return False
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and "plugins" in value


def arguments_of(said: object) -> dict[str, Any] | str:
    """A call's arguments, given as an object or as its JSON text; text that is no JSON object is kept as it is.

    No text at all means no arguments, as the common APIs write a call without parameters.
    """
    if said is None or said == "":
        return {}
    if isinstance(said, dict):
        return said
    text = said if isinstance(said, str) else dumps(said)
    try:
        value = parse_value(text.encode())
    except FormatError:
        return text
    return value if isinstance(value, dict) else text


def index_of(offered: list[Candidate] | None) -> dict[str, Candidate]:
    """The candidates by pluginId, and by name where no pluginId is the same; the first of several counts."""
    found: dict[str, Candidate] = {}
    for key in ("pluginId", "name"):
        for candidate in offered or ():
            if isinstance(candidate.get(key), str):
                found.setdefault(candidate[key], candidate)
    return found


def function_candidate(function: dict[str, Any]) -> Candidate:
    """A function definition `{name, description, parameters}` as a candidate; its schema is kept verbatim."""
    candidate = {
        "pluginId": function.get("name"),
        "name": function.get("name"),
        "description": function.get("description") or "",
        "identifier": "function",
        "method": "",
    }
    return {**candidate, "parameters": function["parameters"]} if function.get("parameters") is not None else candidate


def plan_text(calls: list[Call], offered: dict[str, Candidate]) -> str:
    """The plan that makes these calls, as JSON text; `offered` as from `index_of`.

    What was offered under a call's name gives the step its name, description, identifier and method.
    """
    return dumps({"plugins": [_step(call, offered.get(call.name, {})) for call in calls]})


def _step(call: Call, candidate: Candidate) -> dict[str, Any]:
    return {
        "pluginId": call.name,
        "name": candidate.get("name", call.name),
        "description": candidate.get("description", ""),
        "identifier": candidate.get("identifier", ""),
        "method": candidate.get("method", ""),
        "api_request_parameters": call.arguments,
        "all_parameters_hydrated": True,
        "dependencies": call.dependencies,
    }
