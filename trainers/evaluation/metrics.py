"""The table of all metrics: name -> function of an answer and its gold.

A metric gives a number from 0 to 1, the more the better. An answer that is not a plan scores 0. Where there is nothing
to measure, which the gold alone decides, a metric gives None whatever the answer: so all models are measured on the
same rows.
"""

from collections.abc import Callable, Mapping
from statistics import fmean

from trainers.evaluation import field, published
from trainers.evaluation.gold import Gold
from trainers.plans import Answer

Metric = Callable[[Answer, Gold], float | None]
Scores = dict[str, float | None]

# The published table of the orchestrator (gemma-4-E2B), in its order.
ORCHESTRATOR: dict[str, Metric] = {
    "json_valid": published.json_valid,
    "plugin_match": published.plugin_match,
    "count_match": published.count_match,
    "no_hallucinate": published.no_hallucinate,
    "hydrated": published.hydrated,
    "deps_chain": published.deps_chain,
}
# The published table of the planner (Qwen3.5-0.8B), in its order; its first row is the other table's.
PLANNER: dict[str, Metric] = {
    "json_valid": published.json_valid,
    "correct_plugin_ids": published.correct_plugin_ids,
    "params_type": published.params_type,
    "param_keys": published.param_keys,
    "real_ids": published.real_ids,
    "dependencies_present": published.dependencies_present,
}
# What the field measures.
FIELD: dict[str, Metric] = {
    "bfcl_ast": field.bfcl_ast,
    "plan_exact": field.plan_exact,
    "node_f1": field.node_f1,
    "edge_f1": field.edge_f1,
    "argument_name_f1": field.argument_name_f1,
    "argument_value_f1": field.argument_value_f1,
    "edit_similarity": field.edit_similarity,
}
# Means of a table's rows, for each plan. The mean of the five published category scores under the first is .918, as
# published; the mean over all plans is .923, that of the published rows.
MEANS: dict[str, Mapping[str, Metric]] = {"orchestrator_score": ORCHESTRATOR, "composite": PLANNER}

METRICS: dict[str, Metric] = ORCHESTRATOR | PLANNER | FIELD
NAMES = (*METRICS, *MEANS)
# What the F1 scores over all plans at once are made of: how many things are in both plans, in the answer, in the gold.
COUNTS = tuple(f"{name}_{part}" for name in field.COUNTED for part in field.Overlap._fields)
# Those that are 0 or 1, so that two models are compared by McNemar's test.
BINARY = frozenset(METRICS) - {"param_keys", *field.COUNTED, "edit_similarity"}


def measure(answer: Answer, gold: Gold) -> Scores:
    """Every metric of one answer."""
    scores: Scores = {name: metric(answer, gold) for name, metric in METRICS.items()}
    for name, table in MEANS.items():
        scores[name] = fmean(scores[row] or 0.0 for row in table)
    return scores


def count(answer: Answer, gold: Gold) -> dict[str, int]:
    """COUNTS of one answer."""
    counted = {name: field.overlap(name, answer, gold) for name in field.COUNTED}
    return {f"{name}_{part}": n for name, found in counted.items() for part, n in found._asdict().items()}
