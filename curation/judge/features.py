"""What a judge may be partial to: how long a sample is, how many candidates it has, where the chosen ones stand."""

from collections.abc import Callable
from typing import Any

import orjson

from curation.batch import parse_answer

Sample = dict[str, Any]  # a row of a sample frame


def length(sample: Sample) -> float:
    """Characters of reasoning and plan."""
    return float(len(sample["thinking"] or "") + len(sample["plan"] or ""))


def candidates(sample: Sample) -> float | None:
    """How many plugins were on offer; None: unknown."""
    offered = ids(sample)
    return None if offered is None else float(len(offered))


def position(sample: Sample) -> float | None:
    """Where the chosen plugins stand among the candidates on average: 0 first, 1 last; None: nothing to tell from."""
    offered = ids(sample)
    if offered is None or len(offered) < 2:
        return None
    chosen = [step.get("pluginId") for _, step in parse_answer(sample["plan"]).steps]
    places = [offered.index(key) for key in chosen if key in offered]
    return sum(places) / len(places) / (len(offered) - 1) if places else None


def ids(sample: Sample) -> list[Any] | None:
    """The ids of the candidates, in the order in which the judge is shown them."""
    if sample["candidates"] is None:
        return None
    return [entry.get("pluginId") for entry in orjson.loads(sample["candidates"]) if isinstance(entry, dict)]


# In the words that follow "partial to".
FEATURES: dict[str, Callable[[Sample], float | None]] = {
    "length": length,
    "number of candidates": candidates,
    "position of the chosen candidates": position,
}
