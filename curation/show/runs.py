"""What ran and what came of it: the refreshes of late, and every training run with its score."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from curation.terminal import visible

COLOURS = {
    "finished": "green",
    "running": "cyan",
    "held": "yellow",
    "stopped": "yellow",
    "failed": "red",
    "crashed": "red",
}


def runs(told: dict[str, Any]) -> Group:
    """What `curation runs` prints, from the object that `--json` prints."""
    parts: list[RenderableType] = []
    if told["refreshes"]:
        parts += [Text("refreshes", style="bold"), refreshes(told["refreshes"])]
    if told["runs"]:
        parts += [Text("training runs", style="bold"), training(told["runs"])]
    return Group(*parts)


def refreshes(rows: list[dict[str, Any]]) -> Table:
    """The refreshes, newest first."""
    table = columns("began", "recipe", "state", "new traces", "accepted", "release", "")
    for row in rows:
        table.add_row(
            row["started_at"][:19],
            row["recipe"],
            Text(row["state"], style=COLOURS[row["state"]]),
            number(row["new_traces"]),
            number(row["accepted"]),
            row["version"] or "",
            row["detail"] or "",
        )
    return table


def training(rows: list[dict[str, Any]]) -> Table:
    """The training runs, newest first."""
    table = columns("began", "kind", "preset", "release", "state", "score", "where", "")
    for row in rows:
        score = "" if row["score"] is None else f"{row['score']:.3f}"
        release = f"{row['name']} {row['version']}"
        table.add_row(
            row["started_at"][:19],
            visible(row["kind"]),
            visible(row["preset"]),
            visible(release),
            Text(visible(row["state"]), style=COLOURS.get(row["state"], "")),  # as a run.json says, whoever wrote it
            score,
            visible(row["address"]),
            visible(row["detail"] or ""),
        )
    return table


def columns(*names: str) -> Table:
    """An empty table with these columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def number(value: int | None) -> str:
    """A number as people write it; nothing where it is unknown."""
    return "" if value is None else f"{value:,}"
