"""A release that a guard holds waits for a person: approved it goes out as it was frozen, rejected it never does."""

from pathlib import Path

import pytest
from prefect.client.schemas.objects import State

from curation.errors import InputError, Stopped
from curation.recipes import load_recipe
from flows import asking, checking, guarding, ingesting, judging, publishing, reviewing
from flows.publishing import Published
from flows.refresh import Refreshed, outcome
from tests import traces
from tests.conftest import Cli
from warehouse import Store


class Shop:
    """A warehouse, a recipe with guards, and traces that come in nightly."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, Store(folder / "w.duckdb")
        self.source = folder / "t.jsonl"
        self.recipe = folder / "r.toml"
        self.guard("new_rows = 3\ndropped = 0.5")

    def guard(self, lines: str) -> None:
        self.recipe.write_text(traces.recipe_text(self.source, self.folder / "out", guard=lines))

    def night(self, *more: traces.Trace) -> Published:
        with self.source.open("a") as file:
            file.write(traces.write(self.folder / "more.jsonl", list(more)).read_text())
        return self.refresh()

    def refresh(self) -> Published:
        recipe = load_recipe(self.recipe)
        ingesting.ingest(self.store, [str(self.source)], "ondemand", "production")
        checking.check(self.store, recipe)
        judging.judge(self.store, recipe)
        return publishing.publish(self.store, recipe)

    def out(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "out").glob("*"))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    assert made.night(*(traces.good(number) for number in range(12))).state == "published"
    return made


def test_a_night_with_too_little_is_held_and_the_next_one_lets_both_out(shop: Shop) -> None:
    held = shop.night(traces.good(12))
    assert (held.state, held.version, held.path, held.new) == ("held", "1.1.0", None, True)
    assert held.guards == ("1 rows are new, and [guard] new_rows = 3 wants more",)
    assert shop.out() == ["t-v1.0.0"]
    again = shop.refresh()
    assert (again.state, again.version, again.new) == ("held", "1.1.0", False)
    ends = [outcome(Refreshed((), 0, {}, release)) for release in (held, again)]
    assert [(end.name, end.message) for end in ends if isinstance(end, State)] == [
        ("Held", held.guards[0]),
        ("Waiting", held.guards[0]),  # the same rows: whoever waits for them was told
    ]
    assert [release["state"] for release in asking.releases(shop.store, "t")] == ["published", "held"]
    assert shop.night(traces.good(13), traces.good(14)).state == "published"
    assert shop.out() == ["t-v1.0.0", "t-v1.1.0"]
    assert [release["state"] for release in asking.releases(shop.store, "t")] == ["published", "published"]


def test_a_night_in_which_one_reason_drops_most_is_held(shop: Shop) -> None:
    unknown = [traces.trace(f"u-{n}", f"What of {n}?", traces.step("Oslo", pluginId="plugin-9")) for n in range(4)]
    held = shop.night(*unknown, *(traces.good(number) for number in range(12, 15)))
    assert held.state == "held"
    assert "plugin.unknown put out 4 more samples" in held.guards[0]


def test_what_a_release_changes_is_counted_by_split_and_category(shop: Shop) -> None:
    assert asking.status(shop.store, load_recipe(shop.recipe))["changes"] is None
    shop.night(*(traces.good(number) for number in range(12, 16)))
    told = asking.status(shop.store, load_recipe(shop.recipe))["changes"]
    assert (told["version"], told["parent"], told["added"], told["removed"]) == ("1.1.0", "1.0.0", 4, 0)
    (category,) = [row for row in told["by"] if row["by"] == "category"]
    assert category == {
        "by": "category",
        "what": "1_step",
        "rows": 16,
        "added": 4,
        "removed": 0,
        "moved": told["moved"],
    }
    splits = [row for row in told["by"] if row["by"] == "split"]
    assert sum(row["rows"] for row in splits) == 16


def test_an_approved_release_goes_out_as_it_was_frozen(shop: Shop) -> None:
    shop.night(traces.good(12))
    digest = asking.releases(shop.store, "t")[-1]["digest"]
    shop.guard("")  # the recipe of today does not change what was frozen
    done = reviewing.approve(shop.store, "t@1.1.0", "looked at it")
    assert (done.was, done.release.state, done.earlier) == ("held", "published", None)
    assert done.release.rows == asking.releases(shop.store, "t")[-1]["rows"]
    assert shop.out() == ["t-v1.0.0", "t-v1.1.0"]
    release = asking.releases(shop.store, "t")[-1]
    assert (release["state"], release["digest"]) == ("published", digest)
    assert not shop.refresh().new
    assert shop.store.read("reviews", name="t")["note"].to_list() == ["looked at it"]


def test_approving_what_is_published_says_so_and_twice_is_once(shop: Shop) -> None:
    first = reviewing.approve(shop.store, "t@1.0.0")
    assert (first.was, first.earlier, first.release.new, first.trains) == ("published", None, False, False)
    second = reviewing.approve(shop.store, "t@1.0.0")
    assert second.earlier is not None
    assert "approved it on" in second.earlier
    assert shop.store.read("reviews", name="t").height == 1


def test_rejected_rows_are_not_published_until_they_change(shop: Shop) -> None:
    shop.night(traces.good(12))
    reviewing.reject(shop.store, "t@1.1.0", "a source was empty")
    assert [release["version"] for release in asking.releases(shop.store, "t")] == ["1.0.0"]
    shop.guard("")
    with pytest.raises(Stopped, match=r"rejected just these rows of t.*a source was empty"):
        shop.refresh()
    done = shop.night(traces.good(13))
    assert (done.state, done.version) == ("published", "1.1.0")


def test_only_what_is_held_can_be_rejected_and_nothing_unknown_approved(shop: Shop) -> None:
    with pytest.raises(InputError, match=r"t 1\.0\.0 is published; only a held release is rejected"):
        reviewing.reject(shop.store, "t@1.0.0")
    for reference in ("t@9.9.9", "u@1.0.0"):
        with pytest.raises(InputError, match=f"there is no release {reference}"):
            reviewing.approve(shop.store, reference)
    with pytest.raises(InputError, match="NAME@VERSION"):
        reviewing.approve(shop.store, "t")


def test_what_is_undecided_has_not_fallen() -> None:
    rows = [("judge", "undecided", 5), ("plugin", "plugin.unknown", 2), ("dedup", "plugin.unknown", 1)]
    told = {"fell": [{"stage": stage, "reason": reason, "samples": n} for stage, reason, n in rows]}
    assert guarding.fell(told) == {"plugin.unknown": 3}


def test_the_commands_tell_of_a_held_release_and_end_with_3(cli: Cli) -> None:
    source = traces.write(cli.folder / "t.jsonl", [traces.good(number) for number in range(3)])
    recipe = cli.folder / "r.toml"
    recipe.write_text(traces.recipe_text(source, cli.folder / "out", guard="new_rows = 4"))
    for arguments in (("ingest", source), ("check", "-r", recipe), ("judge", "-r", recipe)):
        cli.ok(*arguments)
    held = cli("publish", recipe)
    assert (held.returncode, held.stdout) == (3, "held t 1.0.0 (3 train): nothing is published yet\n")
    assert "new_rows = 4" in held.stderr
    assert "curation releases approve t@1.0.0" in cli.ok("status", "-r", recipe)
    assert "t 1.0.0 (held)" in cli.ok("releases", "t")
    assert "published t 1.0.0" in cli.ok("releases", "approve", "t@1.0.0")
    assert cli.json("releases")["releases"][0]["state"] == "published"
    again = cli.ok("releases", "approve", "t@1.0.0")
    assert again.startswith("t 1.0.0 was published already, and ")
    assert again.endswith(": nothing changes\n")
    wrong = cli("releases", "reject", "t@1.0.0")
    assert (wrong.returncode, wrong.stdout) == (1, "")
