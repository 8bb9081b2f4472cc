"""A LoRA adapter becomes plain weights that answer as it does."""

import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from curation.errors import CurationError, InputError, TargetError
from tests.trainers.export.roundtrip import export, logits, quiet
from tests.trainers.knowing import PLAN
from trainers.export import merging
from trainers.export.exporting import export_gguf, export_merged
from trainers.export.reading import read_gguf
from trainers.models import load_model

Make = Callable[..., Path]


@pytest.fixture(scope="session")
def adapter(knowing: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an adapter on every linear layer of `knowing`, far enough from nothing to change its answers."""
    from peft import LoraConfig, get_peft_model

    model, _ = load_model(knowing, "cpu")
    model.name_or_path = str(knowing)
    torch.manual_seed(3)
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear"))
    with torch.no_grad():
        for name, value in adapted.named_parameters():
            if "lora_B" in name:
                value.normal_(0, 0.05)
    folder = tmp_path_factory.mktemp("adapter")
    adapted.save_pretrained(folder)
    shutil.copyfile(knowing / "preset.toml", folder / "preset.toml")
    return folder


def adapted_logits(base: Path, adapter: Path) -> torch.Tensor:
    from peft import PeftModel

    return logits(PeftModel.from_pretrained(load_model(base, "cpu")[0], str(adapter)).eval())


def test_merged_weights_answer_as_the_adapter_within_1e_4(knowing: Path, adapter: Path, tmp_path: Path) -> None:
    done = export_merged(str(adapter), tmp_path / "merged", None)
    merged, tokenizer = load_model(tmp_path / "merged", "cpu")
    there = adapted_logits(knowing, adapter)
    assert (logits(merged) - there).abs().max() < 1e-4
    assert (logits(load_model(knowing, "cpu")[0]) - there).abs().max() > 0.1  # the adapter does something
    assert done.difference is not None
    assert done.difference < merging.AGREEMENT
    assert tokenizer.decode(tokenizer.encode(PLAN)) == PLAN
    assert (tmp_path / "merged" / "preset.toml").read_bytes() == (knowing / "preset.toml").read_bytes()
    assert not list((tmp_path / "merged").glob("adapter*"))


def test_weights_stay_as_wide_as_the_base_keeps_them(random_folder: Make, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from safetensors import safe_open

    base = random_folder("qwen3.5")
    model, tokenizer = load_model(base, "cpu")
    narrow = tmp_path / "narrow"
    model.bfloat16().save_pretrained(narrow)
    tokenizer.save_pretrained(narrow)
    model.name_or_path = str(narrow)
    get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"])).save_pretrained(tmp_path / "adapter")
    export_merged(str(tmp_path / "adapter"), tmp_path / "merged", None)
    with safe_open(tmp_path / "merged" / "model.safetensors", "pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"BF16"}  # noqa: SIM118 - no mapping


def test_an_adapter_goes_to_gguf_in_one_step(adapter: Path, tmp_path: Path) -> None:
    export_merged(str(adapter), tmp_path / "merged", None)
    export(tmp_path / "merged", "q8_0", tmp_path / "twice.gguf")
    export_gguf(str(adapter), "q8_0", tmp_path / "once.gguf", None, quiet)
    once, twice = (read_gguf(tmp_path / f"{name}.gguf", tmp_path / "merged") for name in ("once", "twice"))
    assert torch.equal(logits(once), logits(twice))


def test_an_adapter_of_another_model_is_refused(adapter: Path, random_folder: Make, tmp_path: Path) -> None:
    other = random_folder("qwen3.5", hidden_size=32)
    with pytest.raises(InputError, match=f"does not fit the model {other}.*--base"):
        export_merged(str(adapter), tmp_path / "merged", str(other))
    assert list(tmp_path.iterdir()) == []


def test_a_base_that_has_moved_is_named(adapter: Path, knowing: Path, tmp_path: Path) -> None:
    moved = tmp_path / "adapter"
    shutil.copytree(adapter, moved)
    told = (moved / "adapter_config.json").read_text()
    (moved / "adapter_config.json").write_text(told.replace(str(knowing), str(tmp_path / "gone")))
    with pytest.raises(InputError, match=r"there is no model at .*gone"):
        export_merged(str(moved), tmp_path / "merged", None)
    export_merged(str(moved), tmp_path / "merged", str(knowing))
    assert (tmp_path / "merged" / "model.safetensors").is_file()


def test_plain_weights_are_not_merged(knowing: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="plain already"):
        export_merged(str(knowing), tmp_path / "merged", None)


def test_a_folder_that_is_there_is_not_replaced(adapter: Path, tmp_path: Path) -> None:
    (tmp_path / "merged").mkdir()
    with pytest.raises(TargetError, match="exists already"):
        export_merged(str(adapter), tmp_path / "merged", None)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(adapter: Path, tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        with pytest.raises(CurationError, match=r"cannot be written: .*make room there"):
            export_merged(str(adapter), tmp_path / "merged", None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert list(tmp_path.iterdir()) == []
