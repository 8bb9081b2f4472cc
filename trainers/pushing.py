"""Puts a run's model on the Hub: every so many steps while it trains, and when it is finished."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import transformers

from curation.errors import CurationError
from curation.release.targets.models import ModelRepository

STEP = re.compile(r"Step ([0-9]+)")
FINISHED = "Finished"
HERE = ("checkpoints/*", ".*", ".*/*")  # what a finished run keeps to itself


class Pusher(transformers.TrainerCallback):  # type: ignore[misc]
    """Pushes the weights after every `every` steps; a step that is there already, after a resume, is not sent again.

    A Hub that fails does not stop the training: it is told, and the next push holds all that the failed one did.
    """

    def __init__(self, to: str, every: int, out: Path, say: Callable[[str], None]) -> None:
        self.repository, self.every, self.say = ModelRepository.of(to), every, say
        self.folder = out / ".pushing"
        self.pushed: set[int] | None = None  # None: not asked yet

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **named: Any) -> None:
        """Pushes where the step is one to be pushed."""
        if state.global_step % self.every:
            return
        try:
            if self.pushed is None:
                found = (STEP.fullmatch(title) for title in self.repository.titles())
                self.pushed = {int(match[1]) for match in found if match}
            if state.global_step not in self.pushed:
                self._push(model, named["processing_class"], state.global_step)
                self.pushed.add(state.global_step)
        except CurationError as error:
            self.say(f"step {state.global_step} was not pushed: {error}")

    def _push(self, model: Any, tokenizer: Any, step: int) -> None:
        from trainers.models import save_model

        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            save_model(model, tokenizer, self.folder)
            self.repository.push(self.folder, f"Step {step}")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def push_finished(to: str, out: Path) -> str:
    """Puts the finished run's folder on the Hub, without its checkpoints; returns the commit."""
    return ModelRepository.of(to).push(out, FINISHED, HERE)
