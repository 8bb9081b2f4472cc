"""A base is a good plan of some origin, as a native trace into which one fault at a time can be planted."""

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from curation import ingest
from curation.examples import TRACES
from curation.registry import bundled_plugins
from curation.synthesis import synthesize
from tests.corpus.handmade import HANDMADE

Json = Any
ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ("seal_tools", "nestful", "bfcl_v4", "sgd")
LABELS = ROOT / "tests" / "data" / "examples_labels.jsonl"
THOUGHT = "The user wants this done; these calls do it, in this order."


@dataclass
class Base:
    """A plan in parts: `before` is all that was said before the answer; `steps` the plan; faults change it in place.

    `answer` stands in place of the written plan, `prefix` in place of its thinking block.
    """

    origin: str
    before: list[Json]
    candidates: list[Json] | None
    steps: list[Json]
    thinking: str = THOUGHT
    answer: str | None = None
    prefix: str | None = None
    name: str = ""
    expected: list[tuple[str, str]] = field(default_factory=list)

    def copy(self) -> "Base":
        """A base to plant in, which leaves this one as it was."""
        return copy.deepcopy(self)

    def plan_text(self) -> str:
        """The plan as it is written."""
        return self.answer if self.answer is not None else orjson.dumps({"plugins": self.steps}).decode()

    def trace(self) -> Json:
        """The native trace."""
        prefix = self.prefix if self.prefix is not None else f"<think>{self.thinking}</think>\n"
        record: Json = {"messages": [*self.before, {"role": "assistant", "content": prefix + self.plan_text()}]}
        if self.candidates is not None:
            record["candidates"] = self.candidates
        return record

    def request(self) -> str:
        """All that was said before the answer."""
        return "\n".join(str(message.get("content")) for message in self.before)


def data_folder() -> Path | None:
    """Where the public sets are: beside the repository, or beside the folder that holds its worktrees."""
    places = [parent / "shared" / "data" for parent in list(ROOT.parents)[:2]]
    return next((place for place in places if place.is_dir()), None)


def shaped(step: Json) -> Json:
    """A plan's step with the three keys that every step has, and its flag."""
    kept = {"all_parameters_hydrated": True, "dependencies": []} | step
    return {key: value for key, value in kept.items() if value is not None}


def handmade() -> Iterator[Base]:
    """Plans written for schemas and dependencies that real traces rarely have."""
    for name, (request, candidates, steps) in HANDMADE.items():
        yield Base(f"handmade/{name}", [{"role": "user", "content": request}], candidates, [shaped(s) for s in steps])


def examples() -> Iterator[Base]:
    """The bundled native traces that are labelled clean."""
    labelled = pl.read_ndjson(LABELS).filter(expected="clean", file="ondemand.jsonl")["line"].to_list()
    lines = (TRACES / "ondemand.jsonl").read_bytes().split(b"\n")
    for number in labelled:
        record = orjson.loads(lines[number - 1])
        if "candidates" in record:
            yield native(record, "examples")


def synthetic(count: int) -> Iterator[Base]:
    """Plans made offline over the bundled registry."""
    for record in synthesize(bundled_plugins(), count, seed=8):
        yield native(record, "synthetic")


def native(record: Json, origin: str) -> Base:
    """A native trace in parts."""
    *before, answer = record["messages"]
    thinking, _, plan = answer["content"].removeprefix("<think>").partition("</think>")
    return Base(origin, before, record["candidates"], orjson.loads(plan)["plugins"], thinking)


@cache
def public_samples(folder: str) -> pl.DataFrame:
    """The plans of a public set with their conversations, each once."""
    place = data_folder()
    if place is None or not (place / folder).is_dir():
        return pl.DataFrame()
    files = ingest.discover([str(place / folder)]).files
    samples = pl.concat([part.samples for file in files for part in ingest.read(file, None)]).unique(
        "sample_id", keep="first", maintain_order=True
    )
    runs = dict(samples.filter(kind="trajectory").select("sample_id", "messages").iter_rows())
    whole = [
        own if own is not None else orjson.dumps(orjson.loads(runs[parent])[:turn]).decode()
        for own, parent, turn in samples.select("messages", "parent_id", "turn").iter_rows()
    ]
    return samples.with_columns(messages=pl.Series(whole, dtype=pl.String)).filter(kind="plan")


def public(folder: str, count: int) -> Iterator[Base]:
    """A seeded choice of a public set's plans with at least one call; nothing where the set is not here."""
    samples = public_samples(folder)
    if samples.is_empty():
        return
    rows = samples.filter(pl.col("n_steps") > 0).select("messages", "candidates", "plan").rows()
    random.Random(folder).shuffle(rows)
    for messages, candidates, plan in islice(rows, count):
        steps = [shaped(step) for step in orjson.loads(plan)["plugins"]]
        yield Base(folder, orjson.loads(messages), orjson.loads(candidates), steps)


def bases(each: int) -> list[Base]:
    """Plans of every origin, up to `each` of one."""
    found = [*handmade(), *islice(examples(), each), *synthetic(each)]
    return found + [base for folder in PUBLIC for base in public(folder, each)]
