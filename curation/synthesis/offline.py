"""Makes requests with the plans that answer them from a registry alone: no model, no network, the same for a seed."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from curation.errors import InputError
from curation.synthesis.catalogue import Catalogue
from curation.synthesis.dice import Dice
from curation.synthesis.mix import DEFAULT, STEPS, categories, require_enough, scaled
from curation.synthesis.steps import draw_steps, offer, written
from curation.synthesis.wording import conversation, request, thinking

Plugin = dict[str, Any]
Trace = dict[str, Any]

REDRAWS = 50  # draws of a request unlike all before it, until a registry counts as exhausted


def synthesize(
    plugins: Sequence[Plugin] | Catalogue, count: int, seed: int = 0, mix: Mapping[str, float] = DEFAULT
) -> Iterator[Trace]:
    """`count` native traces over a registry: request, candidates, thinking and plan.

    The n-th trace is a function of the registry, the seed, the mix and the traces before it, and so are its bytes. No
    two have the same plugins with the same values. Raises InputError where the registry is too small for the mix, or
    gives no further request.
    """
    catalogue = plugins if isinstance(plugins, Catalogue) else Catalogue.of(plugins)
    shares = scaled(mix)
    require_enough(len(catalogue.tools), shares)
    seen: set[bytes] = set()
    for i, category in enumerate(categories(shares, count)):
        yield unseen(catalogue, category, f"{seed}/{i}", seen)


def unseen(catalogue: Catalogue, category: str, seed: str, seen: set[bytes]) -> Trace:
    """A trace whose plan is not among those `seen`, and is then."""
    for attempt in range(REDRAWS):
        trace, plan = draw(catalogue, category, Dice(f"{seed}/{attempt}"))
        key = hashlib.blake2b(plan, digest_size=16).digest()
        if key not in seen:
            seen.add(key)
            return trace
    raise InputError(
        f"the registry gives no {category} request beyond the {len(seen)} made: import plugins with more parameters, "
        "or ask for fewer"
    )


def draw(catalogue: Catalogue, category: str, dice: Dice) -> tuple[Trace, bytes]:
    """One trace and the bytes of its plan."""
    steps = draw_steps(catalogue, dice.between(*STEPS[category]), dice)
    offered = offer(catalogue, steps, dice)
    if category == "multi_turn":
        messages = conversation(steps, dice)
    else:
        messages = [{"role": "user", "content": request(steps, dice)}]
    plan = orjson.dumps({"plugins": written(steps)})
    thought = thinking(steps, offered, dice)
    messages.append({"role": "assistant", "content": f"<think>{thought}</think>\n{plan.decode()}"})
    return trace_of(messages, [tool.plugin for tool in offered], category, "offline"), plan


def trace_of(messages: list[dict[str, str]], candidates: list[Plugin], category: str, backend: str) -> Trace:
    """The native trace; its id is a hash of what it says, so that the same sample never has two."""
    content = orjson.dumps([messages, [plugin["pluginId"] for plugin in candidates]])
    return {
        "trace_id": f"syn-{hashlib.blake2b(content, digest_size=8).hexdigest()}",
        "messages": messages,
        "candidates": candidates,
        "metadata": {"synthetic": True, "backend": backend, "category": category},
    }
