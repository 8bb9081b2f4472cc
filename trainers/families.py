"""A family is what its models write and read by: special tokens, chat template, thinking, where an answer ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from curation.errors import InputError


@dataclass(frozen=True)
class ThinkingForm:
    """How reasoning stands before a plan: `open` + reasoning + `close` + plan, with nothing else around."""

    open: str
    close: str


@dataclass(frozen=True)
class Family:
    """What differs between model families; whoever meets a model looks here, nobody asks for a name.

    `types`: values of `model_type` in a config.json; `architecture`: the text-only class of transformers; `inner`: the
    prefix under which a checkpoint with eyes and ears keeps the language model. `special`: the tokens of a tokenizer
    that is trained here. `ends`: tokens that end an answer, the first of them is the one that is trained.
    `thinking`: by the preset's word, "text" is how the published systems write it, "native" the family's own channel.
    `packs_on_cpu`: whether rows packed into one sequence stay apart without GPU kernels. `table`: the parameter that
    is a lookup table and may be frozen, where there is one.
    """

    name: str
    types: tuple[str, ...]
    architecture: str
    inner: str
    special: tuple[str, ...]
    pad: str
    bos: str | None
    ends: tuple[str, ...]
    thinking: Mapping[str, ThinkingForm]
    packs_on_cpu: bool
    table: str | None = None

    @property
    def template_file(self) -> str:
        """The name of its chat template beside this module."""
        return f"{self.name}.jinja"


TEXT = ThinkingForm("<think>", "</think>\n")

FAMILIES: dict[str, Family] = {
    "gemma4": Family(
        name="gemma4",
        types=("gemma4", "gemma4_text"),
        architecture="Gemma4ForCausalLM",
        inner="model.language_model.",
        special=(
            "<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>", "<|think|>", "<|channel>", "<channel|>",
            "<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>',
        ),
        pad="<pad>",
        bos="<bos>",
        # A turn may go on after a tool call: without <|tool_response> among the ends the model writes the results itself.
        ends=("<turn|>", "<|tool_response>", "<eos>"),
        thinking={"text": TEXT, "native": ThinkingForm("<|channel>thought\n", "\n<channel|>")},
        packs_on_cpu=True,
        table="embed_tokens_per_layer",
    ),
    "qwen3.5": Family(
        name="qwen3.5",
        types=("qwen3_5", "qwen3_5_text"),
        architecture="Qwen3_5ForCausalLM",
        inner="model.language_model.",
        special=(
            "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<tool_response>",
            "</tool_response>", "<think>", "</think>",
        ),
        pad="<|endoftext|>",
        bos=None,
        ends=("<|im_end|>", "<|endoftext|>"),
        thinking={"text": TEXT, "native": ThinkingForm("<think>\n", "\n</think>\n\n")},
        packs_on_cpu=False,  # its linear attention keeps rows apart only in flash-linear-attention's GPU kernels
    ),
}  # fmt: skip
WORDS = ("<think>", "</think>")  # special in a tokenizer, yet part of what an answer says

NATIVE = "{%- set enable_thinking = enable_thinking | default(true) -%}\n"


def family_of(model_type: str, where: str) -> Family:
    """The family of a model by its `model_type`; `where` names the model in the InputError for any other."""
    for family in FAMILIES.values():
        if model_type in family.types:
            return family
    raise InputError(
        f"{where} is of the type {model_type!r}, which no family here knows; take a model of {' or '.join(FAMILIES)}"
    )


@cache
def template(name: str, thinking: str) -> str:
    """The chat template of the family called `name`; where `thinking` is "native", it asks for it unless told not to."""
    text = (files("trainers") / "templates" / FAMILIES[name].template_file).read_text(encoding="utf-8")
    return NATIVE + text if thinking == "native" else text
