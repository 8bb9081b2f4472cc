"""The Berkeley function-calling leaderboard: questions with function schemas, accepted answers in files beside them."""

import json
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from curation.errors import FormatError
from curation.formats.answer import Call, function_candidate, index_of, plan_text
from curation.formats.bfcl_calls import parse_call
from curation.formats.companions import load
from curation.formats.fields import are_texts, member, metadata_of, wrong
from curation.formats.losses import lose, lose_rest, lose_undefined, lost_of
from curation.formats.messages import canonical
from curation.formats.reading import Format, Reading, Record
from curation.sample import Draft, Message, dumps

KNOWN = frozenset({"id", "question", "function", "involved_classes", "excluded_function", "missed_function"})
FUNCTION = frozenset({"name", "description", "parameters"})
ANSWERS = "possible_answer"
DOCS = "multi_turn_func_doc"
_CATEGORY = re.compile(r"(.+?)_\d")


@cache
def tables() -> dict[str, Any]:
    """`bfcl.json`: which categories have no right call or no recorded answer, and which file documents which class.

    MemoryAPI is absent: which of three sets of functions it offers is chosen when the benchmark is run.
    """
    found: dict[str, Any] = json.loads((files(__package__) / "bfcl.json").read_text(encoding="utf-8"))
    return found


def category_of(record: Record) -> str:
    """`live_multiple` of `live_multiple_3-2-0`."""
    identity = member(record, "id", "", str)
    found = _CATEGORY.match(identity)
    if found is None:
        raise FormatError(f"id {identity[:40]!r} does not begin with a category and a number")
    return found[1]


def recognises(record: Record) -> bool:
    """A question in turns, with the functions or the classes that may be called."""
    turns = record.get("question")
    return isinstance(turns, list) and "id" in record and ("function" in record or "involved_classes" in record)


def companion(path: Path, first: Record) -> bool:
    """Accepted answers, function documents, and the list of records that are asked in several prompt formats."""
    if path.parent.name == ANSWERS:
        return "ground_truth" in first
    if path.parent.name == DOCS:
        return "parameters" in first
    return "format_sensitivity" in path.name and all(are_texts(ids) for ids in first.values())


def join(path: Path) -> Callable[[Record], Record]:
    """Adds to a record its accepted answers and the documents of its classes, from the folders beside the file."""

    @cache
    def answers() -> dict[str, Any]:
        listed = load(path.parent / ANSWERS / path.name, path)
        return {answer["id"]: answer.get("ground_truth") for answer in listed if isinstance(answer.get("id"), str)}

    @cache
    def documents(name: str) -> list[Record]:
        return load(path.parent / DOCS / name, path)

    def complete(record: Record) -> Record:
        joined: Record = {"record": record}
        category = category_of(record)
        if category not in (*tables()["no_call"], *tables()["no_answer"]):
            joined["ground_truth"] = answers().get(record["id"])
        classes = record.get("involved_classes")
        known = tables()["classes"]
        if isinstance(classes, list) and classes and all(isinstance(c, str) and c in known for c in classes):
            joined["functions"] = [function for name in classes for function in documents(known[name])]
        return joined

    return complete


def read(joined: Record) -> Reading:
    """The plan of the first accepted answer; of a multi-turn record its trajectory and the plan of each turn."""
    record = member(joined, "record", "", dict)
    category = category_of(record)
    turns = member(record, "question", "", list)
    functions = joined.get("functions") if record.get("function") is None else record["function"]
    metadata = {"category": category, **metadata_of(record, KNOWN)}
    if isinstance(record.get("involved_classes"), list):
        metadata["involved_classes"] = record["involved_classes"]
    if category.startswith("multi_turn"):
        drafts = _trajectory(record, turns, _functions(functions, metadata), joined.get("ground_truth"), metadata)
    else:
        offered = None if functions is None else [function_candidate(f) for f in _functions(functions, metadata)]
        messages = [m for i, turn in enumerate(turns) for m in canonical(turn, metadata, f"question[{i}]")]
        if not messages:
            raise FormatError("question is empty")
        if category in tables()["no_answer"]:
            drafts = (Draft("prompt", messages, offered),)
        else:
            calls = [] if category in tables()["no_call"] else _accepted(joined.get("ground_truth"), metadata)
            index = index_of(offered)
            lose_undefined(metadata, (call.name for call in calls), index, "ground_truth")
            drafts = (Draft("plan", messages, offered, None, plan_text(calls, index)),)
    return Reading(drafts, trace_id=record["id"], metadata=metadata, lost=lost_of(metadata))


