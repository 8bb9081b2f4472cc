"""Tries settings of a recipe on a copy of the warehouse: what a check under them would drop and rescue."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl

from curation.judge.decide import NAME as JUDGE
from curation.lock import only_one
from curation.recipe import Recipe
from curation.recipes.settings import with_settings
from curation.stages import REASONS
from flows.checking import check
from flows.loading import read_members
from flows.reasons import why
from warehouse import Store, keeping

EXAMPLES = 3  # of what is dropped, and of what is rescued, for one reason


def try_out(store: Store, recipe: Recipe, settings: Iterable[str]) -> dict[str, Any]:
    """What `check --dry-run` says, as JSON values: `{recipe, settings, samples, before, after, unchecked, reasons}`.

    `before` and `after` count the samples that the checks let through (whatever the judge says), under the recipe and
    under it with the settings; without any, as the last check left them and as the next one would. `unchecked` ones had
    no verdict before. A reason has `found_before` and `found` (samples in which it stands), `drops` and `rescues` (those
    let through no more, or again, for it), and up to three of each as `drop_examples` and `rescue_examples`.
    Everything happens in a copy beside the warehouse that is gone afterwards; the warehouse itself keeps its rows.
    Raises RecipeError for settings that a recipe may not have, StoreError where there is no room for the copy.
    """
    listed = list(settings)
    changed = with_settings(recipe, listed)
    with copied(store) as copy:
        if listed:
            check(copy, recipe)
        before, found_before = standing(copy, recipe), counts(copy, recipe)
        check(copy, changed)
        after, found = standing(copy, changed), counts(copy, changed)
        both = before.join(after, on="origin_id", how="right", suffix="_after")
        names = dict(copy.read("trace_ids", {"wanted": both.select(sample_id="origin_id")}).iter_rows())
    drops = by_reason(both.filter(~pl.col("stands_after") & pl.col("stands").fill_null(True)), "_after")
    rescues = by_reason(both.filter(pl.col("stands_after") & ~pl.col("stands")), "")
    reasons = sorted({*found, *found_before, *drops, *rescues}, key=place)
    rows = [
        {
            "reason": reason,
            "found_before": found_before.get(reason, 0),
            "found": found.get(reason, 0),
            **told("drop", drops.get(reason, []), names),
            **told("rescue", rescues.get(reason, []), names),
        }
        for reason in reasons
    ]
    return {
        "recipe": recipe.name,
        "settings": listed,
        "samples": after.height,
        "before": int(before["stands"].sum()),
        "after": int(after["stands"].sum()),
        "unchecked": both.filter(pl.col("stands").is_null()).height,
        "reasons": [row for row in rows if row["drops"] or row["rescues"] or row["found"] != row["found_before"]],
    }


@contextmanager
def copied(store: Store) -> Iterator[Store]:
    """A copy of the warehouse beside it, for this block alone; what a killed one left is taken away first."""
    folder = store.path.with_name(f"{store.path.name}.dry-run")
    with store.reading():
        pass  # there is a warehouse, or else this says so
    with only_one(store.path, "dry-run"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            keeping.copy(store, folder / store.path.name)
            yield Store(folder / store.path.name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def standing(store: Store, recipe: Recipe) -> pl.DataFrame:
    """(origin_id, stands, reason): whether the checks let through what stands for each sample of a trace, else why not."""
    members = read_members(store, recipe)
    verdicts = store.read("verdicts", {"members": members}, recipe=recipe.name, accepted=None, reason=None)
    return (
        members.filter(pl.col("replaced_by").is_null())
        .join(verdicts, on="sample_id")
        .select(
            "origin_id", stands=pl.col("accepted") | (pl.col("stage") == JUDGE), reason=pl.col("reason").fill_null("")
        )
        .unique("origin_id", maintain_order=True)
    )


def counts(store: Store, recipe: Recipe) -> dict[str, int]:
    """In how many samples each reason of the checks is found."""
    return {
        row["reason"]: row["found"] for row in why(store, recipe)["reasons"] if row["stage"] != JUDGE and row["found"]
    }


def by_reason(fallen: pl.DataFrame, suffix: str) -> dict[str, list[str]]:
    """The samples that fell, by why they did before or after."""
    grouped = fallen.sort("origin_id").group_by(f"reason{suffix}", maintain_order=True).agg("origin_id")
    return {str(reason): ids for reason, ids in grouped.iter_rows()}


def told(what: str, ids: list[str], names: dict[str, str | None]) -> dict[str, Any]:
    """How many are dropped or rescued, and some of them."""
    examples = [{"trace_id": names.get(each), "sample_id": each} for each in ids[:EXAMPLES]]
    return {f"{what}s": len(ids), f"{what}_examples": examples}


def place(reason: str) -> tuple[int, str]:
    """Where a reason stands in the order in which a reader hears of them; what is none comes last."""
    return REASONS.index(reason) if reason in REASONS else len(REASONS), reason
