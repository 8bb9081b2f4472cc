"""`curation train sft` as a user gives it: names, dry runs, and wrong usage."""

from pathlib import Path

import pytest

from curation.cli.training import release_of
from curation.errors import InputError
from tests.conftest import Cli


def test_a_release_is_found_by_its_name_where_the_warehouse_says_that_it_was_placed(release: Path) -> None:
    warehouse = release.parent / "w.duckdb"
    for name in ("plans@1.0.0", "plans@v1.0.0", str(release)):
        assert release_of(name, warehouse).path == release
    with pytest.raises(
        InputError, match=r"there is no release at releases/plans-v2.0.0; give its folder, NAME@VERSION"
    ):
        release_of("plans@2.0.0", warehouse)
    with pytest.raises(InputError, match=r"there is no release at releases/plans-v1.0.0"):
        release_of("plans@1.0.0", release.parent / "no.duckdb")


def test_a_preset_for_a_gpu_ends_in_one_sentence_on_a_cpu(cli: Cli, release: Path) -> None:
    done = cli("train", "sft", "--release", release, "--preset", "gemma4-e2b", "--out", "run")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "on a CPU train with --preset tiny-gemma4" in done.stderr
    told = cli.ok("train", "sft", "--release", release, "--preset", "gemma4-e2b", "--dry-run", "--gpu", "h100")
    assert "on a NVIDIA H100 SXM" in told


def test_pushing_every_so_often_needs_a_place(cli: Cli, release: Path) -> None:
    done = cli("train", "sft", "--release", release, "--preset", "tiny-gemma4", "--push-every", "1")
    assert done.returncode == 2
    assert "--push-to hf://owner/name where" in done.stderr
