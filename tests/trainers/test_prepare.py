"""Rows become sequences with nothing cut, nothing lost unsaid, and a loss on the answer alone."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.errors import InputError
from tests.trainers.conftest import SMALL
from trainers.families import FAMILIES
from trainers.models import bare_tokenizer
from trainers.prepare import Prepared, pack, prepare
from trainers.presets import Preset, load_preset
from trainers.prompts import IGNORED
from trainers.release import open_release

ROOM = 100


@given(st.lists(st.integers(1, ROOM), max_size=200))
def test_packing_keeps_every_row_once_and_no_sequence_is_too_long(lengths: list[int]) -> None:
    sequences = pack(lengths, ROOM)
    assert sorted(row for rows in sequences for row in rows) == list(range(len(lengths)))
    assert all(0 < sum(lengths[row] for row in rows) <= ROOM for rows in sequences)
    assert sequences == pack(lengths, ROOM)


@given(st.lists(st.integers(1, ROOM), min_size=2, max_size=200))
def test_no_two_packed_sequences_could_have_been_one(lengths: list[int]) -> None:
    filled = sorted(sum(lengths[row] for row in rows) for rows in pack(lengths, ROOM))
    if len(filled) > 1:
        assert filled[0] + filled[1] > ROOM


def made(release: Path, *changes: str) -> tuple[Prepared, Any, Preset]:
    preset = load_preset("tiny-gemma4", [*SMALL, *changes])
    opened = open_release(release)
    rows = opened.rows("sft", "train")
    texts = (message["content"] for row in rows for message in (*row["prompt"], *row["completion"]))
    tokenizer = bare_tokenizer(texts, FAMILIES["gemma4"], preset.random)
    return prepare(rows, tokenizer, preset, "the split train"), tokenizer, preset


def test_labels_are_the_answer_and_its_end_alone(release: Path) -> None:
    prepared, tokenizer, _ = made(release, "sft.max_length=4096")
    answers = {row["sample_id"]: row["completion"][0]["content"] for row in open_release(release).rows("sft", "train")}
    assert len(prepared.rows) == len(answers) == len(set(prepared.sample_ids))
    for sample_id, (ids, labels) in zip(prepared.sample_ids, prepared.rows, strict=True):
        learnt = labels != IGNORED
        assert (ids[learnt] == labels[learnt]).all()
        assert tokenizer.decode(labels[learnt].tolist(), skip_special_tokens=False) == f"{answers[sample_id]}<turn|>"


def test_all_tokens_are_learnt_where_the_preset_says_so(release: Path) -> None:
    _, tokenizer, preset = made(release)
    rows = open_release(release).rows("sft", "train").select(range(5))
    whole = prepare(rows, tokenizer, preset, "the split train", learn="all")
    assert all((ids == labels).all() for ids, labels in whole.rows)
    assert whole.supervised == whole.tokens > prepare(rows, tokenizer, preset, "the split train").supervised


def test_a_row_that_is_too_long_is_left_out_whole_and_counted(release: Path) -> None:
    whole, _, _ = made(release, "sft.max_length=4096")
    lengths = sorted(len(ids) for ids, _ in whole.rows)
    limit = lengths[len(lengths) // 2]
    half, _, _ = made(release, f"sft.max_length={limit}")
    assert half.left_out == {"longer than max_length": sum(length > limit for length in lengths)}
    assert sorted(len(ids) for ids, _ in half.rows) == [length for length in lengths if length <= limit]
    assert half.longest == whole.longest == lengths[-1]


def test_rows_that_are_all_too_long_are_one_sentence_with_the_longest(release: Path) -> None:
    with pytest.raises(
        InputError, match=r"all \d+ rows of the split train are longer than max_length 40 \(the longest"
    ):
        made(release, "sft.max_length=40")


def test_a_packed_dataset_holds_the_same_tokens_and_knows_its_samples(release: Path) -> None:
    packed, _, preset = made(release, "sft.max_length=1500", "sft.pack=true")
    dataset = packed.dataset()
    assert len(dataset) < len(packed.rows)
    assert packed.filled > 0.8
    assert sum(map(len, dataset["input_ids"])) == packed.tokens == sum(map(sum, dataset["seq_lengths"]))
    assert max(map(len, dataset["input_ids"])) <= preset.sft.max_length
    assert sorted(packed.named(range(len(dataset)))) == sorted(packed.sample_ids)
    first = dataset[0]
    begin = 0
    for row, length in zip(packed.sequences[0], first["seq_lengths"], strict=True):
        assert first["input_ids"][begin : begin + length] == packed.rows[row][0].tolist()
        begin += length
