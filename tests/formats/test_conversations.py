"""The data sets and agents' files that hold conversations: what their turns, calls and results become."""

import json
from pathlib import Path
from typing import Any

import pytest

from curation.errors import FormatError
from curation.formats import FORMATS, recognise
from curation.formats.reading import Reading
from curation.ingest import discover
from tests.formats.golden import FOLDER, ingested, joined_records

BROKEN = FOLDER.parent / "broken"
WHY = {
    "openai": "request.input[0].name is missing",
    "anthropic": "request.messages[1].content[0].name is null, not a string",
    "langfuse": "observations.output[0].tool_calls[0].name is null, not a string",
    "otlp": "gen_ai.input.messages[0].content[0].name is null, not a string",
    "langsmith": "runs.inputs.messages[0].content is an int, not a string or a list of parts",
    "openinference": "llm.output_messages[0].tool_calls[0].name is null, not a string",
    "trl": "prompt[1].tool_calls[0].function.name is missing",
    "sharegpt": "conversations[1]: 'get_tide(Brest)' at character 0 cannot be read",
    "toolace": "system: in the list of functions, 'tide}]' at character",
    "xlam": "tools: the JSON breaks off at character 16",
    "atif": "steps[0].source is 'captain', not one of system, user, agent",
    "sgd": "the service 'Pilots_1' is not in schema.json",
    "ondemand": "messages[1].content is an int, not a string or a list of parts",
    "bfcl": "ground_truth is null, not a list: the record has no accepted answer",
    "nestful": "output: the JSON breaks off at character 21",
    "seal_tools": "the api_list of 'dev-easy-9' in dataset_for_finetune/dev.json cannot be read",
}


def golden(name: str, identity: str) -> Reading:
    keys = ("id", "trajectory_id", "session_id")
    found = [r for r in joined_records(name) if identity in [str(r.get(key)) for key in keys]]
    assert len(found) == 1
    return FORMATS[name].read(found[0])


def steps(reading: Reading, i: int = 0) -> list[tuple[str, Any]]:
    plan = reading.drafts[i].plan
    assert plan is not None
    return [(step["pluginId"], step["api_request_parameters"]) for step in json.loads(plan)["plugins"]]


def answered(reading: Reading) -> list[str | None]:
    return [m.get("tool_call_id") for m in reading.drafts[0].messages if m["role"] == "tool"]


@pytest.mark.parametrize("name", WHY)
def test_a_broken_record_of_each_format_says_in_one_sentence_why(name: str) -> None:
    path = BROKEN / name if (BROKEN / name).is_dir() else BROKEN / f"{name}.jsonl"
    found = discover([str(path)], name)
    traces, samples, _ = ingested(found.files)
    assert samples.height == 0
    (error,) = traces["error"].to_list()
    assert error.startswith(f"{name}: {WHY[name]}")


def test_a_prompt_column_without_an_answer_is_a_prompt_and_a_label_is_an_outcome() -> None:
    assert [draft.kind for draft in golden("trl", "alone").drafts] == ["prompt"]
    assert golden("trl", "labelled").metadata["outcome"] == "succeeded"
    assert ("dropped", "rejected") in golden("trl", "preferred").lost
    assert golden("trl", "preferred").drafts[0].thinking == "The tide first."


def test_the_nulls_that_arrow_pads_rows_with_are_no_values() -> None:
    assert steps(golden("trl", "answered"))[0] == ("get_tide", {"place": "Brest"})
    tools = [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"a": None, "b": [None]}}}
    ]
    reading = FORMATS["trl"].read({"messages": [{"role": "user", "content": "x", "name": None}], "tools": tools})
    assert reading.drafts[0].candidates is not None
    assert reading.drafts[0].candidates[0]["parameters"] == {"b": [None]}
    assert reading.lost == ()


