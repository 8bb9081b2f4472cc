"""What every metric promises, whatever the answer: bounds, invariances, and that less wrong is never worth less."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainers.evaluation.cases import CANDIDATES, Step, answer, gold, step
from trainers.evaluation.metrics import BINARY, METRICS, NAMES, measure
from trainers.plans import parse_answer

ORDERED = {
    "correct_plugin_ids",
    "edit_similarity",
    "composite",
}  # of the rest the order of independent steps is no part
GROWING = ("node_f1", "argument_name_f1", "argument_value_f1", "edit_similarity", "param_keys")

plugins = st.sampled_from([candidate["pluginId"] for candidate in CANDIDATES])
values = st.fixed_dictionaries(
    {"city": st.sampled_from(["Oslo", "Rome", "Bern"])},
    optional={"days": st.integers(1, 9), "who": st.sampled_from(["Ann", "Bo"])},
)


@st.composite
def plans(draw: st.DrawFn, most: int = 4) -> tuple[Step, ...]:
    """A right plan: distinct plugins, each perhaps needing earlier ones, whose output it may use."""
    chosen = draw(st.lists(plugins, unique=True, min_size=1, max_size=most))
    made: list[Step] = []
    for place, plugin in enumerate(chosen):
        needs = tuple(p for p in chosen[:place] if draw(st.booleans()))
        given_values: dict[str, Any] = draw(values)
        if needs and draw(st.booleans()):
            given_values["city"] = f"{{{{{needs[0]}.output.city}}}}"
        made.append(step(plugin, needs, **given_values))
    return tuple(made)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
wild_steps = st.fixed_dictionaries(
    {},
    optional={
        "pluginId": plugins | json_values,
        "api_request_parameters": st.dictionaries(st.sampled_from(["city", "days", "x"]), json_values) | json_values,
        "dependencies": st.lists(plugins | json_values, max_size=3) | json_values,
        "all_parameters_hydrated": st.booleans() | json_values,
    },
)


@settings(max_examples=150, deadline=None)
@given(plans(), st.lists(wild_steps, max_size=4))
def test_any_answer_scores_between_0_and_1(wanted: tuple[Step, ...], written: list[Any]) -> None:
    found = measure(answer(*written), gold(*wanted))
    assert all(score is None or 0 <= score <= 1 for score in found.values())
    assert all(found[name] in (0.0, 1.0) for name in BINARY)


@settings(max_examples=150, deadline=None)
@given(plans(), st.text(max_size=200))
def test_any_text_scores_between_0_and_1(wanted: tuple[Step, ...], written: str) -> None:
    assert all(score is None or 0 <= score <= 1 for score in measure(parse_answer(written), gold(*wanted)).values())


@settings(max_examples=100, deadline=None)
@given(plans())
def test_the_gold_scores_1_on_every_metric(wanted: tuple[Step, ...]) -> None:
    assert {score for score in measure(answer(*wanted), gold(*wanted)).values() if score is not None} == {1.0}


@settings(max_examples=100, deadline=None)
@given(plans(), st.randoms(use_true_random=False))
def test_the_order_of_independent_steps_changes_no_other_metric(wanted: tuple[Step, ...], dice: random.Random) -> None:
    found = measure(answer(*reordered(wanted, dice)), gold(*wanted))
    assert {name for name, score in found.items() if score not in (None, 1.0)} <= ORDERED


@settings(max_examples=100, deadline=None)
@given(plans(), st.randoms(use_true_random=False), st.booleans())
def test_keys_of_an_object_and_further_keys_of_a_step_change_no_metric(
    wanted: tuple[Step, ...], dice: random.Random, further: bool
) -> None:
    written = [dict(dice.sample(list(one.items()), len(one))) | ({"note": 1} if further else {}) for one in wanted]
    assert measure(answer(*written), gold(*wanted)) == measure(answer(*wanted), gold(*wanted))


@settings(max_examples=100, deadline=None)
@given(plans())
def test_each_further_right_step_is_worth_more(wanted: tuple[Step, ...]) -> None:
    scores = [measure(answer(*wanted[:n]), gold(*wanted)) for n in range(len(wanted) + 1)]
    for name in GROWING:
        found = [one[name] for one in scores]
        if None not in found:
            assert found == sorted(found), name  # type: ignore[type-var]
            assert found[-1] == 1.0


@settings(max_examples=100, deadline=None)
@given(plans(), plugins, values)
def test_a_further_step_is_worth_no_gain_on_any_metric(
    wanted: tuple[Step, ...], plugin: str, given_values: dict[str, Any]
) -> None:
    more = measure(answer(*wanted, step(plugin, **given_values)), gold(*wanted))
    whole = measure(answer(*wanted), gold(*wanted))
    for name in NAMES:
        assert (more[name] or 0) <= (whole[name] or 0), name


@settings(max_examples=100, deadline=None)
@given(plans(), plans())
def test_repeating_a_step_is_no_gain(wanted: tuple[Step, ...], written: tuple[Step, ...]) -> None:
    """Not of what a plan has no wrong of, nor of F1 scores, which count what is wanted once."""
    once = measure(answer(*written), gold(*wanted))
    again = measure(answer(*written, written[-1]), gold(*wanted))
    for name in set(METRICS) - {"count_match", "dependencies_present"}:
        assert (again[name] or 0) <= (once[name] or 0) + 1e-9, name


def reordered(steps: tuple[Step, ...], dice: random.Random) -> list[Step]:
    """The steps in another order that their dependencies allow."""
    left, placed = list(steps), []  # type: ignore[var-annotated]
    while left:
        there = {one["pluginId"] for one in placed}
        ready = [one for one in left if set(one["dependencies"]) <= there]
        placed.append(dice.choice(ready))
        left.remove(placed[-1])
    return placed


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_says_what_it_measures(name: str) -> None:
    metric = METRICS[name]
    said = getattr(metric, "func", metric).__doc__
    assert said
    assert said.strip().endswith(".")
