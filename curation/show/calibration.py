"""What a calibration found, as tables and sentences: agreement, the curve of thresholds, what the judge is partial to."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

# From Landis and Koch, who call these moderate and substantial.
MODERATE, SUBSTANTIAL = 0.4, 0.6


def calibration(told: dict[str, Any]) -> Group:
    """What `curation calibrate` prints, from the object that `--json` prints."""
    head = f"{told['model']} ({told['spec']}) against {told['samples']:,} samples labelled by {told['labellers']:,}"
    return Group(
        Text(head, style="bold"),
        agreements(told["agreements"]),
        Text("thresholds: of what is accepted, how much people accept too", style="bold"),
        thresholds(told),
        *(Text(sentence) for sentence in (*of_biases(told), *advice(told))),
    )


def agreements(rows: list[dict[str, Any]]) -> Table:
    """One row a criterion."""
    table = columns("criterion", "samples", "kappa", "95%", "judge", "people", "among people")
    for row in rows:
        table.add_row(
            row["criterion"],
            f"{row['pairs']:,}",
            decimal(row["kappa"]),
            between(row),
            f"{row['judge_mean']:.1f}",
            f"{row['people_mean']:.1f}",
            decimal(row["people"]),
        )
    return table


def thresholds(told: dict[str, Any]) -> Table:
    """One row a threshold at which something changes; the recommended one is marked, and the recipe's."""
    table = columns("accept", "accepted", "precision", "95%", "recall", "")
    last = None
    for row in told["curve"]:
        marks = []
        if told["recommended"] and row["threshold"] == told["recommended"]["threshold"]:
            marks.append("recommended")
        if row["threshold"] == told["accept"]:
            marks.append("the recipe's")
        if row["accepted"] != last or marks:
            cells = (f"{row['threshold']:g}", f"{row['accepted']:,}", decimal(row["precision"]), between(row))
            table.add_row(*cells, decimal(row["recall"]), ", ".join(marks))
        last = row["accepted"]
    return table


def of_biases(told: dict[str, Any]) -> Iterator[str]:
    """One sentence for each thing that the judge may be partial to."""
    for row in told["biases"]:
        if row["rho"] is None:
            yield f"{row['feature']}: cannot be told, of {row['pairs']:,} samples nothing varies"
            continue
        found = f"rank correlation {row['rho']:+.2f}, 95% {between(row)}, {row['pairs']:,} samples"
        more = "kinder" if row["rho"] > 0 else "harder"
        said = (
            f"the judge is {more} than people the more there is"
            if row["feature"] in told["biased"]
            else "no bias is seen"
        )
        yield f"{row['feature']}: {said} ({found})"


def advice(told: dict[str, Any]) -> Iterator[str]:
    """What follows for the recipe."""
    if told["blank"] or told["unjudged"]:
        yield f"left out: {told['blank']:,} blank labels, {told['unjudged']:,} labelled samples without a score by this judge"
    overall = next((row for row in told["agreements"] if row["criterion"] == "overall"), None)
    if overall and overall["low"] is not None and overall["low"] < MODERATE:
        yield (
            f"the overall scores may agree with people's as little as {overall['low']:.2f} ({SUBSTANTIAL:g} is substantial): "
            "read the rationales of samples on which you differ before you trust any threshold"
        )
    best = told["recommended"]
    if best is None:
        yield (
            f"no threshold is sure (95%) of a precision of {told['precision']:g}: label more samples, ask for less with "
            "--precision, or take another model"
        )
        return
    recall = "" if best["recall"] is None else f", and {best['recall']:.0%} of what people accept is kept"
    yield (
        f"recommended: accept = {best['threshold']:g} under [judge]: people accept {best['right']:,} of the "
        f"{best['accepted']:,} samples above it, {best['precision']:.0%} (95%: {between(best)}){recall}"
    )


def columns(*names: str) -> Table:
    """An empty table; all but the first column hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number and name else "left")
    return table


def decimal(value: float | None) -> str:
    """A number between -1 and 1; nothing where there is none."""
    return "" if value is None else f"{value:.2f}"


def between(row: dict[str, Any]) -> str:
    """An interval."""
    return "" if row["low"] is None else f"{row['low']:.2f} to {row['high']:.2f}"
