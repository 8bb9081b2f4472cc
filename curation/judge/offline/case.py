"""A case is one sample as the offline rubric reads it: what was said, what was offered, what was planned."""

from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Any

import orjson

from curation.batch import parse_answer
from curation.judge.offline.grounding import Said
from curation.judge.offline.words import stems
from curation.plugin import Offer


@dataclass(frozen=True)
class Case:
    """A sample as the offline rubric reads it: one row of a sample frame."""

    sample: dict[str, Any]

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        return [m for m in orjson.loads(self.sample["messages"] or "[]") if isinstance(m, dict)]

    @cached_property
    def said(self) -> Said:
        """All that the orchestrator had been told: every message, and the results of earlier calls."""
        return Said("\n".join(str(message.get("content") or "") for message in self.messages))

    @cached_property
    def asked(self) -> frozenset[str]:
        """What the user's own words are about."""
        spoken = [str(m.get("content") or "") for m in self.messages if m.get("role") == "user"]
        return stems(" ".join(spoken or [self.sample["request"] or ""]))

    @property
    def is_turn(self) -> bool:
        """Whether this plan is one turn of a run, which goes on after it."""
        return self.sample["turn"] is not None

    @cached_property
    def called(self) -> frozenset[str]:
        """The plugins that were called before, by the names of the calls."""
        calls = [
            call for message in self.messages for call in message.get("tool_calls") or [] if isinstance(call, dict)
        ]
        made = [call["function"] for call in calls if isinstance(call.get("function"), dict)]
        return frozenset(str(function.get("name")) for function in made)

    @cached_property
    def offer(self) -> dict[str, dict[str, Any]] | None:
        """The candidates by id; None: unknown."""
        text = self.sample["candidates"]
        return None if text is None else Offer.parse(text).plugins

    @cached_property
    def steps(self) -> list[dict[str, Any]] | None:
        """The plan's steps; None where it cannot be read."""
        answer = parse_answer(self.sample["plan"])
        listed = answer.plan.get("plugins") if answer.plan else None
        return [step for _, step in answer.steps] if isinstance(listed, list) else None

    @cached_property
    def ids(self) -> list[str]:
        """The steps' plugin ids, in order."""
        return [str(step.get("pluginId")) for step in self.steps or []]

    @cached_property
    def about(self) -> dict[str, frozenset[str]]:
        """What each candidate is about, of that which was asked for."""
        return {key: described(plugin) & self.asked for key, plugin in (self.offer or {}).items()}

    @cached_property
    def weight(self) -> dict[str, float]:
        """What a word that was asked for tells about a candidate: the more, the fewer candidates are about it."""
        found = list(self.about.values())
        asked = frozenset().union(*found)
        return {word: log(1 + len(found) / sum(word in about for about in found)) for word in asked}

    def covered(self, ids: frozenset[str]) -> float:
        """Which part (0-1) of all that any candidate could serve these serve together."""
        whole = sum(self.weight.values())
        served = frozenset().union(*(self.about.get(key, frozenset()) for key in ids))
        return sum(self.weight[word] for word in served) / whole if whole else 0.0


def described(plugin: dict[str, Any]) -> frozenset[str]:
    """The words of a candidate's name, description and parameters."""
    parameters = plugin.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    names = list(properties) if isinstance(properties, dict) else []
    return stems(" ".join([str(plugin.get("name") or ""), str(plugin.get("description") or ""), *names]))
