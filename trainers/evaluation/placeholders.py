"""Whether an answer's values hold a placeholder: the check's own word, asked only where one of its patterns occurs."""

import re
from functools import cache
from typing import Any

import polars as pl
import re2

from curation.batch import Batch, leaves
from curation.filters import placeholder
from curation.recipe import Check
from curation.references import LEGAL
from curation.sample import SAMPLE_FRAME, dumps
from trainers.evaluation.gold import Gold
from trainers.plans import Answer

_LEGAL = re.compile(LEGAL)


def has_placeholder(answer: Answer, gold: Gold) -> bool:
    """Whether the check `placeholder` fails the answer; what the user said themselves is none."""
    texts = (text for values in answer.parameters for _, kind, text in leaves(values, "") if kind == "string")
    return any(_is_suspicious(text) for text in texts) and _fails(answer.plan_text, gold)


def _is_suspicious(text: str) -> bool:
    """Whether the check could find something in a text: a pattern of its table, or a reference without its braces."""
    if "{{" in text:
        text = _LEGAL.sub(placeholder.REFERENCE_MARK, text)
    return (".output" in text and "{{" not in text) or bool(_patterns().Match(text.strip(placeholder.AROUND)))


def _fails(plan: str, gold: Gold) -> bool:
    """The check itself, on a sample with this plan."""
    candidates = None if gold.offer is None else dumps(list(gold.offer.plugins.values()))
    row: dict[str, Any] = dict.fromkeys(SAMPLE_FRAME)
    row |= {"sample_id": "", "kind": "plan", "candidates": candidates, "plan": plan}
    row["messages"] = dumps([{"role": "user", "content": gold.said}])
    decided = placeholder.decide(Batch(pl.DataFrame([row], schema=SAMPLE_FRAME)), Check())
    return decided["outcome"].to_list() == ["fail"]


@cache
def _patterns() -> Any:
    """Every pattern of the check's table as one automaton."""
    options = re2.Options()
    options.log_errors = False
    found = re2.Set.SearchSet(options)
    for rule in placeholder.rules():
        found.Add(rule.pattern)
    found.Compile()
    return found
