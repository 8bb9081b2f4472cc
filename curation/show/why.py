"""Why samples fell, as a table: for each reason how many, their share, the change since the check before, and examples."""

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from curation.show.marks import short

WIDE = 40  # characters of an example's id


def why(told: dict[str, Any]) -> Group:
    """What `curation status --why` prints, from the object that `--json` prints as `why`."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("reason")
    for column in ("found in", "share", "change", "fell"):
        table.add_column(column, justify="right")
    table.add_column("such as", overflow="fold")
    for row in told["reasons"]:
        only_flags = bool(row["found"]) and row["flagged"] == row["found"]
        examples = ", ".join(short(each["trace_id"] or each["sample_id"], WIDE) for each in row["examples"])
        table.add_row(
            Text(row["reason"], style="yellow" if only_flags else "red"),
            f"{row['found']:,}",
            f"{row['share']:.1%}",
            change(row["change"]),
            f"{row['fell']:,}" if row["fell"] else "",
            Text(examples),
        )
    since = f"change since the check before, of {told['since'][:16].replace('T', ' ')} UTC" if told["since"] else ""
    head = f"recipe {told['recipe']}: what is found in its {told['samples']:,} samples"
    note = [Text(since, style="dim")] if since else []
    return Group(Text(head, style="bold"), table, *note)


def change(number: int | None) -> str:
    """How many more, or less, with its sign; nothing where there is nothing to compare with."""
    return "" if number is None else f"{number:+,}" if number else "0"
