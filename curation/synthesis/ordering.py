"""What Claude is asked to write: a sample over some candidates, of a category, in a style."""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

import orjson

from curation.claude.schema import NOT_ENFORCED, without
from curation.synthesis.catalogue import Catalogue
from curation.synthesis.dice import Dice
from curation.synthesis.mix import DEFAULT, categories, require_enough, scaled
from curation.synthesis.steps import draw_steps, offer

Plugin = dict[str, Any]

PROMPTS = files(__package__) / "prompts"
STYLES = ("direct", "terse", "story", "indirect", "expert", "list", "correction")
MAX_TOKENS = 4_000  # a long story with a plan of four steps is some 1,500


@dataclass(frozen=True, slots=True)
class Order:
    """One request to Claude, and what its reply is measured by; `key` is the seed and the order's number."""

    key: str
    category: str
    style: str
    candidates: tuple[Plugin, ...]
    message: str  # the user message; the system message is `system_prompt()`

    @property
    def subject(self) -> str:
        """What tells orders apart: the same message is the same order, so that what was paid for is not asked again."""
        return hashlib.blake2b(self.message.encode(), digest_size=16).hexdigest()


@cache
def prompt(name: str) -> str:
    """A prompt file by its path under prompts/, without the last line's end."""
    return (PROMPTS / name).read_text(encoding="utf-8").rstrip("\n")


def system_prompt() -> str:
    """What is the same for every order, so that the service can cache it."""
    return prompt("system.md")


@cache
def reply_schema(name: str = "reply") -> dict[str, Any]:
    """The schema of a reply: `reply` for a sample, `thinking` for reasoning alone."""
    schema: dict[str, Any] = json.loads((PROMPTS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return schema


def sent_schema(name: str = "reply") -> dict[str, Any]:
    """The same in the part of JSON Schema that the service can enforce."""
    schema: dict[str, Any] = without(reply_schema(name), NOT_ENFORCED | {"minLength"})
    return schema


@cache
def variety() -> dict[str, list[str]]:
    """The personas and scenes of variety.toml."""
    return tomllib.loads((PROMPTS / "variety.toml").read_text(encoding="utf-8"))


def render_prompt(plugins: Sequence[Plugin], category: str, style: str, seed: str) -> str:
    """The user message that asks for one sample over these candidates; a function of its arguments alone.

    `plugins` are shown whole, with `returns`: what a step gives back is what references are made of.
    """
    dice = Dice(f"order {seed}")
    anchor = dice.pick(plugins)
    listed = orjson.dumps(list(plugins), option=orjson.OPT_INDENT_2).decode()
    return Template(prompt("request.md")).substitute(
        candidates=listed,
        category=prompt(f"categories/{category}.md"),
        style=prompt(f"styles/{style}.md"),
        persona=dice.pick(variety()["personas"]),
        scene=dice.pick(variety()["scenes"]),
        anchor=anchor.get("name") or anchor["pluginId"],
    )


def orders(catalogue: Catalogue, count: int, seed: int = 0, mix: Mapping[str, float] = DEFAULT) -> Iterator[Order]:
    """`count` orders by the mix, every style equally often; the n-th is a function of registry, seed, mix and n.

    Candidates are a chain of plugins that could follow each other and their hard negatives, as the offline generator
    offers them; which of them the request needs is Claude's to decide. Raises InputError where the registry is too
    small for the mix.
    """
    shares = scaled(mix)
    require_enough(len(catalogue.tools), shares)
    for i, category in enumerate(categories(shares, count)):
        key = f"{seed}/{i}"
        dice = Dice(f"offer {key}")
        size = int(category[0]) if category[0].isdigit() else 2
        offered = offer(catalogue, draw_steps(catalogue, size, dice), dice)
        candidates = tuple(tool.source for tool in offered)
        style = STYLES[i % len(STYLES)]
        yield Order(key, category, style, candidates, render_prompt(candidates, category, style, key))
