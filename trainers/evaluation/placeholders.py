"""Whether an answer's values hold a placeholder: the check's own word, asked only where one of its patterns occurs."""

import re
from typing import Any

import polars as pl

from curation import stand_ins
from curation.batch import Batch, leaves
from curation.filters import placeholder
from curation.recipe import Check
from curation.sample import SAMPLE_FRAME, dumps
from trainers.evaluation.gold import Gold
from trainers.plans import Answer


def has_placeholder(answer: Answer, gold: Gold) -> bool:
    """Whether the check `placeholder` fails the answer; what the user said themselves is none."""
    texts = [(at, text) for values in answer.parameters for at, kind, text in leaves(values, "") if kind == "string"]
    return any(_is_suspicious(at, text, gold) for at, text in texts) and _fails(answer.plan_text, gold)


def _is_suspicious(at: str, text: str, gold: Gold) -> bool:
    """Whether the check could find something in a text.

    A pattern of its table, a reference without its braces, or the parameter's own name or description.
    """
    if "{{" in text:
        text = stand_ins.LEGAL_FORM.sub(stand_ins.REFERENCE_MARK, text)
    elif ".output" in text or _plain(text) == _plain(stand_ins.name_of(at)):
        return True
    if text.count(" ") > 1 and gold.offer is not None and dumps(text)[1:-1] in dumps(list(gold.offer.plugins.values())):
        return True
    whole = text.strip(stand_ins.AROUND)
    inner = stand_ins.BRACKETED.search(whole)
    return bool(stand_ins.patterns().Match(whole) or (inner and stand_ins.patterns().Match(inner[1])))


def _plain(text: str) -> str:
    """A name without what joins its words."""
    return re.sub("[ _-]", "", text.lower())


def _fails(plan: str, gold: Gold) -> bool:
    """The check itself, on a sample with this plan."""
    candidates = None if gold.offer is None else dumps(list(gold.offer.plugins.values()))
    row: dict[str, Any] = dict.fromkeys(SAMPLE_FRAME)
    row |= {"sample_id": "", "kind": "plan", "candidates": candidates, "plan": plan}
    row["messages"] = dumps([{"role": "user", "content": gold.said}])
    decided = placeholder.decide(Batch(pl.DataFrame([row], schema=SAMPLE_FRAME)), Check())
    return decided["outcome"].to_list() == ["fail"]
