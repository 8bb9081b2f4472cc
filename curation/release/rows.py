"""What one accepted sample becomes in each configuration of a release."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import orjson
import polars as pl
import pyarrow as pa

from curation.errors import InputError
from curation.render import Rendered, choose_candidates, render_answer, render_prompt
from curation.sample import dumps

MESSAGES = pl.List(pl.Struct({"role": pl.String(), "content": pl.String()}))

# what a row tells of a sample frame with `overall`
TOLD = (
    *("sample_id", "kind", "source", "request", "messages", "candidates", "thinking", "plan"),
    *("n_steps", "category", "overall"),
)
Sample = dict[str, Any]  # one row of it
Row = dict[str, Any]


@dataclass(frozen=True)
class Config:
    """One way of laying the samples out: its columns, and the row that a sample and its rendered prompt make.

    Values are text, numbers and `{role, content}` messages alone. What is nested (candidates, plans) stands as JSON
    text, because Arrow would give every record the keys of every other, filled with None.
    """

    purpose: str  # completes "rows for …" on the card
    schema: dict[str, pl.DataType]
    row: Callable[[Sample, list[Rendered], str | None], Row]


def sft(sample: Sample, prompt: list[Rendered], candidates: str | None) -> Row:
    """A prompt and the answer to imitate."""
    return {
        "prompt": prompt,
        "completion": [{"role": "assistant", "content": render_answer(sample["thinking"], sample["plan"])}],
        "sample_id": sample["sample_id"],
        "category": sample["category"],
        "score": sample["overall"],
        "source": sample["source"],
    }


def grpo(sample: Sample, prompt: list[Rendered], candidates: str | None) -> Row:
    """The same prompt, and what a reward needs to score any answer to it."""
    return {
        "prompt": prompt,
        "candidates": candidates,
        "plan": sample["plan"],
        "n_steps": sample["n_steps"],
        "category": sample["category"],
        "sample_id": sample["sample_id"],
        "request": sample["request"],
    }


CONFIGS: dict[str, Config] = {
    "sft": Config(
        "supervised fine-tuning: `prompt` and `completion`, both conversations, as TRL's SFTTrainer takes them",
        {
            "prompt": MESSAGES,
            "completion": MESSAGES,
            "sample_id": pl.String(),
            "category": pl.String(),
            "score": pl.Float64(),
            "source": pl.String(),
        },
        sft,
    ),
    "grpo": Config(
        "reinforcement learning: `prompt`, and as columns what a reward needs (`candidates` and the accepted `plan` as "
        "JSON text), as TRL's GRPOTrainer takes them",
        {
            "prompt": MESSAGES,
            "candidates": pl.String(),
            "plan": pl.String(),
            "n_steps": pl.Int32(),
            "category": pl.String(),
            "sample_id": pl.String(),
            "request": pl.String(),
        },
        grpo,
    ),
}


def make_rows(configs: Iterable[Config], sample: Sample, candidates_per_prompt: int | None) -> list[Row]:
    """The row of one sample in each configuration; the prompt offers at most `candidates_per_prompt` plugins (None: all)."""
    if sample["kind"] != "plan" or sample["plan"] is None:
        raise InputError(
            f"sample {sample['sample_id']} is a {sample['kind']} without a plan of its own and cannot be released; "
            'set [samples] from = ["plan"] in the recipe'
        )
    known = None if sample["candidates"] is None else orjson.loads(sample["candidates"])
    offered = None if known is None else choose_candidates(known, sample["plan"], candidates_per_prompt)
    prompt = render_prompt(orjson.loads(sample["messages"]), offered, known)
    written = None if offered is None else sample["candidates"] if offered is known else dumps(offered)
    return [config.row(sample, prompt, written) for config in configs]


def frame_of(rows: Sequence[Row], schema: dict[str, pl.DataType], prompts: pl.Series) -> pl.DataFrame:
    """Rows of a configuration as a frame, made column by column; `prompts` is the column of their prompts."""
    columns = {name: [row[name] for row in rows] for name in schema if name != "prompt"}
    made = {
        name: conversations(values) if schema[name] == MESSAGES else pl.Series(values, dtype=schema[name])
        for name, values in columns.items()
    }
    return pl.DataFrame({"prompt": prompts, **made}).select(list(schema))


def conversations(lists: Sequence[list[Rendered]]) -> pl.Series:
    """Lists of messages as one column."""
    texts = {key: [message[key] for messages in lists for message in messages] for key in ("role", "content")}
    messages = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String)).to_struct()
    ends = pl.Series([0, *accumulate(map(len, lists))], dtype=pl.Int64)
    return pl.Series(pa.LargeListArray.from_arrays(ends.to_arrow(), messages.to_arrow()), dtype=MESSAGES)
