"""The gold of a row is what its answer is measured against: the plan that was accepted, and what was offered."""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from curation.plugin import Offer
from trainers.evaluation.values import OMIT, Accepted, as_accepted, canonical
from trainers.plans import Answer, parse_answer

SYSTEM = "system"


@dataclass(frozen=True)
class Gold:
    """One row's accepted plan as the answer that it would be, and what else metrics look at.

    `offer`: the candidates shown; None: unknown. `production`: every pluginId that exists, shown or not. `accepted`:
    for each step, the values that its parameters may have. `said`: what was said before the answer, without the
    candidates.
    """

    answer: Answer
    offer: Offer | None
    production: frozenset[str]
    accepted: tuple[Accepted, ...]
    said: str = ""
    _defaults: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def is_empty(self) -> bool:
        """Whether the right answer calls nothing."""
        return not self.answer.steps

    def defaults(self, plugin: str) -> dict[str, Any]:
        """What the plugin's parameters are where they are left out, as far as its schema says."""
        if plugin not in self._defaults:
            self._defaults[plugin] = defaults_of(self.offer, plugin)
        return self._defaults[plugin]

    @cached_property
    def arguments(self) -> tuple[dict[str, Hashable], ...]:
        """The gold's own arguments."""
        return self.arguments_of(self.answer)

    def arguments_of(self, answer: Answer) -> tuple[dict[str, Hashable], ...]:
        """Each step's values by name, so that equal means the same; none that leaving out would say as well."""
        return tuple(
            {name: canonical(value) for name, value in without_defaults(values, self.defaults(plugin)).items()}
            for plugin, values in zip(answer.ids, answer.parameters, strict=True)
        )

    @cached_property
    def calls(self) -> Counter[Hashable]:
        """The gold's own calls."""
        return self.calls_of(self.answer)

    def calls_of(self, answer: Answer) -> Counter[Hashable]:
        """Each step as its plugin, its arguments and its dependencies."""
        return Counter(
            (plugin, frozenset(arguments.items()), frozenset(needed))
            for plugin, arguments, needed in zip(answer.ids, self.arguments_of(answer), answer.needed, strict=True)
        )


def gold_of(
    plan: str,
    candidates: str | None,
    said: str = "",
    production: frozenset[str] | None = None,
    accepted: tuple[Accepted, ...] | None = None,
) -> Gold:
    """The gold of a plan and candidates, both JSON text; `production` is what was offered, unless given.

    Unless given, `accepted` is the plan's own values. A parameter that is not required may be left out where the plan
    gives it its default, and be given with its default where the plan leaves it out.
    """
    offer = None if candidates is None else Offer.parse(candidates)
    answer = parse_answer(plan)
    known = frozenset(offer.plugins) if offer else frozenset(answer.ids)
    made = accepted or tuple(
        _accepted(offer, plugin, values) for plugin, values in zip(answer.ids, answer.parameters, strict=True)
    )
    return Gold(answer, offer, known if production is None else production | known, made, said)


def gold_of_row(row: Mapping[str, Any], production: frozenset[str] | None = None) -> Gold:
    """The gold of a row of a release's configuration `grpo`."""
    said = "\n".join(message["content"] for message in row["prompt"] if message["role"] != SYSTEM)
    if row["candidates"] is not None:
        said = said.replace(orjson.dumps(orjson.loads(row["candidates"]), option=orjson.OPT_INDENT_2).decode(), "")
    return gold_of(row["plan"], row["candidates"], said, production)


def defaults_of(offer: Offer | None, plugin: str) -> dict[str, Any]:
    """The default of each parameter of a candidate that has one and is not required."""
    schema = offer.parameters(plugin).schema if offer and offer.parameters(plugin) else {}  # type: ignore[union-attr]
    required = schema.get("required", ())
    return {
        name: described["default"]
        for name, described in schema.get("properties", {}).items()
        if name not in required and isinstance(described, dict) and "default" in described
    }


def without_defaults(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The values that say something: all but those that are their parameter's default."""
    if defaults.keys().isdisjoint(values):
        return dict(values)
    return {name: value for name, value in values.items() if name not in defaults or not _same(value, defaults[name])}


def _accepted(offer: Offer | None, plugin: str, values: dict[str, Any]) -> Accepted:
    defaults = defaults_of(offer, plugin)
    accepted: dict[str, list[Any]] = {name: [as_accepted(value)] for name, value in values.items()}
    for name, default in defaults.items():
        if name not in values:
            accepted[name] = [as_accepted(default), OMIT]
        elif _same(values[name], default):
            accepted[name].append(OMIT)
    return accepted


def _same(value: Any, other: Any) -> bool:
    return bool(canonical(value) == canonical(other))
