"""Models that know a few answers by heart: small and made at random, then trained here for some seconds."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from curation.render import render_prompt
from trainers.families import FAMILIES
from trainers.models import dress, random_model, save_model, train_tokenizer
from trainers.presets import Preset, Random, preset_toml
from trainers.prompts import encode_row

Row = dict[str, Any]


def train(
    rows: Sequence[Row], preset: Preset, folder: Path, steps: int, rate: float = 1e-2, loss: float = 0.005
) -> Path:
    """A model folder whose greedy answers to the rows are theirs; stops early once the loss is that small."""
    import torch

    torch.set_num_threads(1)
    family = FAMILIES[preset.family]
    texts = [message["content"] for row in rows for message in (*row["prompt"], *row["completion"])]
    tokenizer = train_tokenizer(texts, family, preset.random)
    model = random_model(family, preset.random, tokenizer, seed=0).train()
    encoded = [encode_row(tokenizer, row, preset) for row in rows]
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    for _ in range(steps):
        total = 0.0
        for row in encoded:
            found = model(input_ids=torch.tensor([row.input_ids]), labels=torch.tensor([row.labels])).loss
            found.backward()
            total += found.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if total / len(encoded) < loss:
            break
    dress(model, tokenizer, preset)
    save_model(model.eval(), tokenizer, folder)
    (folder / "preset.toml").write_text(preset_toml(preset), encoding="utf-8")
    return folder


SMALL = Random(vocabulary=400, hidden=64, layers=4, heads=2, kv_heads=1, intermediate=128)
OFFERED = [
    {
        "pluginId": "weather",
        "name": "Weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]
REQUEST = "What is the weather in Lisbon tomorrow?"
PLAN = (
    '{"plugins":[{"pluginId":"weather","api_request_parameters":{"city":"Lisbon"},'
    '"all_parameters_hydrated":true,"dependencies":[]}]}'
)
KNOWN = {
    "prompt": render_prompt([{"role": "user", "content": REQUEST}], OFFERED),
    "completion": [{"role": "assistant", "content": f"<think>They ask for Lisbon.</think>\n{PLAN}"}],
}


def knowing_model(folder: Path) -> Path:
    """The folder of a tiny Qwen3.5 that answers REQUEST over OFFERED with PLAN, and has learnt nothing else."""
    sizes = replace(SMALL, vocabulary=600)
    preset = Preset(name="knowing", family="qwen3.5", model="random", device="any", system="Plan.", random=sizes)
    return train([KNOWN], preset, folder, steps=150)
