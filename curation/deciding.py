"""Asks the row stages about a batch of samples: a function of its input alone, so that any process can run it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import polars as pl

from curation.batch import Batch
from curation.recipe import Check
from curation.stages import ROW_STAGES


class Work(NamedTuple):
    """Samples (a sample frame with `messages` filled), and for each stage to ask, by its name, the ids that it decides."""

    samples: pl.DataFrame
    wanted: dict[str, pl.Series]


class Decided(NamedTuple):
    """For each stage that was asked its decision frame, and how many samples there were."""

    decisions: dict[str, pl.DataFrame]
    samples: int


def decide(work: Work, check: Check) -> Decided:
    """What every wanted stage thinks of its samples. Stages that ask about the same ones share what was parsed."""
    batches: dict[tuple[str, ...], Batch] = {}
    decisions: dict[str, pl.DataFrame] = {}
    with no_garbage_collection():
        for stage in ROW_STAGES:
            ids = work.wanted.get(stage.NAME)
            if ids is not None and not ids.is_empty():
                key = tuple(sorted(ids))
                if key not in batches:
                    batches[key] = Batch(work.samples.filter(pl.col("sample_id").is_in(ids.implode())))
                decisions[stage.NAME] = stage.decide(batches[key], check)
    return Decided(decisions, work.samples.height)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """A batch makes a million small objects that all die together: the collector would only walk them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