def _functions(said: object, metadata: Record) -> list[Record]:
    if not isinstance(said, list):
        raise wrong("function", said, "a list")
    for i, function in enumerate(said):
        if not isinstance(function, dict):
            raise wrong(f"function[{i}]", function, "an object")
        member(function, "name", f"function[{i}]", str)
        lose_rest(metadata, function, FUNCTION, "function")
    return said


def _accepted(ground_truth: object, metadata: Record) -> list[Call]:
    """The calls of an answer `[{function: {parameter: [accepted values]}}]`."""
    if not isinstance(ground_truth, list):
        raise wrong("ground_truth", ground_truth, "a list: the record has no accepted answer")
    calls = []
    for i, answer in enumerate(ground_truth):
        if not isinstance(answer, dict):
            raise wrong(f"ground_truth[{i}]", answer, "an object")
        for name, parameters in answer.items():
            if not isinstance(parameters, dict):
                raise wrong(f"ground_truth[{i}].{name}", parameters, "an object")
            calls.append(Call(name, _members(parameters, metadata)))
    return calls


def _members(accepted: Record, metadata: Record) -> Record:
    """The first accepted value of each member; one that may be left out and has no other value is left out.

    In a list of accepted values `""` says that the member may be left out, and null beside it says the same.
    A nested object lists accepted values for each of its members in turn. That others are accepted, too, is lost.
    """
    chosen = {}
    for name, values in accepted.items():
        if not isinstance(values, list):
            chosen[name] = _value(values, metadata)
        elif not values:
            chosen[name] = []  # the one accepted value is the empty list itself
        else:
            blanks = ("", None) if "" in values else ()
            real = [value for value in values if value not in blanks]
            if real:
                chosen[name] = _value(real[0], metadata)
            if len(real) > 1:
                lose(metadata, "dropped", "ground_truth.accepted")
    return chosen


def _value(value: Any, metadata: Record) -> Any:
    if isinstance(value, dict):
        return _members(value, metadata)
    if isinstance(value, list):
        return [_value(item, metadata) if isinstance(item, dict) else item for item in value]
    return value


def _trajectory(
    record: Record, turns: list[Any], functions: list[Record], ground_truth: object, metadata: Record
) -> tuple[Draft, ...]:
    """The run that the ground truth describes, without results, and a plan for each turn in which it calls.

    A function of `missed_function` is offered only from the turn on that it is listed under.
    """
    if not isinstance(ground_truth, list) or len(ground_truth) != len(turns):
        raise FormatError(f"ground_truth has no list of calls for each of the {len(turns)} turns")
    excluded = set(_texts(record.get("excluded_function"), "excluded_function"))
    offered = [function for function in functions if function["name"] not in excluded]
    documents = {function["name"]: function for function in reversed(offered)}
    messages: list[Message] = []
    plans = []
    for i, (turn, said) in enumerate(zip(turns, ground_truth, strict=True)):
        messages += canonical(turn, metadata, f"question[{i}]") if turn else []
        calls = [parse_call(text, documents) for text in _texts(said, f"ground_truth[{i}]")]
        if calls:
            held_back = _held_back(record, i)
            candidates = [function_candidate(f) for f in offered if f["name"] not in held_back]
            index = index_of(candidates)
            lose_undefined(metadata, (call.name for call in calls), index, f"ground_truth[{i}]")
            plan = plan_text(calls, index)
            plans.append(Draft("plan", list(messages), candidates, None, plan, parent=0, turn=len(messages)))
            messages.append(_assistant(calls, i))
    if not messages:
        raise FormatError("question is empty")
    return Draft("trajectory", messages, [function_candidate(f) for f in offered]), *plans


def _held_back(record: Record, turn: int) -> set[str]:
    missed = record.get("missed_function") or {}
    if not isinstance(missed, dict) or not all(key.isdigit() for key in missed):
        raise FormatError("missed_function is not an object from a turn's number to the functions it brings")
    return {name for key, names in missed.items() if int(key) > turn for name in _texts(names, "missed_function")}


def _assistant(calls: list[Call], turn: int) -> Message:
    said = [
        {
            "id": f"call_{turn}_{i}",
            "type": "function",
            "function": {"name": call.name, "arguments": dumps(call.arguments)},
        }
        for i, call in enumerate(calls)
    ]
    return {"role": "assistant", "content": "", "tool_calls": said}


def _texts(said: object, where: str) -> list[str]:
    if said is None:
        return []
    if not are_texts(said):
        raise FormatError(f"{where} is not a list of strings")
    return said


FORMAT = Format("bfcl", "3", recognises, read, join, companion)
