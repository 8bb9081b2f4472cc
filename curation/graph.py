"""The graph of a plan: which step waits for which, and which can run at the same time."""

from typing import Any

from curation.batch import parse_answer
from curation.filters.dependency import edges_of


def plan_graph(plan: str | None) -> list[dict[str, Any]]:
    """The steps of a plan (JSON text) in its order: `{step, plugin_id, needs, round}`.

    `step` is the position in the plan, `needs` those of the earlier steps that it depends on, `round` when it can run:
    1 where it waits for nobody, else one after the last step that it waits for. Entries that no earlier step answers to
    are faults and no edges.
    """
    steps = list(parse_answer(plan).steps)
    needs: dict[int, set[int]] = {i: set() for i, _ in steps}
    for edge in edges_of(steps):
        if edge.to is not None and edge.to < edge.step:
            needs[edge.step].add(edge.to)
    rounds: dict[int, int] = {}
    for i, _ in steps:
        rounds[i] = 1 + max((rounds[earlier] for earlier in needs[i]), default=0)
    return [
        {"step": i, "plugin_id": step.get("pluginId"), "needs": sorted(needs[i]), "round": rounds[i]}
        for i, step in steps
    ]
