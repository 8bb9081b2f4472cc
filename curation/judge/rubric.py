"""A rubric says what a sample is scored on, how the judge is asked, and how the scores become one number."""

import copy
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from string import Template
from typing import Any

import orjson

from curation.claude.schema import NOT_ENFORCED, without


@dataclass(frozen=True, slots=True)
class Fold:
    """How scores become one number.

    `weights[criterion]` is its share in the weighted mean; the result is at most `lift` above the worst score.
    """

    weights: dict[str, float]
    lift: float

    def overall(self, scores: Mapping[str, float | None]) -> float | None:
        """0-10, two decimals; None where it cannot be judged.

        A criterion scored null is left out, and the others keep their weights among themselves; but where the scored
        ones carry less than half of the whole weight (all the more: where all are null) there is no overall score.
        """
        scored = {name: score for name, score in scores.items() if score is not None and name in self.weights}
        weight = sum(self.weights[name] for name in scored)
        if not scored or weight <= 0 or weight < sum(self.weights.values()) / 2:
            return None
        mean = sum(self.weights[name] * score for name, score in scored.items()) / weight
        return round(min(mean, min(scored.values()) + self.lift), 2)


@dataclass(frozen=True)
class Rubric:
    """Everything that the judge is sent besides the sample, and how its scores are folded.

    `system` is the same for every sample, so that the service can cache it; `user` is a template for string.Template
    with the fields key, conversation, candidates, reasoning, plan and names.
    """

    name: str
    system: str
    user: str
    absent: str
    max_tokens: int
    criteria: tuple[str, ...]
    fold: Fold

    @cached_property
    def reply_schema(self) -> dict[str, Any]:
        """What a reply must look like: reply.schema.json with this rubric's criteria, all required."""
        schema: dict[str, Any] = orjson.loads((files(__package__) / "reply.schema.json").read_bytes())
        criterion = schema.pop("$defs")["criterion"]
        criteria = schema["properties"]["criteria"]
        criteria["properties"] = {name: copy.deepcopy(criterion) for name in self.criteria}
        criteria["required"] = list(self.criteria)
        return schema

    @cached_property
    def sent_schema(self) -> dict[str, Any]:
        """The reply's schema in the part of JSON Schema that the service can enforce."""
        schema: dict[str, Any] = without(self.reply_schema, NOT_ENFORCED)
        return schema

    def spec(self, family: str, model: str) -> str:
        """The specification: a hash of the bytes that are sent for every sample, and of who they are sent to.

        `family` is the same for services that offer the same models, so that changing from one to the other does
        not judge anything again. Weights, thresholds, workers and retries are not sent and not in it.
        """
        sent = [family, model, self.max_tokens, self.system, self.user, self.absent, list(self.criteria)]
        content = orjson.dumps([*sent, self.sent_schema])
        return f"{self.name}-{hashlib.blake2b(content, digest_size=8).hexdigest()}"


@cache
def load_rubric(name: str = "plan") -> Rubric:
    """The bundled rubric for a kind of sample, from `prompts/<name>/`."""
    prompts = files(__package__) / "prompts"
    folder = prompts / name
    table = tomllib.loads((folder / "rubric.toml").read_text(encoding="utf-8"))
    section = Template((prompts / "criterion.md").read_text(encoding="utf-8"))
    sections = [
        section.substitute(
            name=criterion,
            question=entry["question"],
            anchors="\n".join(f"- {score}: {meaning}" for score, meaning in entry["anchors"]),
        )
        for criterion, entry in table["criteria"].items()
    ]
    system = Template((folder / "system.md").read_text(encoding="utf-8"))
    return Rubric(
        name=name,
        system=system.substitute(
            criteria="".join(sections), examples=(folder / "examples.md").read_text(encoding="utf-8")
        ),
        user=(folder / "user.md").read_text(encoding="utf-8"),
        absent=table["absent"],
        max_tokens=table["max_tokens"],
        criteria=tuple(table["criteria"]),
        fold=Fold({name: entry["weight"] for name, entry in table["criteria"].items()}, table["lift"]),
    )
