"""A search space holds settings of a preset, and nothing that is the task or the measure."""

from typing import Any

import pytest

from trainers.presets import load_preset
from trainers.search.space import SpaceError, UnfitError, bundled, load_space, parse_space, refused

BASE = load_preset("tiny-gemma4-grpo")
RATE = '"sft.learning_rate" = { from = 1e-5, to = 1e-3, scale = "log" }'


def space(setting: str, train: str = "sft") -> str:
    return f'name = "s"\ntrain = "{train}"\n[settings]\n{setting}\n'


@pytest.mark.parametrize(
    "key",
    [
        *("candidates_per_prompt", "release.candidates_per_prompt", "grpo.candidates", "pool", "test", "release.test"),
        *("split", "validation", "metric", "grpo.metric", "decoding.temperature", "system", "thinking"),
        *("grpo.max_prompt", "grpo.evaluate_rows", "seed", "model", "family", "random.hidden"),
    ],
)
def test_what_is_the_task_is_refused_by_name_with_the_reason(key: str) -> None:
    with pytest.raises(SpaceError) as told:
        parse_space(space(f'"{key}" = {{ from = 1, to = 2 }}'), "s.toml")
    assert str(told.value).startswith(f"the space s.toml may not hold {key!r}: ")
    assert str(told.value).removeprefix(f"the space s.toml may not hold {key!r}: ") in refused().values()


@pytest.mark.parametrize("name", bundled())
def test_every_bundled_space_fits_a_preset_and_each_of_its_values_makes_one(name: str) -> None:
    found = load_space(name, BASE)
    assert found.values(BASE).keys() == found.settings.keys()
    for key, setting in found.settings.items():
        for value in setting.ends:
            assert found.preset(BASE, {key: value}) is not None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = ", r"the space s is not TOML"),
        (space(RATE) + "more = 1\n[other]\n", r"has no key 'other'"),
        (space(RATE, "ppo"), r"train = 'ppo' must be one of grpo, sft"),
        ('name = "s"\ntrain = "sft"\n[settings]\n', r"needs a name, and a table \[settings\] with at least one"),
        (space('"sft.rows" = 3'), r"sft\.rows must be \{ from = …"),
        (space('"sft.rows" = { from = 3, to = 2 }'), r"from = 3 must be a number below to = 2"),
        (space('"sft.rows" = { from = 0, to = 2, scale = "log" }'), r"on log from must be above 0"),
        (space('"sft.rows" = { among = [1] }'), r"among = \[1\] must list two values or more"),
        (space('"optimizer" = { among = [1, 2] }'), r"may not hold 'optimizer'; it takes settings of grpo and sft"),
    ],
)
def test_what_is_no_space_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SpaceError, match=sentence):
        parse_space(text, "s")


def test_a_space_that_the_preset_cannot_follow_is_told_before_the_search(tmp_path: Any) -> None:
    for setting, sentence in (
        ('"sft.rowz" = { from = 1, to = 2 }', r"has no key 'sft\.rowz'; did you mean 'rows'"),
        ('"sft.optimizer" = { among = ["adamw", "sgd"] }', r"sft\.optimizer = 'sgd' must be one of adamw, adafactor"),
        ('"sft.rows" = { from = 1.5, to = 2.5 }', r"sft\.rows = 1\.5 must be int"),
    ):
        (tmp_path / "s.toml").write_text(space(setting))
        with pytest.raises(SpaceError, match=sentence):
            load_space(tmp_path / "s.toml", BASE)
    with pytest.raises(
        SpaceError, match=r"no search space is called 'nobody'; give a \.toml file or one of: grpo, sft"
    ):
        load_space("nobody", BASE)


def test_values_outside_of_the_space_make_no_preset() -> None:
    made = parse_space(space(RATE + '\n"sft.clip" = { among = [0.3, 1, "none"] }'), "s")
    assert made.preset(BASE, {"sft.learning_rate": 1e-4, "sft.clip": "none"}).sft.clip is None
    assert made.settings["sft.learning_rate"].own(1) == 1.0
    for settings in ({"sft.learning_rate": 0.1}, {"sft.clip": True}, {"sft.clip": None}, {"sft.rows": 2}):
        with pytest.raises(UnfitError):
            made.preset(BASE, settings)  # type: ignore[arg-type]
