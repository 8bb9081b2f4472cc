"""Writes a model as a GGUF file: every tensor read, changed, quantised and written before the next one is read."""

import errno
import os
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.errors import InputError, MachineError
from trainers.export.architectures import Fact, changed, stored_name
from trainers.export.reading import kind_named
from trainers.export.source import Source
from trainers.export.vocabulary import Vocabulary, read_vocabulary
from trainers.extras import needed

if TYPE_CHECKING:
    import numpy as np
    import torch
    from gguf import GGMLQuantizationType, GGUFWriter, TensorNameMap

Told = Callable[[str, int, int | None, str], None]

BLOCK = 1 << 23  # values that are quantised at a time: 32 MB as float32, whatever the size of the tensor
WHOLE = ("_norm.weight", "ssm_conv1d.weight")  # small, and computed with as they are: kept as 32 bits
HALF = ("per_layer_model_proj.weight",)  # llama.cpp's own quantiser leaves it alone, too
ALIGNMENT = 32  # GGUF's own: bytes that a tensor's beginning is a multiple of


@dataclass(frozen=True)
class Quant:
    """What large tensors are kept as; see quants.toml."""

    type: str
    file_type: int
    rows_of: int
    native: bool
    purpose: str


@cache
def quants() -> dict[str, Quant]:
    """Every way of keeping tensors, by the name under which it is asked for."""
    told = tomllib.loads((files("trainers.export") / "quants.toml").read_text(encoding="utf-8"))
    return {name: Quant(**table) for name, table in told.items()}


@dataclass(frozen=True)
class Stored:
    """A tensor as the file will hold it. `load` gives its values, changed already but not quantised."""

    name: str
    shape: tuple[int, ...]
    type: "GGMLQuantizationType"
    load: Callable[[], "torch.Tensor"]
    size: int  # bytes


@dataclass(frozen=True)
class Written:
    """What a file now holds. `wider` are tensors kept wider than asked because their rows do not divide into blocks."""

    size: int  # bytes
    parameters: int
    wider: int


def write_gguf(source: Source, out: Path, quant: Quant | None, sampling: dict[str, float], told: Told) -> Written:
    """Writes the file; `out` must not exist yet. None for `quant`: each tensor as wide as it was, nothing lost.

    `sampling` is how its preset decodes (temp, top_p): runtimes that know GGUF's keys for it start from there.
    """
    gguf = needed("gguf", "export", "writing GGUF")
    stored = list(plan(source, quant))
    vocabulary = read_vocabulary(source.folder, source.config["vocab_size"], source.ends)
    size = sum(tensor.size for tensor in stored)
    make_room(out.parent, size)
    writer = gguf.GGUFWriter(out, source.architecture.name)
    describe(writer, source, vocabulary, quant, sampling)
    for tensor in stored:
        writer.add_tensor_info(tensor.name, tensor.shape, gguf_floats(), tensor.size, tensor.type)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        done = 0
        for tensor in stored:
            writer.write_tensor_data(quantised(tensor))
            done += tensor.size
            told("export", done, size, "")
    except OSError as error:  # NumPy tells of a full disk without saying so
        raise error if error.errno else OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
    finally:
        writer.close()
    halves = sum(tensor.type.name == "F16" and not tensor.name.endswith(HALF) for tensor in stored)
    parameters = sum(count(form.shape) for form in source.tensors.values())
    return Written(out.stat().st_size, parameters, halves if quant and quant.rows_of > 1 else 0)


def plan(source: Source, quant: Quant | None) -> Iterator[Stored]:
    """Every tensor of the file, in order; nothing is loaded yet but to know how wide it is."""
    import gguf
    import torch

    names = gguf.get_tensor_name_map(kind_named(source.architecture.name), source.config["num_hidden_layers"])
    for name, values in source.architecture.extra(source.config).items():
        extra = torch.tensor(values, dtype=torch.float32)
        yield stored_as(name, tuple(extra.shape), gguf.GGMLQuantizationType.F32, extra.clone)
    for name, form in source.tensors.items():
        there = gguf_name(source, name, names)
        empty = torch.empty(form.shape, device="meta")
        shape = tuple(changed(source.architecture, name, empty, source.config).shape)

        def load(name: str = name) -> "torch.Tensor":
            return changed(source.architecture, name, source.load(name), source.config)

        yield stored_as(there, shape, kind_of(there, shape, quant, form.dtype), load)


def gguf_name(source: Source, name: str, names: "TensorNameMap") -> str:
    """What GGUF calls a tensor of transformers; InputError for one that is not known."""
    renamed = stored_name(source.architecture, name)
    there = names.get_name(renamed, try_suffixes=(".weight", ".bias"))
    if there is None:
        raise InputError(
            f"{source.folder} has a tensor {name}, for which {source.architecture.name} has no place in GGUF; "
            "a LoRA adapter is made plain first (--to merged), and other parts cannot be exported"
        )
    return there


