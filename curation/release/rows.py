"""What accepted samples become in each configuration of a release."""

from collections.abc import Callable, Sequence
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

# what is told of a sample frame with `overall`
TOLD = (
    *("sample_id", "kind", "source", "request", "messages", "candidates", "thinking", "plan"),
    *("n_steps", "category", "overall"),
)


@dataclass(frozen=True)
class Config:
    """One way of laying samples out: its columns, and how they are made of a sample frame with what `shown` adds.

    Values are text, numbers and `{role, content}` messages alone. What is nested (candidates, plans) stands as JSON
    text, because Arrow would give every record the keys of every other, filled with None.
    """

    purpose: str  # completes "rows for …" on the card
    schema: dict[str, pl.DataType]
    given: dict[str, str]  # its columns that a sample's text does not tell -> those of a sample frame that do
    rows: Callable[[pl.DataFrame], pl.DataFrame]


def sft(samples: pl.DataFrame) -> pl.DataFrame:
    """Prompts and the answers to imitate."""
    told = samples.select("thinking", "plan").iter_rows()
    answers = [[{"role": "assistant", "content": render_answer(thinking, plan)}] for thinking, plan in told]
    return samples.select(
        "prompt", "sample_id", "category", "source", completion=conversations(answers), score="overall"
    )


def grpo(samples: pl.DataFrame) -> pl.DataFrame:
    """The same prompts, and what a reward needs to score any answer to them."""
    return samples.select("prompt", "plan", "n_steps", "category", "sample_id", "request", candidates="offered")


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
        {"category": "category", "score": "overall", "source": "source"},
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
        {"n_steps": "n_steps", "category": "category"},
        grpo,
    ),
}


def shown(samples: pl.DataFrame, candidates_per_prompt: int | None) -> pl.DataFrame:
    """The samples with what their configurations share: `prompt`, and `offered`, its candidates as JSON text or null.

    A prompt offers at most `candidates_per_prompt` plugins (None: all). Raises InputError for a sample without a plan.
    """
    prompts, offered = [], []
    for sample in samples.select("sample_id", "kind", "messages", "candidates", "plan").iter_rows():
        prompt, written = ask(sample, candidates_per_prompt)
        prompts.append(prompt)
        offered.append(written)
    return samples.with_columns(prompt=conversations(prompts), offered=pl.Series(offered, dtype=pl.String))


def ask(sample: tuple[Any, ...], most: int | None) -> tuple[list[Rendered], str | None]:
    """The prompt of a sample (sample_id, kind, messages, candidates, plan), and the candidates that it offers as JSON text."""
    sample_id, kind, messages, candidates, plan = sample
    if kind != "plan" or plan is None:
        raise InputError(
            f"sample {sample_id} is a {kind} without a plan of its own and cannot be released; "
            'set [samples] from = ["plan"] in the recipe'
        )
    known = None if candidates is None else orjson.loads(candidates)
    offered = None if known is None else choose_candidates(known, plan, most)
    written = None if offered is None else candidates if offered is known else dumps(offered)
    return render_prompt(orjson.loads(messages), offered, known), written


def conversations(lists: Sequence[list[Rendered]]) -> pl.Series:
    """Lists of messages as one column."""
    texts = {key: [message[key] for messages in lists for message in messages] for key in ("role", "content")}
    messages = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String)).to_struct()
    ends = pl.Series([0, *accumulate(map(len, lists))], dtype=pl.Int64)
    return pl.Series(pa.LargeListArray.from_arrays(ends.to_arrow(), messages.to_arrow()), dtype=MESSAGES)
