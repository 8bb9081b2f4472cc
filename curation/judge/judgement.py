"""A judgement is one reply of the judge to one sample, good or bad, as it will stand in the warehouse."""

import hashlib
import uuid

import orjson
import polars as pl

KINDS = ("plan",)  # the kinds of sample that there is a rubric for

STATUSES = ("ok", "refused", "truncated", "unparseable", "api_error", "cannot_judge")  # all but the first abstain

# The judgement frame. JSON values are JSON text; the columns are those of judgement.schema.json.
JUDGEMENT_FRAME: dict[str, pl.DataType] = {
    "judgement_id": pl.String(),  # a UUID made of specification, sample and attempt: the same reply never counts twice
    "sample_id": pl.String(),
    "spec": pl.String(),  # the judge's specification: a hash of everything that its answer depends on
    "backend": pl.String(),
    "model": pl.String(),
    "status": pl.String(),  # one of STATUSES
    "scores": pl.String(),  # JSON object: criterion -> 0-10 or null; null unless the reply could be read
    "overall": pl.Float64(),  # 0-10; null unless status is ok
    "rationale": pl.String(),  # the evidence per criterion, or why there is no score
    "input_tokens": pl.Int64(),  # all that was sent, from the cache or not
    "output_tokens": pl.Int64(),
    "cached_tokens": pl.Int64(),  # of the input tokens, those read from the prompt cache
    "usd": pl.Float64(),  # null where the model has no price
    "raw": pl.String(),  # the service's reply, or the error as JSON, to the byte
    "received_at": pl.Datetime("us", "UTC"),
}


# What is kept besides of a reply about a canary or a sentinel.
WATCH_FRAME: dict[str, pl.DataType] = {
    **JUDGEMENT_FRAME,
    "occasion": pl.String(),  # a UUID: the run of the judge, with those that resumed it
    "watched": pl.String(),  # canary or sentinel
}


def identify(spec: str, sample_id: str, attempt: int, occasion: str | None = None) -> str:
    """The judgement's id; `attempt` counts the judgements of this sample under this specification, from 0.

    What is asked about again and again to watch the judge is counted on each `occasion` anew.
    """
    content = orjson.dumps([spec, sample_id, attempt, *([occasion] if occasion else [])])
    return str(uuid.UUID(bytes=hashlib.blake2b(content, digest_size=16).digest()))