def test_every_way_of_writing_the_tools_column_gives_the_same_candidates() -> None:
    (row,) = (r for r in joined_records("trl") if r["id"] == "run")
    written = [row["tools"], json.dumps(row["tools"]), [json.dumps(tool) for tool in row["tools"]]]
    drafts = [FORMATS["trl"].read({**row, "tools": tools}).drafts for tools in written]
    assert drafts[0] == drafts[1] == drafts[2]


def test_rows_of_plain_text_are_refused_with_what_would_be_read() -> None:
    with pytest.raises(FormatError, match="completion is text; only conversational rows"):
        FORMATS["trl"].read({"prompt": "The sky is", "completion": " blue."})


@pytest.mark.parametrize(("name", "row"), [("trl", "parallel"), ("sharegpt", "hermes")])
def test_results_in_another_order_find_their_calls_by_the_tool(name: str, row: str) -> None:
    reading = golden(name, row)
    first, second = (call["id"] for m in reading.drafts[0].messages for call in m.get("tool_calls", ()))
    assert answered(reading) == [second, first]


def test_hermes_calls_may_be_json_or_python_and_several_in_a_turn() -> None:
    reading = golden("sharegpt", "hermes")
    assert steps(reading, 1) == [
        ("get_tide", {"place": "Brest", "exact": True, "note": None}),
        ("book_berth", {"place": "Brest"}),
    ]
    assert reading.drafts[1].thinking == "Both at once."
    system = reading.drafts[0].messages[0]["content"]
    assert "get_tide" not in system
    assert "within <tools></tools>" in system


def test_calls_as_turns_of_their_own_join_what_was_said_before_them() -> None:
    call = {"from": "function_call", "value": '{"name": "f", "arguments": {}}'}
    turns = [{"from": "human", "value": "x"}, {"from": "gpt", "value": "I ask."}, call, call]
    (draft,) = FORMATS["sharegpt"].read({"conversations": turns, "tools": '[{"name": "f", "description": "d"}]'}).drafts
    assert draft.kind == "plan"
    assert len(json.loads(draft.plan or "")["plugins"]) == 2


@pytest.mark.parametrize(
    ("name", "text"), [("cut", "argum"), ("broken call", "<tool_call>get_tide please</tool_call>")]
)
def test_a_call_that_cannot_be_read_stays_the_text_that_it_is(name: str, text: str) -> None:
    reading = golden("sharegpt", name)
    assert (reading.drafts[0].plan or "").endswith(text)
    assert (name == "cut") == (("truncated", "conversations.tool_call") in reading.lost)
    assert (name == "cut") != ("unreadable_calls" in reading.metadata)


def test_toolace_calls_hold_names_with_spaces_and_nested_values() -> None:
    reading = FORMATS["toolace"].read(joined_records("toolace")[0])
    assert steps(reading, 1) == [
        ("Get Tide", {"place": 'Brest, the "outer" port', "hours": [6, 7]}),
        ("berths.book (v2)", {"place": "Brest", "boat": {"name": "Ada", "sails": True, "masts": None}}),
    ]
    assert answered(reading) == ["call_2_1", "call_2_0"]
    assert '"Get Tide"' not in reading.drafts[0].messages[0]["content"]
    assert "[f(a=1)]" in reading.drafts[0].messages[0]["content"]


def test_toolace_and_sharegpt_are_told_apart_by_how_tools_are_offered() -> None:
    for name in ("toolace", "sharegpt"):
        for record in joined_records(name):
            assert recognise([record]) is FORMATS[name]


def test_the_parameter_map_of_xlam_becomes_a_schema_with_its_words_kept() -> None:
    (draft,) = FORMATS["xlam"].read(joined_records("xlam")[0]).drafts
    assert draft.candidates is not None
    schema = draft.candidates[0]["parameters"]
    assert schema["required"] == ["place"]
    assert schema["properties"]["hours"] == {"description": "Hours", "type": "List[int], optional"}
    assert set(schema["properties"]) == {"place", "hours", "unit", "required"}
    assert draft.candidates[1]["parameters"] == {"type": "object", "properties": {}, "required": []}


