"""An engine is what answers prompts: transformers here, vLLM, or a server that speaks OpenAI's protocol."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from curation.errors import InputError, MachineError
from trainers.families import FAMILIES
from trainers.prompts import Message, decode, prompt_text, token_ids

if TYPE_CHECKING:
    from trainers.presets import Decoding, Preset

Prompt = Sequence[Message]

BATCH = 32  # prompts answered together by transformers; halved where they do not fit into memory
CHUNK = 256  # prompts given to vLLM at a time: it fills its batches by itself, and so many are lost by a kill at most
WORKERS = 16  # requests in flight at a server: what one GPU behind vLLM keeps busy with


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote, thinking included. `finish`: "stop", or "length" where it was cut off; `tokens`: how many."""

    text: str
    finish: str
    tokens: int | None


class Engine(Protocol):
    """A model that is ready to answer; `version` says what runs it, for the record."""

    version: str

    def complete(self, prompts: Sequence[Prompt], decoding: "Decoding", seed: int) -> Iterator[tuple[int, Completion]]:
        """(position of the prompt, its completion), in whatever order they are done."""


def open_engine(name: str, model: str, preset: "Preset", workers: int = WORKERS) -> Engine:
    """The engine of that name with this model loaded; InputError for a name, model or library that is not there."""
    if name not in ENGINES:
        raise InputError(f"--engine {name!r} is none of {', '.join(ENGINES)}")
    return ENGINES[name](model, preset, workers)


def generate(
    engine: Engine, prompts: Sequence[Prompt], decoding: "Decoding", seed: int = 0
) -> Iterator[tuple[int, Completion]]:
    """Answers each prompt (messages, as `prompts.prompt_messages` makes them) once.

    A prompt's completion depends on the prompt, the decoding and the seed alone, not on what else is asked: at
    temperature 0 it is the likeliest text, above it the draws are seeded for each prompt. A server may not keep that.
    """
    yield from engine.complete(prompts, decoding, seed)


def seed_of(prompt: Prompt, seed: int) -> int:
    """The seed of one prompt's draws: 31 bits of a hash of the prompt and the run's seed."""
    text = orjson.dumps([seed, list(prompt)])
    return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest()) >> 1


class Transformers:
    """transformers' own generation, in batches of prompts of like length, padded on the left."""

    def __init__(self, model: str, preset: "Preset", workers: int = WORKERS) -> None:
        import transformers

        from trainers.models import load_model, require_family

        require_family(model, preset)
        self._model, self._tokenizer = load_model(model)
        self._model.generation_config = transformers.GenerationConfig()  # what the folder says would be mixed in
        self._preset = preset
        self.version = f"transformers {transformers.__version__}"

    @classmethod
    def around(cls, model: Any, tokenizer: Any, preset: "Preset") -> "Transformers":
        """The engine of a model that is loaded already, such as one in training."""
        import transformers

        made = cls.__new__(cls)
        made._model, made._tokenizer, made._preset = model, tokenizer, preset
        made.version = f"transformers {transformers.__version__}"
        return made

    def complete(self, prompts: Sequence[Prompt], decoding: "Decoding", seed: int) -> Iterator[tuple[int, Completion]]:
        """Longest first, so that what does not fit into memory is known at once."""
        import torch

        ids = [_encoded(self._tokenizer, prompt, self._preset) for prompt in prompts]
        waiting = sorted(range(len(ids)), key=lambda i: len(ids[i]), reverse=True)
        size = BATCH
        while waiting:
            batch = waiting[:size]
            seeds = [seed_of(prompts[i], seed) for i in batch]
            try:
                written = self._answer([ids[i] for i in batch], decoding, seeds)
            except torch.cuda.OutOfMemoryError:
                written = None
            if written is None:  # out here, where the error no longer holds what did not fit
                if size == 1:
                    raise MachineError(
                        f"a prompt of {len(ids[batch[0]]):,} tokens does not fit into the GPU's memory beside the model; "
                        "take a larger GPU, or a server with --engine openai"
                    )
                size //= 2
                torch.cuda.empty_cache()
                continue
            waiting = waiting[size:]
            for i, tokens in zip(batch, written, strict=True):
                yield i, _completion(self._tokenizer, tokens, self._preset)

    def _answer(self, rows: list[list[int]], decoding: "Decoding", seeds: list[int]) -> list[list[int]]:
        """The token ids that follow each prompt, the one that ends it included."""
        import torch
        from transformers import GenerationConfig

        family, width, device = FAMILIES[self._preset.family], max(map(len, rows)), self._model.device
        pad: int = self._tokenizer.convert_tokens_to_ids(family.pad)
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows], device=device)
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
        with torch.inference_mode():
            made = self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                logits_processor=_drawing(decoding, seeds, device),
                generation_config=GenerationConfig(
                    max_new_tokens=decoding.max_new_tokens,
                    do_sample=False,
                    eos_token_id=_ends(self._tokenizer, self._preset),
                    pad_token_id=pad,
                ),
            )
        written: list[list[int]] = made[:, width:].tolist()
        return written


