"""Every engine answers each prompt once, by what the preset says, whatever else is asked beside it."""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.errors import InputError, ServiceError
from tests.servers.openai import FAULTS, MODEL, Messages, OpenAi
from tests.trainers.evaluation.conftest import rows
from trainers import chat_api
from trainers.engines import ENGINES, Completion, generate, open_engine, seed_of
from trainers.families import FAMILIES
from trainers.plans import parse_answer
from trainers.presets import Decoding, load_preset
from trainers.prompts import Message, prompt_messages, prompt_text, token_ids

PROMPTS: list[list[Message]] = [
    [{"role": "system", "content": "Plan."}, {"role": "user", "content": text}]
    for text in ("a", "b " * 30, "c", "d" * 9)
]
PUBLISHED = {"gemma4-e2b-published": (0.1, 0.9, 1024), "qwen3.5-0.8b-published": (0.8, 1.0, 512)}


@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("family", FAMILIES)
def test_batching_changes_no_completion(
    family: str, temperature: float, tiny: Callable[[str], Path], release: Path
) -> None:
    preset = load_preset(tiny(family) / "preset.toml")
    engine = open_engine("transformers", str(tiny(family)), preset)
    short = [prompt_messages(row, preset) for row in rows(release, "grpo", "test")]
    prompts = [*PROMPTS, *sorted(short, key=lambda messages: len(str(messages)))[:2]]
    decoding = Decoding(temperature, 0.9, 10)
    together = dict(generate(engine, prompts, decoding, seed=1))
    alone = {i: dict(generate(engine, [prompt], decoding, seed=1))[0] for i, prompt in enumerate(prompts)}
    assert together == alone
    again = dict(generate(engine, prompts, decoding, seed=2))
    assert (again == together) is (temperature == 0)


def test_a_completion_ends_with_the_first_token_that_ends_an_answer(tiny: Callable[[str], Path]) -> None:
    from trainers.engines import _completion
    from trainers.models import load_tokenizer

    tokenizer, preset = load_tokenizer(tiny("gemma4")), load_preset("tiny-gemma4")
    written = [*token_ids(tokenizer, "{}"), *token_ids(tokenizer, "<|tool_response><pad>x")]
    assert _completion(tokenizer, written, preset) == Completion("{}", "stop", len(token_ids(tokenizer, "{}")) + 1)
    cut = token_ids(tokenizer, "{")
    assert _completion(tokenizer, cut, preset) == Completion("{", "length", len(cut))


def test_drawn_tokens_follow_the_models_probabilities() -> None:
    import torch

    from trainers.engines import _drawing

    logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
    drawing = _drawing(Decoding(1.0, 0.9, 1), list(range(4000)), "cpu")
    scores = drawing(torch.zeros(4000, 1, dtype=torch.long), logits.repeat(4000, 1))
    shares = torch.bincount(scores.argmax(-1), minlength=4) / 4000
    kept = torch.softmax(logits, -1)[:3]  # 0.64 + 0.24 + 0.09 are the first to reach 0.9
    assert torch.allclose(shares[:3], (kept / kept.sum()), atol=0.03)
    assert shares[3] == 0


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_systems_are_asked_as_they_were(name: str) -> None:
    decoding = load_preset(name).decoding
    assert (decoding.temperature, decoding.top_p, decoding.max_new_tokens) == PUBLISHED[name]


def test_a_model_of_another_family_is_refused(tiny: Callable[[str], Path]) -> None:
    with pytest.raises(InputError, match=r"tiny-qwen3\.5 is for qwen3\.5.*gemma4"):
        open_engine("transformers", str(tiny("gemma4")), load_preset("tiny-qwen3.5"))


def test_an_engine_that_is_not_known_or_not_installed_is_one_sentence() -> None:
    with pytest.raises(InputError, match="'llama' is none of transformers, vllm, openai"):
        open_engine("llama", "m", load_preset("tiny-gemma4"))
    with pytest.raises(InputError, match=r"vllm serve owner/model.*--engine openai"):
        open_engine("vllm", "owner/model", load_preset("tiny-gemma4"))
    assert list(ENGINES) == ["transformers", "vllm", "openai"]


