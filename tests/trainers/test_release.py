"""A trainer starts from a release that is just what its manifest says, or does not start."""

import shutil
from pathlib import Path

import pytest

from curation.errors import InputError, TargetError
from trainers.release import open_release


def test_a_folder_is_opened_with_its_name_version_and_digest(release: Path) -> None:
    opened = open_release(release)
    assert (opened.name, opened.version, opened.commit) == ("plans", "1.0.0", None)
    assert opened.digest == opened.manifest["samples"]["digest"]
    rows = opened.rows("sft", "train")
    assert len(rows) == opened.splits["train"] > 100
    assert set(rows[0]) >= {"prompt", "completion", "sample_id", "category"}


def test_a_name_and_version_are_found_below_the_folder_of_releases(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(release, tmp_path / "releases" / release.name)
    monkeypatch.chdir(tmp_path)
    assert open_release("plans@1.0.0").digest == open_release("plans@v1.0.0").digest == open_release(release).digest


def test_a_changed_file_is_named(release: Path, tmp_path: Path) -> None:
    copy = tmp_path / release.name
    shutil.copytree(release, copy)
    data = next(copy.glob("data/sft/train-*"))
    data.write_bytes(data.read_bytes()[:-1] + b"\0")
    with pytest.raises(TargetError, match=rf"does not match its manifest \({data.relative_to(copy)} has other content"):
        open_release(copy)


def test_a_split_that_is_missing_is_told_with_those_that_are_there(release: Path) -> None:
    with pytest.raises(InputError, match=r"no split 'holdout' of 'sft'; it has grpo/test, .*sft/train"):
        open_release(release).rows("sft", "holdout")


@pytest.mark.parametrize("reference", ["nowhere", "plans@9.9.9", "hf://owner", "hf://owner/plans"])
def test_what_is_no_release_is_one_sentence(reference: str) -> None:
    with pytest.raises(InputError, match=r"give its folder, NAME@VERSION|does not name a version"):
        open_release(reference)
