"""Did the model think before it planned?"""

import re
from pathlib import Path

import polars as pl

from curation.batch import Batch
from curation.decision import Fault, decided
from curation.recipe import Check

NAME = "thinking"
VERSION = "2"
KINDS = ("plan",)
REASONS = ("thinking.missing", "thinking.empty")
SETTINGS = ("thinking",)
DATA: tuple[Path, ...] = ()

WORD = re.compile(r"\w")  # a letter or digit of any script: blanks, dots and dashes say nothing


def decide(batch: Batch, check: Check) -> pl.DataFrame:
    """`thinking.missing`: no closed trace before the answer; `thinking.empty`: a trace that says nothing.

    Where the recipe says `thinking = "optional"`, a sample without a trace passes; an empty one still fails.
    """
    faults = []
    for row, thinking in enumerate(batch.samples["thinking"]):
        if thinking is None:
            if check.thinking == "required":
                faults.append(Fault(row, "thinking.missing", "/thinking"))
        elif not WORD.search(thinking):
            faults.append(Fault(row, "thinking.empty", "/thinking", thinking))
    return decided(batch.samples["sample_id"], REASONS, faults)
