"""Reads samples and members out of the warehouse in the form in which stages take them."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import polars as pl

from curation import lineage
from curation.children import CURRENT_FRAME, asked, with_children
from curation.membership import member_traces, members, needs_metadata
from curation.recipe import Recipe
from curation.sample import SAMPLE_FRAME
from warehouse import Store

BATCH = 10_000  # samples parsed at a time: about 50 MB of text
MANY = 10 * BATCH  # samples read at a time by whoever holds all of them anyway

_replaced: dict[Path, tuple[pl.DataFrame, lineage.Replaced]] = {}  # of a warehouse: who shares trace_ids, what follows


def load_samples(store: Store, sample_ids: pl.Series) -> pl.DataFrame:
    """The samples of these ids as a sample frame sorted by id, `messages` filled from the trajectory where needed."""
    wanted = pl.DataFrame({"sample_id": sample_ids}, schema={"sample_id": pl.String})
    with store.reading():
        rows = store.read("samples_by_id", {"wanted": wanted}).sort("sample_id")
        trajectories = rows.filter(pl.col("messages").is_null()).select(sample_id="parent_id").drop_nulls().unique()
        if trajectories.height:
            told = store.read("messages_by_id", {"wanted": trajectories})
            rows = filled(
                rows.join(
                    told, left_on="parent_id", right_on="sample_id", how="left", suffix="_parent", maintain_order="left"
                )
            )
    return rows.select(list(SAMPLE_FRAME)).cast(dict(SAMPLE_FRAME))  # type: ignore[arg-type]


def filled(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that come with `messages_parent`, with their messages: a plan's history is the beginning of its trajectory."""
    messages = [
        own if own is not None or parents is None else orjson.dumps(orjson.loads(parents)[:turn]).decode()
        for own, parents, turn in rows.select("messages", "messages_parent", "turn").iter_rows()
    ]
    return rows.with_columns(messages=pl.Series(messages, dtype=pl.String))


def slices(ids: pl.Series, size: int | None = None) -> Iterator[pl.Series]:
    """The ids, so many at a time; None: BATCH."""
    size = size or BATCH
    for start in range(0, len(ids), size):
        yield ids.slice(start, size)


def batches(store: Store, sample_ids: pl.Series) -> Iterator[pl.DataFrame]:
    """The samples of these ids, BATCH at a time."""
    return (load_samples(store, ids) for ids in slices(sample_ids))


def load_all(store: Store, sample_ids: pl.Series) -> pl.DataFrame:
    """All samples of these ids, which are many: each batch reads the whole table, so that there are few of them."""
    return pl.concat([load_samples(store, ids) for ids in slices(sample_ids, MANY)])


def read_replaced(store: Store) -> lineage.Replaced:
    """Which traces and which topmost samples later, longer traces have replaced.

    What a sample says never changes: the texts are read anew only where other traces than before share their trace_ids.
    """
    with store.reading():
        sharing = store.read("superseding_keys")
        if store.path not in _replaced or not _replaced[store.path][0].equals(sharing):
            _replaced[store.path] = sharing, lineage.superseded(store.read("superseding").iter_rows())
    return _replaced[store.path][1]


def read_traced(store: Store, recipe: Recipe, replaced: lineage.Replaced | None = None) -> pl.DataFrame:
    """Every (sample, trace) pair that the recipe takes, but for children; the turns of a run that grew count as turns of its last form.

    `replaced`: where it is known already.
    """
    names = sorted({source.name for source in recipe.sources})
    rows = store.read(
        "members",
        {"sources": pl.DataFrame({"name": names}, schema={"name": pl.String})},
        only_sources=bool(names),
        with_metadata=needs_metadata(recipe),
    )
    current = (replaced or read_replaced(store)).samples
    return member_traces(rows.with_columns(parent_id=lineage.resolve(rows["parent_id"], current)), recipe)


def read_links(
    store: Store,
    recipe: Recipe,
    makers: list[str] | None = None,
    replaced: lineage.Replaced | None = None,
    traced: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The pairs of `read_traced` (`traced`: where they are read already) and those of the children made by `makers`.

    None: by those that the recipe asks for.
    """
    traced = read_traced(store, recipe, replaced) if traced is None else traced
    makers = asked(recipe) if makers is None else makers
    return with_children(traced, current_children(store, makers), makers)


def read_members(
    store: Store, recipe: Recipe, makers: list[str] | None = None, traced: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The samples that the recipe is about, one row each (see curation.membership.MEMBER_FRAME)."""
    return members(read_links(store, recipe, makers, traced=traced))


def of_sample_or_origin(members: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """The members with what `told` (sample_id and one column) says of each, else of the sample that it was made of."""
    column = told.columns[1]
    of_origin = told.select(origin_id="sample_id", of_origin=column)
    joined = members.join(told, on="sample_id", how="left").join(of_origin, on="origin_id", how="left")
    return joined.with_columns(pl.coalesce(column, "of_origin").alias(column)).drop("of_origin")


def current_children(store: Store, makers: list[str]) -> pl.DataFrame:
    """Which child of these makers stands for which sample, as a CURRENT_FRAME; none is asked for, none is looked up."""
    if not makers:
        return pl.DataFrame(schema=CURRENT_FRAME)
    return store.read("children", {"makers": pl.DataFrame({"maker": makers})})
