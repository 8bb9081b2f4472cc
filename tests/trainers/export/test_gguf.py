"""A model makes the round trip through GGUF: what comes back answers the same, or as nearly as its bits allow."""

import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from typer.testing import CliRunner

from curation.cli import app
from curation.errors import CurationError, InputError, MachineError, TargetError
from tests.trainers.export.roundtrip import export, greedy, logits, quiet
from tests.trainers.knowing import KNOWN
from trainers.export.exporting import export_gguf
from trainers.export.reading import read_gguf
from trainers.export.source import open_source
from trainers.export.writing import make_room, quants, write_gguf
from trainers.families import FAMILIES
from trainers.models import load_model, train_tokenizer
from trainers.presets import Random

PURE = [name for name, quant in quants().items() if not quant.native]
# Each way in which a tensor is stored differently: value heads in another order, no tied embedding, no per-layer input
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("qwen3.5", {}),
    ("qwen3.5", {"linear_num_key_heads": 2, "linear_num_value_heads": 6, "tie_word_embeddings": False}),
    ("gemma4", {}),
    ("gemma4", {"final_logit_softcapping": None, "use_double_wide_mlp": False, "num_kv_shared_layers": 0}),
]


@pytest.mark.parametrize(("family", "changes"), KINDS, ids=lambda value: str(value)[:40])
def test_a_file_as_wide_as_the_model_gives_it_back_to_the_last_bit(
    family: str, changes: dict[str, Any], random_folder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = random_folder(family, **changes)
    write_gguf(open_source(folder), tmp_path / "wide.gguf", None, {}, quiet)
    model, _ = load_model(folder, "cpu")
    assert torch.allclose(logits(read_gguf(tmp_path / "wide.gguf", folder)), logits(model), atol=1e-6)


@pytest.mark.parametrize(("quant", "error"), [("f16", 0.0003), ("q8_0", 0.006), ("q4_0", 0.1)])
@pytest.mark.parametrize("family", ["qwen3.5", "gemma4"])
def test_weights_come_back_as_near_as_their_bits_allow(
    family: str, quant: str, error: float, random_folder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = random_folder(family)
    export(folder, quant, tmp_path / "m.gguf")
    there = load_model(folder, "cpu")[0].state_dict()
    back = read_gguf(tmp_path / "m.gguf", folder).state_dict()
    assert back.keys() == there.keys()
    lost = {name: ((back[name] - there[name]).norm() / there[name].norm()).item() for name in there}
    assert 0 < max(lost.values()) < error, lost


@pytest.mark.parametrize("quant", ["f16", "q8_0"])
def test_a_trained_model_writes_the_same_greedy_text_after_the_round_trip(
    quant: str, knowing: Path, tmp_path: Path
) -> None:
    export(knowing, quant, tmp_path / "m.gguf")
    model, tokenizer = load_model(knowing, "cpu")
    expected = greedy(model, tokenizer, knowing)
    assert expected == KNOWN["completion"][0]["content"]
    assert greedy(read_gguf(tmp_path / "m.gguf", knowing), tokenizer, knowing) == expected


def test_fewer_bits_make_smaller_files(random_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = random_folder("qwen3.5", hidden_size=256, intermediate_size=512)
    sizes = {quant: export(folder, quant, tmp_path / f"{quant}.gguf").size for quant in PURE}
    assert sizes["q4_0"] < 0.7 * sizes["q8_0"] < 0.5 * sizes["f16"]


def test_the_same_model_makes_the_same_bytes(random_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = random_folder("gemma4")
    for name in ("a", "b"):
        export(folder, "q8_0", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_in_several_files_make_the_same_bytes(random_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = random_folder("qwen3.5")
    export(folder, "q8_0", tmp_path / "one.gguf")
    model, tokenizer = load_model(folder, "cpu")
    several = tmp_path / folder.name
    model.save_pretrained(several, max_shard_size="200KB")
    tokenizer.save_pretrained(several)
    assert len(list(several.glob("*.safetensors"))) > 2
    export(several, "q8_0", tmp_path / "several.gguf")
    assert (tmp_path / "several.gguf").read_bytes() == (tmp_path / "one.gguf").read_bytes()
    next(several.glob("*.safetensors")).unlink()
    with pytest.raises(InputError, match="which is not there; copy the whole model folder"):
        export(several, "q8_0", tmp_path / "less.gguf")


def test_of_a_checkpoint_with_eyes_the_language_model_is_taken(
    random_folder: Callable[..., Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = random_folder("qwen3.5")
    export(folder, "q8_0", tmp_path / "text.gguf")
    whole = tmp_path / folder.name
    whole.mkdir()
    for file in folder.iterdir():
        (whole / file.name).write_bytes(file.read_bytes())
    text = json.loads((folder / "config.json").read_text())
    told = {"model_type": "qwen3_5", "text_config": {**text, "tie_word_embeddings": False}, "tie_word_embeddings": True}
    (whole / "config.json").write_text(json.dumps(told))
    weights = {
        name.replace("model.", "model.language_model.", 1): tensor
        for name, tensor in load_file(folder / "model.safetensors").items()
    }
    weights |= {"model.visual.patch_embed.proj.weight": torch.ones(2, 2), "mtp.norm.weight": torch.ones(2)}
    save_file(weights, whole / "model.safetensors", {"format": "pt"})
    export(whole, "q8_0", tmp_path / "whole.gguf")
    assert (tmp_path / "whole.gguf").read_bytes() == (tmp_path / "text.gguf").read_bytes()


def test_a_model_of_the_hub_is_fetched_once(knowing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    commit = "0" * 40
    cached = tmp_path / "hub" / "models--team--planner"
    shutil.copytree(knowing, cached / "snapshots" / commit)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    done = export_gguf("team/planner", "q8_0", None, None, quiet)
    assert done.path == "planner-q8_0.gguf"
    assert Path(done.path).stat().st_size == done.size
    with pytest.raises(CurationError, match="team/gone"):
        export_gguf("team/gone", "q8_0", None, None, quiet)


def test_the_file_says_how_its_preset_decodes_and_how_prompts_are_written(knowing: Path, tmp_path: Path) -> None:
    export(knowing, "q8_0", tmp_path / "m.gguf")
    told = gguf.GGUFReader(tmp_path / "m.gguf").fields
    assert told["tokenizer.chat_template"].contents() == (knowing / "chat_template.jinja").read_text()
    assert told["general.sampling.temp"].contents() == 0.0
    assert told["general.sampling.top_p"].contents() == 1.0
    pieces = told["tokenizer.ggml.tokens"].contents()
    assert pieces[told["tokenizer.ggml.eos_token_id"].contents()] == "<|im_end|>"
    assert pieces[told["tokenizer.ggml.eot_token_id"].contents()] == "<|endoftext|>"


def test_rows_that_do_not_divide_into_blocks_are_kept_wider_and_told(
    random_folder: Callable[..., Path], tmp_path: Path
) -> None:
    done = export(random_folder("gemma4"), "q4_0", tmp_path / "m.gguf")
    kinds = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(tmp_path / "m.gguf").tensors}
    assert kinds["blk.0.proj.weight"] == "F16"
    assert kinds["blk.0.attn_q.weight"] == "Q4_0"
    assert done.wider == sum(kind == "F16" for kind in kinds.values()) - 1  # llama.cpp keeps one so in any case


def spoil(folder: Path, tmp_path: Path, name: str, change: Callable[[bytes], bytes | None]) -> Path:
    """A copy of a model folder in which one file is changed, or missing."""
    copy = tmp_path / "spoilt"
    copy.mkdir()
    for file in folder.iterdir():
        content = change(file.read_bytes()) if file.name == name else file.read_bytes()
        if content is not None:
            (copy / file.name).write_bytes(content)
    return copy


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("config.json", lambda b: None, "is no model folder"),
        ("config.json", lambda b: b"[", "config.json cannot be read"),
        ("config.json", lambda b: b.replace(b"qwen3_5_text", b"llama"), "of the type 'llama'"),
        ("config.json", lambda b: b.replace(b'"hidden_size": 64', b'"hidden_size": 96'), "asks for"),
        ("config.json", lambda b: b.replace(b'"linear_value_head_dim": 32', b'"linear_value_head_dim": 64'), "equal"),
        ("model.safetensors", lambda b: None, "no model.safetensors"),
        ("model.safetensors", lambda b: b[: len(b) // 2], "cannot be read"),
        ("tokenizer.json", lambda b: None, "no tokenizer.json"),
        ("tokenizer.json", lambda b: b.replace(b'"individual_digits": true', b'"individual_digits": false'), "no name"),
        ("tokenizer.json", lambda b: b.replace(b'"type": "BPE"', b'"type": "Unigram"'), "only BPE"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence_and_leaves_nothing(
    name: str,
    change: Callable[[bytes], bytes | None],
    sentence: str,
    random_folder: Callable[..., Path],
    tmp_path: Path,
) -> None:
    folder = spoil(random_folder("qwen3.5"), tmp_path, name, change)
    with pytest.raises(InputError, match=sentence) as told:
        export(folder, "q4_0", tmp_path / "out" / "m.gguf")
    assert str(folder) in str(told.value)
    assert not list(tmp_path.glob("out/*"))


def test_a_tokenizer_that_cuts_by_a_rule_of_its_own_is_refused(
    random_folder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = random_folder("qwen3.5")
    sizes = Random(vocabulary=320, structured=True)
    train_tokenizer(["{}"], FAMILIES["qwen3.5"], sizes).save_pretrained(folder)
    with pytest.raises(InputError, match=r"cuts text in a way that llama\.cpp has no name for"):
        export(folder, "q8_0", tmp_path / "m.gguf")


def test_weights_that_are_not_numbers_are_named(random_folder: Callable[..., Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = random_folder("qwen3.5")
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"][3, 5] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"blk\.1\.ffn_up\.weight holds values that are not finite"):
        export(folder, "q8_0", tmp_path / "m.gguf")
    assert list(tmp_path.iterdir()) == []


def test_an_export_never_replaces_what_is_there(random_folder: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"mine")
    with pytest.raises(TargetError, match="exists already"):
        export(random_folder("qwen3.5"), "q8_0", tmp_path / "m.gguf")
    assert (tmp_path / "m.gguf").read_bytes() == b"mine"


def test_a_disk_without_room_is_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"has .* GB left and the file needs 1000000000\.0 GB"):
        make_room(tmp_path, 10**18)


def test_a_disk_that_fills_up_on_the_way_is_one_sentence_and_leaves_nothing(
    random_folder: Callable[..., Path], tmp_path: Path
) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    folder = random_folder("qwen3.5")
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))  # the kernel refuses to write on, as a full disk does
    try:
        with pytest.raises(
            TargetError, match=r"m\.gguf cannot be written: .*; make room there or choose another place"
        ):
            export(folder, "q8_0", tmp_path / "m.gguf")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_quantisation_that_needs_llama_cpp_says_how_to_get_it(knowing: Path, tmp_path: Path) -> None:
    try:
        import llama_cpp  # noqa: F401
    except ImportError:
        with pytest.raises(CurationError, match=r"pip install 'curation\[llama\]'"):
            export(knowing, "q4_k_m", tmp_path / "m.gguf")
    else:
        pytest.skip("llama-cpp-python is installed; test_llama.py holds what it does")


def test_the_command_exports_and_says_what_it_made(knowing: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.gguf"
    done = CliRunner().invoke(app, ["export", "--model", str(knowing), "--quant", "q8_0", "--out", str(out), "--json"])
    told = json.loads(done.stdout)
    assert (told["path"], told["size"], told["quant"]) == (str(out), out.stat().st_size, "q8_0")


@pytest.mark.parametrize(
    ("option", "value", "known"), [("--quant", "q5_1", "f16, q8_0, q4_0, q4_k_m"), ("--to", "onnx", "gguf nor merged")]
)
def test_an_unknown_word_names_those_there_are(option: str, value: str, known: str, knowing: Path) -> None:
    done = CliRunner().invoke(app, ["export", "--model", str(knowing), option, value])
    assert done.exit_code == 2
    assert known in done.stderr
