"""Each metric gives what a person who reads its definition gives, on answers scored by hand."""

from collections.abc import Mapping

import pytest

from tests.trainers.evaluation.cases import GOLD_STEPS, Step, answer, changed, gold, step, text
from trainers.evaluation.gold import gold_of
from trainers.evaluation.metrics import BINARY, FIELD, METRICS, NAMES, ORCHESTRATOR, PLANNER, measure
from trainers.plans import parse_answer

P0, P1, P2, P3 = GOLD_STEPS
ZERO = dict.fromkeys(METRICS, 0.0)

# case -> the answer's steps, and every metric that is not 1, to three decimals
HAND_SCORED: dict[str, tuple[tuple[Step, ...], Mapping[str, float]]] = {
    "the plan itself": (GOLD_STEPS, {}),
    "independent steps in another order": (
        (P2, P0, P1, P3),
        # p2 p0 p1 p3 and p0 p1 p2 p3 share three in order: 2·3/8
        {"correct_plugin_ids": 0, "edit_similarity": 0.75},
    ),
    "a default is left out": (
        changed(0, values={"city": "Oslo"}),
        # 6 of 7 names and values are said: 2·6/(6+7)
        {"argument_name_f1": 0.923, "argument_value_f1": 0.923},
    ),
    "a default is given where the gold leaves it out": (
        changed(2, values={"city": "Rome", "days": 3}),
        {"argument_name_f1": 0.933, "argument_value_f1": 0.933},  # 2·7/(8+7)
    ),
    "text in another case, without its comma": (
        changed(1, values={"city": "{{p0.output.city}}", "who": "ann  lee."}),
        {"plan_exact": 0, "argument_value_f1": 0.857},  # 2·6/(7+7)
    ),
    "another value": (
        changed(2, values={"city": "Paris"}),
        {"bfcl_ast": 0, "plan_exact": 0, "argument_value_f1": 0.857},
    ),
    "a number as text": (
        changed(3, values={"city": "{{p2.output}}", "days": "5"}),
        {"hydrated": 0, "params_type": 0, "bfcl_ast": 0, "plan_exact": 0, "argument_value_f1": 0.857},
    ),
    "a whole number written with a point": (changed(3, values={"city": "{{p2.output}}", "days": 5.0}), {}),
    "a reference to another field": (
        changed(1, values={"city": "{{p0.output.town}}", "who": "Ann Lee"}),
        {"bfcl_ast": 0, "plan_exact": 0, "argument_value_f1": 0.857},
    ),
    "the value instead of the reference": (
        changed(3, values={"city": "Rome", "days": 5}),
        {"bfcl_ast": 0, "plan_exact": 0, "argument_value_f1": 0.857},
    ),
    "a required parameter is missing": (
        changed(2, values={}),
        {"hydrated": 0, "param_keys": 0.75, "bfcl_ast": 0, "plan_exact": 0}
        | {"argument_name_f1": 0.923, "argument_value_f1": 0.923},
    ),
    "a parameter that the plugin does not know": (
        changed(2, values={"city": "Rome", "town": "Rome"}),
        {"hydrated": 0, "param_keys": 0.75, "bfcl_ast": 0, "plan_exact": 0}
        | {"argument_name_f1": 0.933, "argument_value_f1": 0.933},
    ),
    "an optional parameter too many": (
        changed(2, values={"city": "Rome", "who": "Bo"}),
        {"param_keys": 0.75, "bfcl_ast": 0, "plan_exact": 0, "argument_name_f1": 0.933, "argument_value_f1": 0.933},
    ),
    "a placeholder": (
        changed(2, values={"city": "your city"}),
        {"hydrated": 0, "bfcl_ast": 0, "plan_exact": 0, "argument_value_f1": 0.857},
    ),
    "an empty value": (
        changed(2, values={"city": " "}),
        {"hydrated": 0, "bfcl_ast": 0, "plan_exact": 0, "argument_value_f1": 0.857},
    ),
    "the flag is not true": (changed(2, all_parameters_hydrated=False), {"hydrated": 0}),
    "a dependency is missing, its reference undeclared": (
        changed(3, dependencies=["p1"]),
        {"deps_chain": 0, "plan_exact": 0, "edge_f1": 0.8},  # 2·2/(2+3)
    ),
    "a dependency too many": (
        changed(2, dependencies=["p0"]),
        {"deps_chain": 0, "plan_exact": 0, "edge_f1": 0.857},  # 2·3/(4+3)
    ),
    "no dependencies at all": (
        tuple({**one, "dependencies": []} for one in GOLD_STEPS),
        {"deps_chain": 0, "dependencies_present": 0, "plan_exact": 0, "edge_f1": 0},
    ),
    "the key of the dependencies is missing": (
        tuple({k: v for k, v in one.items() if k != "dependencies"} for one in GOLD_STEPS),
        {"deps_chain": 0, "dependencies_present": 0, "plan_exact": 0, "edge_f1": 0},
    ),
    "one wrong plugin that was offered": (
        changed(2, pluginId="p4"),
        {"plugin_match": 0, "deps_chain": 0, "correct_plugin_ids": 0, "param_keys": 0.75, "bfcl_ast": 0}
        | {"plan_exact": 0, "node_f1": 0.75, "edge_f1": 0.8, "edit_similarity": 0.75}
        | {"argument_name_f1": 0.857, "argument_value_f1": 0.857},
    ),
    "a plugin that exists but was not offered": (
        (P0, P1, step("p9", city="Rome"), step("p3", ("p1", "p9"), city="{{p9.output}}", days=5)),
        {"plugin_match": 0, "no_hallucinate": 0, "hydrated": 0, "deps_chain": 0, "correct_plugin_ids": 0}
        | {"params_type": 0, "param_keys": 0.75, "bfcl_ast": 0, "plan_exact": 0, "node_f1": 0.75, "edge_f1": 0.667}
        | {"argument_name_f1": 0.857, "argument_value_f1": 0.714, "edit_similarity": 0.75},
    ),
    "one step fewer": (
        (P0, P1, P2),
        {"plugin_match": 0, "count_match": 0, "deps_chain": 0, "correct_plugin_ids": 0, "param_keys": 0.75}
        | {"bfcl_ast": 0, "plan_exact": 0, "node_f1": 0.857, "edge_f1": 0.5, "edit_similarity": 0.857}
        | {"argument_name_f1": 0.833, "argument_value_f1": 0.833},
    ),
    "one step twice": (
        (*GOLD_STEPS, P2),
        {"plugin_match": 0, "count_match": 0, "deps_chain": 0, "correct_plugin_ids": 0, "param_keys": 0.8}
        | {"bfcl_ast": 0, "plan_exact": 0, "node_f1": 0.889, "edit_similarity": 0.889}
        | {"argument_name_f1": 0.933, "argument_value_f1": 0.933},
    ),
    "an empty plan": ((), {**ZERO, "json_valid": 1}),
}  # fmt: skip


