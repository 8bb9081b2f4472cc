"""What the terminal shows of an evaluation: the published tables with ours beside them, and the worst answers."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trainers.evaluation.field import COUNTED
from trainers.evaluation.metrics import FIELD, ORCHESTRATOR, PLANNER
from trainers.evaluation.summary import BY_DIFFICULTY, CATEGORIES, DIFFICULTIES, OTHERS, SCORE, main_pool, published
from trainers.plans import PROBLEMS

Figures = Mapping[str, Any]

# metric -> what people read
LABELS = {
    "json_valid": "JSON valid",
    "plugin_match": "plugin-ID match",
    "count_match": "count match",
    "no_hallucinate": "no-hallucinate",
    "hydrated": "hydrated",
    "deps_chain": "deps chain",
    "correct_plugin_ids": "correct plugin IDs",
    "params_type": "params correct type",
    "param_keys": "param keys match",
    "real_ids": "real production IDs",
    "dependencies_present": "dependencies present",
    "composite": "composite (mean of the six)",
    SCORE: "mean of the six",
    "bfcl_ast": "BFCL AST match",
    "plan_exact": "whole plan exact",
    "node_f1": "TaskBench node F1",
    "edge_f1": "TaskBench edge F1",
    "argument_name_f1": "TaskBench argument-name F1",
    "argument_value_f1": "TaskBench argument-value F1",
    "edit_similarity": "1 − TaskBench edit distance",
}
WIDTH = 400  # characters of a completion that are shown


def cell(found: Figures) -> str:
    """A figure in percent with its interval and the number of rows it is a mean of."""
    if found["mean"] is None:
        return "–"
    return f"{percent(found['mean'])} [{percent(found['low'])}, {percent(found['high'])}] n={found['n']:,}"


def percent(share: float) -> str:
    """A share in percent, with one decimal."""
    return f"{100 * share:.1f}"


def tables(summary: Figures) -> RenderableType:
    """Every table of a summary, one below the other."""
    pools = summary["pools"]
    shown: list[RenderableType] = [
        orchestrator(summary),
        by_category(summary),
        planner(summary),
        by_difficulty(summary),
        field_table(pools),
        *(Text(line) for line in notes(pools)),
    ]
    if "against" in summary:
        shown.append(against(summary["against"], summary["model"]))
    return Group(*shown)


def _table(title: str, pools: Figures, systems: Iterable[str] = ()) -> Table:
    """An empty table with a column for each pool, then one for each published system and its p-value."""
    table = Table(
        title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="bold"
    )
    table.add_column("")
    for pool, figures in pools.items():
        candidates = figures["candidates"]
        size = f", {candidates:.1f} candidates" if pool == "own" and candidates is not None else ""
        table.add_column(f"pool {pool}{size}", justify="right", no_wrap=True)
    for system in systems:
        table.add_column(f"published {system}", justify="right")
    return table


def orchestrator(summary: Figures) -> Table:
    """The orchestrator's metrics."""
    known = published()["orchestrator"]
    table = _measures(summary, "orchestrator", ORCHESTRATOR)
    middle = [f"{value:.3f} n={known['n']}" for value in known["mean"].values()]
    table.add_row("mean of the five categories", *(cell(f["mean"]) for f in summary["pools"].values()), *middle)
    table.add_row(LABELS[SCORE], *(cell(f["metrics"][SCORE]) for f in summary["pools"].values()))
    return table


def planner(summary: Figures) -> Table:
    """The planner's metrics."""
    known = published()["planner"]
    table = _measures(summary, "planner", PLANNER)
    theirs = [f"{value:.1f} n={known['n']}" for value in known["composite"].values()]
    table.add_row(LABELS["composite"], *(cell(f["metrics"]["composite"]) for f in summary["pools"].values()), *theirs)
    return table


def _measures(summary: Figures, name: str, metrics: Iterable[str]) -> Table:
    pools, known, beside = summary["pools"], published()[name], summary["published"][name]
    systems = next(iter(known["metrics"].values()))
    table = _table(f"{known['title']}; p: Fisher's, of the pool {main_pool(pools)} against it", pools, systems)
    for metric in metrics:
        theirs = [_published(system) for system in beside[metric].values()]
        table.add_row(LABELS[metric], *(cell(f["metrics"][metric]) for f in pools.values()), *theirs)
    return table


def _published(system: Figures) -> str:
    p = "" if system["p"] is None else f" p={system['p']:.2g}"
    return f"{percent(system['mean'])} n={system['n']}{p}"


