"""Publishes what a recipe accepts: one immutable version, frozen in the warehouse, whole in its target or not at all."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl

import curation
from curation.errors import InputError, RecipeError, Stopped, TargetError
from curation.fidelity import summary
from curation.judge.specification import Specification
from curation.lock import only_one
from curation.recipe import Recipe
from curation.recipes import parse_recipe
from curation.release.build import Built, build, folder_name
from curation.release.facts import Facts, Fidelity, Funnel, FunnelStage, JudgeFacts, StageFacts
from curation.release.manifest import fidelity_of
from curation.release.splits import Splits, assign
from curation.release.targets import Placed, Target, open_target
from curation.stages import ROW_STAGES, index_fingerprint, judge_stage, specification_of
from flows import guarding
from flows.asking import doubts, releases, status
from flows.judging import require_checked
from flows.loading import batches, of_sample_or_origin, read_members
from flows.progress import say
from warehouse import Store

STEPS = 4  # of a release: its samples are read, written as files, frozen in the warehouse, placed in the target
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


@dataclass(frozen=True)
class Published:
    """What became of a publish: `new` is false where the last release already holds just this.

    `state` is published, or held where `guards` tripped: then there is no path yet.
    """

    name: str
    version: str
    path: str | None
    commit: str | None
    rows: dict[str, int]
    new: bool
    state: str = "published"
    guards: tuple[str, ...] = ()


def publish(
    store: Store, recipe: Recipe, to: str | None = None, version: str | None = None, wait: float = 0.0
) -> Published:
    """Publishes the accepted samples of a recipe as a new version, unless its last release holds just these rows.

    Where a guard of the recipe trips, the version is frozen and held for a person, and nothing is placed. Raises InputError while anything is undecided or nothing is accepted, RecipeError without a licence, TargetError
    where the target holds other content under this version, Stopped while another process publishes from here, and
    where a person has rejected just these rows.
    """
    require_finished(store, recipe)
    with only_one(store.path, "publish", wait=wait):
        return publish_alone(store, recipe, to, version)


def publish_alone(store: Store, recipe: Recipe, to: str | None, version: str | None) -> Published:
    """`publish`, under its lock."""
    address = canonical(to or recipe.release.to)
    target = open_target(address, Path.cwd())
    finished = finish_interrupted(store, recipe, address)
    before = [release for release in releases(store, recipe.name) if release["state"] == "published"]
    last = before[-1] if before else None
    specification = specification_of(recipe)
    samples = accepted_samples(store, recipe, specification)
    say("publish", 1, STEPS)
    splits = split(store, recipe, samples)
    chosen = next_version(version, before)
    told = status(store, recipe)
    facts = facts_of(store, recipe, specification, told, chosen, last["version"] if last else None)
    with scratch_folder(store) as scratch:
        built = build(
            scratch / folder_name(recipe.name, chosen),
            samples,
            splits.samples,
            facts,
            recipe.release,
            datetime.now(UTC),
        )
        say("publish", 2, STEPS)
        if last and last["digest"] == built.digest and version in (None, last["version"]) and last["target"] == address:
            if not target.holds(recipe.name, last["version"]):
                place_again(store, recipe, last, target)
            return Published(
                recipe.name,
                last["version"],
                last["path"],
                last["commit"],
                last["rows"],
                new=last["version"] in finished,
            )
        if any(release["version"] == chosen for release in before):
            raise InputError(
                f"{recipe.name} {chosen} is published already, to {last['target'] if last else ''} or with other rows; "
                "a release is never changed: leave --version out, or give a higher one"
            )
        guarding.require_not_rejected(store, recipe.name, built.digest)
        target.check()
        target.holds(recipe.name, chosen)  # whatever else stands in its place ends the command before it is frozen
        tripped = guarding.reasons(store, recipe, told, samples, last["version"] if last else None)
        if (held := guarding.held_already(store, recipe.name, built.digest)) is None or not tripped:
            freeze(store, recipe, facts, built, splits, samples, address, told, tripped)
        if tripped:
            version = chosen if held is None else held
            return Published(recipe.name, version, None, None, built.rows, held is None, "held", tripped)
        say("publish", 3, STEPS)
        placed = target.publish(built.folder, recipe.name, chosen)
    with store.write() as transaction:
        transaction.run("publish_release", name=recipe.name, version=chosen, path=placed.path, commit=placed.commit)
    say("publish", STEPS, STEPS)
    return Published(recipe.name, chosen, placed.path, placed.commit, built.rows, new=True)


@contextmanager
def scratch_folder(store: Store) -> Iterator[Path]:
    """A folder beside the warehouse for a release in the making; what a killed publish left there is removed."""
    prefix = f"{store.path.name}.release-"
    for left in store.path.parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)  # its publisher is gone: the lock says that no other one runs
    with tempfile.TemporaryDirectory(prefix=prefix, dir=store.path.parent) as folder:
        yield Path(folder)


def canonical(address: str) -> str:
    """A target's one name: an absolute path, or its URL."""
    return address.rstrip("/") if "://" in address else str(Path(address).expanduser().absolute())


