"""What a check under other settings would change, as a table: reason by reason, with examples."""

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from curation.show.marks import short

WIDE = 40  # characters of an example's id


def tried(told: dict[str, Any]) -> Group:
    """What `curation check --dry-run` prints, from the object that `--json` prints."""
    under = f"with {' and '.join(told['settings'])}" if told["settings"] else "at the next check"
    more = told["after"] - told["before"]
    head = f"{under}: {told['after']:,} of {told['samples']:,} samples pass the checks of {told['recipe']}"
    than = f", {abs(more):,} {'more' if more > 0 else 'fewer'} than before" if more else ", as many as before"
    lines = [Text(short(head) + than, style="bold")]
    if told["unchecked"]:
        lines.append(Text(f"{told['unchecked']:,} of them have not been checked before"))
    if not told["reasons"]:
        return Group(*lines)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("reason")
    for column in ("found in", "then in", "drops", "rescues"):
        table.add_column(column, justify="right")
    table.add_column("such as", overflow="fold")
    for row in told["reasons"]:
        table.add_row(
            row["reason"],
            f"{row['found_before']:,}",
            f"{row['found']:,}",
            Text(f"{row['drops']:,}" if row["drops"] else "", style="red"),
            Text(f"{row['rescues']:,}" if row["rescues"] else "", style="green"),
            Text(", ".join(examples(row))),
        )
    return Group(*lines, table)


def examples(row: dict[str, Any]) -> list[str]:
    """Ids of what is dropped (-) and rescued (+)."""
    signs = (("-", row["drop_examples"]), ("+", row["rescue_examples"]))
    return [f"{sign}{short(each['trace_id'] or each['sample_id'], WIDE)}" for sign, some in signs for each in some]
