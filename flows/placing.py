"""Builds releases again from what was frozen of them, and finishes what a killed publish began."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from curation.errors import TargetError
from curation.recipe import Recipe
from curation.recipes import parse_recipe
from curation.release.build import build, folder_name
from curation.release.targets import Placed, Target, open_target
from flows.describing import facts_from
from flows.loading import load_all
from warehouse import Store


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
    first = store.read("first_release_version", name=recipe.name)
    told = frozen.select("sample_id", "overall").join(first, on="sample_id", how="left")
    samples = load_all(store, frozen["sample_id"]).join(told, on="sample_id")
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


@contextmanager
def scratch_folder(store: Store) -> Iterator[Path]:
    """A folder beside the warehouse for a release in the making; what a killed publish left there is removed."""
    prefix = f"{store.path.name}.release-"
    for left in store.path.parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)  # its publisher is gone: the lock says that no other one runs
    with tempfile.TemporaryDirectory(prefix=prefix, dir=store.path.parent) as folder:
        yield Path(folder)
