"""A judgement is read strictly: a reply is either exactly the scores that were asked for, or a named abstention."""

from dataclasses import dataclass
from functools import cache

import jsonschema

from curation.claude.reply import NOTHING, Usage, error_message, open_reply
from curation.judge.rubric import Fold, Rubric

TOOL = "submit_scores"  # the tool through which a service without structured output is made to reply


@dataclass(frozen=True, slots=True)
class Judged:
    """What a raw reply says. `scores` and `overall` are None unless it could be read; `detail` says why not."""

    status: str
    scores: dict[str, int | None] | None = None
    overall: float | None = None
    rationale: str | None = None
    detail: str | None = None
    usage: Usage = NOTHING


def parse(raw: str, criteria: tuple[str, ...], fold: Fold) -> Judged:
    """Reads a Messages API response: its usage, and the scores in its one answer.

    Besides the statuses of an Opened, `cannot_judge` is a readable reply whose scores give no overall.
    """
    opened = open_reply(raw, TOOL, validator(criteria))
    if opened.status != "ok":
        return Judged(opened.status, detail=opened.detail, usage=opened.usage)
    found = opened.answer["criteria"]
    scores = {name: None if found[name]["score"] is None else int(found[name]["score"]) for name in criteria}
    rationale = "\n".join(f"{name} {score_text(scores[name])}: {found[name]['evidence']}" for name in criteria)
    overall = fold.overall(scores)
    if overall is None:
        return Judged("cannot_judge", scores, None, rationale, "too few criteria could be judged", opened.usage)
    return Judged("ok", scores, overall, rationale, None, opened.usage)


def parse_error(raw: str) -> Judged:
    """Reads the JSON that stands for a request which never got a reply."""
    return Judged("api_error", detail=error_message(raw))


def score_text(score: int | None) -> str:
    """A score as a reader sees it in a rationale."""
    return "cannot judge" if score is None else str(score)


@cache
def validator(criteria: tuple[str, ...]) -> jsonschema.Draft202012Validator:
    """Checks replies that score these criteria."""
    rubric = Rubric("", "", "", "", 0, criteria, Fold({}, 0))
    return jsonschema.Draft202012Validator(rubric.reply_schema)