def test_an_xlam_query_that_no_tool_answers_has_an_empty_plan() -> None:
    assert steps(golden("xlam", "1")) == []


def test_an_atif_run_carries_its_reward_and_its_failed_calls() -> None:
    reading = golden("atif", "run")
    assert (reading.metadata["reward"], reading.metadata["outcome"]) == (0.5, "succeeded")
    assert reading.metadata["tool_errors"] == 1
    assert reading.timestamp == "2026-07-01T10:00:00+00:00"
    assert answered(reading) == ["c1", "c2"]


def test_an_atif_run_inside_a_run_is_a_trajectory_of_its_own() -> None:
    drafts = golden("atif", "outer").drafts
    assert [(draft.kind, draft.parent) for draft in drafts] == [
        ("trajectory", None), ("plan", 0), ("trajectory", None), ("plan", 2),
    ]  # fmt: skip


def test_what_an_atif_file_only_points_at_is_said() -> None:
    lost = golden("atif", "s-2").lost
    assert {field for what, field in lost if what == "by_reference"} == {
        "continued_trajectory_ref",
        "steps.message.image",
        "steps.observation.results.subagent_trajectory_ref",
    }
    assert ("undefined_tool", "tool_calls.delegate") in lost


def test_slots_become_a_schema_in_which_a_default_is_a_value_too() -> None:
    (draft, *_) = FORMATS["sgd"].read(joined_records("sgd")[0]).drafts
    assert draft.candidates is not None
    find, book = draft.candidates
    assert find["pluginId"] == "Harbours_1_FindBerth"
    assert find["parameters"]["required"] == ["harbour"]
    quay = {"type": "string", "description": "Side of the basin", "enum": ["north", "south", "dontcare"]}
    assert find["parameters"]["properties"]["quay"] == {**quay, "default": "dontcare"}
    assert book["parameters"]["properties"]["quay"]["enum"] == ["north", "south"]


def test_a_dialogue_has_a_plan_for_each_turn_that_calls_and_its_results_as_recorded() -> None:
    failed, both, asked = (FORMATS["sgd"].read(record) for record in joined_records("sgd"))
    assert [draft.kind for draft in failed.drafts] == ["trajectory", "plan", "plan"]
    assert [m["content"] for m in failed.drafts[0].messages if m["role"] == "tool"][1] == "[]"
    assert (failed.metadata["outcome"], both.metadata["outcome"]) == ("failed", "succeeded")
    assert [name for name, _ in steps(both, 1)] == ["Harbours_1_FindBerth", "Weather_9_FindBerth"]
    assert [draft.kind for draft in asked.drafts] == ["prompt"]


def test_every_call_of_the_real_dialogues_is_a_plan_of_an_intent_that_was_offered() -> None:
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "sgd"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    found = discover([str(folder)])
    assert [path.name for path in found.companions] == ["schema.json"]
    traces, samples, links = ingested(found.files)
    plans = samples.filter(samples["kind"] == "plan")
    assert traces["error"].null_count() == traces.height == 1092
    assert links.filter(links["sample_id"].is_in(plans["sample_id"].implode())).height == 2540
    for plan, candidates in plans.select("plan", "candidates").iter_rows():
        offered = {candidate["pluginId"] for candidate in json.loads(candidates)}
        assert {step["pluginId"] for step in json.loads(plan)["plugins"]} <= offered


@pytest.mark.parametrize(
    ("row", "said", "lost"),
    [
        ("rated", "A place to moor.", [("dropped", "rejected")]),
        ("implicit", "A wall to moor at.", [("dropped", "rejected")]),
        ("one message", "Where shall I ask?", [("dropped", "rejected")]),
        ("two answers", "Done.", [("dropped", "prompt"), ("dropped", "chosen")]),
    ],
)
def test_of_a_preference_the_better_answer_is_read_wherever_it_stands(
    row: str, said: str, lost: list[tuple[str, str]]
) -> None:
    reading = golden("trl", row)
    (draft,) = reading.drafts
    assert [message["role"] for message in draft.messages] == ["user"]
    assert (draft.plan, list(reading.lost)) == (said, lost)


