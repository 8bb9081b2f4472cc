"""On a CPU, too, a model's head reads the positions that are learnt alone, as TRL has it on a GPU."""

from typing import Any

import torch

from trainers.prompts import IGNORED

PER_TOKEN = ("log_probs", "entropy", "log_sum_sq_probs", "mean_logits", "is_top1")


class LearntAlone:
    """Hooks around a model with TRL's fused head; what it returns has the shape that it has without them.

    For a narrow model the head over every position, prompts included, is two thirds of a step.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self._learnt: torch.Tensor | None = None  # (rows, tokens - 1), while a fused forward pass is under way
        model.register_forward_pre_hook(self._begin, with_kwargs=True)
        model.base_model.register_forward_hook(self._narrow)
        model.register_forward_hook(self._end)

    def _begin(self, module: Any, given: Any, named: dict[str, Any]) -> Any:
        self._learnt = None
        if not named.get("fused_lm_head") or named.get("labels") is None or named["labels"].device.type != "cpu":
            return None
        following = named["labels"][:, 1:]
        learnt = following != IGNORED
        if not learnt.any():
            return None
        self._learnt = learnt
        others = {key: value for key, value in named.items() if key != "labels"}
        return given, {**others, "shift_labels": following[learnt][None]}

    def _narrow(self, module: Any, given: Any, made: Any) -> Any:
        if self._learnt is not None:
            made.last_hidden_state = made.last_hidden_state[:, :-1][self._learnt][None]
        return made

    def _end(self, module: Any, given: Any, made: Any) -> Any:
        if self._learnt is not None:
            for name in PER_TOKEN:
                if (value := getattr(made, name, None)) is not None:
                    setattr(made, name, value.new_zeros(self._learnt.shape).masked_scatter(self._learnt, value))
            self._learnt = None
        return made
