"""Models and tokenizers: loaded whole or refused, made at random for a CPU, saved with all that an answer needs."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.errors import InputError
from trainers.families import FAMILIES, Family, family_of, template
from trainers.presets import Preset, Random
from trainers.run import is_hub_id

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json")
# What stands between words, with the keys of plans and schemas, is one piece; a word and a digit are pieces of their own.
KEYS = (
    "pluginId|name|description|identifier|method|parameters|type|object|string|integer|number|boolean|array|items|"
    "properties|required|format|enum|plugins|api_request_parameters|all_parameters_hydrated|dependencies"
)
STRUCTURE = rf'(?:"(?:{KEYS})"|[^\p{{L}}\p{{N}}])+|\p{{L}}+|\p{{N}}'
DTYPES = {"bf16": "bfloat16", "fp32": "float32"}


def load_model(
    path: str | Path, device: str | None = None, dtype: str | None = None
) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """The language model and tokenizer of a folder or a Hub id, in evaluation mode.

    `device`: None takes a GPU where there is one; `dtype`: "bf16" or "fp32", None takes bf16 on a GPU and fp32 on a
    CPU. Of a checkpoint with eyes and ears the language model alone is taken. Raises InputError where there is no
    model or tokenizer, or where the checkpoint lacks weights: those would be random.
    """
    import torch

    where = str(path)
    tokenizer = load_tokenizer(path)
    family = family_of(config_of(path)["model_type"], where)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = dtype or ("bf16" if device.startswith("cuda") else "fp32")
    model = _load_weights(where, family, getattr(torch, DTYPES[dtype]))
    return model.to(device).eval(), tokenizer


def _load_weights(where: str, family: Family, dtype: "torch.dtype") -> "PreTrainedModel":
    import transformers

    quiet = transformers.logging.get_verbosity()
    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()  # it lists what is missing; the sentence below says it
    try:
        model, found = getattr(transformers, family.architecture).from_pretrained(
            where,
            dtype=dtype,
            attn_implementation="sdpa",
            key_mapping={f"^{family.inner}".replace(".", r"\."): "model."},
            output_loading_info=True,
        )
    except OSError as error:
        raise InputError(f"the model {where} cannot be loaded: {_first(error)}") from error
    finally:
        transformers.logging.set_verbosity(quiet)
    if found["missing_keys"] or found["mismatched_keys"]:
        lost = sorted(map(str, [*found["missing_keys"], *found["mismatched_keys"]]))
        raise InputError(
            f"the model {where} lacks {len(lost)} weights of a {family.architecture} ({lost[0]}, …), which would be "
            "random; give a checkpoint of that architecture"
        )
    return model


def load_tokenizer(path: str | Path) -> "PreTrainedTokenizerBase":
    """The tokenizer of a folder or a Hub id. Raises InputError where there is none."""
    folder = Path(path)
    if folder.is_dir() and not any((folder / name).exists() for name in TOKENIZER_FILES):
        raise InputError(f"the model folder {path} has no tokenizer (tokenizer.json); save it there with the weights")
    if not folder.exists() and not is_hub_id(str(path)):
        raise InputError(f"there is no model at {path}; give a folder, or the owner/name of a model on the Hub")
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(str(path))
    except (OSError, ValueError) as error:
        raise InputError(f"the tokenizer of {path} cannot be loaded: {_first(error)}") from error


def config_of(path: str | Path) -> dict[str, Any]:
    """A model's config.json, without loading the model. Raises InputError where there is none."""
    folder = Path(path)
    if folder.is_dir():
        try:
            found: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            return {"model_type": "nothing", **found}
        except (OSError, ValueError) as error:
            raise InputError(f"{path} is no model folder: its config.json cannot be read ({_first(error)})") from error
    from transformers import AutoConfig

    try:
        told: dict[str, Any] = AutoConfig.from_pretrained(str(path)).to_dict()
    except (OSError, ValueError) as error:
        raise InputError(f"there is no model {path}: {_first(error)}") from error
    return told


def require_family(model: str | Path, preset: Preset) -> None:
    """Raises InputError where the model is of another family than the preset, or of none."""
    found = family_of(config_of(model)["model_type"], f"the model {model}")
    if found.name != preset.family:
        raise InputError(
            f"the preset {preset.name} is for {preset.family}, and the model {model} is a {found.name}; take a preset "
            f"of that family with --preset"
        )


def train_tokenizer(texts: Iterable[str], family: Family, sizes: Random) -> "PreTrainedTokenizerBase":
    """A byte-level BPE tokenizer with the family's special tokens, trained on `texts`; any text comes back unchanged."""
    from transformers import PreTrainedTokenizerFast

    made = bare_tokenizer(texts, family, sizes)
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=family.pad, eos_token=family.ends[0], bos_token=family.bos
    )


