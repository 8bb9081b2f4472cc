"""How large the warehouse is, as a table: rows and bytes by table."""

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text


def sizes(told: dict[str, Any]) -> Group:
    """What `curation warehouse size` prints, from the object that `--json` prints."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("table")
    for column in ("rows", "MB"):
        table.add_column(column, justify="right")
    for row in told["tables"]:
        if row["rows"]:
            table.add_row(row["name"], f"{row['rows']:,}", megabytes(row["bytes"]))
    lines = [
        Text(f"{told['warehouse']}: {megabytes(told['bytes'])} MB, of which {megabytes(told['free'])} MB are free")
    ]
    if told["journals"]:
        lines.append(Text(f"replies that wait to be folded in: {megabytes(told['journals'])} MB"))
    return Group(*lines, table)


def megabytes(number: int) -> str:
    """Bytes in millions, with one decimal."""
    return f"{number / 1e6:,.1f}"
