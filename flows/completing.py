"""Holds the candidates of a recipe's samples against the plugin registry: completes them, and tells where both disagree."""

from dataclasses import asdict, dataclass
from typing import Any

import orjson
import polars as pl

from curation.children import asked, child
from curation.recipe import Recipe
from curation.registry import conflicts, plugins_of
from curation.registry.completing import complete, said
from curation.sample import SAMPLE_FRAME
from flows.children import keep_children
from flows.loading import BATCH, load_samples, read_members, slices
from flows.progress import say
from warehouse import Store

MAKER = "schemas"
WARNED = 3  # conflicts told one by one after a check
DIFFERENCE_FRAME = {
    "plugin_id": pl.String(),
    "digest": pl.String(),
    "difference": pl.String(),
    "samples": pl.Int64(),
    "trace_id": pl.String(),
    "sample_id": pl.String(),
}


@dataclass(frozen=True)
class Conflict:
    """One difference between what candidates say of a plugin's parameters and what the registry says."""

    pluginId: str  # noqa: N815 - the platform's word
    difference: str
    samples: int  # how many have such a candidate
    trace_id: str | None  # of one of them
    sample_id: str

    def line(self) -> str:
        """In one line."""
        number = f"{self.samples:,} sample{'' if self.samples == 1 else 's'}"
        return f"{self.pluginId}: {self.difference} ({number}, such as {self.trace_id or self.sample_id})"


@dataclass(frozen=True)
class Conflicts:
    """All differences, most frequent first, and how many samples have at least one."""

    conflicts: list[Conflict]
    samples: int

    @property
    def plugins(self) -> int:
        """How many plugins the two disagree about."""
        return len({conflict.pluginId for conflict in self.conflicts})

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        listed = [asdict(conflict) for conflict in self.conflicts]
        return {"plugins": self.plugins, "samples": self.samples, "conflicts": listed}


def complete_candidates(store: Store, recipe: Recipe) -> int:
    """Makes the children that the registry completes and that are not made yet; returns how many.

    Each batch is kept as soon as it is made: after a kill the next run goes on. Without a registry nothing is read.
    """
    if MAKER not in asked(recipe) or not knows_schemas(store):
        return 0
    members = came_with_traces(store, recipe)
    read_candidates(store, members)
    with store.reading():  # what is told of a child must be what went into it
        waiting = store.read("uncompleted", {"members": members})
        registry = {plugin["pluginId"]: plugin for plugin in plugins_of(store.read("plugins"))}
    for done, ids in enumerate(slices(waiting["sample_id"])):
        rows = [
            child(row, candidates=complete(row["candidates"], registry))
            for row in load_samples(store, ids).iter_rows(named=True)
        ]
        made = pl.DataFrame(rows, schema=SAMPLE_FRAME).join(
            waiting.rename({"sample_id": "parent_id"}), on="parent_id", how="left"
        )
        keep_children(store, made, MAKER)
        say("complete", done * BATCH + len(ids), waiting.height)
    return waiting.height


def count_waiting(store: Store, recipe: Recipe) -> int:
    """How many samples of the recipe's last check have not been held against the registry as it is today."""
    if MAKER not in asked(recipe) or not knows_schemas(store):
        return 0
    members = {"members": came_with_traces(store, recipe)}
    checked = {"members": store.read("verdicts", members, recipe=recipe.name, accepted=None, reason=None)}
    return store.read("unread_candidates", checked).height + store.read("uncompleted", checked).height


def find_conflicts(store: Store, recipe: Recipe) -> Conflicts:
    """Where candidates of the recipe's samples have another schema than the registry; such a difference drops nothing."""
    if not knows_schemas(store):
        return Conflicts([], 0)
    members = came_with_traces(store, recipe)
    read_candidates(store, members)
    rows = [
        (row, difference)
        for row in store.read("differing_schemas", {"members": members}).iter_rows(named=True)
        for difference in conflicts(plugin_with(row["parameters"]), plugin_with(row["known"]))
    ]
    found = pl.DataFrame([{**row, "difference": difference} for row, difference in rows], schema=DIFFERENCE_FRAME)
    counted = (
        found.group_by("plugin_id", "difference", maintain_order=True)
        .agg(pl.col("samples").sum(), pl.col("trace_id", "sample_id").first())
        .sort("samples", "plugin_id", "difference", descending=[True, False, False])
    )
    samples = store.read("having_schemas", {"members": members, "schemas": found.select("plugin_id", "digest")}).item()
    return Conflicts([Conflict(*row) for row in counted.iter_rows()], samples)


def warnings(store: Store, recipe: Recipe) -> list[str]:
    """What whoever checks a recipe should hear of conflicts: how many there are, and the most frequent."""
    found = find_conflicts(store, recipe)
    if not found.conflicts:
        return []
    more = len(found.conflicts) - WARNED
    rest = f"; `curation plugins conflicts` lists {more:,} more" if more > 0 else ""
    return [
        f"{found.samples:,} samples offer {found.plugins:,} plugins with other parameters than the registry has; "
        f"they are kept as they came{rest}",
        *(f"{conflict.line()}" for conflict in found.conflicts[:WARNED]),
    ]


def knows_schemas(store: Store) -> bool:
    """Whether the registry has the parameters of any plugin."""
    return bool(store.read("known_schemas").item())


def came_with_traces(store: Store, recipe: Recipe) -> pl.DataFrame:
    """The recipe's members that nobody made."""
    return read_members(store, recipe, [])


def read_candidates(store: Store, members: pl.DataFrame) -> None:
    """Writes down what the members' candidates say of their parameters, once for each sample and a batch at a time."""
    unread = store.read("unread_candidates", {"members": members})["sample_id"]
    for done, ids in enumerate(slices(unread)):
        told, schemas = said(store.read("candidates_by_id", {"wanted": ids.to_frame()}).iter_rows())
        with store.write() as transaction:
            transaction.run("insert_offered_schema", {"incoming": schemas})
            transaction.run("insert_candidate_schema", {"incoming": told})
        say("candidates", done * BATCH + len(ids), len(unread))


def plugin_with(parameters: str) -> dict[str, Any]:
    """A plugin of which only the parameters are looked at."""
    return {"parameters": orjson.loads(parameters)}
