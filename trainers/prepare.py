"""Rows of a release become sequences of tokens: with the mask that says what is learnt, packed, nothing cut."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from curation.errors import InputError
from trainers.families import FAMILIES
from trainers.presets import Preset
from trainers.prompts import IGNORED, Row, encode_row, foreign_token

if TYPE_CHECKING:
    import datasets

Told = Callable[[str, int, int | None, str], None]


@dataclass
class Prepared:
    """The sequences of one split.

    `sequences`: for each the numbers of its rows, in order; `rows`: token ids and labels of each row that is used;
    `sample_ids`: theirs; `left_out`: how many rows are not used, by reason; `longest`: tokens of the longest row.
    """

    max_length: int
    rows: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = field(default_factory=list)
    sample_ids: list[str] = field(default_factory=list)
    sequences: list[list[int]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    longest: int = 0

    @property
    def tokens(self) -> int:
        """Tokens that the model reads in one epoch."""
        return sum(len(ids) for ids, _ in self.rows)

    @property
    def supervised(self) -> int:
        """Tokens of them that a loss is taken on."""
        return sum(int((labels != IGNORED).sum()) for _, labels in self.rows)

    @property
    def filled(self) -> float:
        """Share of the sequences' length that holds tokens; 1 where nothing is packed."""
        room = len(self.sequences) * self.max_length
        packed = len(self.sequences) < len(self.rows)
        return self.tokens / room if packed and room else 1.0

    def counts(self) -> dict[str, Any]:
        """What run.json says of the data."""
        return {
            "rows": len(self.rows),
            "sequences": len(self.sequences),
            "tokens": self.tokens,
            "supervised_tokens": self.supervised,
            "longest_row": self.longest,
            "left_out": dict(self.left_out),
        }

    def named(self, sequences: Iterable[int]) -> list[str]:
        """The sample ids of some sequences."""
        return [self.sample_ids[row] for sequence in sequences for row in self.sequences[sequence]]

    def dataset(self) -> "datasets.Dataset":
        """As the trainer takes it: input_ids, labels, the lengths of the rows in a sequence, and its number."""
        import datasets
        import pyarrow as pa

        made = {"input_ids": 0, "labels": 1}
        lists = {
            name: pa.array([np.concatenate([self.rows[row][part] for row in rows]) for rows in self.sequences])
            for name, part in made.items()
        }
        lists["seq_lengths"] = pa.array([[len(self.rows[row][0]) for row in rows] for rows in self.sequences])
        lists["number"] = pa.array(range(len(self.sequences)))
        return datasets.Dataset(pa.table(lists))


def prepare(
    rows: Iterable[Row], tokenizer: Any, preset: Preset, what: str, told: Told | None = None, learn: str = "answer"
) -> Prepared:
    """The rows as sequences for a preset; `what` names them in errors, `learn` is what a loss is taken on.

    A row longer than `max_length` is left out, as is one whose text holds a special token of the family. Raises
    InputError where no row is left.
    """
    made = Prepared(preset.sft.max_length)
    family = FAMILIES[preset.family]
    for number, row in enumerate(rows, start=1):
        if told is not None and number % 256 == 0:
            told("prepare", number, None, "")
        if foreign_token(row, family) is not None:
            made.left_out["holds a special token of the family"] += 1
            continue
        encoded = encode_row(tokenizer, row, preset, learn)
        length = len(encoded.input_ids)
        made.longest = max(made.longest, length)
        if length > preset.sft.max_length:
            made.left_out["longer than max_length"] += 1
            continue
        made.rows.append((np.array(encoded.input_ids, np.int32), np.array(encoded.labels, np.int32)))
        made.sample_ids.append(str(row["sample_id"]))
    if not made.rows:
        raise InputError(_nothing_left(made, preset, what))
    lengths = [len(ids) for ids, _ in made.rows]
    made.sequences = pack(lengths, preset.sft.max_length) if preset.sft.pack else [[i] for i in range(len(lengths))]
    return made


def _nothing_left(made: Prepared, preset: Preset, what: str) -> str:
    long = made.left_out["longer than max_length"]
    if long and long == made.left_out.total():
        return (
            f"all {long:,} rows of {what} are longer than max_length {preset.sft.max_length} (the longest has "
            f"{made.longest:,} tokens); set sft.max_length higher with --set, or publish with fewer candidates_per_prompt"
        )
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in made.left_out.items()) or "it has none"
    return f"no row of {what} can be trained on ({reasons}); take another release or preset"


def pack(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Rows put together so that each sequence holds at most `room` tokens: the longest first, each where it fits best.

    Best-fit decreasing; the same lengths give the same sequences. None of the lengths is above `room`.
    """
    open_by_space: list[list[int]] = [[] for _ in range(room + 1)]  # space left -> numbers of sequences
    spaces = np.zeros(room + 1, dtype=bool)
    sequences: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        length = lengths[row]
        fitting = int(np.argmax(spaces[length:])) + length
        if spaces[fitting]:
            number = open_by_space[fitting].pop()
            spaces[fitting] = bool(open_by_space[fitting])
            space = fitting - length
        else:
            number, space = len(sequences), room - length
            sequences.append([])
        sequences[number].append(row)
        if space:
            open_by_space[space].append(number)
            spaces[space] = True
    return sequences