def by_category(summary: Figures) -> Table:
    """The mean of the orchestrator's six metrics in each category."""
    pools, known = summary["pools"], published()["orchestrator"]["categories"]
    systems = list(next(iter(known.values())))
    table = _table("orchestrator, by category: mean of the six", pools, systems)
    for category in (*CATEGORIES, *OTHERS):
        if not any(category in figures["categories"] for figures in pools.values()):
            continue
        found = [figures["categories"].get(category) for figures in pools.values()]
        theirs = [f"{known[category][system]:.3f}" if category in known else "–" for system in systems]
        table.add_row(category, *(cell(f["metrics"][SCORE]) if f else "–" for f in found), *theirs)
    return table


def by_difficulty(summary: Figures) -> Table:
    """The planner's three measures by number of tools."""
    pools, known = summary["pools"], published()["planner"]["difficulty"]
    table = _table("planner, by difficulty", pools, ["model"])
    for name, (least, most) in DIFFICULTIES.items():
        tools = str(least) if least == most else f"{least}-{most}" if most < 1000 else f"{least} or more"
        for metric in BY_DIFFICULTY:
            label = "exact match" if metric == "correct_plugin_ids" else LABELS[metric]
            ours = [cell(figures["difficulty"][name]["metrics"][metric]) for figures in pools.values()]
            theirs = known.get(name, {}).get(metric, {}).get("model")
            table.add_row(f"{name} ({tools}): {label}", *ours, "–" if theirs is None else f"{theirs:.0f}")
    return table


def field_table(pools: Figures) -> Table:
    """What the field measures: the mean over plans, and of F1 scores the one over all plans at once."""
    table = _table("the field's measures", pools)
    for metric in FIELD:
        table.add_row(LABELS[metric], *(cell(figures["metrics"][metric]) for figures in pools.values()))
        if metric in COUNTED:
            table.add_row("  over all plans at once", *(cell(figures["micro"][metric]) for figures in pools.values()))
    return table


def notes(pools: Figures) -> list[str]:
    """What a reader of the tables should know of each pool, one sentence each."""
    told = []
    for pool, figures in pools.items():
        if figures["unknown"]:
            told.append(
                f"pool {pool}: {figures['unknown']:,} samples are left out, since it is not known what was offered"
            )
        if figures["short"]:
            told.append(
                f"pool {pool}: {figures['short']:,} prompts have fewer candidates; the release has no more plugins"
            )
        if figures["problems"]:
            listed = ", ".join(f"{n:,} {PROBLEMS[code]}" for code, n in figures["problems"].items())
            told.append(f"pool {pool}: answers that are no plan: {listed}")
        if figures["cut_off"]:
            told.append(f"pool {pool}: {figures['cut_off']:,} answers reached the limit of new tokens")
    return told


def against(found: Figures, model: str) -> Table:
    """What the model has more than another on the same rows."""
    pools = {pool: {"candidates": None} for pool in found["pools"]}
    table = _table(f"{model} against {found['model']}, on the same samples", pools)
    for metric, label in LABELS.items():
        table.add_row(label, *(_difference(figures[metric]) for figures in found["pools"].values()))
    return table


def _difference(found: Figures) -> str:
    if found["mean"] is None:
        return "–"
    ends = f"[{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]"
    sign = "" if found["is_real"] else ", within noise"
    return f"{100 * found['mean']:+.1f} {ends} p={found['p']:.2g} n={found['n']:,}{sign}"


def worst(table: pl.DataFrame, limit: int) -> RenderableType:
    """The answers with the lowest mean over both published tables, the worst first; of equal ones by id."""
    order = table.with_columns(worth=pl.col(SCORE) + pl.col("composite") + pl.col("argument_value_f1").fill_null(1.0))
    shown: list[RenderableType] = []
    for row in order.sort("worth", "sample_id", "pool").head(limit).iter_rows(named=True):
        failed = [LABELS[name] for name in (*ORCHESTRATOR, *PLANNER, *FIELD) if row[name] is not None and row[name] < 1]
        why = (
            PROBLEMS[row["problem"]] if row["problem"] else f"below 1: {', '.join(dict.fromkeys(failed)) or 'nothing'}"
        )
        shown += [
            Text(f"{row['sample_id']}  {row['category']}  pool {row['pool']}  mean {row[SCORE]:.2f}", style="bold"),
            Text(f"  {why}"),
            Text(f"  request: {_short(row['request'])}"),
            Text(f"  wanted:  {_short(row['plan'])}"),
            Text(f"  wrote:   {_short(row['completion'])}\n"),
        ]
    return Group(*shown)


def _short(text: str | None) -> str:
    from curation.terminal import visible

    line = visible(" ".join((text or "").split()))
    return line if len(line) <= WIDTH else f"{line[:WIDTH]}… ({len(line):,} characters)"
