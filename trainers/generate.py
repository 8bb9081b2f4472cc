"""Asks a model for one plan, as its preset asks, and lets the row stages say what they think of it."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from curation.batch import Batch
from curation.errors import InputError
from curation.recipe import Check
from curation.registry.reading import Imported, read_plugins
from curation.render import render_prompt
from curation.sample import SAMPLE_FRAME, categorise, count_steps, dumps, identify
from curation.stages import asked_of
from trainers.engines import Engine, generate
from trainers.families import FAMILIES
from trainers.plans import parse_answer
from trainers.prompts import prompt_messages

if TYPE_CHECKING:
    from trainers.presets import Decoding, Preset

Candidate = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """One fault that a stage found: `pointer` is a JSON pointer into the plan, `seen` what is there."""

    stage: str
    outcome: str
    reason: str
    pointer: str
    seen: Any


@dataclass(frozen=True)
class Generated:
    """What a model answered: its plan as it wrote it, and each row stage's outcome by the stage's name."""

    plan: str
    thinking: str | None
    stages: dict[str, str]
    findings: list[Finding]
    finish: str  # "stop", or "length" where the decoding's limit of tokens cut the answer off
    tokens: int | None
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether a stage fails it: nobody should carry out such a plan."""
        return "fail" in self.stages.values()


def read_candidates(path: Path) -> tuple[list[Candidate], Imported]:
    """The plugins of a file (OpenAPI, an MCP listing, candidates as a list or one a line), and what was refused.

    What a call gives back is not shown to a model. Raises InputError where there is no such file or no plugin in it.
    """
    imported = read_plugins(path)
    if not imported.plugins:
        why = f" ({imported.refusals[0].why})" if imported.refusals else ""
        raise InputError(
            f"--candidates {path} offers no plugin{why}; name an OpenAPI document, an MCP listing or a registry.jsonl"
        )
    return [{key: value for key, value in plugin.items() if key != "returns"} for plugin in imported.plugins], imported


def greedy(decoding: "Decoding") -> "Decoding":
    """The same limit of tokens, the likeliest token each time."""
    return replace(decoding, temperature=0.0, top_p=1.0)


def generate_plan(
    engine: Engine,
    preset: "Preset",
    decoding: "Decoding",
    candidates: list[Candidate],
    request: str,
    check: Check,
    seed: int = 0,
) -> Generated:
    """One plan for the request, from what is offered; `check` is what the row stages ask of it."""
    messages = [{"role": "user", "content": request}]
    prompt = prompt_messages({"prompt": render_prompt(messages, candidates)}, preset)
    began = time.monotonic()
    ((_, completion),) = generate(engine, [prompt], decoding, seed)
    seconds = time.monotonic() - began
    answer = parse_answer(completion.text, FAMILIES[preset.family].thinking[preset.thinking])
    stages, findings = checked(messages, candidates, answer.thinking, answer.plan_text, check)
    return Generated(answer.plan_text, answer.thinking, stages, findings, completion.finish, completion.tokens, seconds)


def checked(
    messages: list[dict[str, str]], candidates: list[Candidate], thinking: str | None, plan: str, check: Check
) -> tuple[dict[str, str], list[Finding]]:
    """(outcome by stage, every fault) of one answer, in the order of the stages."""
    content = dumps(messages), dumps(candidates), thinking, plan
    steps = count_steps(plan)
    row = {
        **dict.fromkeys(SAMPLE_FRAME),
        "sample_id": identify("plan", *content),
        "kind": "plan",
        "request": messages[-1]["content"],
        "n_steps": steps,
        "category": categorise(list(messages), steps),
        **dict(zip(("messages", "candidates", "thinking", "plan"), content, strict=True)),
    }
    batch = Batch(pl.DataFrame([row], schema=SAMPLE_FRAME))
    stages, findings = {}, []
    for stage in asked_of(check):
        if "plan" not in stage.KINDS:
            continue
        (decision,) = stage.decide(batch, check).to_dicts()
        stages[stage.NAME] = decision["outcome"]
        for fault in orjson.loads(decision["faults"] or "[]"):
            findings.append(Finding(stage.NAME, decision["outcome"], **fault))
    return stages, findings
