"""What LangSmith's command line and its datasets write is read like the runs that they come from."""

import json
from typing import Any

import pytest

from curation.formats import FORMATS, recognise
from curation.formats.reading import Reading, Record
from tests.formats.golden import joined_records

LANGSMITH = FORMATS["langsmith"]
USER = {"role": "user", "content": "The tide in Ystad?"}


def golden(trace: str) -> Record:
    found = [record for record in joined_records("langsmith") if LANGSMITH.read(record).trace_id == trace]
    assert len(found) == 1
    return found[0]


def without(part: Record, *keys: str) -> Record:
    return {key: value for key, value in part.items() if key not in keys}


def steps(reading: Reading) -> list[tuple[str, Any]]:
    plans = [json.loads(draft.plan)["plugins"] for draft in reading.drafts if draft.plan and "plugins" in draft.plan]
    return [(step["pluginId"], step["api_request_parameters"]) for plan in plans for step in plan]


def test_runs_of_the_command_line_without_times_are_one_run_in_its_order() -> None:
    reading = LANGSMITH.read(golden("ls-cli"))
    assert [draft.kind for draft in reading.drafts] == ["trajectory", "plan"]
    assert [message["role"] for message in reading.drafts[0].messages] == ["user", "assistant", "tool", "assistant"]
    assert steps(reading) == [("tide", {"harbour": "Ystad"})]
    assert reading.metadata["usage"] == {"input_tokens": 30, "output_tokens": 9}
    assert (reading.metadata["team"], reading.metadata["tags"]) == ("sea", ["pilot"])
    assert "truncated" not in dict(reading.lost)


@pytest.mark.parametrize("key", ["run_id", "id"])
def test_a_run_needs_no_times_to_be_recognised_and_read(key: str) -> None:
    for part in golden("ls-cli")["parts"]:
        bare = {key: part["run_id"], **without(part, "run_id", "start_time", "end_time", "status")}
        assert recognise([bare]) is LANGSMITH
        assert [trace for trace, _ in (LANGSMITH.parts or iter)(bare)] == ["ls-cli"]
        assert "truncated" not in dict(LANGSMITH.read({"parts": [bare]}).lost)


def test_runs_that_were_exported_without_their_content_say_what_is_missing() -> None:
    parts = [without(part, "inputs", "outputs") for part in golden("ls-cli")["parts"]]
    reading = LANGSMITH.read({"parts": parts})
    assert reading.drafts == ()
    assert ("missing", "runs.inputs") in reading.lost


def test_an_example_of_a_dataset_is_its_request_and_the_answer_that_is_wanted() -> None:
    record = golden("ls-example")
    assert recognise(record["parts"]) is LANGSMITH
    reading = LANGSMITH.read(record)
    assert [draft.kind for draft in reading.drafts] == ["plan"]
    assert steps(reading) == [("tide", {"harbour": "Ystad"})]
    assert [candidate["name"] for candidate in reading.drafts[0].candidates or ()] == ["tide"]
    assert (reading.timestamp, reading.metadata["author"]) == ("2026-06-02T10:00:00+00:00", "harbour")


@pytest.mark.parametrize(
    ("example", "kind", "plan"),
    [
        ({"inputs": {"question": "Where?"}, "outputs": {"answer": "Here."}}, "plan", "Here."),
        ({"inputs": {"input": [USER]}, "outputs": {"output": {"role": "assistant", "content": "6.4"}}}, "plan", "6.4"),
        ({"inputs": {"question": "Where?"}, "outputs": None, "metadata": None}, "prompt", None),
    ],
    ids=["texts", "messages", "no answer"],
)
def test_every_kind_of_dataset_is_read(example: Record, kind: str, plan: str | None) -> None:
    assert recognise([example]) is LANGSMITH
    reading = LANGSMITH.read(example)
    assert [(draft.kind, draft.plan) for draft in reading.drafts] == [(kind, plan)]
    assert reading.trace_id is None


def test_the_split_of_an_example_is_told_and_its_attachments_are_named_as_lost() -> None:
    example = {
        "inputs": {"question": "Where?"},
        "outputs": {"answer": "Here."},
        "split": "test",
        "attachments": {"a": 1},
    }
    reading = LANGSMITH.read(example)
    assert reading.metadata["dataset_split"] == "test"
    assert reading.lost == (("dropped", "runs.attachments"),)


def test_a_dataset_exported_for_fine_tuning_is_read_as_the_messages_that_it_is() -> None:
    row = {"messages": [USER, {"role": "assistant", "content": "6.4"}], "functions": []}
    found = recognise([row])
    assert found is not None
    assert found.read(row).drafts[0].plan == "6.4"


def test_an_object_with_more_than_an_example_has_is_none() -> None:
    assert recognise([{"inputs": {}, "outputs": {}, "model_version": "3"}]) is None
