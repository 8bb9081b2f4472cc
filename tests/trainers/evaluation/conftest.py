"""What tests of evaluation share: tiny models of each family, and the golds of the release's requests."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from curation.registry import bundled_plugins
from tests.trainers.conftest import published
from trainers.families import FAMILIES


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release over all bundled plugins, with plans of several steps: pools are full and every metric applies."""
    mix = "1_step=0.6,2_step=0.2,multi_turn=0.2"
    return published(tmp_path_factory.mktemp("rich"), mix, True, 2, bundled_plugins())


@pytest.fixture(scope="session")
def tiny(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model of a family with random weights, as training leaves one; made once."""
    from trainers.models import dress, random_model, save_model, train_tokenizer
    from trainers.presets import load_preset, preset_toml

    made: dict[str, Path] = {}
    home = tmp_path_factory.mktemp("tiny")

    def of(family: str) -> Path:
        if family not in made:
            changes = ["decoding.max_new_tokens=12", "random.vocabulary=600", "random.hidden=32"]
            preset = load_preset(f"tiny-{family}", changes)
            texts = [m["content"] for r in rows(release, "sft", "train")[:50] for m in (*r["prompt"], *r["completion"])]
            tokenizer = train_tokenizer(texts, FAMILIES[family], preset.random)
            model = random_model(FAMILIES[family], preset.random, tokenizer, 0)
            dress(model, tokenizer, preset)
            save_model(model, tokenizer, home / family)
            (home / family / "preset.toml").write_text(preset_toml(preset))
            made[family] = home / family
        return made[family]

    return of


def rows(release: Path, config: str, split: str) -> list[dict]:  # type: ignore[type-arg]
    """The rows of one split of a release's folder."""
    return pl.read_parquet(release / "data" / config / f"{split}-*.parquet").to_dicts()


@pytest.fixture(scope="session")
def golds(release: Path) -> dict[str, str]:
    """request -> the plan that was accepted, of the test split."""
    return {row["request"]: row["plan"] for row in rows(release, "grpo", "test")}
