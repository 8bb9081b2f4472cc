"""What people and the Hub are shown of an evaluation is what was measured."""

import re
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console, RenderableType

from curation.errors import InputError
from tests.conftest import ROOT
from tests.trainers.evaluation.cases import GOLD_STEPS, answer, gold
from trainers.evaluation import results
from trainers.evaluation.card import INDEXED, card, eval_results, write_card
from trainers.evaluation.metrics import FIELD, NAMES, ORCHESTRATOR, PLANNER, count, measure
from trainers.evaluation.picture import picture
from trainers.evaluation.summary import CATEGORIES, against, beside_published, published, summarise
from trainers.evaluation.tables import LABELS, tables, worst

LENGTHS = (1, 2, 3, 4, 3)  # steps of the gold in each of CATEGORIES


def table(rows: int, quality: float, seed: int) -> pl.DataFrame:
    """Results of a model that leaves out a step where chance says so, in two pools."""
    random = np.random.default_rng(seed)
    made: list[dict[str, Any]] = []
    for i in range(rows):
        category, steps = CATEGORIES[i % 5], GOLD_STEPS[: LENGTHS[i % 5]]
        for pool in ("own", "12"):
            said = answer(*(steps if random.random() < quality else steps[1:]))
            made.append(
                {"sample_id": f"s-{i}", "category": category, "n_steps": len(steps), "pool": pool, "candidates": 6,
                 "prompt": f"{i}{pool}", "request": f"Request {i}", "plan": "{}", "completion": said.plan_text,
                 "finish": "stop", "tokens": 9, "problem": said.problem}
                | measure(said, gold(*steps)) | count(said, gold(*steps))
            )  # fmt: skip
    return results.framed(made)


def summary_of(frame: pl.DataFrame, model: str = "runs/m") -> dict[str, Any]:
    pools = summarise(frame, 0)
    for figures in pools.values():
        figures |= {"unknown": 0, "short": 3}
    return {
        "model": model,
        "release": {"name": "plans", "version": "1.0.0", "commit": "abc", "digest": "d", "split": "test"},
        "decoding": {"temperature": 0.1, "top_p": 0.9, "max_new_tokens": 1024},
        "pools": pools,
        "published": beside_published(pools["own"]),
    }


@pytest.fixture(scope="module")
def good() -> pl.DataFrame:
    return table(60, 0.9, 1)


@pytest.fixture(scope="module")
def summary(good: pl.DataFrame) -> dict[str, Any]:
    return summary_of(good)


def shown(renderable: RenderableType) -> str:
    held = StringIO()
    Console(width=240, file=held).print(renderable)
    return held.getvalue()


def test_every_figure_is_the_mean_of_its_rows(good: pl.DataFrame, summary: dict[str, Any]) -> None:
    for pool, figures in summary["pools"].items():
        rows = good.filter(pool=pool)
        for name in NAMES:
            found = figures["metrics"][name]
            assert found["n"] == rows[name].count()
            assert found["mean"] == pytest.approx(rows[name].mean())
            assert found["low"] <= found["mean"] <= found["high"]
        for category in CATEGORIES:
            wanted = rows.filter(category=category)["orchestrator_score"].mean()
            assert figures["categories"][category]["metrics"]["orchestrator_score"]["mean"] == pytest.approx(wanted)
        means = [figures["categories"][name]["metrics"]["orchestrator_score"]["mean"] for name in CATEGORIES]
        assert figures["mean"]["mean"] == pytest.approx(sum(means) / 5)
        both, said, wanted = (rows[f"edge_f1_{part}"].sum() for part in ("both", "said", "wanted"))
        assert figures["micro"]["edge_f1"]["mean"] == pytest.approx(2 * both / (said + wanted))
        assert [figures["difficulty"][name]["n"] for name in ("easy", "medium", "hard")] == [12, 36, 12]


