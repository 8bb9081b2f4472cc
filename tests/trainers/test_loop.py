"""The training loop: packed rows stay apart, large tensors are clipped one by one, nothing is measured in secret."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainers.conftest import SMALL
from trainers.families import FAMILIES
from trainers.loop import TOO_LARGE, optimizer
from trainers.models import random_model, train_tokenizer
from trainers.prepare import prepare
from trainers.presets import Sft, load_preset
from trainers.release import open_release
from trainers.sft import Job, texts_of, train


def test_packed_rows_give_the_logits_of_rows_by_themselves(release: Path) -> None:
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    preset = load_preset("tiny-gemma4", [*SMALL, "sft.max_length=1200", "sft.pack=true", "random.layers=4"])
    opened = open_release(release)
    tokenizer = train_tokenizer(texts_of(opened), FAMILIES["gemma4"], preset.random)
    model = random_model(FAMILIES["gemma4"], preset.random, tokenizer, 0).eval()
    rows = opened.rows("sft", "train").select(range(12))
    prepared = prepare(rows, tokenizer, preset, "train")
    dataset = prepared.dataset()
    collator = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)
    worst, compared = 0.0, 0
    for number, sequence in enumerate(prepared.sequences):
        batch = collator([dataset[number]])
        batch.pop("labels")
        with torch.no_grad():
            together = model(**batch, use_cache=False).logits[0]
            begin = 0
            for row in sequence:
                ids = torch.tensor(prepared.rows[row][0], dtype=torch.long)
                apart = model(input_ids=ids[None], use_cache=False).logits[0]
                worst = max(worst, (together[begin : begin + len(ids)] - apart).abs().max().item())
                begin += len(ids)
                compared += len(sequence) > 1
    assert compared > 4
    assert worst < 1e-3


@pytest.mark.parametrize(("clip", "calls"), [("none", set()), ("1.0", {(1.0, False)})])
def test_gradients_are_clipped_tensor_by_tensor_or_not_touched_at_all(
    clip: str, calls: set[Any], release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, bool | None]] = []
    real = torch.nn.utils.clip_grad_norm_

    def counted(parameters: Any, max_norm: float, *rest: Any, **named: Any) -> Any:
        seen.append((max_norm, named.get("foreach")))
        return real(parameters, max_norm, *rest, **named)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", counted)
    preset = load_preset("tiny-gemma4", [*SMALL, "sft.max_steps=2", f"sft.clip={clip}", "sft.optimizer=adafactor"])
    train(Job(open_release(release), str(release), preset, tmp_path / "run"))
    assert set(seen) == calls
    assert len(seen) == 2 * len(calls)


def test_adamw_leaves_its_fused_kernel_where_a_trained_tensor_is_too_large_for_it() -> None:
    with torch.device("meta"):
        table = torch.nn.Embedding(TOO_LARGE // 256, 256)
        model = torch.nn.ModuleDict({"table": table, "head": torch.nn.Linear(8, 8)})
    given = optimizer(model, Sft())
    assert given is not None
    assert (given[1].get("fused"), given[1].get("foreach")) == (False, False)
    table.weight.requires_grad_(False)
    frozen = optimizer(model, Sft())
    assert frozen is not None
    assert frozen[1]["fused"] is True
    assert optimizer(model, Sft(optimizer="adafactor")) is None


def test_muon_steps_the_matrices_and_adamw_tables_and_norms_each_by_its_own_rule() -> None:
    torch.manual_seed(0)
    model = torch.nn.ModuleDict({"table": torch.nn.Embedding(32, 8), "head": torch.nn.Linear(8, 6)})
    given = optimizer(model, Sft(optimizer="muon", learning_rate=0.01))
    assert given is not None
    kind, named = given
    stepped = kind(list(model.parameters()), **named)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    model["head"](model["table"](torch.arange(32))).square().sum().backward()
    stepped.step()
    moved = {name: weight.detach() - before[name] for name, weight in model.named_parameters()}
    strengths = torch.linalg.svdvals(moved["head.weight"])
    assert strengths.min() > 0.4 * strengths.max()  # a gradient's directions count alike, so that none is forgotten
    assert torch.allclose(moved["table.weight"].abs(), torch.full((32, 8), 0.01), rtol=1e-3)  # AdamW's first step
    assert torch.allclose(moved["head.bias"].abs(), torch.full((6,), 0.01), rtol=1e-3)


def test_muon_goes_on_from_what_was_saved_as_if_it_had_never_stopped() -> None:
    def made() -> tuple[torch.nn.ModuleDict, Any]:
        torch.manual_seed(0)
        model = torch.nn.ModuleDict({"table": torch.nn.Embedding(32, 8), "head": torch.nn.Linear(8, 6)})
        kind, named = optimizer(model, Sft(optimizer="muon", learning_rate=0.01)) or (None, {})
        return model, kind(list(model.parameters()), **named)

    def steps(model: torch.nn.ModuleDict, stepped: Any, number: int) -> None:
        for _ in range(number):
            model["head"](model["table"](torch.arange(32))).square().sum().backward()
            stepped.step()
            stepped.zero_grad()

    whole, stepped = made()
    steps(whole, stepped, 2)
    weights, state = copy.deepcopy(whole.state_dict()), copy.deepcopy(stepped.state_dict())
    steps(whole, stepped, 2)
    again, resumed = made()
    again.load_state_dict(weights)
    resumed.load_state_dict(state)
    steps(again, resumed, 2)
    assert all(torch.equal(weight, whole.state_dict()[name]) for name, weight in again.state_dict().items())


def test_the_frozen_table_does_not_move_and_the_rest_does(release: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    changes = [*SMALL, "sft.max_steps=2", "sft.freeze_table=true"]
    preset = load_preset("tiny-gemma4", changes)
    opened = open_release(release)
    tokenizer = train_tokenizer(texts_of(opened), FAMILIES["gemma4"], preset.random)
    before = random_model(FAMILIES["gemma4"], preset.random, tokenizer, 0).state_dict()
    train(Job(opened, str(release), preset, tmp_path / "run"))
    after = load_file(tmp_path / "run" / "model.safetensors")
    same = {name for name, weight in after.items() if torch.equal(weight, before[name])}
    assert "model.embed_tokens_per_layer.weight" in same
    assert "model.embed_tokens.weight" not in same