def finish_interrupted(store: Store, recipe: Recipe, address: str) -> set[str]:
    """Completes a release that this target already holds but the warehouse does not know of, just as it was frozen.

    One that was written down and not placed, or that this code would write differently, is forgotten by the next
    release: whoever stopped it may have had a reason. Returns the versions that were completed.
    """
    done = set()
    target = open_target(address, Path.cwd())
    for release in store.read("building", name=recipe.name).iter_rows(named=True):
        with suppress(TargetError):  # something else stands there: not ours to finish
            if release["target"] != address or not target.holds(recipe.name, release["version"]):
                continue
            placed = place_again(store, recipe, release, target)
            if placed is None:
                continue
            with store.write() as transaction:
                known = {"name": recipe.name, "version": release["version"]}
                transaction.run("publish_release", path=placed.path, commit=placed.commit, **known)
            done.add(release["version"])
    return done


def place_again(store: Store, recipe: Recipe, release: dict[str, Any], target: Target) -> Placed | None:
    """Builds a release anew from what was frozen of it and places it; None where this code would write other rows."""
    frozen = store.read("release_held", name=recipe.name, version=release["version"])
    known = store.read("release_frozen", name=recipe.name, version=release["version"]).row(0, named=True)
    manifest = orjson.loads(known["manifest"])
    described = parse_recipe(known["recipe"], Path(recipe.name))
    samples = pl.concat(list(batches(store, frozen["sample_id"]))).join(
        frozen.select("sample_id", "overall"), on="sample_id"
    )
    with scratch_folder(store) as scratch:
        built = build(
            scratch / folder_name(recipe.name, release["version"]),
            samples,
            frozen.select("sample_id", "split"),
            facts_from(manifest, described),
            described.release,
            datetime.fromisoformat(manifest["created_at"]),
        )
        return (
            target.publish(built.folder, recipe.name, release["version"]) if built.digest == release["digest"] else None
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


def require_finished(store: Store, recipe: Recipe) -> None:
    """Raises unless every sample of the recipe is decided or abstained, and the data has a licence."""
    if not recipe.release.licence:
        raise RecipeError(
            f'the recipe {recipe.name} names no licence; add licence = "…" (such as "apache-2.0") under [release]'
        )
    require_checked(store, recipe)
    marks = dict(store.read("recipe_stages", recipe=recipe.name).select("stage", "fingerprint").iter_rows())
    if marks["judge"] != judge_stage(recipe).fingerprint:
        raise InputError(
            f"{recipe.name} was last judged otherwise than the recipe says ({recipe.judge.backend}, {recipe.judge.model}, "
            f"accept {recipe.judge.accept:g}); run `curation judge` without --backend and --model, or change [judge]"
        )
    members = read_members(store, recipe)
    counts = store.read("verdict_counts", {"members": members}, recipe=recipe.name)
    waiting = (
        counts.filter(pl.col("reason") == "undecided").group_by("stage").agg(pl.col("samples").sum()).sort("stage")
    )
    unseen = members.height - int(counts["samples"].sum())
    if unseen:
        raise InputError(
            f"{unseen} samples of {recipe.name} came after its last check; run `curation check` and `curation judge` with it first"
        )
    if left := store.read("left_children", {"members": members}, recipe=recipe.name).item():
        raise InputError(
            f"{left} samples that stood in the place of others of {recipe.name} at its last check do so no more; "
            "run `curation check` and `curation judge` with it first"
        )
    for stage, number in waiting.iter_rows():
        command = "judge" if stage == "judge" else "check"
        raise InputError(
            f"{number} samples of {recipe.name} are undecided at {stage}; run `curation {command}` with it first"
        )


def accepted_samples(store: Store, recipe: Recipe, specification: Specification) -> pl.DataFrame:
    """The accepted samples with `overall` (the judge's score, 0-10) and `first_release` (a version or null), by id."""
    members = read_members(store, recipe)
    accepted = store.read("verdicts", {"members": members}, recipe=recipe.name, accepted=True, reason=None)
    if accepted.is_empty():
        if found := doubts(store, recipe):
            raise Stopped(
                f"no sample of {recipe.name} is accepted, but who judged is not to be believed: {'; '.join(found)}"
            )
        raise InputError(f"no sample of {recipe.name} is accepted; `curation status` shows where they fell")
    scores = store.read("judge_scores", {"members": accepted.select("sample_id")}, spec=specification.spec)
    overall = scores.select(
        "sample_id",
        overall=pl.Series([specification.fold.overall(orjson.loads(s)) for s in scores["scores"]], dtype=pl.Float64),
    )
    first = store.read("first_release_version", name=recipe.name)
    samples = pl.concat(list(batches(store, accepted["sample_id"]))).drop("parent_id")
    runs = members.select("sample_id", "parent_id", "origin_id")  # turns of a run that grew belong to its last form
    for more in (runs, overall):
        samples = samples.join(more, on="sample_id", how="left")
    return of_sample_or_origin(samples, first).sort("sample_id")


def split(store: Store, recipe: Recipe, samples: pl.DataFrame) -> Splits:
    """A split for each sample, given what earlier releases chose."""
    pairs = store.read("similar_pairs", {"members": samples.select("sample_id")}, fingerprint=index_fingerprint(recipe))
    before = store.read("split_groups")
    return assign(samples, pairs, before, recipe.release.validation, recipe.release.test)


def next_version(wanted: str | None, before: list[dict[str, Any]]) -> str:
    """The version to publish: the one wanted, else the last one's next minor version, else 1.0.0.

    Raises InputError for a wanted version that is none, or lower than what is published already.
    """
    newest = max((numbers(release["version"]) for release in before), default=None)
    if wanted is None:
        return "1.0.0" if newest is None else f"{newest[0]}.{newest[1] + 1}.0"
    if not VERSION.fullmatch(wanted):
        raise InputError(f"--version {wanted} is not of the form 1.2.0")
    if newest is not None and numbers(wanted) < newest:
        raise InputError(f"--version {wanted} is lower than {'.'.join(map(str, newest))}, which is published already")
    return wanted


def numbers(version: str) -> tuple[int, ...]:
    """1.2.0 as (1, 2, 0)."""
    return tuple(int(part) for part in version.split("."))


def freeze(
    store: Store,
    recipe: Recipe,
    facts: Facts,
    built: Built,
    splits: Splits,
    samples: pl.DataFrame,
    target: str,
    told: dict[str, Any],
    tripped: tuple[str, ...],
) -> None:
    """Writes down what the release holds before it is placed; what an unfinished attempt wrote down is replaced.

    One that guards have `tripped` over is held; the splits that it gives are remembered as those of any other.
    """
    held = splits.samples.select("sample_id", "split").join(
        samples.select("sample_id", "category", "overall"), on="sample_id"
    )
    with store.write() as transaction:
        transaction.run("delete_building_samples", name=recipe.name)
        transaction.run("delete_building", name=recipe.name)
        transaction.run(
            "insert_release",
            name=recipe.name,
            version=facts.version,
            recipe=recipe.text,
            parent=facts.parent,
            target=target,
            digest=built.digest,
            manifest=orjson.dumps(built.manifest).decode(),
            created_at=datetime.now(UTC),
            funnel=guarding.remembered(told),
        )
        if tripped:
            guards = orjson.dumps(tripped).decode()
            transaction.run("hold_release", name=recipe.name, version=facts.version, guards=guards)
        transaction.run("insert_release_samples", {"incoming": held}, name=recipe.name, version=facts.version)
        transaction.run("delete_split_groups", {"incoming": splits.remember})
        transaction.run("insert_split_groups", {"incoming": splits.remember})


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
