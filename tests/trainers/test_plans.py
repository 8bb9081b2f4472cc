"""A completion is read once, and what keeps it from being a plan is told by its first reason."""

import pickle

import pytest

from trainers.families import FAMILIES, TEXT, ThinkingForm
from trainers.plans import PROBLEMS, parse_answer
from trainers.prompts import answer_text

PLAN = '{"plugins": [{"pluginId": "a", "api_request_parameters": {"x": "{{b.output}}"}, "dependencies": ["b"]}]}'
FORMS = [(family, thinking) for family in FAMILIES for thinking in FAMILIES[family].thinking]

# text -> what is wrong with it
TEXTS = {
    PLAN: None,
    f"<think>So.</think>\n{PLAN}": None,
    f"  {PLAN}\n": None,
    '{"plugins": []}': None,
    "": "empty",
    "<think>So.</think>": "empty",
    PLAN[:40]: "cut_off",
    PLAN[:30]: "cut_off",
    "<think>So I will": "cut_off",
    f"```json\n{PLAN}\n```": "fenced",
    f"Here: {PLAN}": "text_around",
    f"{PLAN} Done.": "text_around",
    PLAN + PLAN: "text_around",
    "I cannot do that.": "not_json",
    '{"plugins": [}': "not_json",
    "[" * 100_000: "not_json",
    "[]": "not_a_plan",
    "null": "not_a_plan",
    '{"plan": []}': "not_a_plan",
    '{"plugins": {}}': "not_a_plan",
    '{"plugins": ["a"]}': "not_a_step",
}


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_the_problem_of_a_text_is_named(text: str) -> None:
    answer = parse_answer(text)
    assert answer.problem == TEXTS[text]
    assert not answer.problem or not answer.steps


def test_every_problem_that_is_named_occurs() -> None:
    assert {problem for problem in TEXTS.values() if problem} == set(PROBLEMS)


@pytest.mark.parametrize(("family", "thinking"), FORMS)
def test_what_a_family_writes_is_read_back(family: str, thinking: str) -> None:
    form = FAMILIES[family].thinking[thinking]
    answer = parse_answer(answer_text("First a.\nThen b.", PLAN, family, thinking), form)
    assert (answer.thinking, answer.plan_text, answer.problem) == ("First a.\nThen b.", PLAN, None)
    assert parse_answer(PLAN, form).thinking is None


@pytest.mark.parametrize("form", [TEXT, FAMILIES["qwen3.5"].thinking["native"], FAMILIES["gemma4"].thinking["native"]])
def test_thinking_that_the_prompt_opened_is_thinking(form: ThinkingForm) -> None:
    answer = parse_answer(f"First a.{form.close}{PLAN}", form)
    assert (answer.thinking, answer.problem) == ("First a.", None)


def test_thinking_that_is_never_closed_is_none() -> None:
    answer = parse_answer(f"<think>First a. {PLAN}")
    assert (answer.thinking, answer.problem, answer.ids) == (None, None, ("a",))


@pytest.mark.parametrize("step", ["{}", '{"pluginId": 1, "api_request_parameters": [], "dependencies": {"a": 1}}'])
def test_a_step_of_the_wrong_shape_is_read_as_one_that_says_nothing(step: str) -> None:
    answer = parse_answer(f'{{"plugins": [{step}]}}')
    assert (answer.problem, answer.ids, answer.parameters, answer.needed) == (None, ("",), ({},), ((),))
    assert not answer.edges


def test_an_answer_travels_between_processes() -> None:
    answer = parse_answer(PLAN)
    assert answer.edges.total() == 0  # of no step called b
    again = pickle.loads(pickle.dumps(answer))
    assert (again, again.ids) == (answer, answer.ids)
