"""A GRPO run that is over in seconds: a tiny model of random weights, and a reward that even it can learn.

As a program it makes the run that a test kills: `python -m tests.trainers.learnable RELEASE MODEL OUT`.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.trainers.conftest import SMALL
from trainers.evaluation.gold import Gold
from trainers.families import FAMILIES
from trainers.grpo import train
from trainers.presets import Preset, load_preset
from trainers.release import open_release
from trainers.rewards.plan import At, Parts
from trainers.rewards.reading import Written
from trainers.rewards.table import REWARDS
from trainers.sft import Job, texts_of

STEPS = 6


def letters(written: Written, gold: Gold, at: At) -> Parts:
    """How much of what was written is the letters e and t; a random model writes some."""
    text = written.answer.plan_text
    return {"e": text.count("e") / max(1, len(text)), "t": text.count("t") / max(1, len(text))}


def letters_of_some(written: Written, gold: Gold, at: At) -> Parts:
    """The same, but nothing for half of the prompts: there is nothing to learn from these."""
    return letters(written, gold, at) if len(gold.answer.plan_text) % 2 else {"e": 0.0, "t": 0.0}


LEARNABLE = {"letters": letters, "letters_of_some": letters_of_some}


def made_model(release: Path, folder: Path, name: str = "tiny-gemma4") -> Path:
    """A model of random weights as a run's folder holds one."""
    from trainers import models
    from trainers.run import write_preset

    preset = load_preset(name, [*SMALL, "random.layers=4"])  # of qwen3.5 every fourth attends to all
    family = FAMILIES[preset.family]
    tokenizer = models.train_tokenizer(texts_of(open_release(release)), family, preset.random)
    model = models.random_model(family, preset.random, tokenizer, 0)
    models.dress(model, tokenizer, preset)
    models.save_model(model, tokenizer, folder)
    write_preset(folder, preset)
    return folder


def quick(name: str, model: Path, **changes: Any) -> Preset:
    """A preset with a model for a CPU and steps that take a second."""
    preset = load_preset(name)
    fewer = {"max_steps": STEPS, "max_new_tokens": 12, "evaluate_rows": 4, "evaluate_every": 2, "save_every": 2}
    grpo = replace(preset.grpo, **{**fewer, "prompts": 2, "rows": 2 * preset.grpo.generations, **changes})
    sft = replace(preset.sft, weights="fp32", compute="fp32")
    return replace(preset, model=str(model), device="any", system="Plan.", sft=sft, grpo=grpo)


def job(release: Path, model: Path, out: Path, preset: str = "tiny-gemma4-grpo", **changes: Any) -> Job:
    """The run to make."""
    return Job(open_release(release), str(release), quick(preset, model, **changes), out)


def learning(release: Path, model: Path, out: Path) -> Job:
    """The run that is killed and gone on with."""
    return job(release, model, out, reward="letters", learning_rate=1e-2)


if __name__ == "__main__":
    REWARDS.update(LEARNABLE)
    train(learning(*map(Path, sys.argv[1:4])))
