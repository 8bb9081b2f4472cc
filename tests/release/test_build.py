"""A built release gives back exactly what went in, is the same whenever it is built, and is never half there."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import polars as pl
import pytest

from curation.errors import InputError, RecipeError, TargetError
from curation.recipe import Release
from curation.release import manifest, parquet
from curation.release.build import Built, build
from curation.release.rows import CONFIGS
from curation.release.verify import verify
from curation.render import render_answer, render_prompt
from tests.release.samples import NO_GROUPS, NO_PAIRS, SETTINGS, START, facts, frame, many, plan_of, release, sample

datasets = pytest.importorskip("datasets")

ROOT = Path(__file__).resolve().parents[2]


def load(folder: Path, config: str, cache: Path) -> Any:
    return datasets.load_dataset(str(folder), config, cache_dir=str(cache))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def various() -> pl.DataFrame:
    """Samples whose candidates have different keys, with histories, without thinking, scores or known candidates."""
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"q": "Bern"}'}}
    history = [
        {"role": "user", "content": "Bern?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"rain": true}'},
        {"role": "user", "content": "And Basel? – «naïve» 🌧"},
    ]
    rows = [sample(number) for number in range(60)]
    rows.append(sample(100, messages=history))
    rows.append(sample(101, offered=None))
    rows.append(sample(102, offered=[], plan='{"plugins": []}'))
    rows.append(sample(103, offered=[{"pluginId": "weather", "deep": {"a": [{"b": None}, {"c": 1.5}]}}]))
    rows.append(sample(104, overall=None, thinking=None, plan=plan_of(*"abcdef")))
    return frame(rows)


def row_of(config: str, sample: dict[str, Any]) -> dict[str, Any]:
    """What a sample is to be in a configuration, said by itself."""
    candidates = None if sample["candidates"] is None else orjson.loads(sample["candidates"])
    row = {
        "prompt": render_prompt(orjson.loads(sample["messages"]), candidates),
        "completion": [{"role": "assistant", "content": render_answer(sample["thinking"], sample["plan"])}],
        "score": sample["overall"],
    }
    return {name: row.get(name, sample.get(name)) for name in CONFIGS[config].schema}


@pytest.mark.parametrize("config", CONFIGS)
def test_load_dataset_gives_back_exactly_the_rows_that_were_made(config: str, tmp_path: Path) -> None:
    samples = various()
    built = release(tmp_path, samples)
    loaded = load(built.folder, config, tmp_path / "cache")
    wanted = {row["sample_id"]: row_of(config, row) for row in samples.iter_rows(named=True)}
    found = {row["sample_id"]: row for split in loaded.values() for row in split}
    assert found == wanted
    assert {name: split.num_rows for name, split in loaded.items()} == built.rows
    order = {sample_id: at for at, sample_id in enumerate(samples.sort("timestamp", "sample_id")["sample_id"])}
    places = [order[sample_id] for sample_id in loaded["train"]["sample_id"]]
    assert places == sorted(places)


def test_the_first_configuration_is_the_default(tmp_path: Path) -> None:
    built = release(tmp_path, many(20))
    assert "completion" in datasets.load_dataset(str(built.folder), cache_dir=str(tmp_path / "c"))["train"].column_names


def test_two_folders_of_one_name_are_not_mixed_up_by_the_cache(tmp_path: Path) -> None:
    one, other = (release(tmp_path / place, many(count)) for place, count in (("a", 20), ("b", 30)))
    assert one.folder.name == other.folder.name
    sizes = [sum(s.num_rows for s in load(b.folder, "sft", tmp_path / "cache").values()) for b in (one, other)]
    assert sizes == [20, 30]


def test_every_row_has_a_prompt_and_an_answer_that_a_trainer_takes(tmp_path: Path) -> None:
    built = release(tmp_path, various())
    for path in built.folder.glob("data/sft/*.parquet"):
        for row in pl.read_parquet(path).iter_rows(named=True):
            assert row["prompt"][0]["role"] == "system"
            assert row["prompt"][-1]["role"] == "user"
            (answer,) = row["completion"]
            thinking, _, plan = answer["content"].rpartition("</think>\n")
            assert answer["role"] == "assistant"
            assert thinking == "" or thinking.startswith("<think>")
            assert "plugins" in json.loads(plan)


def test_a_limit_on_candidates_holds_in_prompt_and_column(tmp_path: Path) -> None:
    built = release(tmp_path, many(20), settings=Release(licence="mit", candidates_per_prompt=1))
    for path in built.folder.glob("data/grpo/*.parquet"):
        for row in pl.read_parquet(path).iter_rows(named=True):
            (kept,) = json.loads(row["candidates"])
            assert kept["pluginId"] == "weather"
            assert '"other-' not in row["prompt"][-1]["content"]


def test_the_same_samples_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    samples = many(300)
    one = release(tmp_path / "a", samples)
    other = release(tmp_path / "b", samples.sample(fraction=1, shuffle=True, seed=3))
    assert bytes_of(one.folder) == bytes_of(other.folder)


def test_the_digest_is_of_the_rows_alone(tmp_path: Path) -> None:
    samples = many(40)
    one = release(tmp_path / "a", samples)
    later = release(tmp_path / "b", samples, facts(version="2.0.0", code="9"), minute=5)
    assert one.digest == later.digest
    changed = samples.with_columns(pl.when(pl.int_range(pl.len()) == 3).then(1.0).otherwise("overall").alias("overall"))
    assert release(tmp_path / "c", changed).digest != one.digest
    assert release(tmp_path / "d", samples, settings=Release(validation=0.5)).digest != one.digest


def test_a_large_split_is_cut_into_shards_that_load_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = release(tmp_path / "whole", many(100))
    monkeypatch.setattr(parquet, "SHARD_ROWS", 30)
    monkeypatch.setattr(parquet, "BATCH_ROWS", 7)
    cut = release(tmp_path / "cut", many(100))
    names = sorted(path.name for path in cut.folder.glob("data/sft/train-*"))
    assert [name[-23:] for name in names] == [f"-{i:05d}-of-{len(names):05d}.parquet"[-23:] for i in range(len(names))]
    assert len(names) == -(-cut.rows["train"] // 30)
    assert cut.digest == whole.digest
    assert list(load(cut.folder, "sft", tmp_path / "c1")["train"]) == list(
        load(whole.folder, "sft", tmp_path / "c2")["train"]
    )


def test_shards_are_cut_by_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "SHARD_BYTES", 10)
    assert list(parquet._shards(list("abcde"), [4, 4, 4, 50, 1])) == [(0, 2), (2, 3), (3, 4), (4, 5)]


def test_a_file_is_named_after_what_is_in_it(tmp_path: Path) -> None:
    built = release(tmp_path, many(30))
    (path,) = built.folder.glob("data/sft/train-*.parquet")
    shard = hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.name == f"train-{hashlib.sha256(shard.encode()).hexdigest()[:8]}-00000-of-00001.parquet"


def test_an_empty_split_is_left_out_and_said(tmp_path: Path) -> None:
    built = release(tmp_path, many(30), settings=Release(licence="mit", validation=0.0, test=0.0))
    assert built.rows == {"train": 30}
    assert built.manifest["empty_splits"] == ["validation", "test"]
    assert not list(built.folder.glob("data/*/test-*"))
    assert "The split `test` is empty" in (built.folder / "README.md").read_text()
    assert set(load(built.folder, "sft", tmp_path / "c")) == {"train"}


def test_the_manifest_says_what_is_there(tmp_path: Path) -> None:
    built = release(tmp_path, many(30))
    there = orjson.loads((built.folder / "manifest.json").read_bytes())
    assert there == built.manifest
    assert there["samples"] == {"count": 30, "digest": built.digest}
    assert there["created_at"] == "2026-10-01T00:00:00Z"
    assert verify(built.folder) == []


def test_building_the_same_again_changes_nothing(tmp_path: Path) -> None:
    one = release(tmp_path, many(30))
    before = bytes_of(one.folder)
    assert release(tmp_path, many(30), minute=9) == one
    assert bytes_of(one.folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["tool-plans-v1.0.0"]


def test_a_folder_with_other_rows_is_left_alone_and_named(tmp_path: Path) -> None:
    one = release(tmp_path, many(30))
    before = bytes_of(one.folder)
    with pytest.raises(TargetError, match=r"tool-plans-v1\.0\.0 exists .* other rows.*choose another version"):
        release(tmp_path, many(31))
    assert bytes_of(one.folder) == before


def test_a_folder_that_is_no_release_is_left_alone_and_named(tmp_path: Path) -> None:
    (tmp_path / "tool-plans-v1.0.0").mkdir()
    (tmp_path / "tool-plans-v1.0.0" / "notes.txt").write_text("mine")
    with pytest.raises(TargetError, match="not an intact release"):
        release(tmp_path, many(30))
    assert (tmp_path / "tool-plans-v1.0.0" / "notes.txt").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TargetError, match="cannot be written"):
        release(tmp_path / "file", many(3))


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"samples": many(0)}, InputError, "no accepted samples"),
        ({"told": facts(licence=" ")}, RecipeError, "licence"),
        ({"settings": Release(configs=("sft", "dpo"))}, RecipeError, "dpo"),
        ({"settings": Release(configs=())}, RecipeError, "configs"),
        ({"told": facts(version="v1")}, InputError, "version 'v1'"),
        ({"samples": frame([sample(1, kind="trajectory", plan=None)])}, InputError, "trajectory"),
    ],
)
def test_what_cannot_be_released_is_said_and_leaves_nothing(
    change: dict[str, Any], error: type[Exception], says: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says):
        release(tmp_path, **({"samples": many(3)} | change))
    assert list(tmp_path.iterdir()) == []


def test_samples_and_splits_must_be_the_same_ones(tmp_path: Path) -> None:
    splits = pl.DataFrame({"sample_id": ["x"], "split": ["train"]})
    with pytest.raises(ValueError, match="with one split"):
        build(tmp_path / "r", many(1), splits, facts(), SETTINGS, START)
    assert NO_PAIRS.is_empty()
    assert NO_GROUPS.is_empty()


def test_a_manifest_that_its_schema_refuses_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(jsonschema.ValidationError):
        release(tmp_path, many(3), facts(code=3))
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from curation.release import build
from tests.release.samples import many, release

def die(partial, folder):
    assert (partial / "manifest.json").exists() and not folder.exists()
    os.kill(os.getpid(), signal.SIGKILL)

build.settle = die
release(Path(sys.argv[1]), many(30))
"""


@pytest.mark.slow
def test_killed_before_the_rename_there_is_no_half_release_and_the_next_build_cleans_up(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name.endswith(".partial") for path in tmp_path.iterdir()] == [True]
    built: Built = release(tmp_path, many(30))
    assert list(tmp_path.iterdir()) == [built.folder]
    assert verify(built.folder) == []
    assert manifest.read(built.folder)["samples"]["count"] == 30


@pytest.mark.slow
def test_two_builders_of_one_release_take_turns(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from tests.release.samples import many, release; "
    script += "release(Path(sys.argv[1]), many(400))"
    both = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["tool-plans-v1.0.0"]
    assert verify(tmp_path / "tool-plans-v1.0.0") == []
