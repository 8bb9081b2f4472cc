"""Canaries are plans of known quality: a judge that scores them wrongly is not believed about anything else."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from curation.sample import SAMPLE_FRAME, count_steps, dumps, identify

KINDS = ("good", "bad", "injection")


@dataclass(frozen=True)
class Canary:
    """One plan, and the band (0-10, both ends belong to it) that its overall score must lie in.

    `row` is a row of a sample frame. Its id is a hash of its content, as every sample's: a changed canary is another.
    """

    name: str
    kind: str
    low: float
    high: float
    row: Mapping[str, Any]

    @property
    def sample_id(self) -> str:
        return str(self.row["sample_id"])

    def holds(self, overall: float) -> bool:
        """Whether this score is one that the plan deserves."""
        return self.low <= overall <= self.high


@cache
def load_canaries() -> tuple[Canary, ...]:
    """The bundled canaries, in the order of their file."""
    table = tomllib.loads((files(__package__) / "canaries.toml").read_text(encoding="utf-8"))
    return tuple(canary(entry, table["plugins"], table["bands"]) for entry in table["canary"])


def canary(entry: dict[str, Any], plugins: dict[str, Any], bands: dict[str, list[float]]) -> Canary:
    """One canary from its entry in the file."""
    low, high = entry.get("band", bands[entry["kind"]])
    described = entry.get("descriptions", {})
    candidates = dumps([offered(key, plugins[key], described.get(key)) for key in entry["offered"]])
    plan = dumps({"plugins": [step(told, plugins[told["plugin"]]) for told in entry["steps"]]})
    messages = dumps([{"role": "user", "content": entry["request"]}])
    row = dict.fromkeys(SAMPLE_FRAME) | {
        "sample_id": identify("plan", messages, candidates, entry["thinking"], plan),
        "kind": "plan",
        "source": "canary",
        "request": entry["request"],
        "messages": messages,
        "candidates": candidates,
        "thinking": entry["thinking"],
        "plan": plan,
        "n_steps": count_steps(plan),
    }
    return Canary(entry["name"], entry["kind"], low, high, row)


def offered(key: str, plugin: dict[str, Any], description: str | None) -> dict[str, Any]:
    """A plugin as a candidate; `description` stands in the place of its own."""
    parameters = plugin["parameters"]
    return {
        **head(key, plugin),
        "description": description or plugin["description"],
        "parameters": {
            "type": "object",
            "properties": {name: {"type": kind} for name, kind in parameters.items()},
            "required": list(parameters),
        },
    }


def step(told: dict[str, Any], plugin: dict[str, Any]) -> dict[str, Any]:
    """One step of a plan."""
    return {
        **head(told["plugin"], plugin),
        "api_request_parameters": told["values"],
        "all_parameters_hydrated": True,
        "dependencies": told.get("after", []),
    }


def head(key: str, plugin: dict[str, Any]) -> dict[str, Any]:
    """What a candidate and a step both say of a plugin."""
    return {
        "pluginId": key,
        "name": plugin["name"],
        "description": plugin["description"],
        "identifier": "rest_api",
        "method": "POST",
    }
