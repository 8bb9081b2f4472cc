"""A tiny model, trained by the real trainer on a real release, learns to write plans."""

from pathlib import Path
from typing import Any

from tests.trainers.conftest import LEARNING
from trainers import models
from trainers.evaluate import Job as Asked
from trainers.evaluate import evaluate
from trainers.families import FAMILIES
from trainers.presets import load_preset
from trainers.release import open_release
from trainers.run import read_run
from trainers.sft import texts_of

ROWS = 32


def share_valid(model: Path, release: Path, out: Path) -> float:
    preset = load_preset("tiny-gemma4", LEARNING)
    asked: Any = Asked(str(model), open_release(release), preset, "train", limit=ROWS, pools=("own",), out=out)
    table, _ = evaluate(asked)
    assert table.height == ROWS
    return float(table["json_valid"].mean())  # type: ignore[arg-type]


def test_a_tiny_model_goes_from_no_valid_json_to_a_majority_on_what_it_was_trained_on(
    plain_release: Path, planning: Path, tmp_path: Path
) -> None:
    preset = load_preset("tiny-gemma4", LEARNING)
    opened = open_release(plain_release)
    tokenizer = models.train_tokenizer(texts_of(opened), FAMILIES["gemma4"], preset.random)
    untrained = models.random_model(FAMILIES["gemma4"], preset.random, tokenizer, 0)
    models.dress(untrained, tokenizer, preset)
    models.save_model(untrained, tokenizer, tmp_path / "untrained")
    assert share_valid(tmp_path / "untrained", plain_release, tmp_path / "before") == 0
    assert share_valid(planning, plain_release, tmp_path / "after") > 0.5
    assert (read_run(planning) or {})["metrics"]["train_loss"] < 1.5
