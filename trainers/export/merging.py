"""Makes plain weights of a LoRA adapter and the model it was trained on, so that any server can load them."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from curation.errors import InputError, MachineError
from trainers.extras import needed

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

AGREEMENT = 1e-4  # the largest difference of a logit, in float32, between adapter and merged weights
PROBE = 64  # tokens that the two are compared on
BESIDE = ("preset.toml", "run.json", "README.md", "generation_config.json")  # what a run says of itself goes along


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds a LoRA adapter instead of a whole model."""
    return (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file()


def merge(folder: Path, out: Path, base: str | None = None) -> float:
    """Writes the merged model into `out`, a folder that exists and is empty; returns the largest difference of a logit.

    `base`: the model that the adapter was trained on, where it is no longer where the adapter says. Weights are merged
    in float32 and kept as the base keeps its own. Raises InputError where there is no adapter, no base, or where
    merged and adapted logits differ by more than AGREEMENT.
    """
    import torch

    base = base or base_of(folder)
    peft = needed("peft", "export", "merging a LoRA adapter")
    from trainers.models import config_of, load_model, load_tokenizer

    model, tokenizer = load_model(base, "cpu", "fp32")
    if (folder / "tokenizer_config.json").is_file():
        tokenizer = load_tokenizer(folder)
    try:
        adapted = peft.PeftModel.from_pretrained(model, str(folder)).eval()
    except (ValueError, RuntimeError, OSError) as error:
        first = str(error).strip().splitlines()[0][:200]
        raise InputError(
            f"the adapter {folder} does not fit the model {base}: {first}; name the right one with --base"
        ) from error
    tokens = probe(model.config.vocab_size)
    before = logits(adapted, tokens)
    merged = adapted.merge_and_unload(safe_merge=True)
    difference = (logits(merged, tokens) - before).abs().max().item()
    if not difference <= AGREEMENT:
        raise InputError(
            f"merged and adapted logits of {folder} differ by {difference:.1e}, more than {AGREEMENT:.0e}; "
            "serve the adapter itself, on its base"
        )
    kept = config_of(base).get("dtype")
    save(merged.to(getattr(torch, kept)) if kept else merged, tokenizer, folder, out)
    return float(difference)


def base_of(folder: Path) -> str:
    """The model that an adapter says it was trained on."""
    file = folder / "adapter_config.json"
    if not file.is_file():
        raise InputError(f"{folder} holds no LoRA adapter (adapter_config.json): its weights are plain already")
    told: dict[str, Any] = orjson.loads(file.read_bytes())
    found = told.get("base_model_name_or_path")
    if told.get("peft_type") != "LORA" or not found:
        raise InputError(f"{file} is a {told.get('peft_type')} of {found}; only a LoRA with a named base can be merged")
    return str(found)


def probe(vocabulary: int) -> "torch.Tensor":
    """Tokens from all over the vocabulary, the same every time."""
    import torch

    generator = torch.Generator().manual_seed(0)
    return torch.randint(vocabulary, (1, PROBE), generator=generator)


def logits(model: "PreTrainedModel", tokens: "torch.Tensor") -> "torch.Tensor":
    """What the model makes of the tokens."""
    import torch

    with torch.no_grad():
        found: torch.Tensor = model(input_ids=tokens).logits.float()
    return found


def save(model: Any, tokenizer: Any, folder: Path, out: Path) -> None:
    """The model folder, with what the run said of itself."""
    from safetensors import SafetensorError

    from trainers.models import save_model

    try:
        save_model(model, tokenizer, out)
    except SafetensorError as error:
        raise MachineError(
            f"{out} cannot be written: {error}; make room there or name another place with --out"
        ) from error
    for name in BESIDE:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, out / name)
