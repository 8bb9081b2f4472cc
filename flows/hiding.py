"""Makes the children in which secrets are redacted and people have pseudonyms, where a recipe asks for them."""

from collections.abc import Callable

import polars as pl

from curation.children import Row, asked
from curation.hiding import pseudonymised, redacted
from curation.recipe import Recipe
from curation.sample import SAMPLE_FRAME
from curation.stages import row_stages
from flows.children import keep_children
from flows.keys import fence_secret
from flows.loading import BATCH, load_samples, read_members, slices
from flows.progress import say
from warehouse import Store

# Each maker with the stage whose finds it hides and with what it makes of a sample.
HIDERS: dict[str, tuple[str, Callable[[Row, bytes], Row | None]]] = {
    "redaction": ("secret", redacted),
    "pseudonyms": ("pii", pseudonymised),
}


def hide(store: Store, recipe: Recipe, traced: pl.DataFrame, decide: Callable[[pl.DataFrame], None]) -> int:
    """Makes the children that are not made yet; returns how many. `decide` asks the row stages about members.

    `traced`: the recipe's (sample, trace) pairs, see flows.loading.read_traced.

    Each batch is kept as soon as it is made: after a kill the next run goes on. A child is made again only where the
    rules by which its parent was found have changed.
    """
    made = 0
    for maker in asked(recipe):
        if maker in HIDERS:
            members = read_members(store, recipe, asked(recipe, before=maker), traced)
            last = members.filter(pl.col("replaced_by").is_null() & (pl.col("kind") == "plan"))
            decide(last)
            made += make(store, recipe, maker, last)
    return made


def make(store: Store, recipe: Recipe, maker: str, members: pl.DataFrame) -> int:
    """One maker's children of those members in which its stage found something."""
    stage, change = HIDERS[maker]
    mark = next(each.fingerprint for each in row_stages(recipe.check) if each.stage == stage)
    waiting = store.read("to_hide", {"members": members}, stage=stage, fingerprint=mark, maker=maker)["sample_id"]
    key = fence_secret(store) if len(waiting) else b""
    made = 0
    for done, ids in enumerate(slices(waiting)):
        rows = [child for row in load_samples(store, ids).iter_rows(named=True) if (child := change(row, key))]
        frame = pl.DataFrame(rows, schema=SAMPLE_FRAME, orient="row").with_columns(mark=pl.lit(mark))
        if rows:
            made += keep_children(store, frame, maker)
        say(maker, done * BATCH + len(ids), len(waiting))
    return made
