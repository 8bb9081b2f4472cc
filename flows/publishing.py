"""Publishes what a recipe accepts: one immutable version, frozen in the warehouse, whole in its target or not at all."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from curation.errors import InputError, RecipeError, Stopped
from curation.judge.specification import Specification
from curation.lock import only_one
from curation.recipe import Recipe
from curation.release.build import Built, build, folder_name
from curation.release.facts import Facts
from curation.release.shelf import Shelf, shelf_folder
from curation.release.splits import Splits, assign
from curation.release.targets import Target, open_target
from curation.stages import index_fingerprint, judge_stage, specification_of
from flows import guarding
from flows.asking import counts, doubts, releases, status
from flows.describing import facts_of
from flows.judging import require_checked
from flows.loading import MANY, load_all, load_samples, of_sample_or_origin, read_members, slices
from flows.placing import finish_interrupted, place_again, scratch_folder
from flows.progress import say
from warehouse import Store

STEPS = 4  # of a release: its samples are read, written as files, frozen in the warehouse, placed in the target
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


@dataclass(frozen=True)
class Published:
    """What became of a publish: `new` is false where the last release already holds just this.

    `state` is published, or held where `guards` tripped: then there is no path yet. `counts` are what
    flows.asking.counts says of the recipe as it was published.
    """

    name: str
    version: str
    path: str | None
    commit: str | None
    rows: dict[str, int]
    new: bool
    state: str = "published"
    guards: tuple[str, ...] = ()
    counts: dict[str, Any] = field(default_factory=dict, repr=False)


def publish(
    store: Store, recipe: Recipe, to: str | None = None, version: str | None = None, wait: float = 0.0
) -> Published:
    """Publishes the accepted samples of a recipe as a new version, unless its last release holds just these rows.

    Where a guard of the recipe trips, the version is frozen and held for a person, and nothing is placed. Raises
    InputError while anything is undecided or nothing is accepted, RecipeError without a licence, TargetError where the
    target holds other content under this version, Stopped while another process publishes from here, and where a person
    has rejected just these rows.
    """
    require_licence(recipe)
    with only_one(store.path, "publish", wait=wait):
        return publish_alone(store, recipe, to, version)


def publish_alone(store: Store, recipe: Recipe, to: str | None, version: str | None) -> Published:
    """`publish`, under its lock."""
    members = require_finished(store, recipe)
    address = canonical(to or recipe.release.to)
    target = open_target(address, Path.cwd())
    finished = finish_interrupted(store, recipe, address)
    before = [release for release in releases(store, recipe.name) if release["state"] == "published"]
    last = before[-1] if before else None
    with scratch_folder(store) as scratch:
        made = make(store, recipe, members, next_version(version, before), last, scratch)
        same = last is not None and last["digest"] == made.built.digest and last["target"] == address
        if last is not None and same and version in (None, last["version"]):
            if not target.holds(recipe.name, last["version"]):
                place_again(store, recipe, last, target)
            version, path, commit, rows = (last[key] for key in ("version", "path", "commit", "rows"))
            new = last["version"] in finished
            return Published(recipe.name, version, path, commit, rows, new, counts=made.counts)
        if any(release["version"] == made.facts.version for release in before):
            raise InputError(
                f"{recipe.name} {made.facts.version} is published already, to {last['target'] if last else ''} or with "
                "other rows; a release is never changed: leave --version out, or give a higher one"
            )
        return let_out(store, recipe, made, target, address)


@dataclass(frozen=True)
class Made:
    """A release in the making: its samples (without their text), their files, and what is told of them.

    `told` is the funnel, `counts` most of it.
    """

    samples: pl.DataFrame
    splits: Splits
    counts: dict[str, Any]
    told: dict[str, Any]
    facts: Facts
    built: Built


def make(
    store: Store, recipe: Recipe, members: pl.DataFrame, version: str, last: dict[str, Any] | None, scratch: Path
) -> Made:
    """Writes the files of what the recipe accepts now of its members, as this version, below `scratch`."""
    specification = specification_of(recipe)
    samples = accepted_samples(store, recipe, members, specification)
    with store.reading():
        alike = store.read(
            "similar_pairs", {"members": samples.select("sample_id")}, fingerprint=index_fingerprint(recipe)
        )
        before = store.read("split_groups")
        counted = counts(store, recipe, members)
        told = status(store, recipe, counted)
        facts = facts_of(store, recipe, specification, told, version, last["version"] if last else None)
    say("publish", 1, STEPS)
    splits = assign(samples, alike, before, recipe.release.validation, recipe.release.test)
    folder = scratch / folder_name(recipe.name, version)
    shelf = Shelf(shelf_folder(store.path, recipe.name))
    now, load = datetime.now(UTC), partial(load_all, store)
    built = build(folder, samples, splits.samples, facts, recipe.release, now, load, shelf)
    say("publish", 2, STEPS)
    return Made(samples, splits, counted, told, facts, built)


def let_out(store: Store, recipe: Recipe, made: Made, target: Target, address: str) -> Published:
    """Freezes a release and places it in its target, or holds it where a guard trips."""
    name, version, built = recipe.name, made.facts.version, made.built
    guarding.require_not_rejected(store, name, built.digest)
    target.check()
    target.holds(name, version)  # whatever else stands in its place ends the command before it is frozen
    tripped = guarding.reasons(store, recipe, made.told, made.samples, made.facts.parent)
    held = guarding.held_already(store, name, built.digest)
    if held is None or not tripped:
        freeze(store, recipe, made, address, tripped)
    if tripped:
        return Published(name, held or version, None, None, built.rows, held is None, "held", tripped, made.counts)
    say("publish", 3, STEPS)
    placed = target.publish(built.folder, name, version)
    with store.write() as transaction:
        transaction.run("publish_release", name=name, version=version, path=placed.path, commit=placed.commit)
    say("publish", STEPS, STEPS)
    return Published(name, version, placed.path, placed.commit, built.rows, new=True, counts=made.counts)


def canonical(address: str) -> str:
    """A target's one name: an absolute path, or its URL."""
    return address.rstrip("/") if "://" in address else str(Path(address).expanduser().absolute())


