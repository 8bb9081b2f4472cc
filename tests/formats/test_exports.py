"""What a platform exported reads back as the very samples that it was written from: 2,000 conversations of public sets."""

import random
from functools import cache
from pathlib import Path

import orjson
import polars as pl
import pytest

from curation.formats import FORMATS
from curation.ingest import discover, read
from curation.sample import Draft, dumps, identify
from tests.formats.exports import EXPORTS
from tests.formats.exports.conversations import Conversation, conversations
from tests.formats.golden import line


@cache
def every() -> list[Conversation]:
    found = conversations()
    if not found:
        pytest.skip("the public sets are not there")
    return found


def sample_id(draft: Draft) -> str:
    candidates = None if draft.candidates is None else dumps(draft.candidates)
    return identify(draft.kind, dumps(draft.messages), candidates, draft.thinking, draft.plan)


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_gives_back_the_conversations_that_were_written(name: str, tmp_path: Path) -> None:
    lines = [line(record) for record in EXPORTS[name](every())]
    random.Random(name).shuffle(lines)
    path = tmp_path / f"{name}.jsonl"
    path.write_bytes(b"".join(lines))
    (file,) = discover([str(path)]).files
    assert file.format == name
    batches = list(read(file, None))
    traces = pl.concat([batch.traces for batch in batches])
    assert traces["line"].n_unique() + sum(batch.joined for batch in batches) == len(lines)
    assert traces["error"].drop_nulls().to_list() == []
    assert set(traces["trace_id"]) == {conversation.id for conversation in every()}
    given: dict[str, set[str]] = {trace_id: set() for trace_id in traces["trace_id"]}
    links = pl.concat([batch.links for batch in batches]).join(traces, on="trace_key")
    for trace_id, sample in links.select("trace_id", "sample_id").iter_rows():
        given[trace_id].add(sample)
    raw = dict(zip(traces["trace_id"], traces["raw"], strict=True))
    wanted = {each.id: {sample_id(draft) for draft in each.samples} for each in every()}
    for conversation in every():
        if given[conversation.id] != wanted[conversation.id]:  # shows where they part
            assert FORMATS[name].read(orjson.loads(raw[conversation.id])).drafts == conversation.samples
    assert given == wanted


@pytest.mark.parametrize("name", [name for name in EXPORTS if FORMATS[name].parts is not None])
def test_two_conversations_in_one_trace_stay_two(name: str, tmp_path: Path) -> None:
    """As those of an agent and of one that it asks: their calls of the model and of tools lie between one another."""
    some = random.Random(name).sample(every(), 200)
    traces = {second.id: first.id for first, second in zip(some[::2], some[1::2], strict=True)}
    lines = [line(record) for record in EXPORTS[name](some)]
    for second, first in traces.items():
        lines = [each.replace(f'"{second}"'.encode(), f'"{first}"'.encode()) for each in lines]
    path = tmp_path / f"{name}.jsonl"
    path.write_bytes(b"".join(lines))
    (file,) = discover([str(path)]).files
    batches = list(read(file, None))
    assert sum(batch.traces.height for batch in batches) == len(traces)
    samples = pl.concat([batch.samples for batch in batches])
    assert set(samples["sample_id"]) == {sample_id(draft) for each in some for draft in each.samples}
