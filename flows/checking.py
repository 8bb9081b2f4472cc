"""Checks a recipe's samples: completes them, asks every row stage, then lineage and dedup; then gives the verdict."""

from collections.abc import Iterator

import orjson
import polars as pl

from curation import dedup, lineage
from curation.children import replacements
from curation.deciding import Work
from curation.membership import members
from curation.recipe import Recipe
from curation.stages import (
    Asked,
    corpus_stages,
    index_fingerprint,
    judge_stage,
    pipeline,
    row_stages,
)
from flows.completing import complete_candidates
from flows.crew import decide_all
from flows.hiding import hide
from flows.loading import (
    BATCH,
    load_samples,
    of_sample_or_origin,
    read_links,
    read_members,
    read_replaced,
    read_traced,
    slices,
)
from flows.progress import say
from flows.reasons import begin_reasons, keep_reasons
from warehouse import Store, Transaction

SIGNED_AT_A_TIME = 50_000  # new samples compared with all others in one go: about 2 GB at a million samples


def check(store: Store, recipe: Recipe) -> None:
    """Completes, decides what is undecided and chooses anew; run again after any crash, it goes on where it stopped."""
    complete_candidates(store, recipe)
    with store.reading():
        traced = read_traced(store, recipe)
        before = read_members(store, recipe, traced=traced)
    keep_reasons(store, recipe, before)
    decided = pl.Series("sample_id", [], dtype=pl.String)

    def decide(members: pl.DataFrame) -> None:
        nonlocal decided
        decide_undecided(store, recipe, members.filter(~pl.col("sample_id").is_in(decided.implode())))
        decided = pl.concat([decided, members["sample_id"]])

    made = hide(store, recipe, traced, decide)
    with store.reading():
        everyone = read_members(store, recipe, traced=traced) if made else before
        known = set(store.read("recipe_stages", recipe=recipe.name)["stage"])
    judge = [] if "judge" in known else [judge_stage(recipe)]  # another judge may have been asked by hand: that stays
    remember_stages(store, recipe, [*row_stages(recipe.check), *corpus_stages(recipe), *judge])
    decide(everyone)
    begin_reasons(store, recipe, choose_survivors(store, recipe, traced).height)