@pytest.mark.parametrize("row", ["preferred", "printed tools", "tools in a row"])
def test_tools_may_be_printed_by_python_or_stand_in_a_row_and_an_answer_apart(row: str) -> None:
    (draft,) = golden("sharegpt", row).drafts
    assert draft.candidates
    assert {name for name, _ in steps(golden("sharegpt", row))} <= {each["pluginId"] for each in draft.candidates}


def test_a_vote_is_an_outcome_and_chat_words_are_turns_too() -> None:
    assert golden("sharegpt", "disliked").metadata["outcome"] == "failed"
    assert golden("sharegpt", "chat words").drafts[0].plan == "A wall in the sea."
    assert recognise([{"conversations": [{"role": "assistant", "content": "", "tool_calls": []}]}]) is None


def test_thinking_in_two_blocks_is_one_and_calls_named_in_it_are_none() -> None:
    assert golden("sharegpt", "thinks and scratches").drafts[0].thinking == "A word.\n\nA harbour's."
    reading = golden("sharegpt", "scratch")
    assert steps(reading, 1) == [("get_tide", {"place": "Brest"})]
    assert reading.lost == ()
    assert reading.drafts[0].messages[-1]["content"] == "<think>It is known.</think>\nIt is 6.4 m."


def test_a_step_that_was_copied_or_not_given_by_a_model_is_context_and_no_plan() -> None:
    reading = golden("atif", "continued")
    trajectory, *plans = reading.drafts
    assert [message["role"] for message in trajectory.messages].count("assistant") == 4
    assert [step for plan in range(len(plans)) for step, _ in steps(reading, plan + 1)] == ["book_berth"]
    assert (reading.metadata["copied_steps"], reading.metadata["dispatched_steps"]) == (2, 1)


def test_runs_within_runs_are_trajectories_of_their_own_and_references_to_them_no_loss() -> None:
    reading = golden("atif", "captain")
    assert [draft.parent for draft in reading.drafts] == [None, 0, None, 2, None, 4]
    references = [loss for loss in reading.lost if loss[1].endswith("subagent_trajectory_ref")]
    assert references == [("by_reference", "steps.observation.results.subagent_trajectory_ref")]
    reading = FORMATS["atif"].read({**next(r for r in joined_records("atif") if r.get("trajectory_id") == "outer")})
    assert not any("ref" in field for _, field in reading.lost)


def test_a_function_of_toolace_may_name_its_schema_arguments() -> None:
    reading = FORMATS["toolace"].read(joined_records("toolace")[6])
    assert reading.drafts[0].candidates is not None
    assert reading.drafts[0].candidates[0]["parameters"]["required"] == ["place"]
    assert "arguments" not in reading.drafts[0].candidates[0]


def test_answers_of_xlam_may_be_printed_by_python_and_stay_text_where_they_break_off() -> None:
    assert steps(golden("xlam", "5")) == [("tide.height", {"place": "Visby", "hours": None, "exact": True})]
    assert golden("xlam", "4").metadata["unreadable_calls"] == ["answers"]


def test_nestful_with_tools_of_its_own_refers_by_dollar_labels() -> None:
    (record,) = [r for r in joined_records("nestful") if r.get("sample_id") == "7a1c"]
    reading = FORMATS["nestful"].read(record)
    first, second = json.loads(reading.drafts[0].plan or "")["plugins"]
    assert second["api_request_parameters"] == {"arg_0": "{{add.output.result}}", "arg_1": 5}
    assert (first["dependencies"], second["dependencies"]) == ([], ["add"])
    assert reading.metadata["gold_answer"] == "15.0"
