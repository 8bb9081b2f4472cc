"""Reads samples and members out of the warehouse in the form in which stages take them."""

from collections.abc import Iterator

import orjson
import polars as pl

from curation import lineage
from curation.children import CURRENT_FRAME, asked, with_children
from curation.membership import member_traces, members, needs_metadata
from curation.recipe import Recipe
from curation.sample import SAMPLE_FRAME
from warehouse import Store

BATCH = 10_000  # samples parsed at a time: about 50 MB of text


def load_samples(store: Store, sample_ids: pl.Series) -> pl.DataFrame:
    """The samples of these ids as a sample frame sorted by id, `messages` filled from the trajectory where needed."""
    wanted = pl.DataFrame({"sample_id": sample_ids}, schema={"sample_id": pl.String})
    return filled(store.read("samples_by_id", {"wanted": wanted}))


def filled(rows: pl.DataFrame) -> pl.DataFrame:
    """The sample frame of rows that come with `parent_messages`: a plan's history is the beginning of its trajectory."""
    messages = [
        own if own is not None else orjson.dumps(orjson.loads(parents)[:turn]).decode() if parents is not None else None
        for own, parents, turn in rows.select("messages", "parent_messages", "turn").iter_rows()
    ]
    complete = rows.with_columns(messages=pl.Series(messages, dtype=pl.String)).select(list(SAMPLE_FRAME))
    return complete.cast(dict(SAMPLE_FRAME))  # type: ignore[arg-type]


def slices(ids: pl.Series) -> Iterator[pl.Series]:
    """The ids, BATCH at a time."""
    for start in range(0, len(ids), BATCH):
        yield ids.slice(start, BATCH)


def batches(store: Store, sample_ids: pl.Series) -> Iterator[pl.DataFrame]:
    """The samples of these ids, BATCH at a time."""
    return (load_samples(store, ids) for ids in slices(sample_ids))


def read_replaced(store: Store) -> lineage.Replaced:
    """Which traces and which topmost samples later, longer traces have replaced."""
    return lineage.superseded(store.read("superseding").iter_rows())


def read_links(
    store: Store, recipe: Recipe, makers: list[str] | None = None, replaced: lineage.Replaced | None = None
) -> pl.DataFrame:
    """Every (sample, trace) pair that the recipe takes; the turns of a run that grew count as turns of its last form.

    With the children made by `makers`; None: by those that the recipe asks for. `replaced`: where it is known already.
    """
    names = sorted({source.name for source in recipe.sources})
    rows = store.read(
        "members",
        {"sources": pl.DataFrame({"name": names}, schema={"name": pl.String})},
        only_sources=bool(names),
        with_metadata=needs_metadata(recipe),
    )
    current = (replaced or read_replaced(store)).samples
    links = member_traces(rows.with_columns(parent_id=lineage.resolve(rows["parent_id"], current)), recipe)
    makers = asked(recipe) if makers is None else makers
    return with_children(links, current_children(store, makers), makers)


def read_members(store: Store, recipe: Recipe, makers: list[str] | None = None) -> pl.DataFrame:
    """The samples that the recipe is about, one row each (see curation.membership.MEMBER_FRAME)."""
    return members(read_links(store, recipe, makers))


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
