"""Holds a release against the last one before it goes out, by the recipe's guards, and knows what people rejected."""

from typing import Any

import orjson
import polars as pl

from curation.errors import Stopped
from curation.recipe import Recipe
from curation.release.guards import Candidate, tripped
from warehouse import Store


def reasons(
    store: Store, recipe: Recipe, told: dict[str, Any], samples: pl.DataFrame, last: str | None
) -> tuple[str, ...]:
    """Why these samples must wait for a person, given the funnel (`told`) and the last version; empty: they may go out."""
    before, new = None, samples.height
    if last is not None:
        held = store.read("release_held", name=recipe.name, version=last)
        new = samples.filter(~pl.col("sample_id").is_in(held["sample_id"].implode())).height
        before = earlier(store, recipe.name, last)
    return tripped(recipe.guard, Candidate(new, told["samples"], fell(told), before, told["doubts"]))


def fell(told: dict[str, Any]) -> dict[str, int]:
    """reason -> samples that it put out; what is undecided has not fallen."""
    found: dict[str, int] = {}
    for row in told["fell"]:
        if row["reason"] != "undecided":
            found[row["reason"]] = found.get(row["reason"], 0) + row["samples"]
    return found


def earlier(store: Store, name: str, version: str) -> Candidate | None:
    """The last release as it was held against its own predecessor; None where its funnel was not kept."""
    kept = store.read("release_row", name=name, version=version)["funnel"].item()
    if kept is None:
        return None
    told = orjson.loads(kept)
    return Candidate(0, told["samples"], fell(told))


def remembered(told: dict[str, Any]) -> str:
    """What is kept of the funnel with a release: what the next one is held against."""
    return orjson.dumps({"samples": told["samples"], "fell": told["fell"]}).decode()


def held_already(store: Store, name: str, digest: str) -> str | None:
    """The version that waits with just these rows, if one does."""
    waiting = store.read("held_releases", name=name).filter(digest=digest)
    return None if waiting.is_empty() else str(waiting["version"][0])


def require_not_rejected(store: Store, name: str, digest: str) -> None:
    """Raises Stopped where a person has rejected just these rows."""
    for said in store.read("reviews", name=name).filter(digest=digest, decision="rejected").iter_rows(named=True):
        why = f" ({said['note']})" if said["note"] else ""
        raise Stopped(
            f"{said['reviewer']} rejected just these rows of {name} on {said['decided_at']:%Y-%m-%d}{why}; "
            "they are published once the recipe or the data has changed"
        )
