"""A model folder as export reads it: its configuration, and its tensors one at a time, never all of them in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from curation.errors import InputError
from trainers.export.architectures import ARCHITECTURES, Architecture, Config
from trainers.families import family_of
from trainers.models import config_of

if TYPE_CHECKING:
    import torch

INDEX = "model.safetensors.index.json"


class Form(NamedTuple):
    """What is known of a tensor before it is read; `dtype` as safetensors writes it (F32, BF16, F16)."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Source:
    """A model on disk. `tensors` tells of each tensor its name in the text-only class, and `load` gives it."""

    folder: Path
    config: Config
    architecture: Architecture
    tensors: dict[str, Form]  # in the order of the names
    load: Callable[[str], "torch.Tensor"]
    ends: list[int]  # the tokens that end an answer


def open_source(folder: Path) -> Source:
    """The model that lies in a folder; InputError where it is not whole, or of a kind that llama.cpp does not know."""
    family = family_of(config_of(folder)["model_type"], str(folder))
    architecture = ARCHITECTURES[family.name]
    config = full_config(folder)
    if reason := architecture.refuses(config):
        raise InputError(f"{folder} cannot become a GGUF file: {reason}; serve its weights as they are instead")
    forms, load = lazily(where_tensors_are(folder))
    named = {name.replace(family.inner, "model."): name for name in forms}
    kept = sorted(name for name in named if not any(part in name for part in architecture.left_out))
    if config["tie_word_embeddings"]:
        kept = [name for name in kept if name != "lm_head.weight"]  # the embedding once more
    tensors = {name: forms[named[name]] for name in kept}
    require_whole(folder, family.architecture, tensors, config["tie_word_embeddings"])
    return Source(folder, config, architecture, tensors, lambda name: load(named[name]), ends_of(folder, config))


def require_whole(folder: Path, architecture: str, tensors: dict[str, Form], tied: bool) -> None:
    """Raises InputError where a weight of the model's class is missing, or of another shape."""
    import torch
    import transformers

    with torch.device("meta"):
        whole = getattr(transformers, architecture)(text_config(folder)).state_dict()
    for name, tensor in whole.items():
        if tied and name == "lm_head.weight":
            continue
        found = tensors[name].shape if name in tensors else None
        if found != tuple(tensor.shape):
            raise InputError(
                f"{folder} holds {name} as {list(found) if found else 'nothing'}, and its config.json asks for "
                f"{list(tensor.shape)}; copy or save the model again"
            )


def full_config(folder: Path) -> Config:
    """The language model's configuration with every default filled in."""
    config: dict[str, Any] = text_config(folder).to_dict()
    return config


def text_config(folder: Path) -> Any:
    """The same as transformers' object; of a model with eyes and ears, what its whole says of tied weights counts."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder).get_text_config()
    config.tie_word_embeddings = config.tie_word_embeddings or bool(config_of(folder).get("tie_word_embeddings"))
    return config


def where_tensors_are(folder: Path) -> dict[str, list[str] | None]:
    """File -> the names of its tensors (None: all of them)."""
    index = folder / INDEX
    if index.is_file():
        found: dict[str, list[str] | None] = {}
        for name, file in orjson.loads(index.read_bytes())["weight_map"].items():
            names = found.setdefault(str(folder / file), [])
            if names is not None:
                names.append(name)
        missing = [file for file in found if not Path(file).is_file()]
        if missing:
            raise InputError(f"{index} names {missing[0]}, which is not there; copy the whole model folder")
        return found
    whole = folder / "model.safetensors"
    if not whole.is_file():
        raise InputError(f"{folder} has no model.safetensors; save the model with save_pretrained, which writes one")
    return {str(whole): None}


def lazily(places: dict[str, list[str] | None]) -> tuple[dict[str, Form], Callable[[str], "torch.Tensor"]]:
    """(forms, load) of the tensors in these files; a file is mapped, so that only what is looked at is read."""
    from safetensors import SafetensorError, safe_open

    opened: dict[str, Any] = {}
    forms: dict[str, Form] = {}
    for path, names in places.items():
        try:
            file: Any = safe_open(path, framework="pt")
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path} cannot be read: {error}; copy or save the model again") from error
        for name in names if names is not None else file.keys():
            opened[name] = file
            told = file.get_slice(name)
            forms[name] = Form(tuple(told.get_shape()), told.get_dtype())

    def load(name: str) -> "torch.Tensor":
        tensor: torch.Tensor = opened[name].get_tensor(name)
        return tensor

    return forms, load


def ends_of(folder: Path, config: Config) -> list[int]:
    """The tokens that end an answer, as the model's generation settings say, else its configuration."""
    file = folder / "generation_config.json"
    said = orjson.loads(file.read_bytes()).get("eos_token_id") if file.is_file() else None
    found = said if said is not None else config.get("eos_token_id")
    return [found] if isinstance(found, int) else list(found or ())
