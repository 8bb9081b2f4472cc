"""Keeps the samples that are made of others, and tells which samples a maker has still to be asked about."""

import polars as pl

from curation.children import asked
from curation.recipe import Recipe
from curation.sample import SAMPLE_FRAME
from flows.loading import current_children, read_members
from warehouse import Store


def keep_children(store: Store, made: pl.DataFrame, maker: str) -> int:
    """Keeps children and of what they were made, in one short transaction; returns how many derivations were new.

    `made` is a sample frame of rows that `curation.children.child` made, with a further column `mark` (String): by what
    each was made, such as a hash of prompt and model. Give it a batch at a time; after a kill, what `standing` still
    lists is what is left to do. The same children again are nothing new.
    """
    incoming = made.cast(dict(SAMPLE_FRAME)).unique("sample_id", keep="first")  # type: ignore[arg-type]
    with store.write() as transaction:
        transaction.run("insert_sample", {"incoming": incoming})
        return transaction.run("insert_derivation", {"incoming": made.unique(["sample_id", "parent_id"])}, maker=maker)


def standing(store: Store, recipe: Recipe, maker: str) -> pl.DataFrame:
    """The recipe's members (MEMBER_FRAME) that `maker` may make a child of and that have none of it that stands.

    These are the samples that no maker before this one has replaced: a child is made of the last form of a sample.
    Whether the recipe asks for this maker is not looked at.
    """
    with store.reading():
        before = read_members(store, recipe, asked(recipe, before=maker))
        known = current_children(store, [maker])["parent_id"]
    return before.filter(pl.col("replaced_by").is_null() & ~pl.col("sample_id").is_in(known.implode()))
