"""The trainer's curve is shown thinned to a screen, with numbers alone."""

import json
from pathlib import Path

from flows.training import LINES, called, curve


def test_the_curve_is_a_table_of_numbers_that_fits_on_a_screen(tmp_path: Path) -> None:
    lines = [{"step": step, "loss": 1 / step, "note": "not a number"} for step in range(1, 101)]
    (tmp_path / "metrics.jsonl").write_text("\n".join([*map(json.dumps, lines), json.dumps({"eval_loss": 0.5})]) + "\n")
    head, _, first, *rest = curve(tmp_path).splitlines()
    assert head == "| step | loss | eval_loss |"
    assert first == "| 1 | 1 |  |"
    assert len(rest) < LINES
    assert "not a number" not in curve(tmp_path)


def test_a_run_without_metrics_says_so(tmp_path: Path) -> None:
    assert curve(tmp_path) == "no metrics"


def test_a_preset_is_called_as_its_runs_will_tell_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "ours"')
    assert called(str(tmp_path / "mine.toml")) == "ours"
    assert called("gemma4-e2b") == "gemma4-e2b"
