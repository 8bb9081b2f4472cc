"""What samples a conversation holds: an answered request, a run with the plan of each turn, or a request alone."""

from curation.errors import FormatError
from curation.formats.answer import Candidate, function_candidate, index_of, is_plan, split
from curation.formats.calls import planned
from curation.formats.embedded import candidates_of, extract
from curation.formats.fields import wrong
from curation.formats.losses import NAME_SHOWN, lose, lose_rest, lose_undefined
from curation.formats.reading import Record
from curation.formats.strict import parse_value
from curation.sample import Draft, Message

SCHEMAS = ("parameters", "input_schema", "inputSchema")  # of OpenAI, Anthropic and MCP
OFFERED = frozenset({"type", "name", "description", *SCHEMAS})
WRAPPING = frozenset({"type", "function", "custom"})
DEFINING = (None, "function", "custom")  # types of a tool that says itself what it takes


def unwrap(messages: list[Message], where: str = "messages") -> tuple[list[Message], list[Candidate] | None]:
    """The messages with every candidate list taken out of the user's words, and the last such list."""
    offered: list[Candidate] | None = None
    bare = []
    for i, message in enumerate(messages):
        found = extract(message["content"], f"{where}[{i}]") if message["role"] == "user" else None
        if found is not None:
            message = {**message, "content": found[0]}
            offered = found[1]
        bare.append(message)
    return bare, offered


def offered_by(record: Record, metadata: Record, where: str = "") -> list[Candidate] | None:
    """What the record itself offers, as `candidates`, `tools` or `functions`; None where it has none of them."""
    if record.get("candidates") is not None:
        return candidates_of(record["candidates"], f"{where}candidates")
    for key in ("tools", "functions"):
        listed = record.get(key)
        if listed is not None:
            return candidates_of_tools(listed, metadata, f"{where}{key}")
    return None


def drafts_of(messages: list[Message], offered: list[Candidate] | None, metadata: Record) -> tuple[Draft, ...]:
    """The samples of a conversation whose last message is the answer, if it is an assistant's.

    With tool results, or with calls before the end, it is a trajectory and a plan for each turn that calls tools.
    """
    last = len(messages) - 1
    calling = [i for i, message in enumerate(messages) if "tool_calls" in message]
    index = index_of(offered) if calling else {}
    for i in calling:
        lose_undefined(metadata, (call["function"]["name"] for call in messages[i]["tool_calls"]), index, "tool_calls")
    if any(message["role"] == "tool" for message in messages) or any(i < last for i in calling):
        plans = (_turn(messages, i, offered, index, metadata) for i in _planning(messages, calling))
        return Draft("trajectory", messages, offered), *plans
    if messages[last]["role"] != "assistant":
        return (Draft("prompt", messages, offered),)
    thinking, plan = _answer(messages[last], index, metadata)
    return (Draft("plan", messages[:last], offered, thinking, plan),)


def _planning(messages: list[Message], calling: list[int]) -> list[int]:
    """The positions of the turns that are plans: those that call tools, and a last one that is written as a plan."""
    last = len(messages) - 1
    ending = messages[last]
    if last not in calling and ending["role"] == "assistant" and is_plan(split(ending["content"])[1]):
        return [*calling, last]
    return calling


def _turn(
    messages: list[Message], i: int, offered: list[Candidate] | None, index: dict[str, Candidate], metadata: Record
) -> Draft:
    thinking, plan = _answer(messages[i], index, metadata)
    return Draft("plan", messages[:i], offered, thinking, plan, parent=0, turn=i)


def _answer(message: Message, index: dict[str, Candidate], metadata: Record) -> tuple[str | None, str]:
    """An assistant's message as (thinking, plan): the plan is its calls, else its text."""
    thinking, text = split(message["content"])
    said = message.get("tool_calls")
    if not said:
        return thinking, text
    return thinking, planned(said, index, metadata)


def candidates_of_tools(tools: object, metadata: Record, where: str) -> list[Candidate]:
    """Tools as candidates, wrapped (`{type, function}`) or flat, in a list or in its JSON text.

    A tool that the platform itself brings (`{"type": "web_search"}`) is noted as undefined, and offered only if it
    has a name to be called by.
    """
    if isinstance(tools, str):
        try:
            tools = parse_value(tools.encode())
        except FormatError as error:
            raise FormatError(f"{where}: {error}") from None
    if not isinstance(tools, list):
        raise wrong(where, tools, "a list")
    offered = []
    for i, tool in enumerate(tools):
        if not isinstance(tool, dict):
            raise wrong(f"{where}[{i}]", tool, "an object")
        function = tool.get("function", tool.get("custom", tool))
        if not isinstance(function, dict):
            raise wrong(f"{where}[{i}].function", function, "an object")
        name = function.get("name")
        defines = tool.get("type") in DEFINING or any(key in function for key in SCHEMAS)
        if not isinstance(name, str) and defines:
            raise wrong(f"{where}[{i}].name", name, "a string")
        if not defines or not any(function.get(key) for key in ("description", *SCHEMAS)):
            lose(metadata, "undefined_tool", f"{where}.{str(name or tool.get('type'))[:NAME_SHOWN]}")
        if isinstance(name, str):
            schema = next((function[key] for key in SCHEMAS if function.get(key) is not None), None)
            offered.append(function_candidate({**function, "parameters": schema}))
        lose_rest(metadata, function, OFFERED, where)
        if function is not tool:
            lose_rest(metadata, tool, WRAPPING, where)
    return offered
