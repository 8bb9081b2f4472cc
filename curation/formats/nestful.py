"""NESTFUL: nested sequences of API calls, with the specifications of the APIs beside them or in each record."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from curation.formats.answer import Call, Candidate, index_of, plan_text
from curation.formats.companions import load
from curation.formats.fields import member, metadata_of, wrong
from curation.formats.literals import listed
from curation.formats.losses import lose_rest, lose_undefined, lost_of
from curation.formats.reading import Format, Reading, Record
from curation.formats.references import Target, link
from curation.sample import Draft

PARAMETERS = ("query_parameters", "path_parameters", "arguments", "parameters")
ENUMS = ("allowed_values", "possible_values")
OURS = frozenset({"required", "optional", "default_value", *ENUMS})  # words of theirs that JSON Schema lacks
KNOWN = frozenset({"input", "output", "tools", "sample_id", "gold_answer"})
STEP = frozenset({"name", "arguments", "label"})
SPEC = frozenset({"name", "description", "method", *PARAMETERS})
RESULT = "var_result"  # the last step names what to show; it is no call

_REFERENCE = re.compile(r"\$(var_?\d+)((?:[.\[][^$]*)?)\$")


def recognises(record: Record) -> bool:
    """An input and the list of calls that it takes; in the later version, as text and with the tools of its own."""
    if "input" not in record:
        return False
    if isinstance(record.get("sample_id"), str) and "output" in record and "tools" in record:
        return True
    steps = record.get("output")
    return isinstance(steps, list) and all(
        isinstance(step, dict) and "name" in step and "arguments" in step for step in steps
    )


def companion(path: Path, first: Record) -> bool:
    """The specifications."""
    return path.name.endswith("-spec.json") and "name" in first and "output_parameters" in first


def join(path: Path) -> Callable[[Record], Record]:
    """Adds all specifications of `…-spec.json` to each record of `…-data.json` that has no tools of its own."""

    @cache
    def specs() -> list[Record]:
        return load(path.with_name(f"{path.stem.removesuffix('-data')}-spec.json"), path)

    return lambda record: record if "tools" in record else {"record": record, "specs": specs()}


def read(joined: Record) -> Reading:
    """The plan, with `$var1.field$` as a reference to the step that is labelled `var1`."""
    if "tools" in joined:
        record, specs, where = joined, listed(joined["tools"], "tools"), "tools"
    else:
        record, specs, where = member(joined, "record", "", dict), member(joined, "specs", "", list), "specs"
    metadata = metadata_of(record, KNOWN)
    request = member(record, "input", "", str)
    offered = [_candidate(spec, metadata, f"{where}[{i}]") for i, spec in enumerate(specs)]
    if record.get("gold_answer") is not None:
        metadata["gold_answer"] = record["gold_answer"]
    calls, labels = _calls(listed(record.get("output"), "output"), metadata)

    def resolve(match: re.Match[str]) -> list[Target]:
        return [(target, match[2].removeprefix(".")) for target in labels.get(match[1], ())]

    index = index_of(offered)
    lose_undefined(metadata, (call.name for call in calls), index, "output")
    plan = plan_text(link(calls, _REFERENCE, resolve, metadata), index)
    draft = Draft("plan", [{"role": "user", "content": request}], offered, None, plan)
    identity = record.get("sample_id")
    trace_id = identity if isinstance(identity, str) else None
    return Reading((draft,), trace_id=trace_id, metadata=metadata, lost=lost_of(metadata))


def _calls(steps: list[Any], metadata: Record) -> tuple[list[Call], dict[str, list[int]]]:
    """The calls, and where each label stands; the last step of the first version names what to show, and is no call."""
    calls: list[Call] = []
    labels: dict[str, list[int]] = {}
    for i, step in enumerate(steps):
        if not isinstance(step, dict):
            raise wrong(f"output[{i}]", step, "an object")
        name = member(step, "name", f"output[{i}]", str)
        arguments = member(step, "arguments", f"output[{i}]", dict)
        lose_rest(metadata, step, STEP, "output")
        if name == RESULT:
            metadata["result"] = arguments
            continue
        if isinstance(step.get("label"), str):
            labels.setdefault(step["label"].strip("$"), []).append(len(calls))
        calls.append(Call(name, arguments))
    return calls, labels


def _candidate(spec: object, metadata: Record, where: str) -> Candidate:
    if not isinstance(spec, dict):
        raise wrong(where, spec, "an object")
    name = member(spec, "name", where, str)
    lose_rest(metadata, spec, SPEC, where)
    described: Record = {}
    for key in PARAMETERS:
        if key in spec:
            described |= member(spec, key, where, dict)
    method = spec.get("method")
    known = {key: parameter for key, parameter in described.items() if isinstance(parameter, dict)}
    lose_rest(metadata, described, known.keys(), f"{where}.parameters")
    return {
        "pluginId": name,
        "name": name,
        "description": spec.get("description") or "",
        "identifier": "function",
        "method": method if isinstance(method, str) else "",
        "parameters": _schema(known),
    }


def _schema(described: dict[str, Record]) -> dict[str, Any]:
    """Their description of the parameters as a JSON Schema; the words for types are left as they are."""
    return {
        "type": "object",
        "properties": {name: _property(parameter) for name, parameter in described.items()},
        "required": [name for name, parameter in described.items() if parameter.get("required") is True],
    }


def _property(parameter: Record) -> Record:
    schema = {key: value for key, value in parameter.items() if key not in OURS}
    if "default_value" in parameter:
        schema.setdefault("default", parameter["default_value"])
    enum = next((parameter[key] for key in ENUMS if isinstance(parameter.get(key), list) and parameter[key]), None)
    return schema if enum is None else {**schema, "enum": enum}


FORMAT = Format("nestful", "4", recognises, read, join, companion)
