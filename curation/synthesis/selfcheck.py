"""A synthetic trace is kept only if every row stage lets it through, like any trace from production."""

from collections.abc import Collection, Iterable
from typing import Any

import orjson
import polars as pl

from curation.batch import Batch
from curation.formats.ondemand import FORMAT
from curation.recipe import Check
from curation.sample import SAMPLE_FRAME, categorise, count_steps, dumps, identify, request_of
from curation.stages import asked_of

Trace = dict[str, Any]


def sample_rows(traces: Iterable[Trace]) -> pl.DataFrame:
    """The traces' samples as a sample frame, in order: what the native reader makes of each."""
    rows = []
    for trace in traces:
        for draft in FORMAT.read(trace).drafts:
            messages, candidates = dumps(draft.messages), dumps(draft.candidates)
            rows.append(
                dict.fromkeys(SAMPLE_FRAME)
                | {
                    "sample_id": identify(draft.kind, messages, candidates, draft.thinking, draft.plan),
                    "trace_id": trace["trace_id"],
                    "kind": draft.kind,
                    "source": "synthetic",
                    "request": request_of(draft.messages),
                    "messages": messages,
                    "candidates": candidates,
                    "thinking": draft.thinking,
                    "plan": draft.plan,
                    "n_steps": count_steps(draft.plan),
                    "category": categorise(draft.messages, count_steps(draft.plan)),
                }
            )
    return pl.DataFrame(rows, schema=SAMPLE_FRAME, orient="row")


def faults_of(samples: pl.DataFrame, check: Check | None = None) -> dict[str, list[str]]:
    """sample_id -> the reasons of every row stage that does not let it pass, an abstention included; {} where all do."""
    batch, settings = Batch(samples), check or Check()
    found: dict[str, list[str]] = {}
    for stage in asked_of(settings):
        decided = stage.decide(batch, settings).filter(~pl.col("outcome").is_in(["pass", "flag"]))
        for sample_id, outcome, faults in decided.select("sample_id", "outcome", "faults").iter_rows():
            told = list(dict.fromkeys(fault["reason"] for fault in orjson.loads(faults or "[]")))
            found.setdefault(sample_id, []).extend(told or [f"{stage.NAME}.{outcome}"])
    return found


def trace_faults(traces: Collection[Trace]) -> list[list[str]]:
    """Of each trace, in order, why it may not be kept; nothing where every row stage lets it through."""
    if not traces:
        return []
    rows = sample_rows(traces)
    found = faults_of(rows)
    told: dict[str, list[str]] = {}
    for trace_id, sample_id in rows.select("trace_id", "sample_id").iter_rows():
        told.setdefault(trace_id, []).extend(found.get(sample_id, []))
    return [told[trace["trace_id"]] for trace in traces]


def row_faults(trace: Trace) -> list[str]:
    """Why one trace may not be kept."""
    return trace_faults([trace])[0]
