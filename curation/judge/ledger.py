"""The ledger turns what the journal kept into judgements, by the same rules whenever that is done."""

from datetime import UTC, datetime
from typing import Any

import polars as pl

from curation.claude.errand import Record, Reply
from curation.claude.journal import COMMON, JournalFile
from curation.claude.prices import price
from curation.credentials import mask
from curation.judge.judgement import JUDGEMENT_FRAME, WATCH_FRAME, identify
from curation.judge.reply import parse, parse_error
from curation.judge.rubric import Fold
from curation.judge.specification import Specification
from curation.sample import dumps

# What a record is made of: which sample was asked about, and how its scores are folded.
FIELDS = COMMON | {"judgement_id", "sample_id", "weights", "lift"}


def record(sample: dict[str, Any], reply: Reply, specification: Specification) -> Record:
    """What the journal keeps of one reply: everything that its judgement is made of, nothing read from it yet.

    `sample` is a row of the work list, with its `attempt`: how many judgements it has under this specification. One that
    watches the judge has an `occasion` and says as what it is `watched`. The weights ride along, so that a reply can be
    folded in by a version that knows another rubric.
    """
    occasion = sample.get("occasion")
    watch = {"occasion": occasion, "watched": sample["watched"]} if occasion else {}
    return {
        "judgement_id": identify(specification.spec, sample["sample_id"], sample["attempt"], occasion),
        "sample_id": sample["sample_id"],
        "spec": specification.spec,
        "backend": specification.backend,
        "model": specification.model,
        "failed": reply.failed,
        "raw": reply.raw,
        "received_at": datetime.now(UTC).isoformat(),
        "weights": specification.fold.weights,
        "lift": specification.fold.lift,
        **watch,
    }


def row(kept: Record) -> dict[str, Any]:
    """The judgement (a row of a judgement frame) that a record of the journal amounts to, with its `occasion` if it has one.

    Credentials that the judge quotes are masked in its rationale, which people read; the raw reply stays as it came.
    """
    weights: dict[str, float] = kept["weights"]
    raw: str = kept["raw"]
    judged = parse_error(raw) if kept["failed"] else parse(raw, tuple(weights), Fold(weights, kept["lift"]))
    received_at = datetime.fromisoformat(kept["received_at"])
    usage = judged.usage
    return {
        "judgement_id": kept["judgement_id"],
        "sample_id": kept["sample_id"],
        "spec": kept["spec"],
        "backend": kept["backend"],
        "model": kept["model"],
        "status": judged.status,
        "scores": None if judged.scores is None else dumps(judged.scores),
        "overall": judged.overall,
        "rationale": mask(judged.rationale or judged.detail or "") or None,
        "input_tokens": usage.fresh + usage.written + usage.cached,
        "output_tokens": usage.output,
        "cached_tokens": usage.cached,
        "usd": price(kept["model"], usage, received_at.date()),
        "raw": raw,
        "received_at": received_at,
        "occasion": kept.get("occasion"),
        "watched": kept.get("watched"),
    }


def read_again(judged: dict[str, Any], fold: Fold) -> dict[str, Any]:
    """A judgement as it stands in the warehouse, with its raw reply read by the rules of today; its price stays."""
    failed = judged["status"] == "api_error"
    kept = {**judged, "failed": failed, "weights": fold.weights, "lift": fold.lift}
    kept["received_at"] = judged["received_at"].isoformat()
    return {**row(kept), "usd": judged["usd"], "received_at": judged["received_at"]}


def once_more(sample: dict[str, Any], read: dict[str, Any]) -> dict[str, Any] | None:
    """The row to ask again at once, where the model's own reply was cut off, empty or of another form; once a run."""
    garbled = read["status"] in ("truncated", "unparseable") and read["input_tokens"] > 0
    return {**sample, "attempt": sample["attempt"] + 1, "again": True} if garbled and not sample.get("again") else None


def folded(file: JournalFile) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A finished journal file as a judgement frame and a watch frame, one row per judgement id.

    To fold it in: insert the rows whose judgement_id the warehouse lacks, commit, then `discard` the file. Done twice,
    or cut off between the two, this adds nothing.
    """
    read = [row(kept) for kept in {kept["judgement_id"]: kept for kept in file.records()}.values()]
    of_samples = [found for found in read if found["occasion"] is None]
    of_watch = [found for found in read if found["occasion"] is not None]
    return (
        pl.DataFrame(of_samples, schema=JUDGEMENT_FRAME, orient="row"),
        pl.DataFrame(of_watch, schema=WATCH_FRAME, orient="row"),
    )


def judgements(file: JournalFile) -> pl.DataFrame:
    """What a finished journal file holds about samples, as a judgement frame."""
    return folded(file)[0]
