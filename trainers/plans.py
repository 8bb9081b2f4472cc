"""A completion becomes an answer: its thinking, its plan's steps, or what keeps it from being a plan."""

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from curation import batch
from curation.batch import leaves
from curation.filters.dependency import edges_of, reference_faults
from curation.formats.answer import OPEN, split
from trainers.families import TEXT, ThinkingForm

Step = dict[str, Any]

# What keeps a text from being a plan. The first that fits is the one that is told.
PROBLEMS = {
    "empty": "nothing was written after the thinking",
    "cut_off": "the text ends before the plan does",
    "fenced": "a code fence stands around the plan",
    "text_around": "other text, or a second object, stands around the plan",
    "not_json": "the text is not JSON",
    "not_a_plan": "the JSON is not an object with a list of plugins",
    "not_a_step": "an entry of the list is not an object",
}
PARAMETERS = "api_request_parameters"


@dataclass(frozen=True)
class Answer:
    """What a model wrote, read once. `steps` is empty wherever there is a `problem`, one of PROBLEMS.

    `thinking` is None where there is none that was closed. A step is the JSON object as it stands, of whatever shape:
    the properties below read it so that a wrong shape counts as an absent value and raises nothing. `plan` is the whole
    object, None where there is a problem.
    """

    thinking: str | None
    plan_text: str
    steps: tuple[Step, ...]
    problem: str | None = None
    plan: dict[str, Any] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The pluginId of each step; "" where it is no text."""
        return tuple(i if isinstance(i := step.get("pluginId"), str) else "" for step in self.steps)

    @cached_property
    def parameters(self) -> tuple[dict[str, Any], ...]:
        """The parameters of each step; none where they are no object."""
        return tuple(p if isinstance(p := step.get(PARAMETERS), dict) else {} for step in self.steps)

    @cached_property
    def needed(self) -> tuple[tuple[str, ...], ...]:
        """The dependencies of each step; entries that are no text are none."""
        listed = (d if isinstance(d := step.get("dependencies"), list) else () for step in self.steps)
        return tuple(tuple(d for d in entries if isinstance(d, str)) for entries in listed)

    @cached_property
    def links(self) -> frozenset[tuple[int, int]]:
        """(place of a step, place of the step that one of its dependencies means), wherever there is such a step."""
        return frozenset((e.step, e.to) for e in edges_of(list(enumerate(self.steps))) if e.to is not None)

    @cached_property
    def edges(self) -> Counter[tuple[str, str]]:
        """(a step's plugin, the plugin of a step that it depends on), as often as declared, once a step."""
        return Counter((self.ids[step], self.ids[to]) for step, to in self.links)

    @cached_property
    def is_ordered(self) -> bool:
        """Whether the dependency check finds nothing: every dependency is an earlier step, every reference declared."""
        known = len(self.links) == sum(len(set(entries)) for entries in self.needed)
        if not known or any(to >= step for step, to in self.links):
            return False
        if "{{" not in self.plan_text:
            return True
        steps = dict(enumerate(self.steps))
        return not any(
            "{{" in text and next(reference_faults(0, steps, i, "", text), None) is not None
            for i, values in enumerate(self.parameters)
            for value in values.values()
            for text in ([value] if isinstance(value, str) else _texts(value))
        )


def _texts(value: Any) -> list[str]:
    """Every text within a value."""
    return [text for _, kind, text in leaves(value, "") if kind == "string"]


def parse_answer(text: str, thinking: ThinkingForm = TEXT) -> Answer:
    """The one reading of a completion, for evaluation, rewards and whoever asks a model.

    After the thinking there must be one JSON object with a list `plugins` of objects, and nothing else: the first
    rules of the checks on a trace. A thinking block that is closed but not opened was opened by the prompt. One that is
    never closed is no thinking; the object that ends the text is then the plan.
    """
    said, plan = _divided(text.strip(), thinking)
    read = batch.parse_answer(plan)
    if not read.is_json:
        return Answer(said, plan, (), _problem(plan))
    if not read.listed:
        return Answer(said, plan, (), "not_a_plan")
    steps = tuple(step for _, step in read.steps)
    if read.plan is None or len(steps) != len(read.plan["plugins"]):
        return Answer(said, plan, (), "not_a_step")
    return Answer(said, plan, steps, plan=read.plan)


def _divided(text: str, thinking: ThinkingForm) -> tuple[str | None, str]:
    """A completion as (thinking, plan)."""
    opening, closing = thinking.open.strip(), thinking.close.strip()
    opened = text.startswith(opening)
    if closing in text and (opened or not (text.startswith("{") or opening in text)):
        said, _, plan = text.removeprefix(opening).partition(closing)
        return said.strip(), plan.strip()
    return split(OPEN + text.removeprefix(opening) if opened else text)


def _problem(plan: str) -> str:
    """Why a text that is not JSON is none."""
    if not plan:
        return "empty"
    if plan.startswith("```"):
        return "fenced"
    if not plan.startswith(("{", "[")):
        return "text_around" if '{"plugins"' in plan.replace(" ", "").replace("\n", "") else _torn(plan)
    try:
        json.JSONDecoder().raw_decode(plan)
    except json.JSONDecodeError as error:
        unterminated = error.msg.startswith("Unterminated string")
        return "cut_off" if unterminated or error.pos >= len(plan.rstrip()) else "not_json"
    except RecursionError:
        return "not_json"
    return "text_around"


def _torn(plan: str) -> str:
    """A text without a plan: cut off within its thinking, or something else altogether."""
    return "cut_off" if plan.startswith(OPEN) else "not_json"