@pytest.mark.parametrize("case", HAND_SCORED)
def test_each_metric_gives_what_a_person_gives(case: str) -> None:
    steps, differing = HAND_SCORED[case]
    wanted = {**dict.fromkeys(METRICS, 1.0), **differing}
    found = measure(answer(*steps), gold(*GOLD_STEPS))
    assert {name: round(found[name] or 0.0, 3) for name in METRICS} == wanted


@pytest.mark.parametrize(
    "written",
    ["", "I cannot help.", text(*GOLD_STEPS)[:-9], f"```json\n{text(*GOLD_STEPS)}\n```", "[]", '{"plan": []}',
     f"Here you are: {text(*GOLD_STEPS)}", text(*GOLD_STEPS) * 2, '{"plugins": ["p0", "p1"]}'],
)  # fmt: skip
def test_what_is_no_plan_scores_0_on_every_metric(written: str) -> None:
    found = measure(parse_answer(written), gold(*GOLD_STEPS))
    assert set(found.values()) == {0.0}
    assert found.keys() == set(NAMES)


def test_whether_a_metric_applies_is_decided_by_the_gold_alone() -> None:
    single = gold(step("p0", city="Oslo"))
    bare = gold(step("p0"))
    for said in (
        answer(step("p0", city="Oslo")),
        answer(step("p0", ("p0",), city="Oslo")),
        answer(),
        parse_answer("?"),
    ):
        assert measure(said, single)["edge_f1"] is None
        assert measure(said, bare)["argument_value_f1"] is None
        assert [name for name, score in measure(said, single).items() if score is None] == ["edge_f1"]


def test_where_no_call_is_right_an_empty_plan_is_right_and_a_call_is_not() -> None:
    nothing = gold()
    assert set(measure(answer(), nothing).values()) == {1.0}
    called = measure(answer(step("p0", city="Oslo")), nothing)
    zero = {name for name, score in called.items() if score == 0}
    assert zero >= {"plugin_match", "count_match", "correct_plugin_ids", "bfcl_ast", "node_f1", "edit_similarity"}
    assert set(measure(parse_answer("?"), nothing).values()) == {0.0}


def test_a_value_that_the_user_gave_is_no_placeholder() -> None:
    called = step("p0", city="example.com")
    for said, score in (("Check example.com for me", 1.0), ("Check it", 0.0)):
        assert measure(answer(called), gold_of(text(called), None, said))["hydrated"] == score


def test_two_calls_of_one_plugin_are_counted_as_two() -> None:
    twice = gold(step("p0", city="Oslo"), step("p0", city="Rome"))
    assert measure(answer(step("p0", city="Rome"), step("p0", city="Oslo")), twice)["bfcl_ast"] == 1.0
    once = measure(answer(step("p0", city="Oslo")), twice)
    assert once["plugin_match"] == 0.0
    assert once["node_f1"] == pytest.approx(2 / 3)


def test_the_means_are_those_of_the_published_rows() -> None:
    found = measure(answer(*HAND_SCORED["one step fewer"][0]), gold(*GOLD_STEPS))
    assert found["orchestrator_score"] == pytest.approx(sum(found[n] or 0 for n in ORCHESTRATOR) / 6)
    assert found["composite"] == pytest.approx(sum(found[n] or 0 for n in PLANNER) / 6)


def test_the_tables_hold_every_metric_and_know_which_are_0_or_1() -> None:
    assert set(METRICS) == {*ORCHESTRATOR, *PLANNER, *FIELD}
    seen: dict[str, set[float | None]] = {name: set() for name in METRICS}
    for steps, _ in HAND_SCORED.values():
        for name, score in measure(answer(*steps), gold(*GOLD_STEPS)).items():
            if name in METRICS:
                seen[name].add(score)
    assert {name for name, scores in seen.items() if scores <= {0.0, 1.0}} == BINARY
