"""Reads a GGUF file back into transformers: what the quantised model would answer, without any other runtime."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.errors import InputError
from trainers.export.architectures import ARCHITECTURES, restored, stored_name
from trainers.export.source import full_config, text_config
from trainers.extras import needed
from trainers.families import family_of
from trainers.models import config_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def read_gguf(path: Path, folder: Path) -> "PreTrainedModel":
    """The model of a GGUF file as transformers computes it, in float32, on the CPU; `folder` is what it was made of.

    The configuration is the folder's, every weight the file's. Raises InputError where the file is no GGUF file, or
    lacks a weight.
    """
    import torch
    import transformers

    gguf = needed("gguf", "export", "reading GGUF")
    family = family_of(config_of(folder)["model_type"], str(folder))
    architecture, config = ARCHITECTURES[family.name], full_config(folder)
    try:
        reader = gguf.GGUFReader(path)
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as a GGUF file: {error}") from error
    stored: dict[str, Any] = {tensor.name: tensor for tensor in reader.tensors}
    names = gguf.get_tensor_name_map(kind_named(architecture.name), config["num_hidden_layers"])
    model: PreTrainedModel = getattr(transformers, family.architecture)(text_config(folder)).float().eval()
    own = model.state_dict()
    if config["tie_word_embeddings"]:
        own.pop("lm_head.weight", None)  # the embedding once more
    with torch.no_grad():
        for name, parameter in own.items():
            there = names.get_name(stored_name(architecture, name), try_suffixes=(".weight", ".bias"))
            if there not in stored:
                raise InputError(f"{path} has no tensor {there}, which a {family.architecture} needs; export it again")
            values = torch.from_numpy(gguf.quants.dequantize(stored[there].data, stored[there].tensor_type).copy())
            parameter.copy_(restored(architecture, name, values.float(), config).reshape(parameter.shape))
    return model


def kind_named(name: str) -> Any:
    """The gguf package's number of an architecture, by llama.cpp's name."""
    import gguf

    return next(kind for kind, known in gguf.MODEL_ARCH_NAMES.items() if known == name)
