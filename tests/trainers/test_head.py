"""What the head reads alone changes nothing but the time that it takes."""

from typing import Any

import pytest
import torch
import transformers
from trl.trainer.utils import add_fused_lm_head

from trainers.head import LearntAlone
from trainers.prompts import IGNORED


def model_of(narrow: bool) -> Any:
    torch.manual_seed(0)
    config = transformers.Qwen3Config(
        vocab_size=50, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8,
    )  # fmt: skip
    model = transformers.Qwen3ForCausalLM(config)
    add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
    if narrow:
        LearntAlone(model)
    return model


@pytest.mark.parametrize("learnt", ["some", "all", "none"])
def test_values_and_gradients_are_those_of_a_head_over_all_positions(learnt: str) -> None:
    ids = torch.randint(0, 50, (3, 12), generator=torch.Generator().manual_seed(1))
    labels = ids.clone()
    if learnt != "all":
        labels[:, : 12 if learnt == "none" else 7] = IGNORED
        labels[1, 10:] = IGNORED
    found = []
    for narrow in (False, True):
        model = model_of(narrow)
        for _ in range(2):  # the second pass is as the first
            made = model(input_ids=ids, labels=labels, fused_lm_head=True)
        (made.log_probs * torch.arange(11)).sum().backward()
        gradients = [parameter.grad for parameter in model.parameters()]
        found.append([made.loss, made.log_probs, made.entropy, made.is_top1.float(), *gradients])
    for whole, alone in zip(*found, strict=True):
        torch.testing.assert_close(alone, whole)


def test_generation_and_plain_passes_are_left_as_they_are() -> None:
    ids = torch.tensor([[1, 2, 3]])
    plain, hooked = model_of(False), model_of(True)
    torch.testing.assert_close(hooked(input_ids=ids).logits, plain(input_ids=ids).logits)
    told = {"max_new_tokens": 5, "do_sample": False, "pad_token_id": 0}
    assert hooked.generate(input_ids=ids, **told).tolist() == plain.generate(input_ids=ids, **told).tolist()