def require_licence(recipe: Recipe) -> None:
    """Raises RecipeError where the recipe does not say under which licence its data goes out."""
    if not recipe.release.licence:
        raise RecipeError(
            f'the recipe {recipe.name} names no licence; add licence = "…" (such as "apache-2.0") under [release]'
        )


def require_finished(store: Store, recipe: Recipe) -> pl.DataFrame:
    """The recipe's members. Raises InputError unless every one of them is decided or abstained."""
    with store.reading():
        require_checked(store, recipe)
        marks = dict(store.read("recipe_stages", recipe=recipe.name).select("stage", "fingerprint").iter_rows())
        members = read_members(store, recipe)
        counted = store.read("verdict_counts", {"members": members}, recipe=recipe.name)
        left = store.read("left_children", {"members": members}, recipe=recipe.name).item()
    if marks["judge"] != judge_stage(recipe).fingerprint:
        raise InputError(
            f"{recipe.name} was last judged otherwise than the recipe says ({recipe.judge.backend}, {recipe.judge.model}, "
            f"accept {recipe.judge.accept:g}); run `curation judge` without --backend and --model, or change [judge]"
        )
    waiting = (
        counted.filter(pl.col("reason") == "undecided").group_by("stage").agg(pl.col("samples").sum()).sort("stage")
    )
    unseen = members.height - int(counted["samples"].sum())
    if unseen:
        raise InputError(
            f"{unseen} samples of {recipe.name} came after its last check; run `curation check` and `curation judge` with it first"
        )
    if left:
        raise InputError(
            f"{left} samples that stood in the place of others of {recipe.name} at its last check do so no more; "
            "run `curation check` and `curation judge` with it first"
        )
    for stage, number in waiting.iter_rows():
        command = "judge" if stage == "judge" else "check"
        raise InputError(
            f"{number} samples of {recipe.name} are undecided at {stage}; run `curation {command}` with it first"
        )
    return members


def accepted_samples(store: Store, recipe: Recipe, members: pl.DataFrame, specification: Specification) -> pl.DataFrame:
    """The accepted samples as `release_rows` gives them, by id, with `overall` (the judge's score, 0-10), `parent_id`,
    `origin_id`, `first_release` and `released_in` (versions or null, see queries/first_release_version.sql)."""
    with store.reading():
        accepted = store.read("verdicts", {"members": members}, recipe=recipe.name, accepted=True, reason=None)
        scores = store.read("judge_scores", {"members": accepted.select("sample_id")}, spec=specification.spec)
        first = store.read("first_release_version", name=recipe.name)
    if accepted.is_empty():
        if found := doubts(store, recipe):
            raise Stopped(
                f"no sample of {recipe.name} is accepted, but who judged is not to be believed: {'; '.join(found)}"
            )
        raise InputError(f"no sample of {recipe.name} is accepted; `curation status` shows where they fell")
    folded = [(told, specification.fold.overall(orjson.loads(told))) for told in scores["scores"].unique()]
    known = pl.DataFrame(folded, schema={"scores": pl.String, "overall": pl.Float64}, orient="row", strict=False)
    overall = scores.join(known, on="scores").select("sample_id", "overall")
    samples = release_rows(store, accepted.select("sample_id"))
    runs = members.select("sample_id", "parent_id", "origin_id")  # turns of a run that grew belong to its last form
    for more in (runs, overall):
        samples = samples.join(more, on="sample_id", how="left")
    return of_sample_or_origin(samples, first).sort("sample_id")


def release_rows(store: Store, wanted: pl.DataFrame) -> pl.DataFrame:
    """What a release needs of each sample (sample_id) beside its text, see queries/release_rows.sql."""
    parts = [  # part by part: writers need not wait for all
        store.read("release_rows", {"wanted": ids.to_frame()}) for ids in slices(wanted["sample_id"], MANY)
    ]
    rows = pl.concat(parts)
    sharing = rows.filter("shares")["sample_id"]
    if sharing.is_empty():
        return rows.drop("shares")
    told = [load_samples(store, ids).select("sample_id", filled="messages") for ids in slices(sharing, MANY)]
    rows = rows.join(pl.concat(told), on="sample_id", how="left", maintain_order="left")
    size = pl.col("size") + pl.col("filled").str.len_bytes().fill_null(0)
    return rows.with_columns(messages=pl.coalesce("messages", "filled"), size=size).drop("shares", "filled")


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


def freeze(store: Store, recipe: Recipe, made: Made, target: str, tripped: tuple[str, ...]) -> None:
    """Writes down what the release holds before it is placed; what an unfinished attempt wrote down is replaced.

    One that guards have `tripped` over is held; the splits that it gives are remembered as those of any other.
    """
    splits, facts, built = made.splits, made.facts, made.built
    held = splits.samples.select("sample_id", "split").join(
        made.samples.select("sample_id", "category", "overall"), on="sample_id"
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
            funnel=guarding.remembered(made.told),
        )
        if tripped:
            guards = orjson.dumps(tripped).decode()
            transaction.run("hold_release", name=recipe.name, version=facts.version, guards=guards)
        transaction.run("insert_release_samples", {"incoming": held}, name=recipe.name, version=facts.version)
        transaction.run("delete_split_groups", {"incoming": splits.remember})
        transaction.run("insert_split_groups", {"incoming": splits.remember})
