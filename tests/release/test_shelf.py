"""A release takes over from the last one what stays as it is, and is the same as one that is made anew, to the byte."""

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curation.recipe import Release
from curation.release import digest, parquet
from curation.release.build import Built, build, folder_name
from curation.release.shelf import Shelf, shelf_folder
from curation.release.splits import assign
from tests.release.samples import NO_GROUPS, NO_PAIRS, SETTINGS, START, facts, many
from tests.release.test_build import bytes_of


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "SHARD_LEAST", 10)
    monkeypatch.setattr(parquet, "SHARD_EVERY", 10)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The samples that were rendered, as they are."""
    seen: list[str] = []
    real = parquet.shown

    def shown(samples: pl.DataFrame, most: int | None) -> pl.DataFrame:
        seen.extend(samples["sample_id"])
        return real(samples, most)

    monkeypatch.setattr(parquet, "shown", shown)
    return seen


def made(folder: Path, samples: pl.DataFrame, kept: Shelf | None, settings: Release = SETTINGS) -> Built:
    splits = assign(samples, NO_PAIRS, NO_GROUPS, settings.validation, settings.test).samples
    told = facts()
    return build(folder / folder_name(told.name, told.version), samples, splits, told, settings, START, shelf=kept)


def first() -> pl.DataFrame:
    return many(400)


def second() -> pl.DataFrame:
    """Three samples are gone, and a hundred and one have come; one of them is older than most."""
    samples = many(501).with_columns(released_in=pl.lit("1.0.0"))
    new = pl.int_range(pl.len()) >= 400
    samples = samples.with_columns(
        released_in=pl.when(~new).then("released_in"),
        timestamp=pl.when(pl.int_range(pl.len()) == 450).then(pl.lit(START)).otherwise("timestamp"),
    )
    return samples.filter(~pl.int_range(pl.len()).is_in([7, 20, 300]))


@pytest.mark.parametrize("block", [1, 2**28])
def test_what_stays_is_taken_over_and_only_what_is_new_is_rendered(
    block: int, tmp_path: Path, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "BLOCK_BYTES", block)
    kept = Shelf(tmp_path / "shelf")
    one = made(tmp_path / "one", first(), kept)
    assert len(rendered) == 400
    rendered.clear()
    two = made(tmp_path / "two", second(), kept)
    assert sorted(rendered) == sorted(many(501)["sample_id"][400:])
    anew = made(tmp_path / "anew", second(), None)
    assert bytes_of(two.folder) == bytes_of(anew.folder)
    assert two.digest == anew.digest != one.digest
    shards = [{file["sha256"] for file in built.manifest["files"]} for built in (one, two)]
    # of some 25 in each configuration three have lost a row, and the last of each split has grown
    assert len(shards[0] & shards[1]) > len(shards[0]) / 2
    # all files but the card, and nothing of the first release
    assert len(list((tmp_path / "shelf").iterdir())) == len(two.files) - 1


def test_the_same_again_renders_nothing(tmp_path: Path, rendered: list[str]) -> None:
    kept = Shelf(tmp_path / "shelf")
    one = made(tmp_path / "one", first(), kept)
    rendered.clear()
    again = made(tmp_path / "again", first(), Shelf(tmp_path / "shelf"))
    assert bytes_of(one.folder) == bytes_of(again.folder)
    assert rendered == []


def test_a_score_that_has_changed_is_written_and_the_text_taken_over(tmp_path: Path, rendered: list[str]) -> None:
    made(tmp_path / "one", first(), Shelf(tmp_path / "shelf"))
    rendered.clear()
    other = first().with_columns(overall=pl.lit(8.5), category=pl.lit("else"), source=pl.lit("else"))
    two = made(tmp_path / "two", other, Shelf(tmp_path / "shelf"))
    assert rendered == []
    assert bytes_of(two.folder) == bytes_of(made(tmp_path / "anew", other, None).folder)


def test_a_damaged_shard_is_not_used(tmp_path: Path) -> None:
    one = made(tmp_path / "one", first(), Shelf(tmp_path / "shelf"))
    damaged = sorted((tmp_path / "shelf").iterdir())[:8]
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    (tmp_path / "shelf" / "sft-what-else.parquet").write_bytes(b"no Parquet")
    two = made(tmp_path / "two", first(), Shelf(tmp_path / "shelf"))
    assert bytes_of(one.folder) == bytes_of(two.folder)


@pytest.mark.parametrize("change", ["layout", "prompts", "candidates", "writing"])
def test_what_is_laid_out_otherwise_is_made_anew(
    change: str, tmp_path: Path, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "one", first(), Shelf(tmp_path / "shelf"))
    rendered.clear()
    settings = SETTINGS
    if change == "candidates":
        settings = Release(licence="apache-2.0", candidates_per_prompt=1)
    if change == "writing":
        monkeypatch.setitem(parquet.WRITING, "row_group_size", 7)
    for module in (digest, parquet):
        if change == "layout":
            monkeypatch.setattr(module, "LAYOUT", "other")
        if change == "prompts":
            monkeypatch.setattr(module, "prompts", lambda: "other")
    made(tmp_path / "two", first(), Shelf(tmp_path / "shelf"), settings)
    assert len(rendered) == 400


def test_a_kill_while_a_shard_is_kept_leaves_nothing_that_is_used_or_stays(tmp_path: Path) -> None:
    one = made(tmp_path / "one", first(), Shelf(tmp_path / "shelf"))
    whole = sorted((tmp_path / "shelf").iterdir())
    half, twice = whole[0].with_suffix(".4711"), whole[1].name.split("-")
    half.write_bytes(whole[0].read_bytes()[:99])
    again = "-".join([*twice[:2], "0" * len(twice[2]), twice[3]])
    shutil.copy(whole[1], whole[1].with_name(again))  # the same rows twice
    two = made(tmp_path / "two", second(), Shelf(tmp_path / "shelf"))
    assert bytes_of(two.folder) == bytes_of(made(tmp_path / "anew", second(), None).folder)
    assert not half.exists()
    assert len(list((tmp_path / "shelf").iterdir())) == len(two.files) - 1 > len(one.files)


def test_the_digest_does_not_tell_which_release_held_a_row_first(tmp_path: Path) -> None:
    told = many(40).with_columns(released_in=pl.when(pl.int_range(pl.len()) > 20).then(pl.lit("1.0.0")))
    assert made(tmp_path / "one", told, None).digest == made(tmp_path / "two", many(40), None).digest


def test_a_shelf_that_is_deleted_meanwhile_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path / "one", first(), Shelf(tmp_path / "shelf"))
    real = Shelf._index

    def index(self: Shelf, config: str) -> Any:
        found = real(self, config)
        shutil.rmtree(tmp_path / "shelf", ignore_errors=True)
        return found

    monkeypatch.setattr(Shelf, "_index", index)
    two = made(tmp_path / "two", second(), Shelf(tmp_path / "shelf"))
    assert bytes_of(two.folder) == bytes_of(made(tmp_path / "anew", second(), None).folder)


def test_a_shelf_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "shelf").write_text("no folder")
    built = made(tmp_path / "one", first(), Shelf(tmp_path / "shelf"))
    assert bytes_of(built.folder) == bytes_of(made(tmp_path / "anew", first(), None).folder)


def test_text_is_loaded_where_samples_come_without_it_and_only_for_what_is_new(tmp_path: Path) -> None:
    whole, asked = second(), list[str]()
    size = sum(pl.col(name).str.len_bytes().fill_null(0) for name in parquet.TEXTS)
    bare = whole.with_columns(size=size).drop(parquet.TEXTS)
    splits = assign(whole, NO_PAIRS, NO_GROUPS, 0.1, 0.1).samples
    kept, told = Shelf(tmp_path / "shelf"), facts()

    def load(ids: pl.Series) -> pl.DataFrame:
        asked.extend(ids)
        return whole.filter(pl.col("sample_id").is_in(ids.implode())).drop("overall", "first_release", "released_in")

    one = build(tmp_path / "a" / "r", bare, splits, told, SETTINGS, START, load, kept)
    assert sorted(asked) == whole["sample_id"].sort().to_list()
    asked.clear()
    two = build(tmp_path / "b" / "r", whole, splits, told, SETTINGS, START)
    assert bytes_of(one.folder) == bytes_of(two.folder)
    build(tmp_path / "c" / "r", bare, splits, told, SETTINGS, START, load, kept)
    assert asked == []
    with pytest.raises(ValueError, match="samples were to be written"):
        build(tmp_path / "d" / "r", bare, splits, told, SETTINGS, START, lambda ids: load(ids)[1:])
    assert not (tmp_path / "d" / "r").exists()


def test_datasets_of_one_warehouse_keep_their_shards_apart(tmp_path: Path) -> None:
    assert shelf_folder(tmp_path / "w.duckdb", "a") == tmp_path / "w.duckdb.shards" / "a"
