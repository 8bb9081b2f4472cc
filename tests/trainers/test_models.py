"""Models are loaded whole or refused; what was saved says the same when it is loaded again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curation.errors import InputError
from trainers.families import FAMILIES
from trainers.models import (
    dress,
    freeze_table,
    full_size_config,
    load_model,
    load_tokenizer,
    random_model,
    require_family,
    save_model,
    train_tokenizer,
)  # fmt: skip
from trainers.presets import Random, load_preset

SIZES = Random(vocabulary=400, hidden=32, layers=4, heads=2, intermediate=32)


def made(family: str, folder: Path) -> Any:
    """A random model saved in `folder`."""
    tokenizer = train_tokenizer(["{}"], FAMILIES[family], SIZES)
    model = random_model(FAMILIES[family], SIZES, tokenizer, 0).eval()
    dress(model, tokenizer, load_preset(f"tiny-{family}"))
    save_model(model, tokenizer, folder)
    return model


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_model_gives_the_same_logits_with_its_tokenizer_and_template(family: str, tmp_path: Path) -> None:
    import torch

    model = made(family, tmp_path)
    again, tokenizer = load_model(tmp_path, "cpu", "fp32")
    ids = torch.randint(20, 200, (1, 40))
    with torch.no_grad():
        assert torch.equal(model(input_ids=ids).logits, again(input_ids=ids).logits)
    assert again.generation_config.eos_token_id == model.generation_config.eos_token_id
    assert "this template writes plans" in str(tokenizer.chat_template)


def test_the_language_model_of_a_checkpoint_with_eyes_is_taken_whole(tmp_path: Path) -> None:
    import torch
    from transformers import Gemma4Config, Gemma4ForConditionalGeneration

    model = made("gemma4", tmp_path)
    whole = Gemma4ForConditionalGeneration(Gemma4Config(text_config=model.config.to_dict(), vision_config=None)).eval()
    whole.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "gemma4"
    alone, _ = load_model(tmp_path, "cpu", "fp32")
    ids = torch.randint(20, 200, (1, 30))
    with torch.no_grad():
        assert torch.allclose(whole(input_ids=ids).logits, alone(input_ids=ids).logits, atol=1e-5)


def test_a_checkpoint_that_lacks_weights_is_refused_rather_than_filled_with_noise(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    made("qwen3.5", tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    gone = next(name for name in weights if "mlp.up_proj" in name)
    save_file({k: v for k, v in weights.items() if k != gone}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"lacks 1 weights of a Qwen3_5ForCausalLM \(.*up_proj.*which would be random"):
        load_model(tmp_path)


def test_a_folder_without_tokenizer_or_model_is_one_sentence(tmp_path: Path) -> None:
    made("qwen3.5", tmp_path)
    for file in tmp_path.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(InputError, match=r"has no tokenizer \(tokenizer.json\); save it there with the weights"):
        load_model(tmp_path)
    with pytest.raises(InputError, match="there is no model at nowhere"):
        load_tokenizer("nowhere")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"is no model folder: its config.json cannot be read"):
        require_family(tmp_path, load_preset("tiny-qwen3.5"))


def test_a_preset_for_another_family_is_refused(tmp_path: Path) -> None:
    made("qwen3.5", tmp_path)
    require_family(tmp_path, load_preset("qwen3.5-0.8b"))
    with pytest.raises(InputError, match=r"the preset gemma4-e2b is for gemma4, and the model .* is a qwen3.5"):
        require_family(tmp_path, load_preset("gemma4-e2b"))
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(InputError, match=r"of the type 'llama', which no family here knows"):
        require_family(tmp_path, load_preset("gemma4-e2b"))


def test_sharing_more_layers_than_there_are_to_share_from_is_one_sentence() -> None:
    tokenizer = train_tokenizer(["{}"], FAMILIES["gemma4"], SIZES)
    with pytest.raises(
        InputError, match=r"random.shared = 3 of 4 layers leaves none of each kind .* set it to 2 or less"
    ):
        random_model(FAMILIES["gemma4"], replace(SIZES, shared=3), tokenizer, 0)


@pytest.mark.parametrize(("family", "billions"), [("gemma4", 4.629), ("qwen3.5", 0.752)])
def test_full_size_models_have_the_published_number_of_parameters(family: str, billions: float) -> None:
    import torch
    import transformers

    with torch.device("meta"):
        model = getattr(transformers, FAMILIES[family].architecture)(full_size_config(family))
    assert sum(p.numel() for p in model.parameters()) / 1e9 == pytest.approx(billions, abs=0.001)
    frozen = freeze_table(model, FAMILIES[family])
    assert frozen == (2_348_810_240 if family == "gemma4" else 0)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("text", ["", " \n\t", "Ünïcode – 漢字 🎉", '{"a": [1, 2.50, "x\\n"]}', "<think>a</think>\n{}"])
def test_a_trained_tokenizer_gives_every_text_back(family: str, text: str) -> None:
    tokenizer = train_tokenizer(["some text 123"], FAMILIES[family], SIZES)
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False), skip_special_tokens=False) == text