def test_the_published_means_fit_our_definitions() -> None:
    known = published()["orchestrator"]
    for system, mean in known["mean"].items():
        categories = [values[system] for values in known["categories"].values()]
        assert sum(categories) / 5 == pytest.approx(mean, abs=0.003)
    planner = published()["planner"]
    assert sum(row["model"] for row in planner["metrics"].values()) / 6 == pytest.approx(80.0, abs=0.1)
    assert planner["composite"]["model"] == 75.6, "which is no mean of its rows"
    easy, medium = (planner["difficulty"][name] for name in ("easy", "medium"))
    for name, (row, of) in {"correct_plugin_ids": (22, 50), "json_valid": (47, 50)}.items():
        hits = round(26 * easy[name]["model"] / 100) + round(24 * medium[name]["model"] / 100)
        assert (hits, 100 * row / of) == (row, planner["metrics"][name]["model"])


def test_the_tables_show_every_measure_with_its_interval_n_and_what_was_published(summary: dict[str, Any]) -> None:
    text = shown(tables(summary))
    for name in (*ORCHESTRATOR, *PLANNER, *FIELD):
        line = next(line for line in text.splitlines() if line.strip().startswith(LABELS[name]))
        assert len(re.findall(r"\d+\.\d \[\d+\.\d, \d+\.\d\] n=\d+", line)) == 2, line
    assert re.search(r"^JSON valid .*95\.0 n=100 p=\S+ +97\.0 n=100 p=", text, re.MULTILINE)
    assert "75.6 n=50" in text
    assert "0.918 n=100" in text
    assert "3 prompts have fewer candidates; the release has no more plugins" in text


def test_a_comparison_says_what_is_within_noise(good: pl.DataFrame, summary: dict[str, Any]) -> None:
    other = table(60, 0.2, 2)
    told = summary | {"against": {"model": "base", "pools": against(good, other, 0)}}
    lines = shown(tables(told)).split("against base")[1].splitlines()
    assert any(line.startswith("JSON valid") and line.count("within noise") == 2 for line in lines)
    assert any(line.startswith("count match") and "within noise" not in line for line in lines)


def test_the_worst_come_first(good: pl.DataFrame) -> None:
    text = shown(worst(good, 3))
    assert text.count("wrote:") == 3
    order = good.sort(pl.col("orchestrator_score") + pl.col("composite") + pl.col("argument_value_f1").fill_null(1.0))
    assert order["sample_id"][0] in text
    assert "below 1: plugin-ID match" in text or "no-hallucinate" in text


def test_the_hubs_own_reader_finds_every_figure_in_the_card(summary: dict[str, Any], tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    text = write_card(tmp_path, summary).read_text()
    found = ModelCard(text).data.eval_results
    assert found == eval_results(summary)
    assert len(found) == 2 * len(INDEXED)
    first = next(one for one in found if one.metric_type == "json_valid" and one.metric_args["pool"] == "own")
    assert (first.dataset_type, first.dataset_split, first.dataset_revision) == ("plans", "test", "abc")
    assert first.metric_value == round(summary["pools"]["own"]["metrics"]["json_valid"]["mean"], 4)
    assert first.metric_args.keys() == {"pool", "n", "low_95", "high_95"}
    assert text.count("| JSON valid |") == 1
    assert card(summary) == text


@pytest.mark.parametrize("models", [1, 2])
def test_the_picture_is_drawn_for_one_model_and_for_two(models: int, good: pl.DataFrame) -> None:
    import matplotlib.image

    names = ["ours", "base"][:models]
    summaries = [summary_of(good), summary_of(table(60, 0.4, 3))][:models]
    pixels = matplotlib.image.imread(BytesIO(picture(summaries, names)))
    height, width, _ = pixels.shape
    assert width > 1500
    assert height > 900
    blue, orange = (np.abs(pixels[..., :3] - np.array(c) / 255).max(-1) < 0.05 for c in ((0, 114, 178), (213, 94, 0)))
    assert blue.sum() > 500
    assert bool(orange.sum() > 500) is (models == 2)


def test_the_docs_define_every_measure() -> None:
    page = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in page] == []
    assert [
        name for name in (*ORCHESTRATOR, *list(PLANNER)[1:], *FIELD) if f"| {LABELS[name]} | `{name}` |" not in page
    ] == []


def test_a_folder_without_an_evaluation_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no finished evaluation"):
        results.read(tmp_path)
