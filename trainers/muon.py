"""Muon for the matrices of a model and AdamW for the rest, as one optimizer: small models of random weights learn faster."""

from collections.abc import Callable, Iterable
from typing import Any

import torch


class MuonAdamW(torch.optim.Optimizer):  # type: ignore[misc]
    """Muon turns a matrix's step into one of full rank; tables, norms and scales are stepped by AdamW.

    `tables`: the ids of parameters that are looked up in rather than multiplied by. Muon's steps are scaled to the
    size of AdamW's, so that one learning rate serves both. The two share their groups with this one, whose rates a
    schedule sets.
    """

    def __init__(self, groups: Iterable[Any], tables: frozenset[int], **named: Any) -> None:
        given = list(groups)
        given = given if isinstance(given[0], dict) else [{"params": given}]
        decay = named.pop("weight_decay", 0.0)
        split: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
        for group in given:
            for matrix, mine in split.items():
                chosen = [p for p in group["params"] if (p.ndim == 2 and id(p) not in tables) is matrix]
                if chosen:
                    mine.append({"weight_decay": decay, **group, "params": chosen})
        self._parts: list[torch.optim.Optimizer] = []
        if split[True]:
            self._parts.append(torch.optim.Muon(split[True], lr=named["lr"], adjust_lr_fn="match_rms_adamw"))
        if split[False]:
            self._parts.append(torch.optim.AdamW(split[False], **named))
        super().__init__([group for part in self._parts for group in part.param_groups], {})

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """A step of both."""
        loss = closure() if closure is not None else None
        for part in self._parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The state of both, in order."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up the state of both; their groups are new ones then."""
        for part, state in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self._parts for group in part.param_groups]
