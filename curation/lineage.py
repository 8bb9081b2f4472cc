"""Which samples have been replaced: by a child, by a later, longer trace of the conversation, or by a better reading."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import orjson
import polars as pl

from curation.decision import DECISION_FRAME, passed
from curation.sample import dumps

NAME = "lineage"
VERSION = "3"
KINDS = ("plan",)
REASONS = ("lineage.superseded",)


class Told(NamedTuple):
    """What one trace tells: its topmost sample, and the whole conversation in order."""

    source: str
    trace_id: str
    trace_key: str
    sample_id: str
    messages: str | None  # JSON list: everything before the answer, or a whole run
    plan: str | None  # the answer, where it is not among the messages


class Replaced(NamedTuple):
    """What later traces have replaced: trace_key -> trace_key, and topmost sample -> topmost sample."""

    traces: dict[str, str]
    samples: dict[str, str]


def superseded(rows: Iterable[tuple[Any, ...]]) -> Replaced:
    """What is replaced, from rows as in Told, sorted by source and trace_id.

    A trace is replaced by the longest one of its source and trace_id that begins with the same messages, answer
    included, and goes on.
    """
    found = Replaced({}, {})
    for _, group in groupby((Told(*row) for row in rows), key=lambda told: (told.source, told.trace_id)):
        told = [one for one in group if one.messages is not None]
        ends: dict[bytes, list[Told]] = {}
        lengths = {}
        for one in told:
            *_, (last, lengths[one.trace_key]) = [(b"", 0), *zip(marks(one), range(1, 2**31), strict=False)]
            ends.setdefault(last, []).append(one)
        for longer in sorted(told, key=lambda one: (lengths[one.trace_key], one.trace_key)):
            for length, mark in enumerate(marks(longer), start=1):
                for earlier in ends.get(mark, ()):
                    if length < lengths[longer.trace_key]:
                        found.traces[earlier.trace_key] = longer.trace_key
                        found.samples[earlier.sample_id] = longer.sample_id
    return found


def marks(told: Told) -> Iterator[bytes]:
    """A hash of the conversation's first message, of its first two, and so on; the last one stands for all of it."""
    running = hashlib.blake2b(digest_size=16)
    messages = orjson.loads(told.messages or "[]")
    if told.plan is not None:
        messages.append({"role": "assistant", "content": told.plan})
    for message in messages:
        running.update(orjson.dumps(essence(message)))
        yield running.digest()


def essence(message: dict[str, Any]) -> list[Any]:
    """What of a message must be the same: who spoke and what was said or called; reasoning and ids may differ."""
    content = message.get("content")
    text = content.rpartition("</think>")[2].strip() if isinstance(content, str) else content
    calls = [(call.get("function") or {}).get("name") for call in message.get("tool_calls") or ()]
    if not calls and isinstance(text, str) and '"plugins"' in text and (planned := plugins_of(text)) is not None:
        return ["assistant", "", planned]
    return [message.get("role"), "" if calls else text or "", calls]


def plugins_of(text: str) -> list[Any] | None:
    """The plugins that a plan's text calls, in order; None where it is no plan."""
    try:
        plan = orjson.loads(text)
        return [step.get("pluginId") for step in plan["plugins"]]
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        return None


def resolve(parent_ids: pl.Series, samples: dict[str, str]) -> pl.Series:
    """Each trajectory's present form: the one that replaced it, or itself."""
    latest = {}
    for start in samples:
        end = start
        while end in samples and samples[end] != end:
            end = samples[end]
        latest[start] = end
    return parent_ids.replace(latest) if latest else parent_ids


OUTDATED_FRAME = {"sample_id": pl.String(), "trace_key": pl.String(), "reader": pl.String()}

Detail = dict[str, str | None]


def of_origins(outdated: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """`outdated` for `links`, whose children (`origin_id` is another sample) were made of what a reader saw."""
    return links.join(outdated, left_on=["origin_id", "trace_key"], right_on=["sample_id", "trace_key"]).select(
        "sample_id", "trace_key", "reader"
    )


def decide(
    members: pl.DataFrame,
    links: pl.DataFrame,
    replaced: dict[str, str],
    outdated: pl.DataFrame | None = None,
    children: dict[str, Detail] | None = None,
) -> pl.DataFrame:
    """One decision per member: it fails when each of its traces (`links`: sample_id, trace_key) has been replaced.

    `outdated` (OUTDATED_FRAME): the links that only an earlier reader saw, with the reader that saw another sample there.
    `children`: sample_id -> what stands in its place (sample_id, maker); that one fails whatever its traces are.
    """
    mended = pl.DataFrame(schema=OUTDATED_FRAME) if outdated is None else outdated
    lost = (
        links.join(members.select("sample_id"), on="sample_id", how="semi")
        .join(mended, on=["sample_id", "trace_key"], how="left")
        .with_columns(by=pl.col("trace_key").replace_strict(replaced, default=None, return_dtype=pl.String))
    )
    gone = (pl.col("by").is_not_null() | pl.col("reader").is_not_null()).all()
    per_sample = lost.group_by("sample_id").agg(gone=gone, by=pl.col("by").min(), reader=pl.col("reader").min())
    by_sample: dict[str, Detail] = {
        sample_id: {"trace_key": by} if by is not None else {"reader": reader}
        for sample_id, is_gone, by, reader in per_sample.iter_rows()
        if is_gone
    } | (children or {})
    falls = pl.col("sample_id").is_in(pl.Series(list(by_sample), dtype=pl.String).implode())
    rows = [fallen(sample_id, by_sample[sample_id]) for sample_id in members.filter(falls)["sample_id"]]
    return pl.concat([passed(members.filter(~falls)), pl.DataFrame(rows, schema=DECISION_FRAME, orient="row")])


def fallen(sample_id: str, detail: Detail) -> tuple[str | None, ...]:
    """The row of a decision frame for a sample that has been replaced."""
    fault = [{"reason": REASONS[0], "pointer": "", "seen": detail}]
    leans_on = dumps([detail["sample_id"]]) if "sample_id" in detail else None
    return (sample_id, "fail", REASONS[0], dumps(detail), dumps(fault), leans_on)