def kind_of(name: str, shape: tuple[int, ...], quant: Quant | None, dtype: str) -> "GGMLQuantizationType":
    """The type of a tensor of the file, by its GGUF name; `dtype`: what the model folder keeps it as."""
    from gguf import GGMLQuantizationType as Type

    if len(shape) < 2 or name.endswith(WHOLE) or not name.endswith(".weight"):
        return Type.F32
    if quant is None:
        return Type[dtype] if dtype in ("BF16", "F16") else Type.F32
    if name.endswith(HALF) or shape[-1] % quant.rows_of:
        return Type.F16
    return Type[quant.type]


def stored_as(
    name: str, shape: tuple[int, ...], kind: "GGMLQuantizationType", load: Callable[[], "torch.Tensor"]
) -> Stored:
    """The tensor with the bytes that it will take."""
    from gguf import GGML_QUANT_SIZES

    values, size = GGML_QUANT_SIZES[kind]
    return Stored(name, shape, kind, load, count(shape) // values * size)


def count(shape: tuple[int, ...]) -> int:
    """How many values a tensor of this shape has."""
    total = 1
    for length in shape:
        total *= length
    return total


def quantised(tensor: Stored) -> "np.ndarray[Any, Any]":
    """The tensor's bytes, made a BLOCK at a time; InputError where a value is not finite once kept so."""
    import numpy as np
    from gguf.quants import quantize

    loaded = tensor.load()
    rows = loaded.reshape(-1, loaded.shape[-1]) if loaded.ndim else loaded.reshape(1, 1)
    height = max(1, BLOCK // rows.shape[-1])
    parts = []
    for start in range(0, len(rows), height):
        values = rows[start : start + height].float().numpy()
        with np.errstate(over="ignore", invalid="ignore"):
            part = quantize(values, tensor.type)
        if not (np.isfinite(values).all() and (part.dtype.kind != "f" or np.isfinite(part).all())):
            raise InputError(
                f"the tensor {tensor.name} holds values that are not finite as {tensor.type.name}; "
                "training has diverged, or its weights outgrew 16 bits: export an earlier checkpoint, or q8_0"
            )
        parts.append(part.reshape(len(values), -1).view(np.uint8))
    return np.concatenate(parts)


def gguf_floats() -> "np.dtype[Any]":
    """The type of the values that shapes are counted in: what is kept is said beside it."""
    import numpy as np

    return np.dtype(np.float32)


def make_room(folder: Path, size: int) -> None:
    """Raises MachineError where a folder's disk has not that many bytes left: before minutes of work, not after."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise MachineError(
            f"the disk of {folder.resolve()} has {free / 1e9:.1f} GB left and the file needs {size / 1e9:.1f} GB; "
            "make room there or name another place with --out"
        )


def describe(
    writer: "GGUFWriter", source: Source, vocabulary: Vocabulary, quant: Quant | None, sampling: dict[str, float]
) -> None:
    """Everything but the tensors: what the model is, how it decodes, its tokenizer."""
    from gguf import GGUFValueType

    writer.add_type("model")
    writer.add_name(source.folder.resolve().name)
    writer.add_quantization_version(2)
    if quant is not None:
        writer.add_file_type(quant.file_type)
    for key, value in sampling.items():
        writer.add_float32(f"general.sampling.{key}", value)
    for key, fact in source.architecture.facts(source.config).items():
        add_fact(writer, f"{source.architecture.name}.{key}", fact)
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.pieces)
    writer.add_key_value("tokenizer.ggml.token_type", vocabulary.kinds, GGUFValueType.ARRAY, GGUFValueType.INT32)
    if vocabulary.model == "gemma4":
        writer.add_token_scores([-1000.0] * len(vocabulary.pieces))  # merges decide; but there must be some
    writer.add_token_merges(vocabulary.merges)
    for name, number in vocabulary.ids.items():
        writer.add_uint32(f"tokenizer.ggml.{KEYS.get(name, name)}_token_id", number)
    writer.add_add_bos_token(vocabulary.adds_bos)
    writer.add_add_space_prefix(False)
    if vocabulary.template is not None:
        writer.add_chat_template(vocabulary.template)


KEYS = {"pad": "padding", "unk": "unknown"}  # where GGUF's key has another word than tokenizers have


def add_fact(writer: "GGUFWriter", key: str, fact: Fact) -> None:
    """One fact under its key, in the type that llama.cpp reads it as."""
    from gguf import GGUFValueType

    if isinstance(fact, bool):
        writer.add_bool(key, fact)
    elif isinstance(fact, float):
        writer.add_float32(key, fact)
    elif isinstance(fact, int):
        writer.add_uint32(key, fact)
    elif isinstance(fact[0], bool):
        writer.add_key_value(key, fact, GGUFValueType.ARRAY, GGUFValueType.BOOL)
    else:
        writer.add_key_value(key, fact, GGUFValueType.ARRAY, GGUFValueType.INT32)
