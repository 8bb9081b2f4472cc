"""The ordered pipeline on one screen: what is asked of every sample, in the order in which reasons are told."""

from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import polars as pl

from curation import children, dedup, lineage
from curation.batch import Batch
from curation.fingerprint import fingerprint
from curation.judge import decide as judged
from curation.judge.rubric import Fold, Rubric, load_rubric
from curation.judge.specification import Specification, specify
from curation.recipe import Check, Recipe


class RowStage(Protocol):
    """A row stage is a module: it asks one question of each sample alone.

    To add one: a new file under `curation/filters/` with these names, and one line in ROW_STAGES.
    """

    @property
    def NAME(self) -> str: ...  # noqa: N802

    @property
    def VERSION(self) -> str:  # noqa: N802
        """Raise it whenever any sample is decided differently."""

    @property
    def KINDS(self) -> tuple[str, ...]:  # noqa: N802
        """The kinds of sample that it measures; others get no decision."""

    @property
    def REASONS(self) -> tuple[str, ...]:  # noqa: N802
        """What it can find, in the order in which a reader should hear of it."""

    @property
    def SETTINGS(self) -> tuple[str, ...]:  # noqa: N802
        """The fields of recipe.Check that it reads."""

    @property
    def DATA(self) -> tuple[Path, ...]:  # noqa: N802
        """The data files that it reads."""

    def decide(self, batch: Batch, check: Check) -> pl.DataFrame:
        """One decision per sample of the batch (every one is of KINDS), as a decision frame."""


# Each name is a file of curation/filters; the order is the order in which a reader hears of faults.
ROW_STAGES: tuple[RowStage, ...] = tuple(
    cast(RowStage, import_module(f"curation.filters.{name}"))
    for name in (
        "schema",
        "thinking",
        "plugin",
        "placeholder",
        "hydration",
        "dependency",
        "secret",
        "pii",
        "grounding",
    )
)


# Every reason that a stage can give, in the order in which a reader hears of them.
REASONS: tuple[str, ...] = (
    *(reason for stage in ROW_STAGES for reason in stage.REASONS),
    *(*dedup.REASONS, *lineage.REASONS, *judged.REASONS),
)


@dataclass(frozen=True)
class Asked:
    """A stage as one recipe asks it: what the warehouse remembers of the run, and what the verdict is made of."""

    stage: str
    position: int
    fingerprint: str
    kinds: tuple[str, ...]


def asked_of(check: Check) -> tuple[RowStage, ...]:
    """The row stages that these settings ask: all but those whose own setting leaves things as they are."""
    return tuple(stage for stage in ROW_STAGES if getattr(check, stage.NAME, None) not in ("off", "keep"))


def row_stages(check: Check) -> list[Asked]:
    """The row stages under these settings; only the settings that a stage reads are part of its fingerprint."""
    return [
        Asked(
            stage.NAME,
            ROW_STAGES.index(stage),
            fingerprint(stage.NAME, stage.VERSION, {key: getattr(check, key) for key in stage.SETTINGS}, stage.DATA),
            stage.KINDS,
        )
        for stage in asked_of(check)
    ]


def index_fingerprint(recipe: Recipe) -> str:
    """The fingerprint of the facts about pairs: what the search for copies was asked, whoever asked it."""
    return fingerprint("similar", dedup.VERSION, {"threshold": recipe.dedup.threshold})


def corpus_stages(recipe: Recipe) -> list[Asked]:
    """The choices made for this recipe among the survivors of the row stages; their fingerprints carry its name."""
    copies = fingerprint(dedup.NAME, dedup.VERSION, [index_fingerprint(recipe), recipe.dedup.conflict])
    replaced = fingerprint(lineage.NAME, lineage.VERSION, children.asked(recipe))
    first = len(ROW_STAGES)
    return [
        Asked(dedup.NAME, first, f"{recipe.name}:{copies}", dedup.KINDS),
        Asked(lineage.NAME, first + 1, f"{recipe.name}:{replaced}", lineage.KINDS),
    ]


def judge_stage(recipe: Recipe) -> Asked:
    """The judge speaks last, of what everything before it let through.

    Threshold and weights are part of the decision but not of the request: changing them costs nothing.
    """
    specification = specification_of(recipe)
    parameters = [specification.spec, recipe.judge.accept, specification.fold.weights, specification.fold.lift]
    mark = fingerprint(judged.NAME, judged.VERSION, parameters)
    return Asked(judged.NAME, len(ROW_STAGES) + len(corpus_stages(recipe)), mark, judged.KINDS)


def specification_of(recipe: Recipe) -> Specification:
    """Who judges for this recipe, and by what."""
    return specify(recipe.judge.backend, recipe.judge.model, rubric_of(recipe))


def rubric_of(recipe: Recipe) -> Rubric:
    """The bundled rubric, its scores folded as the recipe says; what is sent is the same for every recipe."""
    rubric = load_rubric()
    weights = {**rubric.fold.weights, **recipe.judge.weights}
    lift = rubric.fold.lift if recipe.judge.lift is None else recipe.judge.lift
    return replace(rubric, fold=Fold(weights, lift))


def pipeline(recipe: Recipe) -> list[Asked]:
    """Every stage as this recipe asks it, in order."""
    return [*row_stages(recipe.check), *corpus_stages(recipe), judge_stage(recipe)]
