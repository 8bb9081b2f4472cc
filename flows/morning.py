"""What whoever comes in the morning sees of a refresh: tables for Prefect's artifacts, made of the funnel."""

import os
import re
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.comparing import said
from flows.history import in_trouble
from flows.publishing import Published

Table = list[dict[str, Any]]


def show(
    recipe: str,
    funnel: dict[str, Any],
    before: dict[str, Any] | None,
    release: Published | None,
    trouble: list[dict[str, Any]],
) -> None:
    """Leaves the artifacts of one refresh on its run. They hold counts and ids, never what a sample says."""
    kind = key_of(funnel["recipe"])
    create_table_artifact(
        key=f"{kind}-funnel", table=stages(funnel, before), description="The funnel against the last run"
    )
    create_table_artifact(
        key=f"{kind}-drops", table=drops(recipe, funnel, before), description="Why samples fell; the command lists them"
    )
    if release is not None and release.new and funnel["changes"] is not None:
        create_table_artifact(
            key=f"{kind}-release", table=differences(funnel["changes"]), description=about(funnel["changes"], release)
        )
    create_markdown_artifact(key=f"{kind}-summary", markdown=summary(funnel, before, release, trouble))


def key_of(name: str) -> str:
    """A recipe's name as Prefect takes a key: letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-")


def stages(funnel: dict[str, Any], before: dict[str, Any] | None) -> Table:
    """One row for what came in, for each stage and for what is accepted: now, and how much more than at the last run."""
    rows = [("traces", "left", funnel["traces"], (before or {}).get("traces"))]
    rows.append(("samples", "left", funnel["samples"], (before or {}).get("samples")))
    then = {stage["stage"]: stage for stage in (before or {}).get("stages", ())}
    for stage in funnel["stages"]:
        for outcome in ("fail", "flag", "abstain"):
            if stage[outcome] or then.get(stage["stage"], {}).get(outcome):
                rows.append((stage["stage"], outcome, stage[outcome], then.get(stage["stage"], {}).get(outcome)))
    rows.append(("accepted", "left", funnel["accepted"], (before or {}).get("accepted")))
    return [
        {"stage": stage, "outcome": outcome, "samples": now, "since the last run": change(now, earlier)}
        for stage, outcome, now, earlier in rows
    ]


def drops(recipe: str, funnel: dict[str, Any], before: dict[str, Any] | None) -> Table:
    """One row for each reason for which samples fell, with the command that shows them."""
    then = {(row["stage"], row["reason"]): row["samples"] for row in (before or {}).get("fell", ())}
    return [
        {
            "stage": row["stage"],
            "reason": row["reason"],
            "samples": row["samples"],
            "since the last run": change(
                row["samples"], then.get((row["stage"], row["reason"]), 0 if before else None)
            ),
            "see them": f"curation samples --recipe {recipe} --reason {row['reason']} --limit 20",
        }
        for row in funnel["fell"]
    ]


def differences(changes: dict[str, Any]) -> Table:
    """One row for each split and each category of a release: its rows, and how they differ from its parent's."""
    columns = ("rows", "added", "removed", "moved")
    return [{"by": row["by"], "what": row["what"], **{key: row[key] for key in columns}} for row in changes["by"]]


def about(changes: dict[str, Any], release: Published) -> str:
    """Which two versions the table compares, and where the newer one lies."""
    where = f": {address(release.path)}" if release.path else ", which is held"
    return f"{release.name} {release.version} against {changes['parent']}{where}"


def address(path: str) -> str:
    """Where a release is looked at: its folder, or its page on the Hub at that tag."""
    repo, at, tag = path.removeprefix("hf://").partition("@")
    if not path.startswith("hf://") or not at:
        return path
    return f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/datasets/{repo}/tree/{tag}"


def change(now: int, earlier: int | None) -> str:
    """How much more than before, with its sign; nothing where nothing is known."""
    return "" if earlier is None else f"{now - earlier:+,}"


def summary(
    funnel: dict[str, Any], before: dict[str, Any] | None, release: Published | None, trouble: list[dict[str, Any]]
) -> str:
    """The run in a few lines: what it cost, what it published, and what needs a person."""
    spent = funnel["usd"] - (before or {}).get("usd", 0.0)
    lines = [f"**{funnel['recipe']}**: {funnel['accepted']:,} samples accepted, ${spent:,.2f} spent on judging"]
    lines += [f"- **source in trouble**: {in_trouble(row)}" for row in trouble]
    if release is None:
        lines.append("- nothing was published")
    elif release.state == "held":
        lines.append(f"- **held**: {release.name} {release.version} waits for a person")
        lines += [f"  - {sentence}" for sentence in release.guards]
        lines.append(f"  - `curation releases approve {release.name}@{release.version}`, or `reject`")
    else:
        rows = ", ".join(f"{number:,} {split}" for split, number in release.rows.items())
        word = "published" if release.new else "nothing new since"
        lines.append(f"- {word} {release.name} {release.version} ({rows}): {address(release.path or '')}")
        if release.new and funnel["changes"] is not None:
            lines.append(f"  - {said(funnel['changes'])}")
    return "\n".join(lines)
