"""Where a training run is in its curriculum: a stage is left when it is learned, or when its time is up."""

from collections.abc import Mapping
from typing import Any

from trainers.presets import Grpo
from trainers.rewards.plan import STAGES, At
from trainers.rewards.table import STAGED


class Curriculum:
    """The stages of a reward; a reward without stages, and a run without a curriculum, are in the last from the start.

    Stages only ever go up. `state` is what a checkpoint keeps.
    """

    def __init__(self, settings: Grpo) -> None:
        self._settings = settings
        self.last = STAGED.get(settings.reward, 1)
        self.stage = 1 if settings.curriculum != "none" else self.last
        self.shares: list[float] = []  # of completions that passed the stage, a step each, since it began

    def at(self, step: int) -> At:
        """Where the step after `step` is."""
        if self._settings.curriculum == "steps":
            self.stage = min(self.last, 1 + step * self.last // self._settings.max_steps)
        return At(self.stage, min(1.0, step / self._settings.max_steps))

    def record(self, share: float) -> str | None:
        """Notes the share of a step's completions that passed; a sentence where that ends the stage.

        `share` is of prompts as they come: of those chosen for their variety it would be near a half for ever.
        """
        self.shares = [*self.shares, share][-self._settings.window :]
        full = len(self.shares) == self._settings.window
        if self._settings.curriculum != "measured" or self.stage == self.last or not full:
            return None
        if self.pass_rate < self._settings.advance:
            return None
        said = (
            f"stage {self.stage} of {self.last} ({name(self.stage)}) is learned: {self.pass_rate:.0%} of the "
            f"completions of the last {len(self.shares)} steps passed it; now {name(self.stage + 1)}"
        )
        self.stage += 1
        self.shares = []
        return said

    @property
    def pass_rate(self) -> float:
        """The share over the window so far; 0 before the first step."""
        return sum(self.shares) / len(self.shares) if self.shares else 0.0

    @property
    def state(self) -> dict[str, Any]:
        """What is needed to go on."""
        return {"stage": self.stage, "shares": self.shares}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a checkpoint."""
        self.stage, self.shares = state["stage"], list(state["shares"])


def name(stage: int) -> str:
    """What a stage teaches."""
    return STAGES[stage - 1].name
