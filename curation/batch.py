"""A batch of samples, parsed once: what every row stage reads, so that none of them parses again."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
import polars as pl

from curation.depth import too_deep
from curation.plugin import Offer
from curation.pointer import escape as escape

VALUE_FRAME: dict[str, pl.DataType] = {
    "row": pl.UInt32(),  # position of the sample in the batch
    "step": pl.UInt32(),  # position of the step in its plan
    "pointer": pl.String(),  # JSON pointer into the plan
    "type": pl.String(),  # string | number | boolean | null | array | object (the last two only when empty)
    "text": pl.String(),  # the string itself, or the JSON text of any other value
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A sample's plan after its one parse.

    `error` says why the text is not one JSON object (None where it is) and `is_json` whether it is JSON at all;
    `steps` pairs each step that is an object with its position in the plan, whether or not the step has the right
    shape. `listed` says whether there is a list of plugins, so something for the later stages to measure.
    """

    error: str | None
    plan: dict[str, Any] | None
    steps: tuple[tuple[int, dict[str, Any]], ...]
    is_json: bool = True
    listed: bool = False


def parse_answer(text: str | None) -> Answer:
    """The one parse of a plan's text."""
    if text is None or not text.strip():
        return Answer("no answer", None, (), is_json=False)
    if too_deep(text):
        return Answer("nested too deep", None, (), is_json=False)
    try:
        plan = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Answer(str(error), None, (), is_json=False)
    if not isinstance(plan, dict):
        return Answer(f"JSON of type {TYPES.get(type(plan), 'string')}, not an object", None, ())
    plugins = plan.get("plugins")
    if not isinstance(plugins, list):
        return Answer(None, plan, ())
    return Answer(None, plan, tuple((i, s) for i, s in enumerate(plugins) if isinstance(s, dict)), listed=True)


def leaves(value: Any, pointer: str) -> Iterator[tuple[str, str, str]]:
    """Every value without members below `value`, as (pointer, type, text); empty containers count as leaves.

    In document order, and without recursion: a plan may be nested as deep as its parser allows.
    """
    if isinstance(value, dict):  # most calls hold texts alone
        texts = [(f"{pointer}/{escape(key)}", "string", member) for key, member in value.items() if type(member) is str]
        if texts and len(texts) == len(value):
            yield from texts
            return
    waiting: list[tuple[str, Any]] = [(pointer, value)]
    while waiting:
        at, member = waiting.pop()
        if isinstance(member, str):
            yield at, "string", member
        elif isinstance(member, dict) and member:
            waiting.extend((f"{at}/{escape(key)}", inner) for key, inner in reversed(member.items()))
        elif isinstance(member, list) and member:
            waiting.extend((f"{at}/{i}", member[i]) for i in range(len(member) - 1, -1, -1))
        else:
            yield at, TYPES[type(member)], orjson.dumps(member).decode()


TYPES = {dict: "object", list: "array", bool: "boolean", int: "number", float: "number", type(None): "null"}


@dataclass(frozen=True)
class Batch:
    """Samples with their plans parsed, and the flat frames made of them.

    `samples` is a sample frame in which `messages` is filled for every row. Row stages address a sample by its
    position in it.
    """

    samples: pl.DataFrame

    def __len__(self) -> int:
        return self.samples.height

    @cached_property
    def answers(self) -> list[Answer]:
        """One per sample, in order."""
        return [parse_answer(text) for text in self.samples["plan"].to_list()]

    @cached_property
    def unmeasured(self) -> list[int]:
        """The samples without a list of plugins: to every stage that looks into steps there is nothing to measure."""
        return [row for row, answer in enumerate(self.answers) if not answer.listed]

    @cached_property
    def values(self) -> pl.DataFrame:
        """Every leaf under a step's `api_request_parameters`, one row each (see VALUE_FRAME)."""
        rows, steps, found = [], [], list[tuple[str, str, str]]()
        for row, answer in enumerate(self.answers):
            for i, step in answer.steps:
                values = step.get("api_request_parameters")
                if values and isinstance(values, dict):
                    own = list(leaves(values, f"/plugins/{i}/api_request_parameters"))
                    rows += [row] * len(own)
                    steps += [i] * len(own)
                    found += own
        columns = zip(*found, strict=True) if found else ((), (), ())
        by_name = dict(zip(VALUE_FRAME, (rows, steps, *columns), strict=True))  # by columns: far faster than by rows
        return pl.DataFrame(by_name, schema=VALUE_FRAME)

    @cached_property
    def offers(self) -> list[Offer | None]:
        """What each sample's model was offered, parsed and compiled once per distinct candidate list; None: unknown."""
        texts = self.samples["candidates"].to_list()
        known = {text: Offer.parse(text) for text in set(texts) - {None}}
        return [known.get(text) for text in texts]
