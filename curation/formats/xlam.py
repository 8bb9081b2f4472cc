"""xLAM's function-calling set: a query, the tools and the answers, the last two as JSON text."""

from typing import Any

from curation.errors import FormatError
from curation.formats.answer import Call, Candidate, arguments_of, index_of, plan_text
from curation.formats.chat import candidates_of_tools
from curation.formats.fields import OWN, member, metadata_of, note, origin, wrong
from curation.formats.literals import listed
from curation.formats.losses import lose, lose_rest, lose_undefined, lost_of
from curation.formats.reading import Format, Reading, Record
from curation.sample import Draft

KNOWN = OWN | {"id", "query", "tools", "answers"}
ANSWER = frozenset({"name", "arguments"})
WRAPPED = frozenset({"type", "function"})
OPTIONAL = "optional"  # what a parameter's type says after its comma


def recognises(record: Record) -> bool:
    """A query with its tools and its answers."""
    return isinstance(record.get("query"), str) and "tools" in record and "answers" in record


def read(record: Record) -> Reading:
    """The plan of one query: its answers in their order, each a call."""
    metadata = metadata_of(record, KNOWN)
    offered = candidates_of_tools(
        [_tool(tool, i, metadata) for i, tool in enumerate(listed(record.get("tools"), "tools"))], metadata, "tools"
    )
    index = index_of(offered)
    plan = _plan(record, index, metadata)
    request = {"role": "user", "content": member(record, "query", "", str)}
    draft = Draft("plan", [request], offered, None, plan)
    return Reading((draft,), **origin(record, metadata, ("trace_id", "id")), metadata=metadata, lost=lost_of(metadata))


def _plan(record: Record, index: dict[str, Candidate], metadata: Record) -> str:
    """The answers as a plan; text that is no list of them stays the answer that it is."""
    said = record.get("answers")
    try:
        answers = listed(said, "answers")
    except FormatError:
        if not isinstance(said, str):
            raise
        note(metadata, "unreadable_calls", "answers")
        if not said.rstrip().endswith("]"):
            lose(metadata, "truncated", "answers")
        return said
    calls = []
    for i, answer in enumerate(answers):
        if not isinstance(answer, dict):
            raise wrong(f"answers[{i}]", answer, "an object")
        name = member(answer, "name", f"answers[{i}]", str)
        lose_rest(metadata, answer, ANSWER, f"answers[{i}]")
        calls.append(Call(name, arguments_of(answer.get("arguments"))))
        if isinstance(calls[-1].arguments, str):
            note(metadata, "unreadable_arguments", f"answers[{i}]")
    lose_undefined(metadata, (call.name for call in calls), index, "answers")
    return plan_text(calls, index)


def _tool(tool: Any, i: int, metadata: Record) -> Candidate:
    """The tool with its map of parameters as a JSON Schema; the words for types are left as they are."""
    if not isinstance(tool, dict):
        raise wrong(f"tools[{i}]", tool, "an object")
    function = tool.get("function", tool)
    if not isinstance(function, dict):
        raise wrong(f"tools[{i}].function", function, "an object")
    if function is not tool:
        lose_rest(metadata, tool, WRAPPED, "tools")
    described = function.get("parameters")
    if not isinstance(described, dict) or isinstance(described.get("properties"), dict):
        return function  # a JSON Schema already, as sets made from this one have it
    known = {name: parameter for name, parameter in described.items() if isinstance(parameter, dict)}
    lose_rest(metadata, described, known.keys(), "tools.parameters")
    schema = {
        "type": "object",
        "properties": {
            name: {key: value for key, value in parameter.items() if key != "required"}
            for name, parameter in known.items()
        },
        "required": [name for name, parameter in known.items() if _is_required(parameter)],
    }
    return {**function, "parameters": schema}


def _is_required(parameter: Record) -> bool:
    """As the parameter says; else one without a default whose type does not call it optional."""
    if isinstance(parameter.get("required"), bool):
        return bool(parameter["required"])
    kind = parameter.get("type")
    says = isinstance(kind, str) and kind.rstrip().lower().endswith(OPTIONAL)
    return not says and "default" not in parameter


FORMAT = Format("xlam", "2", recognises, read)
