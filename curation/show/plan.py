"""A plan as a small graph: a line for each step, rails to those that it waits for, and its values under it."""

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from curation.batch import leaves, parse_answer
from curation.pointer import tokens
from curation.show.marks import Line, short
from curation.show.rails import Rails, rails

PARAMETERS = "api_request_parameters"
VALUES = 20  # of a step; further ones only where something is told of them
WIDE = 200  # characters of one value


def plan_lines(sample: dict[str, Any], faults: list[dict[str, Any]]) -> Iterator[Line]:
    """The lines of a sample's plan; of one that cannot be read as steps, its text."""
    nodes = sample["graph"]
    if not nodes:
        yield Line("", Text(f"  {'plan':<9} {short(sample['plan'])}"))
        return
    yield Line("", Text(f"  {'plan':<9} {order(nodes)}"))
    steps = dict(parse_answer(sample["plan"]).steps)
    drawn = rails((node["step"], node["needs"]) for node in nodes)
    said = {span["pointer"] for span in sample["grounded"]}
    told = {fault["pointer"] for fault in faults}
    for node, beside in zip(nodes, drawn, strict=True):
        yield from step_lines(node, steps[node["step"]], beside, said, told)


def order(nodes: list[dict[str, Any]]) -> str:
    """In words, which steps follow which: `4 steps in 3 rounds: 1; 2 and 3 at once; 4`."""
    rounds: dict[int, list[str]] = {}
    for node in nodes:
        rounds.setdefault(node["round"], []).append(str(node["step"] + 1))
    if len(nodes) == 1:
        return "1 step"
    together = [
        f"{', '.join(own[:-1])} and {own[-1]} at once" if len(own) > 1 else own[0] for _, own in sorted(rounds.items())
    ]
    number = f"{len(rounds)} rounds" if len(rounds) > 1 else "1 round"
    return short(f"{len(nodes)} steps in {number}: {'; '.join(together)}")


def step_lines(
    node: dict[str, Any], step: dict[str, Any], beside: Rails, said: set[str], told: set[str]
) -> Iterator[Line]:
    """A step with what it waits for, then its values; those that the request says are marked."""
    at = f"/plugins/{node['step']}"
    below = f"  {beside.below} "
    under = f"{below}     "
    waits = f"  after {', '.join(str(earlier + 1) for earlier in node['needs'])}" if node["needs"] else ""
    name = "(no pluginId)" if node["plugin_id"] is None else short(str(node["plugin_id"]), WIDE)
    title = step.get("name")
    called = f" {short(title, WIDE)}" if isinstance(title, str) and title != node["plugin_id"] else ""
    head = Text.assemble(f"  {beside.node} ", (f"{node['step'] + 1} {name}", "bold"), called, (waits, "cyan"))
    yield Line(at, head, under)
    values = list(leaves(step.get(PARAMETERS), f"{at}/{PARAMETERS}")) if PARAMETERS in step else []
    shown = [value for place, value in enumerate(values) if place < VALUES or value[0] in told]
    for pointer, kind, text in shown:
        value = short(f'"{text}"' if kind == "string" else text, WIDE)
        key = short(".".join(tokens(pointer)[3:]) or PARAMETERS, WIDE)
        line = Text(f"{below}   {key}: ") + Text(value, style="green" if pointer in said else "")
        yield Line(pointer, line + Text("  said in the request" if pointer in said else "", style="dim"), under)
    if len(shown) < len(values):
        yield Line(f"{at}/{PARAMETERS}", Text(f"{below}   and {len(values) - len(shown):,} more values"), under)
