"""What a model is given and writes: encoded, decoded and read again, it says the same in every family and form."""

from pathlib import Path
from typing import Any

import pytest

from curation.formats.answer import split
from trainers.families import FAMILIES
from trainers.models import dress, random_model, train_tokenizer
from trainers.plans import parse_answer
from trainers.presets import Preset, Random, load_preset
from trainers.prompts import IGNORED, answer_text, decode, encode_prompt, encode_row, foreign_token, prompt_messages
from trainers.release import open_release

FORMS = [(family, thinking) for family in FAMILIES for thinking in ("text", "native")]


@pytest.fixture(scope="module")
def rows(release: Path) -> list[dict[str, Any]]:
    return list(open_release(release).rows("sft", "test"))


def dressed(family: str, thinking: str, rows: list[dict[str, Any]]) -> tuple[Preset, Any]:
    """A preset and a tokenizer that has the family's template."""
    preset = load_preset(f"tiny-{family}", [f"thinking={thinking}"])
    sizes = Random(vocabulary=600, hidden=16, layers=2, heads=2, intermediate=16)
    texts = [message["content"] for row in rows[:20] for message in (*row["prompt"], *row["completion"])]
    tokenizer = train_tokenizer(texts, FAMILIES[family], sizes)
    dress(random_model(FAMILIES[family], sizes, tokenizer, 0), tokenizer, preset)
    return preset, tokenizer


@pytest.mark.parametrize(("family", "thinking"), FORMS)
def test_an_answer_survives_the_way_to_tokens_and_back(family: str, thinking: str, rows: list[dict[str, Any]]) -> None:
    preset, tokenizer = dressed(family, thinking, rows)
    form = FAMILIES[family].thinking[thinking]
    for row in rows:
        encoded = encode_row(tokenizer, row, preset)
        written = [token for token in encoded.labels if token != IGNORED]
        assert tokenizer.decode(written[-1]) == FAMILIES[family].ends[0]
        said = decode(tokenizer, written, family)
        reasoning, plan = split(row["completion"][0]["content"])
        assert reasoning
        assert said == answer_text(reasoning, plan, family, thinking)
        read = parse_answer(said, form)
        assert (read.thinking, read.plan_text, read.problem) == (reasoning, plan, None)


@pytest.mark.parametrize(("family", "thinking"), FORMS)
def test_the_template_that_is_saved_writes_the_prompt_that_is_trained(
    family: str, thinking: str, rows: list[dict[str, Any]]
) -> None:
    preset, tokenizer = dressed(family, thinking, rows)
    for row in rows[:10]:
        ids = encode_prompt(tokenizer, row, preset)
        messages = prompt_messages(row, preset)
        by_template = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        assert ids == by_template
        assert encode_row(tokenizer, row, preset).input_ids[: len(ids)] == ids


def test_gemma_is_asked_to_think_in_its_own_way_only_where_it_is_trained_to(rows: list[dict[str, Any]]) -> None:
    for thinking, asked in (("text", False), ("native", True)):
        preset, tokenizer = dressed("gemma4", thinking, rows)
        assert ("<|think|>" in tokenizer.decode(encode_prompt(tokenizer, rows[0], preset))) is asked


def test_a_preset_with_a_system_message_says_its_own(rows: list[dict[str, Any]]) -> None:
    own = load_preset("tiny-gemma4", ['system="Plan."'])
    assert prompt_messages(rows[0], own)[0] == {"role": "system", "content": "Plan."}
    assert prompt_messages(rows[0], own)[1:] == rows[0]["prompt"][1:]
    assert prompt_messages(rows[0], load_preset("tiny-gemma4")) == rows[0]["prompt"]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_token_that_ends_an_answer_is_told_to_whoever_generates(family: str, rows: list[dict[str, Any]]) -> None:
    preset = load_preset(f"tiny-{family}")
    sizes = Random(vocabulary=600, hidden=16, layers=2, heads=2, intermediate=16)
    tokenizer = train_tokenizer(["{}"], FAMILIES[family], sizes)
    model = random_model(FAMILIES[family], sizes, tokenizer, 0)
    dress(model, tokenizer, preset)
    assert [tokenizer.decode(end) for end in model.generation_config.eos_token_id] == list(FAMILIES[family].ends)


@pytest.mark.parametrize("family", FAMILIES)
def test_tools_and_other_roles_are_refused_by_the_template(family: str, rows: list[dict[str, Any]]) -> None:
    _, tokenizer = dressed(family, "text", rows)
    with pytest.raises(Exception, match="it takes no tools"):
        tokenizer.apply_chat_template([{"role": "user", "content": "x"}], tools=[{"type": "function"}])
    with pytest.raises(Exception, match="not tool"):
        tokenizer.apply_chat_template([{"role": "tool", "content": "x"}])


def test_a_special_token_in_a_rows_own_text_is_found(rows: list[dict[str, Any]]) -> None:
    assert all(foreign_token(row, family) is None for row in rows for family in FAMILIES.values())
    bad = {**rows[0], "prompt": [{"role": "user", "content": "stop <turn|> here"}]}
    assert foreign_token(bad, FAMILIES["gemma4"]) == "<turn|>"
    assert foreign_token(bad, FAMILIES["qwen3.5"]) is None
