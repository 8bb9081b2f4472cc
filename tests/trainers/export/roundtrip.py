"""What tests of exports do with a model: export it, ask it for logits, ask it for its answer."""

from pathlib import Path
from typing import Any

import torch

from tests.trainers.knowing import KNOWN
from trainers.export.exporting import Exported, export_gguf
from trainers.presets import load_preset
from trainers.prompts import decode, encode_prompt


def quiet(what: str, done: int, total: int | None, note: str) -> None:
    """Progress that nobody watches."""


def export(folder: Path, quant: str, out: Path) -> Exported:
    return export_gguf(str(folder), quant, out, None, quiet)


def logits(model: Any, length: int = 40) -> torch.Tensor:
    tokens = torch.randint(300, (1, length), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=tokens).logits
    return found


def greedy(model: Any, tokenizer: Any, folder: Path) -> str:
    """What the model answers to the request that it knows."""
    preset = load_preset(folder / "preset.toml")
    ids = encode_prompt(tokenizer, KNOWN, preset)
    ends = tokenizer.convert_tokens_to_ids(["<|im_end|>"])
    made = model.generate(
        input_ids=torch.tensor([ids]), max_new_tokens=90, do_sample=False, eos_token_id=ends, pad_token_id=0
    )
    return decode(tokenizer, made[0, len(ids) :].tolist(), preset.family)
