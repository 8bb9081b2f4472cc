"""How good a model in training is on plans that it is not trained on; its best state is kept, and drift ends training."""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import transformers

from trainers.engines import Transformers, generate
from trainers.evaluation.gold import gold_of_row
from trainers.evaluation.metrics import METRICS
from trainers.families import FAMILIES
from trainers.models import save_model
from trainers.presets import Preset
from trainers.prompts import Row, prompt_messages
from trainers.rewards.reading import read
from trainers.rewards.table import reward

BEST = "best-{}"  # a folder below the run's: the state after that step, the best so far


@dataclass(frozen=True)
class Measured:
    """`plan`: what our reward pays on average in its last stage, whatever reward is trained on; `plan_exact`: the
    share of plans that are right."""

    step: int
    plan: float
    plan_exact: float


class HeldOut(transformers.TrainerCallback):  # type: ignore[misc]
    """Measures the model before the first step and every so many; keeps the best, by `plan`, in a folder BEST.

    The best that the last checkpoint knows of stays until the next one is whole: a run that goes on from it may, on a
    GPU, find another best than the killed one did.
    """

    def __init__(
        self, rows: Sequence[Row], tokenizer: Any, preset: Preset, out: Path, seed: int, say: Callable[[str], None]
    ) -> None:
        self.rows = chosen(rows, preset.grpo.evaluate_rows)
        self.tokenizer, self.preset, self.out, self.seed, self.say = tokenizer, preset, out, seed, say
        self.measured: list[Measured] = []
        self.trainer: Any = None  # set once there is one: its metrics take what is measured

    @property
    def best(self) -> Measured:
        """The first of the best."""
        return max(self.measured, key=lambda one: (one.plan, -one.step))

    @property
    def drifted(self) -> bool:
        """Whether so many measurements have brought no new best that it is time to stop."""
        patience = self.preset.grpo.patience
        return patience is not None and len(self.measured) - 1 - self.measured.index(self.best) >= patience

    @property
    def state(self) -> list[list[float]]:
        """What a checkpoint keeps."""
        return [[one.step, one.plan, one.plan_exact] for one in self.measured]

    def restore(self, state: Sequence[Sequence[float]]) -> None:
        """Goes on from a checkpoint."""
        self.measured = [Measured(int(step), plan, exact) for step, plan, exact in state]
        self.forget(self.folder)

    def on_train_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """The model as it comes is the first to beat."""
        if not self.measured:
            self.forget()
            self.measure(named["model"], 0)

    def on_step_end(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """Measures where it is time, and stops training that has drifted."""
        step = state.global_step
        if step % self.preset.grpo.evaluate_every and step < state.max_steps:
            return
        found = self.measure(named["model"], step)
        for name, value in (("held_out/plan", found.plan), ("held_out/plan_exact", found.plan_exact)):
            self.trainer._metrics["train"][name].append(value)
        if self.drifted:
            self.say(
                f"step {step:,}: no better than at step {self.best.step:,} for {self.preset.grpo.patience} "
                "measurements; training stops, and that state is kept"
            )
            control.should_training_stop = True

    def measure(self, model: Any, step: int) -> Measured:
        """Asks for the plans as the preset has them asked; the draws of training are left as they were."""
        decoding = replace(self.preset.decoding, max_new_tokens=self.preset.grpo.max_new_tokens)
        form = FAMILIES[self.preset.family].thinking[self.preset.thinking]
        training, generation = model.training, model.generation_config
        model.eval()
        model.generation_config = transformers.GenerationConfig()
        try:
            engine = Transformers.around(model, self.tokenizer, self.preset)
            prompts = [prompt_messages(row, self.preset) for row in self.rows]
            texts = dict(generate(engine, prompts, decoding, self.seed))
        finally:
            model.generation_config = generation
            model.train(training)
        pairs = [(read(texts[i].text, form), gold_of_row(row)) for i, row in enumerate(self.rows)]
        found = Measured(
            step,
            fmean(reward("plan", written, gold) for written, gold in pairs),
            fmean(METRICS["plan_exact"](written.answer, gold) or 0.0 for written, gold in pairs),
        )
        self.measured.append(found)
        if found is self.best:
            self.keep(model)
        self.say(f"step {step:,}: held out, plan {found.plan:.3f}, exactly right {found.plan_exact:.1%}")
        return found

    @property
    def folder(self) -> Path:
        """Where the best state is."""
        return self.out / BEST.format(self.best.step)

    def keep(self, model: Any) -> None:
        """The model as it is, whole or not at all."""
        partial = self.out / ".best.partial"
        shutil.rmtree(partial, ignore_errors=True)
        save_model(model, self.tokenizer, partial)
        partial.rename(self.folder)

    def on_save(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """A checkpoint is whole: what was best before it is no longer needed."""
        self.forget(self.folder)

    def forget(self, but: Path | None = None) -> None:
        """Removes the states that were best once, `but` the one that still is."""
        for path in self.out.glob(BEST.format("*")):
            if path != but:
                shutil.rmtree(path)


def chosen(rows: Sequence[Row], most: int) -> list[Mapping[str, Any]]:
    """The rows with the smallest hashes of their ids: the same ones, whatever order they come in."""
    return sorted(rows, key=lambda row: hashlib.blake2b(row["sample_id"].encode()).digest())[:most]
