"""The results as the Hub's model card takes them: `model-index` in the head, and a table with intervals below it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainers.evaluation import results
from trainers.evaluation.metrics import FIELD, ORCHESTRATOR, PLANNER
from trainers.evaluation.picture import name_of
from trainers.evaluation.summary import CATEGORIES, OTHERS, SCORE
from trainers.evaluation.tables import LABELS, cell

CARD = "evaluation.md"
TASK = "text-generation"  # the Hub's id of the task
INDEXED = ("mean", SCORE, "composite", *dict.fromkeys((*ORCHESTRATOR, *PLANNER, *FIELD)))  # in this order

Figures = Mapping[str, Any]


def eval_results(summary: Figures) -> list[Any]:
    """One `EvalResult` for each metric and pool; pool, n and interval are its `metric_args`.

    The Hub's library tells results apart by task and dataset, of which a pool would be lost.
    """
    from huggingface_hub import EvalResult

    release = summary["release"]
    told = []
    for pool, figures in summary["pools"].items():
        for name in INDEXED:
            found = figures["mean"] if name == "mean" else figures["metrics"][name]
            if found["mean"] is None:
                continue
            told.append(
                EvalResult(
                    task_type=TASK,
                    task_name="Plans of plugin calls",
                    dataset_type=release["name"],
                    dataset_name=f"{release['name']} {release['version']}",
                    dataset_config="grpo",
                    dataset_split=release["split"],
                    dataset_revision=release["commit"] or f"v{release['version']}",
                    metric_type=name,
                    metric_name=f"{label_of(name)} (pool {pool})",
                    metric_value=round(found["mean"], 4),
                    metric_args={
                        "pool": pool,
                        "n": found["n"],
                        "low_95": round(found["low"], 4),
                        "high_95": round(found["high"], 4),
                    },
                )
            )
    return told


def label_of(name: str) -> str:
    """A metric's name for people."""
    return "mean of the five categories" if name == "mean" else LABELS[name]


def table(summary: Figures) -> str:
    """The figures as a Markdown table, a column for each pool."""
    pools = summary["pools"]
    rows = [[label_of(name), *(cell(_found(f, name)) for f in pools.values())] for name in INDEXED]
    for category in (*CATEGORIES, *OTHERS):
        found = [f["categories"].get(category) for f in pools.values()]
        if any(found):
            rows.append([f"{category}: {LABELS[SCORE]}", *(cell(f["metrics"][SCORE]) if f else "–" for f in found)])
    head = ["", *(f"pool {pool}" for pool in pools)]
    lines = [head, ["---", *("---:" for _ in pools)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _found(figures: Figures, name: str) -> Figures:
    found: Figures = figures["mean"] if name == "mean" else figures["metrics"][name]
    return found


def card(summary: Figures) -> str:
    """The whole file, as `huggingface_hub` writes and reads it again."""
    from huggingface_hub import ModelCardData

    data = ModelCardData(model_name=name_of(summary["model"]), eval_results=eval_results(summary))
    release, decoding = summary["release"], summary["decoding"]
    said = (
        f"On the split `{release['split']}` of {release['name']} {release['version']}, in percent, with 95% bootstrap "
        f"intervals and the number of samples. A pool is how many plugins the model chose from. Temperature "
        f"{decoding['temperature']:g}, top_p {decoding['top_p']:g}, at most {decoding['max_new_tokens']:,} new tokens."
    )
    return f"---\n{data.to_yaml()}\n---\n\n## Evaluation\n\n{said}\n\n{table(summary)}\n"


def write_card(folder: Path, summary: Figures) -> Path:
    """Writes the file, once `huggingface_hub` has read it back to the same results."""
    from huggingface_hub import ModelCard, ModelCardData

    text = card(summary)
    data = ModelCard(text).data
    again = (data.eval_results or []) if isinstance(data, ModelCardData) else []
    if again != eval_results(summary):
        raise ValueError(
            f"the Hub's own reader finds {len(again)} results in the card, of {len(eval_results(summary))}"
        )
    results.write(folder / CARD, text.encode())
    return folder / CARD
