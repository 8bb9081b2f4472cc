"""One gold plan of four steps and answers to it, from which tests of metrics start."""

from typing import Any

import orjson

from trainers.evaluation.gold import Gold, gold_of
from trainers.plans import Answer, parse_answer

Step = dict[str, Any]

PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "default": 3},
        "who": {"type": "string"},
    },
    "required": ["city"],
}
CANDIDATES = [
    {"pluginId": f"p{i}", "name": f"Plugin {i}", "description": f"Does {i}", "parameters": PARAMETERS} for i in range(6)
]
SAID = "Plan Oslo, then Rome"


def step(plugin: str, needs: tuple[str, ...] = (), **values: Any) -> Step:
    """One step of a plan."""
    return {
        "pluginId": plugin,
        "api_request_parameters": values,
        "all_parameters_hydrated": True,
        "dependencies": list(needs),
    }


GOLD_STEPS = (
    step("p0", city="Oslo", days=3),
    step("p1", ("p0",), city="{{p0.output.city}}", who="Ann Lee"),
    step("p2", city="Rome"),
    step("p3", ("p1", "p2"), city="{{p2.output}}", days=5),
)


def text(*steps: Step) -> str:
    """A plan's text."""
    return orjson.dumps({"plugins": list(steps)}).decode()


def answer(*steps: Step) -> Answer:
    """What a model answers that writes this plan."""
    return parse_answer(f"<think>So.</think>\n{text(*steps)}")


def gold(*steps: Step) -> Gold:
    """The gold of a plan over CANDIDATES."""
    return gold_of(text(*steps), orjson.dumps(CANDIDATES).decode(), SAID, frozenset({"p9"}))


def changed(place: int, **values: Any) -> tuple[Step, ...]:
    """The gold's steps, one of them with other keys (`values=` replaces its parameters)."""
    steps = list(GOLD_STEPS)
    if "values" in values:
        values["api_request_parameters"] = values.pop("values")
    steps[place] = {**steps[place], **values}
    return tuple(steps)