def bare_tokenizer(texts: Iterable[str], family: Family, sizes: Random) -> "Tokenizer":
    """The same without transformers, which takes seconds to load."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    if sizes.structured:
        levels: list[Any] = [pre_tokenizers.Split(Regex(STRUCTURE), "isolated")]
    else:
        levels = [pre_tokenizers.Digits(individual_digits=True)]
    levels.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not sizes.structured))
    made.pre_tokenizer = pre_tokenizers.Sequence(levels)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=sizes.vocabulary,
            special_tokens=list(family.special),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return made


def random_model(family: Family, sizes: Random, tokenizer: Any, seed: int) -> "PreTrainedModel":
    """A small model of the family with random weights: the parts of the real one, fewer and narrower."""
    import torch
    import transformers

    torch.manual_seed(seed)
    config = SMALL[family.name](sizes, len(tokenizer))
    config.pad_token_id = tokenizer.pad_token_id
    config.bos_token_id = tokenizer.bos_token_id
    config.eos_token_id = tokenizer.eos_token_id
    return getattr(transformers, family.architecture)(config)


def _small_gemma4(sizes: Random, vocabulary: int) -> Any:
    """Sliding and full attention in turn, the last `shared` of them with earlier keys and values, per-layer embeddings, soft cap."""
    from transformers import Gemma4TextConfig

    if sizes.shared > max(0, sizes.layers - 2):
        raise InputError(
            f"random.shared = {sizes.shared} of {sizes.layers} layers leaves none of each kind to share from; set it to "
            f"{max(0, sizes.layers - 2)} or less"
        )
    head = sizes.hidden // sizes.heads
    kinds = ["full_attention" if i % 2 else "sliding_attention" for i in range(sizes.layers - 1)] + ["full_attention"]
    return Gemma4TextConfig(
        vocab_size=vocabulary, vocab_size_per_layer_input=vocabulary, hidden_size=sizes.hidden,
        intermediate_size=sizes.intermediate, num_hidden_layers=sizes.layers, layer_types=kinds,
        num_attention_heads=sizes.heads, num_key_value_heads=sizes.kv_heads, head_dim=head, global_head_dim=2 * head,
        num_kv_shared_layers=sizes.shared, use_double_wide_mlp=True,
        hidden_size_per_layer_input=max(8, sizes.hidden // 6), final_logit_softcapping=30.0, sliding_window=512,
    )  # fmt: skip


def _small_qwen35(sizes: Random, vocabulary: int) -> Any:
    """Three layers of linear attention to one of full attention, as in the real one."""
    from transformers import Qwen3_5TextConfig

    head = sizes.hidden // sizes.heads
    return Qwen3_5TextConfig(
        vocab_size=vocabulary, hidden_size=sizes.hidden, intermediate_size=sizes.intermediate,
        num_hidden_layers=sizes.layers, num_attention_heads=sizes.heads, num_key_value_heads=sizes.kv_heads,
        head_dim=head, linear_num_key_heads=sizes.heads, linear_num_value_heads=sizes.heads, linear_key_head_dim=head,
        linear_value_head_dim=head, tie_word_embeddings=True,
    )  # fmt: skip


SMALL = {"gemma4": _small_gemma4, "qwen3.5": _small_qwen35}


def full_size_config(family: str) -> Any:
    """The real dimensions of gemma-4-E2B and Qwen3.5-0.8B, for random weights of full size.

    E2B's are read in transformers' conversion script; those of Qwen3.5-0.8B are ours, and come to its 752 million
    parameters.
    """
    from transformers import Gemma4TextConfig, Qwen3_5TextConfig

    if family == "gemma4":
        return Gemma4TextConfig(
            hidden_size=1536, intermediate_size=6144, num_hidden_layers=35,
            layer_types=(["sliding_attention"] * 4 + ["full_attention"]) * 7, num_attention_heads=8,
            num_key_value_heads=1, head_dim=256, global_head_dim=512, num_kv_shared_layers=20,
            use_double_wide_mlp=True, hidden_size_per_layer_input=256, final_logit_softcapping=30.0, sliding_window=512,
        )  # fmt: skip
    return Qwen3_5TextConfig(
        hidden_size=1024, intermediate_size=3584, num_hidden_layers=24, num_attention_heads=8, num_key_value_heads=2,
        head_dim=256, linear_num_key_heads=16, linear_num_value_heads=16, linear_key_head_dim=128,
        linear_value_head_dim=128, tie_word_embeddings=True,
    )  # fmt: skip


def freeze_table(model: Any, family: Family) -> int:
    """Freezes the family's lookup table, where it has one; returns how many parameters that are."""
    frozen = 0
    for name, parameter in model.named_parameters():
        if family.table is not None and f"{family.table}." in name:
            parameter.requires_grad_(False)
            frozen += parameter.numel()
    return frozen


def dress(model: Any, tokenizer: Any, preset: Preset) -> None:
    """Gives model and tokenizer what an answer needs: template, padding, and every token that ends one."""
    family = FAMILIES[preset.family]
    tokenizer.chat_template = template(preset.family, preset.thinking)
    known = tokenizer.get_vocab()
    missing = [token for token in (*family.ends, family.pad) if token not in known]
    if missing:
        raise InputError(f"the tokenizer has no {missing[0]} and is none of {family.name}; take one of that family")
    tokenizer.pad_token, tokenizer.eos_token = family.pad, family.ends[0]
    model.generation_config.eos_token_id = [known[token] for token in family.ends]
    model.generation_config.pad_token_id = known[family.pad]
    # What the preset says of decoding, for engines that read it here.
    model.generation_config.do_sample = preset.decoding.temperature > 0
    if preset.decoding.temperature > 0:
        model.generation_config.temperature = preset.decoding.temperature
        model.generation_config.top_p = preset.decoding.top_p


def save_model(model: Any, tokenizer: Any, folder: Path) -> None:
    """Weights, configuration, tokenizer and template into `folder`, loadable by `load_model`."""
    import transformers

    transformers.logging.disable_progress_bar()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _first(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
