"""Watches the judge: canaries in every run that asks, sentinels in every scheduled one, and what both have found."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import polars as pl

from curation.judge.canaries import load_canaries
from curation.judge.reply import parse
from curation.judge.specification import Specification
from curation.judge.watch import FEWEST, SURE, misjudged, shift, spread
from curation.recipe import Recipe
from curation.sample import SAMPLE_FRAME
from curation.stages import specification_of
from flows.loading import load_samples
from warehouse import Store

LASTS = timedelta(hours=12)  # an occasion: whoever resumes a run the next night wants to know how the judge is then
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
TRIES = 3  # replies about one canary or sentinel on one occasion: what has no score after that tells enough

# A row of the work list that watches the judge.
WORK_FRAME: dict[str, Any] = {**SAMPLE_FRAME, "attempt": pl.Int64(), "occasion": pl.String(), "watched": pl.String()}


@dataclass
class Occasion:
    """One run of the judge, with those that resumed it: the scores that it gave to what watches it, read anew."""

    started_at: datetime
    last_at: datetime
    canaries: dict[str, float | None] = field(default_factory=dict)  # sample_id -> overall
    sentinels: dict[str, float | None] = field(default_factory=dict)


def begin(store: Store, recipe: Recipe, specification: Specification) -> str:
    """The occasion of this run: the one that a run which was cut short has left open, else a new one."""
    about = {"recipe": recipe.name, "spec": specification.spec}
    now = datetime.now(UTC)
    left = store.read("open_occasion", since=now - LASTS, **about)
    if left.height:
        return str(left.item())
    occasion = str(uuid4())
    with store.write() as transaction:
        transaction.run("insert_occasion", occasion=occasion, started_at=now, **about)
    return occasion


def end(store: Store, occasion: str) -> None:
    """Nothing is left to ask on this occasion; the next run is another one."""
    with store.write() as transaction:
        transaction.run("finish_occasion", occasion=occasion, finished_at=datetime.now(UTC))


def work(store: Store, occasion: str, sentinels: pl.DataFrame) -> pl.DataFrame:
    """What is still to be asked on an occasion: the canaries, and these `sentinels` (a sample frame)."""
    canaries = pl.DataFrame([dict(canary.row) for canary in load_canaries()], schema=SAMPLE_FRAME, orient="row")
    wanted = pl.concat(
        [
            canaries.with_columns(watched=pl.lit("canary")),
            sentinels.with_columns(watched=pl.lit("sentinel")),
        ]
    )
    asked = store.read("watch_attempts", occasion=occasion)
    attempts = pl.col("attempts").fill_null(0)
    waiting = wanted.join(asked, on="sample_id", how="left", maintain_order="left").filter(
        ~pl.col("scored").fill_null(False) & (attempts < TRIES)
    )
    return waiting.with_columns(attempt=attempts, occasion=pl.lit(occasion)).select(list(WORK_FRAME)).cast(WORK_FRAME)  # type: ignore[arg-type]


def sentinels(store: Store, recipe: Recipe, specification: Specification) -> pl.DataFrame:
    """The recipe's sentinels as a sample frame; where it has none yet, they are frozen, once enough has been judged."""
    about = {"recipe": recipe.name, "spec": specification.spec}
    frozen = store.read("sentinels", **about)
    if frozen.is_empty():
        freeze(store, recipe, specification)
        frozen = store.read("sentinels", **about)
    return load_samples(store, frozen["sample_id"])