def undecided_batches(store: Store, recipe: Recipe, members: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """(sample_id, stage) pairs that have no decision yet, for BATCH samples at a time."""
    needed = [(asked.stage, kind, asked.fingerprint) for asked in row_stages(recipe.check) for kind in asked.kinds]
    missing = store.read(
        "undecided",
        {
            "members": members.select("sample_id", "kind"),
            "needed": pl.DataFrame(needed, schema=["stage", "kind", "fingerprint"], orient="row"),
        },
    )
    ids = missing["sample_id"].unique(maintain_order=True)
    for start in range(0, len(ids), BATCH):
        yield missing.filter(pl.col("sample_id").is_in(ids.slice(start, BATCH).implode()))


def decide_undecided(store: Store, recipe: Recipe, everyone: pl.DataFrame) -> None:
    """Asks each row stage about the samples that it has not decided; a batch's answers are written in one transaction."""
    asked = {stage.stage: stage.fingerprint for stage in row_stages(recipe.check)}
    works = (to_decide(store, part) for part in undecided_batches(store, recipe, everyone))
    for decided in decide_all(works, recipe.check):
        with store.write() as transaction:
            for stage, decisions in decided.decisions.items():
                transaction.run("insert_decision", {"incoming": decisions}, stage=stage, fingerprint=asked[stage])
        say("check", decided.samples)


def to_decide(store: Store, missing: pl.DataFrame) -> Work:
    """The work that (sample_id, stage) pairs without a decision are."""
    wanted = {str(stage): part["sample_id"] for (stage,), part in missing.group_by("stage")}
    return Work(load_samples(store, missing["sample_id"].unique()), wanted)


def remember_stages(store: Store, recipe: Recipe, asked: list[Asked]) -> None:
    """Writes down which fingerprints this recipe's verdict is made of; where that changed, its verdicts are void."""
    order = {stage.stage: stage.position for stage in pipeline(recipe)}
    known = list(store.read("recipe_stages", recipe=recipe.name).iter_rows())
    fresh = {a.stage: (a.stage, a.position, a.fingerprint, orjson.dumps(a.kinds).decode()) for a in asked}
    kept = [
        (stage, order[stage], mark, kinds) for stage, _, mark, kinds in known if stage in order and stage not in fresh
    ]
    rows = [*fresh.values(), *kept]
    if set(rows) == set(known):
        return
    incoming = pl.DataFrame(rows, schema=["stage", "position", "fingerprint", "kinds"], orient="row")
    with store.write() as transaction:
        transaction.run("delete_recipe_stages", recipe=recipe.name)
        transaction.run("insert_recipe_stages", {"incoming": incoming}, recipe=recipe.name)
        transaction.run("delete_verdicts", recipe=recipe.name)


def choose_survivors(store: Store, recipe: Recipe, traced: pl.DataFrame | None = None) -> pl.DataFrame:
    """Lineage and dedup for this recipe, chosen whole, and the verdict after them, all in one transaction.

    `traced`: the recipe's (sample, trace) pairs, where they are read already. Rows that stay as they are are not written
    again, so that a night costs what has changed. Returns the members.
    """
    with store.reading():
        replaced = read_replaced(store)
        links = read_links(store, recipe, replaced=replaced, traced=traced)
        everyone = members(links)
        rows = survivors(store, recipe, everyone, [asked.stage for asked in row_stages(recipe.check)])
        outdated = lineage.of_origins(store.read("outdated_readings"), links)
    of_kind = everyone.filter(pl.col("kind").is_in(lineage.KINDS))
    let_through = pl.col("sample_id").is_in(rows["sample_id"].implode())
    measured = of_kind.filter(let_through | pl.col("replaced_by").is_not_null())
    lineages = lineage.decide(measured, links, replaced.traces, outdated, replacements(everyone))
    current = measured.join(lineages.filter(pl.col("outcome") == "pass"), on="sample_id", how="semi")
    compared = current.filter(pl.col("kind").is_in(dedup.KINDS))
    find_similar(store, recipe, compared)
    copies = choose_copies(store, recipe, compared)
    with store.write() as transaction:
        for asked, decided in zip(corpus_stages(recipe), (copies, lineages), strict=True):
            rewrite(transaction, asked, decided, unlike(transaction, asked, decided), recipe.name)
        give_verdicts(transaction, recipe, everyone)
    return everyone


def choose_after_judging(
    store: Store, recipe: Recipe, everyone: pl.DataFrame, judged: pl.DataFrame, changed: pl.DataFrame
) -> pl.DataFrame:
    """Dedup for this recipe, chosen whole with what the judge decides from now on, and the verdicts that follow.

    `everyone`: the members; `judged`: a decision frame; `changed`: those of them that do not stand just so. What the last check chose otherwise
    stands, and all of it is one transaction. Returns the members.
    """
    earlier = [*(asked.stage for asked in row_stages(recipe.check)), lineage.NAME]
    standing = survivors(store, recipe, everyone, earlier)
    compared = everyone.join(standing, on="sample_id", how="semi").filter(pl.col("kind").is_in(dedup.KINDS))
    copies = choose_copies(store, recipe, compared, judged)
    stage = next(asked for asked in corpus_stages(recipe) if asked.stage == dedup.NAME)
    with store.write() as transaction:
        others = unlike(transaction, stage, copies)
        rewrite(transaction, judge_stage(recipe), judged, changed, None)
        rewrite(transaction, stage, copies, others, recipe.name)
        give_verdicts(transaction, recipe, everyone, pl.concat([changed, others]).select("sample_id"))
    return everyone


def unlike(reader: Store | Transaction, asked: Asked, decided: pl.DataFrame) -> pl.DataFrame:
    """Those of the decisions that do not stand just so."""
    told = {"stage": asked.stage, "fingerprint": asked.fingerprint}
    return reader.read("unlike_decisions", {"incoming": decided}, **told)


def rewrite(
    transaction: Transaction, asked: Asked, decided: pl.DataFrame, changed: pl.DataFrame, owner: str | None
) -> None:
    """Has just these decisions stand for a stage, those of the recipe `owner` where they are choices; `changed`: see `unlike`."""
    told = {"stage": asked.stage, "fingerprint": asked.fingerprint}
    incoming = {"incoming": decided.select("sample_id"), "unlike": changed}
    transaction.run("delete_changed_decisions", incoming, recipe=owner, **told)
    transaction.run("insert_decision", {"incoming": changed}, **told)


def give_verdicts(
    transaction: Transaction, recipe: Recipe, everyone: pl.DataFrame, changed: pl.DataFrame | None = None
) -> None:
    """Gives the members' verdicts; `changed`: only where there is none, it is open, or decisions about the sample have changed.

    None: whoever was judged under another recipe has changed, too.
    """
    asked = everyone
    if changed is not None:
        asked = transaction.read("without_verdict", {"members": everyone, "changed": changed}, recipe=recipe.name)
    verdicts = {"incoming": transaction.read("fold_verdicts", {"members": asked}, recipe=recipe.name)}
    transaction.run("delete_changed_verdicts", {**verdicts, "members": everyone}, recipe=recipe.name)
    transaction.run("insert_verdicts", verdicts, recipe=recipe.name)


def survivors(store: Store, recipe: Recipe, members: pl.DataFrame, earlier: list[str]) -> pl.DataFrame:
    """The members that every stage named has let through."""
    return store.read(
        "survivors",
        {"members": members, "earlier": pl.DataFrame({"stage": earlier}, schema={"stage": pl.String})},
        recipe=recipe.name,
    )


def find_similar(store: Store, recipe: Recipe, compared: pl.DataFrame) -> None:
    """Signs the samples that are not signed yet and writes down which known ones they are near-copies of."""
    mark = index_fingerprint(recipe)
    new = store.read("unsigned", {"members": compared}, fingerprint=mark)
    for part in new.iter_slices(SIGNED_AT_A_TIME):
        signed = pl.concat([dedup.signatures(load_samples(store, ids)) for ids in slices(part["sample_id"])])
        known = store.read("signatures", fingerprint=mark).with_columns(new=False)
        placed = signed.join(
            part.select("sample_id", "timestamp", group=pl.coalesce("parent_id", "origin_id")), on="sample_id"
        )
        everything = pl.concat([known, placed.with_columns(new=True).select(known.columns)]).sort(
            "timestamp", "sample_id", nulls_last=True
        )
        pairs = dedup.candidates(everything, recipe.dedup.threshold)
        similar = dedup.verified(
            pairs, everything["sample_id"], recipe.dedup.threshold, lambda ids: load_samples(store, ids)
        )
        with store.write() as transaction:
            transaction.run("insert_signature", {"incoming": signed}, fingerprint=mark)
            transaction.run("insert_similar", {"incoming": similar}, fingerprint=mark)
        say("dedup", part.height, new.height)


def choose_copies(
    store: Store, recipe: Recipe, compared: pl.DataFrame, judged: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Dedup's decisions for this recipe: who falls among copies, given what the judge has put out (`judged`, or so far)."""
    mark = index_fingerprint(recipe)
    with store.reading():
        marks = dict(store.read("recipe_stages", recipe=recipe.name).select("stage", "fingerprint").iter_rows())
        if judged is None:
            judged = store.read("outcomes", stage="judge", fingerprint=marks["judge"])
        keys = store.read("signature_keys", {"members": compared}, fingerprint=mark)
        released = store.read("first_release", recipe=recipe.name)
        pairs = store.read("similar_pairs", {"members": compared}, fingerprint=mark)
    put_out = judged.filter(pl.col("outcome").is_in(["fail", "abstain"]))["sample_id"]
    walk = of_sample_or_origin(compared.join(keys, on="sample_id"), released)
    return dedup.choose(walk.with_columns(put_out=pl.col("sample_id").is_in(put_out.implode())), pairs, recipe.dedup)
