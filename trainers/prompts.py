"""What a model is given for a row and what it should write: the same text trains, evaluates and generates."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from curation.formats.answer import split
from trainers.families import FAMILIES, WORDS, Family, template

if TYPE_CHECKING:
    from jinja2 import Template

    from trainers.presets import Preset

Row = Mapping[str, Any]
Message = dict[str, str]
IGNORED = -100  # the label of a token that no loss is taken on


class Encoded(NamedTuple):
    """A row as token ids; `labels` are the ids that are learnt, and IGNORED for the others."""

    input_ids: list[int]
    labels: list[int]


def prompt_messages(row: Row, preset: "Preset") -> list[Message]:
    """The row's prompt with the preset's system message, where it has one, in place of the release's."""
    messages = [{"role": m["role"], "content": m["content"]} for m in row["prompt"]]
    if preset.system is None:
        return messages
    rest = messages[1:] if messages and messages[0]["role"] == "system" else messages
    return [{"role": "system", "content": preset.system}, *rest]


def prompt_text(messages: Sequence[Message], family: str, thinking: str) -> str:
    """The messages as the family's models read them, up to where the model begins to write."""
    made: str = _compiled(family, thinking).render(
        messages=messages,
        add_generation_prompt=True,
        bos_token=FAMILIES[family].bos or "",
        enable_thinking=thinking == "native",
    )
    return made


def completion_text(answer: str, family: str, thinking: str) -> str:
    """A release's answer (`<think>…</think>`, then the plan) as the family's models write it, with its end."""
    return answer_text(*split(answer), family=family, thinking=thinking) + FAMILIES[family].ends[0]


def answer_text(reasoning: str | None, plan: str, family: str, thinking: str) -> str:
    """Reasoning, where there is some, and plan in the form that `thinking` names."""
    form = FAMILIES[family].thinking[thinking]
    return plan if reasoning is None else f"{form.open}{reasoning}{form.close}{plan}"


def encode_prompt(tokenizer: Any, row: Row, preset: "Preset") -> list[int]:
    """The token ids that a model is given for a row. `tokenizer`: of transformers, or a bare tokenizers.Tokenizer."""
    return token_ids(tokenizer, prompt_text(prompt_messages(row, preset), preset.family, preset.thinking))


def encode_row(tokenizer: Any, row: Row, preset: "Preset", learn: str = "answer") -> Encoded:
    """Prompt and completion as token ids, encoded apart, as they will be when the model itself goes on.

    `learn`: what a loss is taken on, "answer" (the completion) or "all".
    """
    prompt = encode_prompt(tokenizer, row, preset)
    answer = completion_text(row["completion"][-1]["content"], preset.family, preset.thinking)
    completion = token_ids(tokenizer, answer)
    before = [IGNORED] * len(prompt) if learn == "answer" else prompt
    return Encoded(prompt + completion, before + completion)


def token_ids(tokenizer: Any, text: str) -> list[int]:
    """A text's tokens, with nothing added: the template writes what comes first."""
    encoded = tokenizer.encode(text, add_special_tokens=False)
    ids: list[int] = getattr(encoded, "ids", encoded)
    return ids


def decode(tokenizer: Any, ids: Sequence[int], family: str) -> str:
    """The text of generated ids up to the first token that ends an answer; the thinking channel's tokens stay."""
    ends = {tokenizer.convert_tokens_to_ids(end) for end in FAMILIES[family].ends}
    length = next((i for i, token in enumerate(ids) if token in ends), len(ids))
    text: str = tokenizer.decode(list(ids[:length]), skip_special_tokens=False)
    return text


def foreign_token(row: Row, family: Family) -> str | None:
    """A special token of the family that stands in the row's own text, where it would be read as what it is not."""
    texts = [message["content"] for message in (*row["prompt"], *row["completion"])]
    return next((t for t in family.special if t not in WORDS and any(t in text for text in texts)), None)


@cache
def _compiled(family: str, thinking: str) -> "Template":
    """The family's template, compiled as transformers compiles one."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    return environment.from_string(template(family, thinking))