def freeze(store: Store, recipe: Recipe, specification: Specification) -> int:
    """Freezes a new set of sentinels, spread over the scores of the recipe's judged samples; returns how many.

    What they are held against later is not the score by which they are chosen here, which would be kinder than it is
    true to the best and harder to the worst, but what the judge says of them on the first occasion after this.
    """
    judged = store.read("judged_members", recipe=recipe.name, spec=specification.spec)
    told = zip(judged["sample_id"], judged["scores"], strict=True)
    scores = {key: specification.fold.overall(orjson.loads(text)) for key, text in told}
    chosen = spread({key: score for key, score in scores.items() if score is not None})
    if len(chosen) < FEWEST:
        return 0
    with store.write() as transaction:
        transaction.run(
            "insert_sentinels",
            {"incoming": pl.DataFrame({"sample_id": chosen})},
            recipe=recipe.name,
            spec=specification.spec,
            frozen_at=datetime.now(UTC),
        )
    return len(chosen)


def occasions(store: Store, recipe: Recipe, specification: Specification, since: datetime | None) -> list[Occasion]:
    """The occasions on which this judge was watched after `since`, and that on which the sentinels were first judged.

    They stand in the order in which they began. Canaries of every recipe count, sentinels are the recipe's own.
    """
    about = {"recipe": recipe.name, "spec": specification.spec, "since": since or LONG_AGO}
    found: dict[str, Occasion] = {}
    for row in store.read("watched", **about).iter_rows(named=True):
        one = found.setdefault(row["occasion"], Occasion(row["started_at"], row["received_at"]))
        one.last_at = row["received_at"]
        scores = one.canaries if row["kind"] == "canary" else one.sentinels
        if scores.get(row["sample_id"]) is None:
            scores[row["sample_id"]] = overall_of(row, specification)
    return sorted(found.values(), key=lambda one: one.started_at)


def overall_of(row: dict[str, Any], specification: Specification) -> float | None:
    """The score that a stored reply amounts to, by the parser and the weights of today."""
    if row["status"] == "api_error":
        return None
    return parse(row["raw"], tuple(specification.fold.weights), specification.fold).overall


def findings(store: Store, recipe: Recipe, since: datetime | None = None) -> tuple[str, ...]:
    """What speaks against the judge since a release was frozen (None: ever), each as a sentence; empty: nothing does.

    A canary speaks against whoever misjudged it once: what was judged in that run may be wrong, whatever came after.
    Sentinels speak by their last occasion.
    """
    specification = specification_of(recipe)
    seen = occasions(store, recipe, specification, since)
    new = [one for one in seen if since is None or one.last_at > since]
    found = [
        f"{specification.model} on {one.started_at:%Y-%m-%d %H:%M} UTC: {sentence}"
        for one in new
        for sentence in misjudged(load_canaries(), one.canaries)
    ]
    return (*found, *shifted(store, recipe, specification, seen, new))


def shifted(
    store: Store, recipe: Recipe, specification: Specification, seen: list[Occasion], new: list[Occasion]
) -> tuple[str, ...]:
    """A sentence where the sentinels are scored otherwise on the last of the `new` occasions than when they were frozen."""
    frozen = store.read("sentinels", recipe=recipe.name, spec=specification.spec)
    if frozen.is_empty():
        return ()
    with_them = [one for one in seen if one.sentinels and one.last_at >= frozen["frozen_at"][0]]
    if not with_them or with_them[-1] not in new:
        return ()
    first, last = with_them[0], with_them[-1]
    found = shift(first.sentinels, last.sentinels)
    if found is None or not found.is_real:
        return ()
    more = "higher" if found.mean > 0 else "lower"
    return (
        f"{specification.model} scores the same {found.pairs} sentinels {abs(found.mean):.2f} points {more} on "
        f"{last.started_at:%Y-%m-%d} than on {first.started_at:%Y-%m-%d} (the {SURE:.0%} interval is "
        f"{found.low:+.2f} to {found.high:+.2f}): old and new scores do not mean the same",
    )


def last_published(releases: list[dict[str, Any]]) -> datetime | None:
    """When the last published of these releases (see flows.asking.releases) was frozen; None: none is."""
    published = [release for release in releases if release["state"] == "published"]
    return datetime.fromisoformat(published[-1]["created_at"]) if published else None
