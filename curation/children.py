"""A child is a sample made of another one: the original stays, and the child stands in its place where a recipe asks for it."""

from typing import Any

import orjson
import polars as pl

from curation.recipe import Recipe
from curation.sample import categorise, count_steps, identify, request_of

# Who makes children, in the order in which one is made of the other's: reasoning is written for the schemas that the
# model will be shown, and by somebody who is shown neither secrets nor people.
MAKERS = ("schemas", "redaction", "pseudonyms", "thinking")

# How a reader is told what they did: so many samples were …
MADE = {
    "schemas": "completed from the plugin registry",
    "redaction": "freed of credentials",
    "pseudonyms": "given pseudonyms",
    "thinking": "given reasoning",
}

CONTENT = ("messages", "candidates", "thinking", "plan")  # what a maker may change; everything else follows from it

CURRENT_FRAME: dict[str, pl.DataType] = {
    "maker": pl.String(),
    "parent_id": pl.String(),
    "child_id": pl.String(),
}

Row = dict[str, Any]


def child(sample: Row, **changed: str | None) -> Row:
    """The row of a sample frame that differs from `sample`, another such row, in the columns given.

    `sample` must have its `messages` (`flows.loading.load_samples` fills them); `changed` may name those of CONTENT,
    with JSON text where the frame has JSON text. The child's id is that of its content, `parent_id` is the id of
    `sample`, request, steps and category follow from the content, everything else (kind, turn, source, time) stays.
    Raises ValueError where another column is named or nothing is changed: a sample is no child of itself.
    """
    if foreign := sorted(set(changed) - set(CONTENT)):
        raise ValueError(f"{foreign[0]} is not content of a sample; a child may change {', '.join(CONTENT)}")
    made = {**sample, **changed, "parent_id": sample["sample_id"]}
    made["sample_id"] = identify(made["kind"], *(made[name] for name in CONTENT))
    if made["sample_id"] == sample["sample_id"]:
        raise ValueError(f"nothing of sample {sample['sample_id']} is changed, so there is no child to be made of it")
    if {"messages", "plan"} & set(changed):
        messages = orjson.loads(made["messages"])
        made["request"] = request_of(messages)
        made["n_steps"] = count_steps(made["plan"])
        made["category"] = categorise(messages, made["n_steps"])
    return made


def asked(recipe: Recipe, before: str | None = None) -> list[str]:
    """The makers whose children the recipe takes, in order; with `before`, those that come before that one."""
    makers = MAKERS if before is None else MAKERS[: MAKERS.index(before)]
    hiding = {"redaction": recipe.check.secret == "redact", "pseudonyms": recipe.check.pii == "pseudonymise"}
    return [maker for maker in makers if hiding.get(maker, maker in recipe.samples.backfill)]


def with_children(links: pl.DataFrame, current: pl.DataFrame, makers: list[str]) -> pl.DataFrame:
    """The recipe's (sample, trace) pairs and those of the children that stand in the place of some of them.

    `links` are as `curation.membership.member_traces` gives them, `current` (CURRENT_FRAME) has at most one child for a
    maker and a parent. A child comes with its parent's traces, trajectory and turn; the parent learns by whom it is
    `replaced_by`. A maker's children count where they were made of what stands after the makers before it.
    """
    for maker in makers:
        pairs = current.filter(pl.col("maker") == maker).select(sample_id="parent_id", child_id="child_id")
        if pairs.is_empty():
            continue
        found = links.join(pairs, on="sample_id", how="left", maintain_order="left")
        stands = pl.col("replaced_by").is_null() & pl.col("child_id").is_not_null()
        made = found.filter(stands).with_columns(sample_id="child_id", maker=pl.lit(maker)).select(links.columns)
        kept = found.with_columns(replaced_by=pl.coalesce("replaced_by", "child_id")).select(links.columns)
        links = pl.concat([kept, made])
    return links


def replacements(members: pl.DataFrame) -> dict[str, dict[str, str | None]]:
    """Of each member (MEMBER_FRAME) that a child stands for: which one, and who made it."""
    makers = dict(members.select("sample_id", "maker").iter_rows())
    replaced = members.filter(pl.col("replaced_by").is_not_null()).select("sample_id", "replaced_by")
    return {parent: {"sample_id": by, "maker": makers[by]} for parent, by in replaced.iter_rows()}
