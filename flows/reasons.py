"""Counts in how many samples each reason is found, and keeps the counts of each check so that the next is held against it."""

from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl

from curation.recipe import Recipe
from flows.loading import read_members
from warehouse import Store


def keep_reasons(store: Store, recipe: Recipe, members: pl.DataFrame) -> None:
    """Writes down what stands found since the last check, before a new one changes it: in those of the members that it saw."""
    if store.read("last_checked", recipe=recipe.name, most=1).is_empty():
        return
    found = store.read("found_reasons", {"members": members}, recipe=recipe.name, only_seen=True)
    if found.is_empty():
        return  # or else a killed check has made all verdicts void: what was counted before stays
    found = found.select("stage", "reason", "found")
    reasons = orjson.dumps(found.to_dicts()).decode()
    with store.write() as transaction:
        transaction.run("update_checked", recipe=recipe.name, reasons=reasons)


def begin_reasons(store: Store, recipe: Recipe, samples: int) -> None:
    """Writes down that so many samples were checked now; what is found in them is counted once the next check begins."""
    with store.write() as transaction:
        transaction.run(
            "insert_checked", recipe=recipe.name, samples=samples, reasons="[]", checked_at=datetime.now(UTC)
        )


def why(store: Store, recipe: Recipe) -> dict[str, Any]:
    """What `status --why` says, as JSON values: `{recipe, samples, since, reasons}`.

    Each reason has `stage`, `reason`, `found` (samples in which it stands), `share` of all, `flagged` and `fell` (those
    that it only flags, and those that it put out first), `change` of `found` since the check before the last, which
    was at `since` (null: there was none), and up to three `examples` (`trace_id`, `sample_id`).
    """
    with store.reading():
        members = read_members(store, recipe)
        found = store.read("found_reasons", {"members": members}, recipe=recipe.name, only_seen=False)
        runs = store.read("last_checked", recipe=recipe.name, most=2)
        ids = found.select(sample_id=pl.col("examples").explode()).unique()
        names = dict(store.read("trace_ids", {"wanted": ids}).iter_rows())
    before = runs.row(1, named=True) if runs.height > 1 else None
    known = {(row["stage"], row["reason"]): row["found"] for row in orjson.loads(before["reasons"])} if before else {}
    rows = [
        {**row, "examples": [{"trace_id": names.get(each), "sample_id": each} for each in row["examples"]]}
        for row in found.iter_rows(named=True)
    ]
    gone = known.keys() - {(row["stage"], row["reason"]) for row in rows}
    rows += [
        {"stage": stage, "reason": reason, "found": 0, "flagged": 0, "fell": 0, "examples": []}
        for stage, reason in sorted(gone)
    ]
    for row in rows:
        row["share"] = row["found"] / members.height if members.height else 0.0
        row["change"] = row["found"] - known.get((row["stage"], row["reason"]), 0) if before else None
    return {
        "recipe": recipe.name,
        "samples": members.height,
        "since": before["checked_at"].isoformat() if before else None,
        "reasons": rows,
    }
