"""llama.cpp itself reads what is exported: the same tokens, the same logits, the same text (skipped without the extra `llama`)."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.trainers.export.conftest import TEXTS
from tests.trainers.export.roundtrip import export, greedy, quiet
from tests.trainers.knowing import KNOWN
from trainers.export.source import open_source
from trainers.export.writing import write_gguf
from trainers.families import FAMILIES
from trainers.models import load_model, load_tokenizer, train_tokenizer
from trainers.presets import Random, load_preset
from trainers.prompts import encode_prompt

llama_cpp: Any = pytest.importorskip("llama_cpp", reason="needs the extra `llama`, which compiles llama.cpp")

Make = Callable[..., Path]
READ = [
    *TEXTS,
    "a  b   c\t\ttab 123 4567 ½ ²³ it's I'LL we've\n\n\n x  \n y",
    "naïve 天气 🦙🦙 — “quoted” Straße\u200d",
    "<think>\nso\n</think>\n\n{}",
    "<|im_start|>user\nhi<|im_end|>\n<|turn>model\n<|channel>thought\n<channel|><turn|>",
    *Path(__file__).read_text(encoding="utf-8").splitlines()[:40],
]


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    import logging

    logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL + 1)


def opened(path: Path) -> Any:
    return llama_cpp.Llama(str(path), n_ctx=512, logits_all=True, verbose=False, n_threads=1)


def like_gemmas() -> Any:
    """A tokenizer of the make of Gemma's own: spaces as ▁, unknown bytes spelt out, merges over whole lines."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    made.normalizer = normalizers.Replace(" ", "▁")
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    spelt = [f"<0x{byte:02X}>" for byte in range(256)]
    special = [*FAMILIES["gemma4"].special, *spelt]
    texts = [line for text in READ for line in text.split("\n") if text.isascii()]
    made.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=500, special_tokens=special, show_progress=False))
    told = json.loads(made.to_str())
    told["added_tokens"] = [token for token in told["added_tokens"] if token["content"] not in spelt]
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(told)), pad_token="<pad>", eos_token="<turn|>", bos_token="<bos>"
    )


def with_qwens_rule() -> Any:
    """A tokenizer that cuts text as Qwen3.5's own does."""
    from tokenizers import Regex, pre_tokenizers
    from transformers.models.qwen3_5.tokenization_qwen3_5 import PRETOKENIZE_REGEX

    tokenizer = train_tokenizer(READ, FAMILIES["qwen3.5"], Random(vocabulary=500))
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


def trained() -> Any:
    """A tokenizer as runs from random weights train it."""
    return train_tokenizer(READ, FAMILIES["gemma4"], Random(vocabulary=500))


def with_gpt2s_rule() -> Any:
    """A tokenizer that cuts text as GPT-2 did."""
    from tokenizers import pre_tokenizers

    tokenizer = trained()
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


TOKENIZERS: dict[str, tuple[str, Callable[[], Any]]] = {
    "trained": ("gemma4", trained),
    "gpt-2's rule": ("gemma4", with_gpt2s_rule),
    "gemma's make": ("gemma4", like_gemmas),
    "qwen's rule": ("qwen3.5", with_qwens_rule),
}


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_llama_cpp_reads_every_text_as_the_same_tokens(kind: str, random_folder: Make, tmp_path: Path) -> None:
    family, make = TOKENIZERS[kind]
    tokenizer = make()
    folder = random_folder(family, vocab_size=len(tokenizer), vocab_size_per_layer_input=len(tokenizer))
    tokenizer.save_pretrained(folder)
    export(folder, "q8_0", tmp_path / "m.gguf")
    runtime = opened(tmp_path / "m.gguf")
    for text in READ:
        expected = load_tokenizer(folder).encode(text, add_special_tokens=False)
        assert runtime.tokenize(text.encode(), add_bos=False, special=True) == expected, text


def stored(random_folder: Make) -> Iterator[Path]:
    yield random_folder("qwen3.5")
    yield random_folder("qwen3.5", linear_num_key_heads=2, linear_num_value_heads=6, tie_word_embeddings=False)
    yield random_folder("gemma4", hidden_size_per_layer_input=0, num_kv_shared_layers=0)
    yield random_folder("gemma4", hidden_size_per_layer_input=32, sliding_window=8)


def test_llama_cpp_computes_the_same_logits(random_folder: Make, tmp_path: Path) -> None:
    for i, folder in enumerate(stored(random_folder)):
        write_gguf(open_source(folder), tmp_path / f"{i}.gguf", None, {}, quiet)
        tokens = [(7 * j * j + 3) % 250 for j in range(40)]
        runtime = opened(tmp_path / f"{i}.gguf")
        runtime.eval(tokens)
        there = torch.tensor(np.array(runtime.scores[: len(tokens)]))
        with torch.inference_mode():
            here = load_model(folder, "cpu")[0](input_ids=torch.tensor([tokens])).logits[0]
        assert (there - here).abs().max() < 0.1, folder  # llama.cpp keeps keys and values in 16 bits
        assert here.abs().max() > 2


@pytest.mark.parametrize("quant", ["f16", "q8_0", "q4_k_m"])
def test_llama_cpp_writes_the_same_greedy_text(quant: str, knowing: Path, tmp_path: Path) -> None:
    export(knowing, quant, tmp_path / "m.gguf")
    model, tokenizer = load_model(knowing, "cpu")
    expected = greedy(model, tokenizer, knowing)
    prompt = encode_prompt(tokenizer, KNOWN, load_preset(knowing / "preset.toml"))
    made = opened(tmp_path / "m.gguf").create_completion(prompt, max_tokens=90, temperature=0.0)
    assert made["choices"][0]["text"] == expected
    assert made["choices"][0]["finish_reason"] == "stop"


def test_what_only_llama_cpp_can_quantise_is_smaller_than_eight_bits(random_folder: Make, tmp_path: Path) -> None:
    folder = random_folder("qwen3.5", hidden_size=256, intermediate_size=512)
    sizes = {quant: export(folder, quant, tmp_path / f"{quant}.gguf") for quant in ("q8_0", "q4_k_m")}
    assert sizes["q4_k_m"].size < 0.8 * sizes["q8_0"].size
    assert sizes["q4_k_m"].parameters == sizes["q8_0"].parameters
    assert sorted(path.name for path in tmp_path.iterdir()) == ["q4_k_m.gguf", "q8_0.gguf"]
