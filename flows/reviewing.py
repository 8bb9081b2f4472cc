"""What a person says of a release: a held one goes out or is forgotten, a published one may be trained from."""

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.errors import InputError
from curation.lock import only_one
from curation.recipes import parse_recipe
from curation.release.targets import open_target
from flows.asking import releases
from flows.placing import place_again
from flows.publishing import Published
from warehouse import Store


@dataclass(frozen=True)
class Approval:
    """What approving came to: a held release went out, or one that was out already (`was`) may be trained from.

    `earlier` is the sentence of who approved a published one before: then nothing has changed. `trains`: whether the
    release's recipe has a trainer that waits for approvals.
    """

    release: Published
    was: str
    earlier: str | None
    trains: bool


def approve(store: Store, reference: str, note: str | None = None) -> Approval:
    """Publishes a held release just as it was frozen; of a published one, writes down that it may be trained from.

    Approving a published one again changes nothing. Raises InputError where there is no such release or this code would write other rows, and what a target raises.
    """
    with only_one(store.path, "publish"):
        release = named(store, reference)
        name, version = release["name"], release["version"]
        if release["state"] not in ("held", "published"):
            raise InputError(f"{name} {version} is {release['state']}; only a held or a published release is approved")
        path, commit = release["path"], release["commit"]
        recipe = parse_recipe(release["recipe"], Path(name))
        earlier = None if release["state"] == "held" else approved_before(store, release)
        if release["state"] == "held":
            placed = place_again(store, recipe, release, open_target(release["target"], Path.cwd()))
            if placed is None:
                raise InputError(
                    f"{name} {version} was held by another version of curation, and this one would write other rows; "
                    f"`curation releases reject {name}@{version}`, then refresh"
                )
            path, commit = placed.path, placed.commit
        if earlier is None:
            with store.write() as transaction:
                write_down(transaction, release, "approved", note)
                transaction.run("publish_release", name=name, version=version, path=path, commit=commit)
    rows = next(row["rows"] for row in releases(store, name) if row["version"] == version)
    published = Published(name, version, path, commit, rows, new=release["state"] == "held")
    return Approval(published, release["state"], earlier, recipe.train.when == "after approval")


def approved_before(store: Store, release: dict[str, Any]) -> str | None:
    """Who approved just these rows before, and when; None where nobody has."""
    said = store.read("reviews", name=release["name"]).filter(
        version=release["version"], digest=release["digest"], decision="approved"
    )
    if said.is_empty():
        return None
    first = said.row(0, named=True)
    return f"{first['reviewer']} approved it on {first['decided_at']:%Y-%m-%d}"


def reject(store: Store, reference: str, note: str | None = None) -> None:
    """Forgets a held release, and remembers that just these rows must not go out.

    Raises InputError where there is no such release, or it is not held: what is published stays.
    """
    with only_one(store.path, "publish"):
        release = named(store, reference)
        if release["state"] != "held":
            raise InputError(
                f"{release['name']} {release['version']} is {release['state']}; only a held release is rejected, and what "
                "is published is never taken back by this"
            )
        with store.write() as transaction:
            write_down(transaction, release, "rejected", note)
            transaction.run("delete_building_samples", name=release["name"])
            transaction.run("delete_building", name=release["name"])


def named(store: Store, reference: str) -> dict[str, Any]:
    """The release NAME@VERSION. Raises InputError where there is none."""
    name, at, version = reference.partition("@")
    if not at:
        raise InputError(f"{reference} does not name a version; write NAME@VERSION (`curation releases` lists them)")
    found = store.read("release_row", name=name, version=version.removeprefix("v"))
    if found.is_empty():
        raise InputError(f"there is no release {reference}; `curation releases` lists them")
    return found.row(0, named=True)


def write_down(transaction: Any, release: dict[str, Any], decision: str, note: str | None) -> None:
    """Keeps who decided what of which rows."""
    transaction.run(
        "insert_review",
        name=release["name"],
        version=release["version"],
        digest=release["digest"],
        decision=decision,
        reviewer=getpass.getuser(),
        note=note,
        decided_at=datetime.now(UTC),
    )
