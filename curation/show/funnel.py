"""The funnel as a table: how many are left after each stage, and why the rest fell."""

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from curation.children import MADE
from curation.release.splits import SPLITS
from curation.sample import PLURALS

REASONS_SHOWN = 4  # of a stage; the rest is counted


def funnel(status: dict[str, Any]) -> Group:
    """The table that `curation status` prints, from the object that `status --json` prints; releases are told apart."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for column in ("left", "fell", "flagged"):
        table.add_column(column, justify="right")
    table.add_column("why")
    table.add_row("traces", f"{status['traces']:,}", "", "", note(status))
    left = status["samples"]
    table.add_row("samples", f"{left:,}", "", "", of_kinds(status))
    fell = by_stage(status["fell"])
    if replaced := status["replaced"]:
        left -= replaced
        table.add_row("  replaced", f"{left:,}", f"{replaced:,}", "", made(status["made"]))
        fell["lineage"] = {**fell["lineage"], "lineage.superseded": fell["lineage"]["lineage.superseded"] - replaced}
    for stage in status["stages"]:
        reasons = fell.get(stage["stage"], {})
        decided = {reason: number for reason, number in reasons.items() if reason != "undecided"}
        left -= sum(decided.values())
        flagged = f"{stage['flag']:,}" if stage["flag"] else ""
        table.add_row(f"  {stage['stage']}", f"{left:,}", f"{sum(decided.values()):,}", flagged, why(reasons))
    table.add_row(Text("accepted", style="bold"), Text(f"{status['accepted']:,}", style="bold green"), "", "", "")
    spent = [Text(f"spent on judging: ${status['usd']:,.2f}")] if status["usd"] else []
    return Group(Text(f"recipe {status['recipe']}", style="bold"), table, *spent, *judging(status), *nightly(status))


def judging(status: dict[str, Any]) -> list[Text]:
    """How many replies of the judge are still to be taken in, and what speaks against it."""
    waiting = status.get("waiting_replies", 0)
    lines = (
        [Text(f"{waiting:,} replies of the judge wait in its journal, to be taken in by its next run")]
        if waiting
        else []
    )
    lines += [
        Text(f"the next release will be held: {sentence}", style="yellow") for sentence in status.get("doubts", ())
    ]
    return lines


def nightly(status: dict[str, Any]) -> list[Text]:
    """What the last release changed, how the last refresh went, and which sources are in trouble since when."""
    lines = []
    if (told := status.get("changes")) is not None:
        moved = f", {told['moved']:,} in another split" if told["moved"] else ""
        against = f"+{told['added']:,} −{told['removed']:,} rows against {told['parent']}{moved}"
        lines.append(Text(f"release {told['name']} {told['version']}: {against}"))
    if (last := status.get("last_refresh")) is not None:
        more = "" if last["more_accepted"] is None else f", {last['more_accepted']:+,} accepted"
        why = f": {last['detail']}" if last["detail"] else ""
        said = f"last refresh {last['started_at'][:16].replace('T', ' ')} UTC: {last['state']}{more}{why}"
        lines.append(Text(said, style="" if last["state"] in ("finished", "running") else "yellow"))
    for row in status.get("trouble", ()):
        since = row["since"][:16].replace("T", " ")
        lines.append(Text(f"{row['source']} could not be read since {since} UTC: {row['sentence']}", style="yellow"))
    return lines


def by_stage(fell: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """stage -> reason -> how many samples fell there first."""
    found: dict[str, dict[str, int]] = {}
    for row in fell:
        found.setdefault(row["stage"], {})[row["reason"]] = row["samples"]
    return found


def why(reasons: dict[str, int]) -> str:
    """The most frequent reasons with their counts."""
    ranked = sorted(
        ((reason, number) for reason, number in reasons.items() if number), key=lambda item: (-item[1], item[0])
    )
    shown = [f"{number:,} {reason}" for reason, number in ranked[:REASONS_SHOWN]]
    rest = sum(number for _, number in ranked[REASONS_SHOWN:])
    return ", ".join([*shown, f"{rest:,} others"] if rest else shown)


def note(status: dict[str, Any]) -> str:
    """What became of traces that gave no sample of their own."""
    parts = [f"{status[key]:,} {key}" for key in ("unreadable", "repeated") if status[key]]
    return ", ".join(parts)


def made(by_maker: dict[str, int]) -> str:
    """What stands in the place of the samples that were replaced."""
    return "by " + ", ".join(f"{number:,} {MADE.get(maker, maker)}" for maker, number in by_maker.items())


def of_kinds(status: dict[str, Any]) -> str:
    """How many samples of each kind there are, where not all are the recipe's."""
    kinds = dict(status["kinds"])
    if sum(kinds.values()) == status["samples"] - sum(status["made"].values()):
        return ""
    plans = f"of {kinds.pop('plan', 0):,} plans"
    others = ", ".join(f"{number:,} {PLURALS[kind]}" for kind, number in kinds.items())
    return f"{plans}; {others} are not asked for" if others else plans


def release_lines(release: dict[str, Any]) -> list[Text]:
    """One release in one line; of a held one also why it waits, and what a person can do."""
    rows = ", ".join(f"{release['rows'][split]:,} {split}" for split in SPLITS if split in release["rows"])
    line = f"release {release['name']} {release['version']} ({release['state']}): {rows}  {release['path'] or ''}"
    lines = [Text(line.rstrip(), overflow="fold")]
    if release["state"] == "held":
        lines += [Text(f"  {sentence}", style="yellow") for sentence in release["guards"]]
        lines.append(
            Text(
                f"  `curation releases approve {release['name']}@{release['version']}` lets it out, reject keeps it in"
            )
        )
    return lines