def test_vllm_is_given_the_tokens_the_ends_and_a_seed_for_each_prompt(
    tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """vLLM cannot be installed here: a stand-in with its names records what it is given."""
    given: list[tuple[dict[str, Any], dict[str, Any]]] = []

    class LLM:
        def __init__(self, model: str, generation_config: str) -> None:
            assert (model, generation_config) == (str(tiny("gemma4")), "vllm")

        def generate(self, prompts: list[Any], params: list[Any], use_tqdm: bool) -> list[Any]:
            given.extend(zip(prompts, params, strict=True))
            output = types.SimpleNamespace(
                token_ids=(*prompts[0]["prompt_token_ids"][:2], params[0]["stop_token_ids"][0])
            )
            return [types.SimpleNamespace(outputs=[output]) for _ in prompts]

    fake = types.SimpleNamespace(LLM=LLM, SamplingParams=dict, TokensPrompt=dict, __version__="0")
    monkeypatch.setitem(sys.modules, "vllm", fake)
    preset = load_preset(tiny("gemma4") / "preset.toml")
    engine = open_engine("vllm", str(tiny("gemma4")), preset)
    found = dict(generate(engine, PROMPTS, Decoding(0.1, 0.9, 7), seed=3))
    assert found.keys() == set(range(4))
    assert {one.finish for one in found.values()} == {"stop"}
    assert [params["seed"] for _, params in given] == [seed_of(prompt, 3) for prompt in PROMPTS]
    assert all((p["temperature"], p["top_p"], p["max_tokens"]) == (0.1, 0.9, 7) for _, p in given)
    from trainers.models import load_tokenizer

    text = prompt_text(PROMPTS[0], "gemma4", "text")
    assert given[0][0]["prompt_token_ids"] == token_ids(load_tokenizer(tiny("gemma4")), text)


# --- a server ---


def echo(messages: Messages) -> str:
    """A completion that names its prompt."""
    return f"answer to {messages[-1]['content']}"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of milliseconds."""
    monkeypatch.setattr(chat_api, "FIRST_PAUSE", 0.01)


def asked(
    server: OpenAi, monkeypatch: pytest.MonkeyPatch, prompts: Any = PROMPTS, **options: Any
) -> dict[int, Completion]:
    """What the server completes."""
    for name, value in (server.environment | options.pop("environment", {})).items():
        monkeypatch.setenv(name, value)
    engine = open_engine("openai", options.pop("model", MODEL), load_preset("tiny-gemma4"), workers=4)
    return dict(generate(engine, prompts, Decoding(0.1, 0.9, 64), seed=3))


def test_a_server_is_asked_by_what_the_preset_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAi(echo) as server:
        found = asked(server, monkeypatch)
    assert {i: one.text for i, one in found.items()} == {i: echo(prompt) for i, prompt in enumerate(PROMPTS)}
    body = next(b for b in server.bodies if b["messages"] == PROMPTS[0])
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.1, 0.9, 64)
    assert body["seed"] == seed_of(PROMPTS[0], 3)
    assert found[0].tokens == 3


def test_as_many_requests_are_in_flight_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = [[{"role": "user", "content": str(i)}] for i in range(20)]
    with OpenAi(echo, latency=0.05) as server:
        assert len(asked(server, monkeypatch, prompts)) == 20
    assert server.most_in_flight == 4


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_loses_no_prompt(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAi(echo, faults=[fault]) as server:
        found = asked(server, monkeypatch)
    assert len(found) == len(PROMPTS)
    assert server.requests > len(PROMPTS)


def test_reasoning_that_the_server_took_out_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAi(lambda messages: '{"plugins": []}', reasoning="So.", finish="length") as server:
        found = asked(server, monkeypatch)
    answer = parse_answer(found[0].text)
    assert (answer.thinking, answer.problem, found[0].finish) == ("So.", None, "length")


def test_a_server_that_wants_the_limit_under_its_newer_name_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAi(echo, newer=True) as server:
        assert len(asked(server, monkeypatch)) == len(PROMPTS)
    assert server.bodies[-1]["max_completion_tokens"] == 64


def test_a_refusal_is_one_sentence_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAi(echo) as server:
        with pytest.raises(ServiceError, match="refused a request for other: status 404"):
            asked(server, monkeypatch, model="other")
        assert server.requests <= 4
        with pytest.raises(ServiceError, match=r"status 401: .*Incorrect API key"):
            asked(server, monkeypatch, environment={"OPENAI_API_KEY": "another"})


def test_a_server_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAi(echo) as server:
        gone = server.environment
    server.url = gone["OPENAI_BASE_URL"]
    with pytest.raises(ServiceError, match=r"did not answer in 6 tries .*it goes on with what has no completion"):
        asked(server, monkeypatch, PROMPTS[:1])
