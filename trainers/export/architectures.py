"""What a model of each family is to llama.cpp: its name there, its facts, and how its tensors are stored.

Only what llama.cpp computes differently from transformers is here (read in its model code: `src/models/qwen35.cpp`,
`src/models/gemma4.cpp`); names of tensors come from the `gguf` package's own table.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Config = dict[str, Any]  # a text model's configuration, as its config.json has it with every default filled in
Fact = int | float | bool | list[int] | list[bool]
TensorChange = Callable[["torch.Tensor", Config], "torch.Tensor"]


@dataclass(frozen=True)
class Change:
    """Tensors whose name ends in `suffix` are stored as `there(tensor)`; `back` undoes it."""

    suffix: str
    there: TensorChange
    back: TensorChange
    unless: str | None = None  # a longer suffix that is stored as it is


@dataclass(frozen=True)
class Architecture:
    """How the models of a family become a GGUF file."""

    name: str  # the name under which llama.cpp knows it
    facts: Callable[[Config], dict[str, Fact]]  # what llama.cpp must know, by key below the architecture's name
    refuses: Callable[[Config], str | None]  # why a model of this family cannot be exported; None: it can
    changes: tuple[Change, ...] = ()
    renames: tuple[tuple[str, str], ...] = ()  # (ending in transformers, ending that the gguf package maps)
    left_out: tuple[str, ...] = ()  # parts of names of tensors that answering a text does not need
    extra: Callable[[Config], dict[str, list[float]]] = field(default=lambda config: {})  # tensors of GGUF's own


def common(config: Config) -> dict[str, Fact]:
    """What every decoder must tell."""
    return {
        "block_count": config["num_hidden_layers"],
        "context_length": config["max_position_embeddings"],
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": config["num_key_value_heads"],
        "attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "vocab_size": config["vocab_size"],
    }


def qwen_facts(config: Config) -> dict[str, Fact]:
    """Qwen3.5: three layers of gated linear attention (told as a state-space model) to one of full attention."""
    rope = config["rope_parameters"]
    turning = int(config["head_dim"] * rope.get("partial_rotary_factor", 0.25))
    pairs = turning // 2
    return {
        **common(config),
        "attention.key_length": config["head_dim"],
        "attention.value_length": config["head_dim"],
        "rope.freq_base": float(rope["rope_theta"]),
        "rope.dimension_count": turning,
        # Pairs that turn with a picture's time, height and width, in turn; of text the three agree. One that belonged
        # to none of them would stand still, and more than there are end llama.cpp.
        "rope.dimension_sections": [(pairs + 2) // 3, (pairs + 1) // 3, pairs // 3, 0],
        "ssm.conv_kernel": config["linear_conv_kernel_dim"],
        "ssm.state_size": config["linear_key_head_dim"],
        "ssm.group_count": config["linear_num_key_heads"],
        "ssm.time_step_rank": config["linear_num_value_heads"],
        "ssm.inner_size": config["linear_value_head_dim"] * config["linear_num_value_heads"],
        "attention.recurrent_layers": [kind == "linear_attention" for kind in config["layer_types"]],
        "full_attention_interval": config["layer_types"].index("full_attention") + 1,
    }


def qwen_refuses(config: Config) -> str | None:
    """llama.cpp takes one size for both kinds of linear heads, and linear layers up to each fully attending one."""
    if config["linear_key_head_dim"] != config["linear_value_head_dim"]:
        return "its linear key and value heads differ in size, and llama.cpp knows only equal ones"
    if config["rope_parameters"].get("rope_type", "default") != "default":
        return "its positions are stretched beyond the length it was trained on, which is not exported"
    kinds = config["layer_types"]
    if "full_attention" not in kinds:
        return "it has no layer of full attention, and llama.cpp expects one every few layers"
    every = kinds.index("full_attention") + 1
    if any((kind == "full_attention") != ((i + 1) % every == 0) for i, kind in enumerate(kinds)):
        return "its layers of full attention do not come at even intervals, and llama.cpp expects them to"
    return None


def gemma_facts(config: Config) -> dict[str, Fact]:
    """Gemma 4: four layers over a window to one over everything, the last ones sharing earlier keys and values."""
    sliding = [kind == "sliding_attention" for kind in config["layer_types"]]
    shared, wide = config["num_kv_shared_layers"], config["intermediate_size"] * 2
    first_shared = config["num_hidden_layers"] - shared
    doubled = first_shared if config["use_double_wide_mlp"] else config["num_hidden_layers"]
    widths = [config["intermediate_size"] if i < doubled else wide for i in range(config["num_hidden_layers"])]
    rope = config["rope_parameters"]
    return {
        **common(config),
        "feed_forward_length": widths,
        "attention.key_length": full_head(config),
        "attention.value_length": full_head(config),
        "attention.key_length_swa": config["head_dim"],
        "attention.value_length_swa": config["head_dim"],
        "attention.sliding_window": config["sliding_window"],
        "attention.sliding_window_pattern": sliding,
        "attention.shared_kv_layers": shared,
        "embedding_length_per_layer_input": config["hidden_size_per_layer_input"] or 0,
        "rope.freq_base": float(rope["full_attention"]["rope_theta"]),
        "rope.freq_base_swa": float(rope["sliding_attention"]["rope_theta"]),
        "rope.dimension_count": full_head(config),
        "rope.dimension_count_swa": config["head_dim"],
        **({"final_logit_softcapping": cap} if (cap := config["final_logit_softcapping"]) else {}),
    }


def full_head(config: Config) -> int:
    """The size of a head in the layers that attend to everything."""
    layers = config.get("per_layer_config") or {}
    full = (i for i, kind in enumerate(config["layer_types"]) if kind == "full_attention")
    own = {**layers, **{str(key): value for key, value in layers.items()}}  # the keys are text once read from JSON
    return next((int(own[str(i)]["head_dim"]) for i in full if "head_dim" in own.get(str(i), {})), config["head_dim"])


def gemma_refuses(config: Config) -> str | None:
    """The dense models alone: of the others nothing here has been measured."""
    if config["enable_moe_block"]:
        return "it has experts, and only the dense models of this family are exported"
    if config["attention_k_eq_v"]:
        return "its keys are its values, and only the models with both are exported"
    if not {"full_attention", "sliding_attention"} <= set(config["layer_types"]):
        return "it has not both layers over a window and layers over everything, and llama.cpp expects both"
    rope = config["rope_parameters"]
    if (rope["full_attention"]["rope_type"], rope["sliding_attention"]["rope_type"]) != ("proportional", "default"):
        return "its positions are not counted as the family's published models count them"
    return None


def gemma_rotations(config: Config) -> dict[str, list[float]]:
    """Of a head in a fully attending layer only the first part turns: what must stand still turns 1e30 times slower."""
    half = full_head(config) // 2
    turning = int(half * config["rope_parameters"]["full_attention"].get("partial_rotary_factor", 1.0))
    return {"rope_freqs.weight": [1.0] * turning + [1e30] * (half - turning)}


def by_group(tensor: "torch.Tensor", config: Config, start: int, dimension: int, back: bool) -> "torch.Tensor":
    """Value heads in llama.cpp's order, or `back`: transformers counts them by key head, llama.cpp across key heads.

    `start` is where in the dimension the value heads begin; what comes before stays.
    """
    keys, values = config["linear_num_key_heads"], config["linear_num_value_heads"]
    if keys == values:
        return tensor
    heads, first = tensor.narrow(dimension, start, tensor.shape[dimension] - start), tensor.narrow(dimension, 0, start)
    groups = (values // keys, keys) if back else (keys, values // keys)
    parted = heads.unflatten(dimension, (*groups, -1)).transpose(dimension, dimension + 1)
    import torch

    return torch.cat((first, parted.flatten(dimension, dimension + 2)), dimension)


def grouped(suffix: str, dimension: int = 0, after_keys: bool = False) -> Change:
    """A tensor in which value heads lie along a dimension, perhaps behind the queries and keys."""

    def start(config: Config) -> int:
        return 2 * config["linear_num_key_heads"] * config["linear_key_head_dim"] if after_keys else 0

    return Change(
        suffix,
        lambda tensor, config: by_group(tensor, config, start(config), dimension, back=False),
        lambda tensor, config: by_group(tensor, config, start(config), dimension, back=True),
    )


ARCHITECTURES: dict[str, Architecture] = {
    "qwen3.5": Architecture(
        "qwen35",
        qwen_facts,
        qwen_refuses,
        changes=(
            # llama.cpp multiplies by the weight itself, transformers by one more than it
            Change("norm.weight", lambda t, c: t.float() + 1, lambda t, c: t - 1, unless="linear_attn.norm.weight"),
            Change("linear_attn.A_log", lambda t, c: -t.float().exp(), lambda t, c: (-t).log()),
            Change("conv1d.weight", lambda t, c: t.squeeze(1), lambda t, c: t.unsqueeze(1)),
            grouped("in_proj_qkv.weight", after_keys=True),
            grouped("conv1d.weight", after_keys=True),
            grouped("in_proj_z.weight"),
            grouped("in_proj_a.weight"),
            grouped("in_proj_b.weight"),
            grouped("linear_attn.A_log"),
            grouped("linear_attn.dt_bias"),
            grouped("linear_attn.out_proj.weight", dimension=1),
        ),
        renames=((".dt_bias", ".dt_proj.bias"),),
        left_out=("visual.", "mtp."),
    ),
    "gemma4": Architecture(
        "gemma4",
        gemma_facts,
        gemma_refuses,
        renames=((".layer_scalar", ".layer_scalar.weight"),),
        left_out=("vision_tower.", "audio_tower.", "embed_vision.", "embed_audio."),
        extra=gemma_rotations,
    ),
}


def changed(architecture: Architecture, name: str, tensor: "torch.Tensor", config: Config) -> "torch.Tensor":
    """A tensor of transformers as GGUF keeps it."""
    for change in applying(architecture, name):
        tensor = change.there(tensor, config)
    return tensor


def restored(architecture: Architecture, name: str, tensor: "torch.Tensor", config: Config) -> "torch.Tensor":
    """What GGUF keeps as the tensor that transformers knows by this name."""
    for change in reversed(list(applying(architecture, name))):
        tensor = change.back(tensor, config)
    return tensor


def applying(architecture: Architecture, name: str) -> Iterator[Change]:
    """The changes that a tensor of this name goes through, in order."""
    for change in architecture.changes:
        if name.endswith(change.suffix) and not (change.unless and name.endswith(change.unless)):
            yield change


def stored_name(architecture: Architecture, name: str) -> str:
    """The name by which the gguf package's table finds the tensor."""
    for ending, other in architecture.renames:
        if name.endswith(ending):
            return name.removesuffix(ending) + other
    return name