def _drawing(decoding: "Decoding", seeds: list[int], device: Any) -> Any:
    """What turns the likeliest token into a drawn one: temperature, top_p, then noise from a generator for each row.

    The largest of logits with Gumbel noise is a draw from their softmax. Each row's noise is its own, so that its
    draws do not depend on the rows beside it.
    """
    import torch
    from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

    if decoding.temperature == 0:
        return LogitsProcessorList()
    generators = [torch.Generator(device=device).manual_seed(seed) for seed in seeds]

    def noisy(input_ids: Any, scores: Any) -> Any:
        width = scores.shape[-1]
        draws = torch.stack([torch.rand(width, generator=g, device=device, dtype=torch.float64) for g in generators])
        return scores.double() - torch.log(-torch.log(draws))

    warpers: list[Any] = [TemperatureLogitsWarper(decoding.temperature)]
    if decoding.top_p < 1:
        warpers.append(TopPLogitsWarper(decoding.top_p))
    return LogitsProcessorList([*warpers, noisy])


class Vllm:
    """vLLM in this process, which batches by itself, where somebody has installed it.

    No extra brings it: up to 0.33 it asks for an older transformers than the trainers do, so it lives in an
    environment of its own, where `vllm serve` makes it a server for the engine openai.
    """

    def __init__(self, model: str, preset: "Preset", workers: int = WORKERS) -> None:
        try:
            import vllm
        except ImportError as error:
            raise InputError(
                f"the engine vllm cannot be loaded ({error}); run `vllm serve {model}` in an environment of its own and "
                "take --engine openai with OPENAI_BASE_URL, or take --engine transformers"
            ) from error
        from trainers.models import load_tokenizer, require_family

        require_family(model, preset)
        self.version = f"vllm {vllm.__version__}"
        self._preset = preset
        self._tokenizer = load_tokenizer(model)
        self._llm = vllm.LLM(model=model, generation_config="vllm")  # "vllm": nothing from the model's own folder

    def complete(self, prompts: Sequence[Prompt], decoding: "Decoding", seed: int) -> Iterator[tuple[int, Completion]]:
        """In chunks, so that what is done is kept."""
        from vllm import SamplingParams, TokensPrompt

        for begin in range(0, len(prompts), CHUNK):
            chunk = range(begin, min(begin + CHUNK, len(prompts)))
            params = [
                SamplingParams(
                    temperature=decoding.temperature,
                    top_p=decoding.top_p,
                    max_tokens=decoding.max_new_tokens,
                    seed=seed_of(prompts[i], seed),
                    stop_token_ids=_ends(self._tokenizer, self._preset),
                    detokenize=False,
                )
                for i in chunk
            ]
            asked = [TokensPrompt(prompt_token_ids=_encoded(self._tokenizer, prompts[i], self._preset)) for i in chunk]
            for i, done in zip(chunk, self._llm.generate(asked, params, use_tqdm=False), strict=True):
                yield i, _completion(self._tokenizer, list(done.outputs[0].token_ids), self._preset)


def _openai(model: str, preset: "Preset", workers: int) -> Engine:
    from trainers.chat_api import ChatApi

    return ChatApi(model, preset, workers)


def _encoded(tokenizer: Any, prompt: Prompt, preset: "Preset") -> list[int]:
    return token_ids(tokenizer, prompt_text(prompt, preset.family, preset.thinking))


def _ends(tokenizer: Any, preset: "Preset") -> list[int]:
    """The ids of every token that ends an answer."""
    found: list[int] = tokenizer.convert_tokens_to_ids(list(FAMILIES[preset.family].ends))
    return found


def _completion(tokenizer: Any, written: list[int], preset: "Preset") -> Completion:
    ends = set(_ends(tokenizer, preset))
    length = next((i + 1 for i, token in enumerate(written) if token in ends), None)
    text = decode(tokenizer, written, preset.family)
    return Completion(text, "length" if length is None else "stop", len(written) if length is None else length)


ENGINES: dict[str, Callable[[str, "Preset", int], Engine]] = {
    "transformers": Transformers,
    "vllm": Vllm,
    "openai": _openai,
}
