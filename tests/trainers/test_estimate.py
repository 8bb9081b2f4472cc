"""A dry run says what training will take, counts where it can, and loads nothing heavy for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from curation.errors import InputError
from tests.trainers.conftest import SMALL
from trainers.estimate import REACHED, Size, estimate, gpu_named, gpu_of, lines, memory, size_of, steps
from trainers.families import FAMILIES
from trainers.models import full_size_config
from trainers.presets import Sft, bundled, load_preset
from trainers.reckoning import reckon
from trainers.release import open_release
from trainers.sft import Job, train

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", [name for name in bundled() if not name.startswith("tiny")])
def test_the_table_of_sizes_is_that_of_models_of_those_dimensions(name: str) -> None:
    import torch
    import transformers

    preset = load_preset(name)
    size = size_of(preset.model, preset)
    assert size is not None
    config = full_size_config(preset.family)
    with torch.device("meta"):
        model = getattr(transformers, FAMILIES[preset.family].architecture)(config)
    counts = {name: p.numel() for name, p in model.named_parameters()}
    assert size.parameters == sum(counts.values())
    assert size.table == sum(number for name, number in counts.items() if "embed_tokens_per_layer" in name)
    assert (size.layers, size.hidden, size.vocabulary) == (
        config.num_hidden_layers, config.hidden_size, config.vocab_size,
    )  # fmt: skip
    assert sum(layers for layers, _, _ in size.attention) == sum(
        "attention" in k and "linear" not in k for k in config.layer_types
    )


def test_the_published_run_comes_out_at_its_published_hours() -> None:
    preset = load_preset("gemma4-e2b-published")
    told = estimate(size_of(preset.model, preset), preset, (64_992, 0, 64_992, 64_992 * 1024), True, gpu_named("h100"))
    assert told.steps == 194_976
    assert told.hours == pytest.approx(20, rel=0.1)
    assert told.fits is True


def test_ours_is_reckoned_at_its_goal() -> None:
    """21.7 samples of 1,024 tokens a second on an H100."""
    preset = load_preset("gemma4-e2b")
    size = size_of(preset.model, preset)
    assert size is not None
    a_second = 989e12 * REACHED[True] / size.flops(1024) / 1024
    assert a_second == pytest.approx(21.7, rel=0.03)


def test_freezing_the_table_saves_its_gradients_and_moments() -> None:
    size = Size("gemma4", 1_000, 600, 1, 1, 1, ())
    free, frozen = memory(size, Sft()), memory(size, Sft(freeze_table=True))
    assert frozen["weights"] == free["weights"]
    big = Size("gemma4", 4_628_569_344, 2_348_810_240, 35, 1536, 262_144, ())
    saved = sum(memory(big, Sft()).values()) - sum(memory(big, Sft(freeze_table=True)).values())
    assert saved == pytest.approx(2_348_810_240 * 12 / 2**30, rel=1e-3)


@pytest.mark.parametrize(("sequences", "rows", "accumulate", "expected"), [(10, 4, 1, 9), (10, 1, 4, 9), (1, 8, 8, 3)])
def test_steps_are_counted_as_the_trainer_does(sequences: int, rows: int, accumulate: int, expected: int) -> None:
    assert steps(sequences, Sft(rows=rows, accumulate=accumulate, epochs=3)) == expected


def test_a_dry_run_counts_what_the_run_then_takes(release: Path, tmp_path: Path) -> None:
    changes = [*SMALL, "sft.max_length=900", "sft.pack=true", "sft.accumulate=16", "sft.max_steps=none", "sft.epochs=1"]
    preset = load_preset("tiny-gemma4", changes)
    told = reckon(open_release(release), preset, None)
    run = train(Job(open_release(release), str(release), preset, tmp_path / "run"))
    counted = run["data"]["train"]
    assert (told.rows, told.sequences, told.tokens) == (counted["rows"], counted["sequences"], counted["tokens"])
    assert told.steps == run["steps"]
    assert told.exact
    again = reckon(open_release(release), load_preset("tiny-gemma4", [*changes, f'model="{tmp_path / "run"}"']), None)
    assert (again.tokens, again.steps, again.exact) == (told.tokens, told.steps, True)
    assert again.memory["weights"] > 0


def test_the_command_says_it_without_loading_torch(release: Path) -> None:
    code = (
        "import sys; sys.argv = ['curation', 'train', 'sft', '--release', sys.argv[1], '--preset', 'gemma4-e2b', "
        "'--dry-run', '--gpu', 'h200', '--json']\n"
        "from curation.cli import main\n"
        "try:\n    main()\nfinally:\n    print(sorted({'torch', 'transformers', 'trl'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(release)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    text, _, loaded = done.stdout.rpartition("}\n")
    told = json.loads(text + "}")
    assert loaded.strip() == "[]"
    assert told["exact"] is False
    assert told["gpu"] == "NVIDIA H200"
    assert told["rows"] == open_release(release).splits["train"]
    assert told["steps"] > 0
    assert told["hours"] > 0
    assert sum(told["memory"].values()) > 20


def test_what_does_not_fit_is_said_with_what_to_change() -> None:
    preset = load_preset("gemma4-e2b", ["sft.rows=16"])
    told = estimate(size_of(preset.model, preset), preset, (100, 0, 10, 40_000), False, gpu_named("l40s"))
    text = "\n".join(lines(told, preset))
    assert told.fits is False
    assert "it does not fit there: lower sft.rows" in text
    assert "about 2 (3 epochs" not in text


def test_gpus_are_found_by_word_and_by_the_drivers_name() -> None:
    assert gpu_named("H100").name == "NVIDIA H100 SXM"
    found = gpu_of("NVIDIA H200 141GB HBM3e")
    assert found is not None
    assert found.tflops == 989
    assert gpu_of("Tesla T4") is None
    with pytest.raises(InputError, match=r"no GPU is called 'tpu'; --gpu takes h100, h200"):
        gpu_named("tpu")
