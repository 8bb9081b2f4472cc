"""Model folders to export: random weights of every kind that is stored differently."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trainers.knowing import SMALL
from trainers.families import FAMILIES
from trainers.models import dress, random_model, save_model, train_tokenizer
from trainers.presets import Preset

TEXTS = ['A plan calls 12 plugins, then 345 more: naïve {"plugins": []}\n\n', "Wie wird das Wetter in Köln? 天气"]


def shaken(model: Any) -> Any:
    """The model with weights large enough that no two answers are alike, norms and biases too."""
    import torch

    torch.manual_seed(7)
    with torch.no_grad():
        for value in model.state_dict().values():
            value.copy_(torch.randn_like(value) * 0.15 if value.ndim > 1 else value + torch.randn_like(value) * 0.1)
    return model


@pytest.fixture(scope="session")
def random_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`random_folder(family, **config)`: a folder with a random model; what is given changes its configuration."""

    def make(family: str, **changes: Any) -> Path:
        import transformers

        preset = Preset(name="random", family=family, model="random", device="any", random=SMALL)
        tokenizer = train_tokenizer(TEXTS, FAMILIES[family], preset.random)
        config = random_model(FAMILIES[family], preset.random, tokenizer, 0).config
        config.update(changes)
        model = shaken(getattr(transformers, FAMILIES[family].architecture)(config))
        dress(model, tokenizer, preset)
        folder = tmp_path_factory.mktemp(family)
        save_model(model, tokenizer, folder)
        return folder

    return make
