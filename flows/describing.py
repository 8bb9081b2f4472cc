"""What a release's manifest and card tell beyond its rows: who decided what, the funnel, and what reading lost."""

from typing import Any

import polars as pl

import curation
from curation.fidelity import summary
from curation.judge.specification import Specification
from curation.recipe import Recipe
from curation.release.facts import Facts, Fidelity, Funnel, FunnelStage, JudgeFacts, StageFacts
from curation.release.manifest import fidelity_of
from curation.stages import ROW_STAGES
from warehouse import Store


def facts_of(
    store: Store,
    recipe: Recipe,
    specification: Specification,
    told: dict[str, Any],
    version: str,
    parent: str | None,
) -> Facts:
    """What the manifest and the card tell beyond the rows; `told` is the funnel."""
    marks = dict(store.read("recipe_stages", recipe=recipe.name).select("stage", "fingerprint").iter_rows())
    versions = {stage.NAME: stage.VERSION for stage in ROW_STAGES}
    return Facts(
        name=recipe.name,
        version=version,
        parent=parent,
        recipe=recipe.text,
        code=curation.__version__,
        licence=recipe.release.licence or "",
        stages=tuple(StageFacts(stage, versions.get(stage, "1"), mark) for stage, mark in marks.items()),
        judge=JudgeFacts(
            specification.backend,
            specification.model,
            specification.spec,
            recipe.judge.accept,
            specification.backend == "offline",
        ),
        funnel=Funnel(
            traces=told["traces"],
            unreadable=told["unreadable"],
            repeated=told["repeated"],
            samples=told["samples"],
            stages=tuple(funnel_stage(stage) for stage in told["stages"]),
            accepted=told["accepted"],
            made=told["made"],
        ),
        description=recipe.description,
        fidelity=fidelity_of_sources(store, recipe),
    )


def fidelity_of_sources(store: Store, recipe: Recipe) -> tuple[Fidelity, ...]:
    """What reading found, for each source of the recipe and each format in it."""
    names = sorted({source.name for source in recipe.sources})
    sources = {"sources": pl.DataFrame({"name": names}, schema={"name": pl.String})}
    found = store.read("fidelity_of_sources", sources, only_sources=bool(names))
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in found.iter_rows(named=True):
        rows.setdefault((row["source"], row["format"]), []).append(row)
    told = {key: summary(own) for key, own in rows.items()}
    return tuple(
        Fidelity(
            *(source, name, counts["read"], counts["joined"], counts["unreadable"]),
            lost={(row["what"], row["field"]): row["records"] for row in counts["lost"]},
            signals=counts["signals"],
        )
        for (source, name), counts in told.items()
    )


def facts_from(manifest: dict[str, Any], recipe: Recipe) -> Facts:
    """The facts that a manifest was made of."""
    funnel = manifest["funnel"]
    return Facts(
        **{key: manifest[key] for key in ("name", "version", "parent", "recipe", "code", "licence")},
        stages=tuple(StageFacts(**stage) for stage in manifest["stages"]),
        judge=JudgeFacts(**manifest["judge"]),
        funnel=Funnel(**{**funnel, "stages": tuple(funnel_stage(stage) for stage in funnel["stages"])}),
        description=recipe.description,
        fidelity=fidelity_of(manifest),
    )


def funnel_stage(told: dict[str, Any]) -> FunnelStage:
    """A stage of the funnel from the form in which `status --json` tells it."""
    return FunnelStage(*(told[key] for key in ("stage", "seen", "pass", "flag", "fail", "abstain", "reasons")))
