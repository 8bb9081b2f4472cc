"""A completion as rewards see it: the plan that it is, or the one plan that stands among other text."""

import json
from dataclasses import dataclass

from curation.formats.answer import PLAN
from trainers.families import TEXT, ThinkingForm
from trainers.plans import Answer, parse_answer

AMONG_TEXT = ("text_around", "fenced")  # the problems of an answer that may hold a plan all the same


@dataclass(frozen=True)
class Written:
    """`answer` is the completion as evaluation reads it. `found` is the plan in it: the answer itself, or what stands
    alone of its kind among text or within a fence. `outside` says whether anything stands outside of the form, be it
    words, a fence, or a thinking block that is never closed."""

    answer: Answer
    found: Answer
    outside: bool


def read(text: str, thinking: ThinkingForm = TEXT) -> Written:
    """Reads a completion once. A plan within its closed thinking is no answer, and two plans are none either."""
    answer = parse_answer(text, thinking)
    if answer.problem in AMONG_TEXT:
        alone = _alone(answer.plan_text)
        return Written(answer, answer if alone is None else alone, True)
    unclosed = answer.problem is None and answer.thinking is None and not text.lstrip().startswith("{")
    return Written(answer, answer, unclosed)


def _alone(text: str) -> Answer | None:
    """The only plan in a text; None where there is none, or more than one."""
    begins = [match.start() for match in PLAN.finditer(text)]
    if len(begins) != 1:
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(text, begins[0])
    except (ValueError, RecursionError):
        return None
    return parse_answer(text[begins[0] : end])
