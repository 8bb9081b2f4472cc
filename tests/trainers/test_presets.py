"""A preset is read whole or refused with one sentence; what is written back reads the same."""

import pytest

from trainers.families import FAMILIES
from trainers.presets import Preset, PresetError, bundled, load_preset, parse_preset, preset_toml

NAMES = (
    "gemma4-e2b", "gemma4-e2b-grpo", "gemma4-e2b-grpo-published", "gemma4-e2b-published", "qwen3.5-0.8b",
    "qwen3.5-0.8b-grpo", "qwen3.5-0.8b-grpo-published", "qwen3.5-0.8b-published", "tiny-gemma4", "tiny-gemma4-grpo",
    "tiny-qwen3.5", "tiny-qwen3.5-grpo",
)  # fmt: skip
MINIMAL = 'name = "mine"\nfamily = "gemma4"\nmodel = "random"\n'


def test_the_bundled_presets_are_these() -> None:
    assert tuple(bundled()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_written_out_reads_back_the_same(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name
    assert preset.family in FAMILIES
    assert parse_preset(preset_toml(preset), name) == preset


def test_the_published_recipe_is_to_the_letter() -> None:
    preset = load_preset("gemma4-e2b-published")
    sft = preset.sft
    assert (sft.optimizer, sft.learning_rate, sft.schedule, sft.clip) == ("adafactor", 2e-5, "constant", None)
    assert (sft.rows, sft.accumulate, sft.max_length, sft.epochs, sft.pack) == (1, 1, 1024, 3, False)
    assert (preset.decoding.temperature, preset.decoding.top_p, preset.decoding.max_new_tokens) == (0.1, 0.9, 1024)
    assert preset.system is not None
    assert preset.system.startswith("You are an AI agent orchestrator. Given a user request")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (MINIMAL + "[sft]\nlearning_rat = 1", r"no key 'sft\.learning_rat'; did you mean 'learning_rate'\?"),
        (MINIMAL + "[sft]\nepochs = 'three'", r"sft\.epochs = 'three' must be float"),
        (MINIMAL + "[sft]\npack = 1", r"sft\.pack = 1 must be bool"),
        (MINIMAL + "[sft]\nclip = nan", r"sft\.clip = nan must be a number"),
        (MINIMAL + "[sft]\nrows = 0", r"sft\.rows = 0 must be a number from 1 on"),
        (MINIMAL + "thinking = 'loud'", r"thinking = 'loud' must be one of text, native"),
        (MINIMAL.replace("gemma4", "gpt"), r"family = 'gpt' must be one of gemma4, qwen3\.5"),
        (MINIMAL + "sft = 3", r"sft = 3 must be a table"),
        ('name = "mine"', r"misses the key 'family'"),
        ("name = ", r"is not TOML"),
    ],
)
def test_what_is_wrong_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(PresetError, match=sentence):
        parse_preset(text, "mine.toml")


def test_changes_are_applied_and_checked_like_the_file() -> None:
    preset = load_preset("tiny-gemma4", ["sft.epochs=2", "sft.clip=none", 'system="Plan."', "thinking=native"])
    assert isinstance(preset, Preset)
    assert (preset.sft.epochs, preset.sft.clip, preset.system, preset.thinking) == (2.0, None, "Plan.", "native")
    for change, sentence in (
        ("epochs", "key=value"),
        ("sft.epoch=2", "did you mean 'epochs'"),
        ("name.x=1", "no table"),
    ):
        with pytest.raises(PresetError, match=sentence):
            load_preset("tiny-gemma4", [change])


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(PresetError, match=r"no preset is called .huge.; give a \.toml file or one of: gemma4-e2b, "):
        load_preset("huge")
