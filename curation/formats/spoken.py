"""What a call of a model was given and what it gave back, out of whatever shape a platform kept them in."""

from dataclasses import dataclass
from typing import Any

from curation.errors import FormatError
from curation.formats.answer import Candidate
from curation.formats.chat import candidates_of_tools
from curation.formats.fields import wrong
from curation.formats.losses import lose, lose_rest
from curation.formats.reading import Record
from curation.formats.streams import joined
from curation.formats.strict import parse_value
from curation.formats.turns import ITEMS, speaks, turns
from curation.sample import Message, dumps

MESSAGES = ("messages", "input", "contents")  # of the chat and Messages APIs, the Responses API, Gemini
INSTRUCTIONS = ("system", "instructions", "system_instruction", "systemInstruction")
ANSWERS = ("message", "output", "outputs", "response", "text", "completion", "answer", "content", "result")
RESPONSE = frozenset(
    ("role", "object", "usage", "model", "finish_reason", "stop_reason", "id", "llm_output", "usage_metadata")
)
TOOLS = ("tools", "functions")
# What is carried over of a request, a response, a choice and LangChain's generation, or is its provider's own account.
REQUEST = frozenset((*MESSAGES, *INSTRUCTIONS, *TOOLS, "prompt", "prompts", "model"))
ANSWERED = RESPONSE | {
    *("choices", "generations", "candidates", "messages", "type", "created", "created_at", "system_fingerprint"),
    *("incomplete_details", "status", "stop_sequence", "response_metadata", "usageMetadata", "modelVersion"),
    *("responseId", "run"),
}
CHOICE = frozenset(("index", "message", "delta", "text", "finish_reason", "finishReason", "content"))
INFO = frozenset(("finish_reason", "stop_reason", "finishReason", "model_name", "system_fingerprint"))
GENERATION = frozenset(("text", "message", "generation_info", "type"))
BLOCKS = frozenset(("text", "thinking", "redacted_thinking", "tool_use", "tool-call", "reasoning", "output_text"))


@dataclass(slots=True)
class Answer:
    """What a model said: no message where it said nothing, and why it ended, where that is told."""

    messages: list[Message]
    finish: str | None = None


def given(value: object, metadata: Record, where: str) -> list[Message]:
    """The messages that a model was given: a list, an object that holds one, their JSON text, or a text of the user's."""
    value = decoded(value)
    if value is None or value == "" or value == [] or value == {}:
        return []
    if isinstance(value, str):
        return turns([value], metadata, where)
    if isinstance(value, list):
        return turns(_flat(value, metadata, where), metadata, where)
    if not isinstance(value, dict):
        return turns([dumps(value)], metadata, where)
    if speaks(value):
        return turns([value], metadata, where)
    return _held(value, metadata, where)


def answered(value: object, metadata: Record, where: str, begin: int = 0) -> Answer:
    """What a model gave back: a message, a response of any of the APIs, LangChain's generations, or a text.

    `begin` is the number of messages before it, by which calls without an id are numbered.
    """
    value = decoded(value)
    if value is None or value == "" or value == [] or value == {}:
        return Answer([])
    if isinstance(value, list):
        return _of_list(value, metadata, where, begin)
    if not isinstance(value, dict):
        return Answer(turns([_assistants(value if isinstance(value, str) else dumps(value))], metadata, where, begin))
    for key, choose in (("choices", _of_choices), ("generations", _of_generations), ("candidates", _of_candidates)):
        if isinstance(value.get(key), list):
            lose_rest(metadata, value, ANSWERED, where)
            return choose(value[key], metadata, f"{where}.{key}", begin)
    if speaks(value) or value.get("tool_calls"):
        return Answer(turns([{"role": "assistant", **value}], metadata, where, begin), reason(value))
    if isinstance(value.get("messages"), list):
        lose_rest(metadata, value, ANSWERED, where)
        said = turns(_flat(value["messages"], metadata, f"{where}.messages"), metadata, f"{where}.messages", begin)
        return Answer(said, reason(value))
    held = next((key for key in ANSWERS if value.get(key) is not None), None)
    if held is None or (len(value) > 1 and not RESPONSE & value.keys()):
        return Answer(turns([_assistants(dumps(value))], metadata, where, begin))
    lose_rest(metadata, value, ANSWERED | {held}, where)
    inner = answered(value[held], metadata, f"{where}.{held}", begin)
    return Answer(inner.messages, inner.finish or reason(value))


def tools_of(value: object, metadata: Record, where: str) -> list[Candidate] | None:
    """What a model was offered, in any provider's form; None where nothing is said, or only names are."""
    value = decoded(value)
    if value is None or value == "":
        return None
    if isinstance(value, dict):  # by name
        held = {name: _parsed(tool) for name, tool in value.items()}
        value = [{"name": name, **tool} if isinstance(tool, dict) else {"name": name} for name, tool in held.items()]
    if not isinstance(value, list):
        raise wrong(where, value, "a list")
    listed: list[Any] = []
    for tool in value:
        tool = _parsed(tool)
        tool = {"name": tool} if isinstance(tool, str) else tool
        declared = _declared(tool)
        listed += [tool] if declared is None else declared
    offered = candidates_of_tools(listed, metadata, where)
    if offered and not any(candidate.get("description") or "parameters" in candidate for candidate in offered):
        return None
    return offered


def offered_in(value: object, metadata: Record, where: str) -> list[Candidate] | None:
    """The tools of a request that is kept whole, such as `{"messages": […], "tools": […]}`."""
    value = decoded(value)
    if not isinstance(value, dict):
        return None
    key = next((key for key in TOOLS if value.get(key) is not None), None)
    return None if key is None else tools_of(value[key], metadata, f"{where}.{key}")


def decoded(value: object) -> Any:
    """The value of a JSON text that is an object or a list, else the value as it is.

    An answer that is itself JSON, such as a plan, stays text: only what looks like messages is decoded.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        found = parse_value(value.encode())
    except (FormatError, UnicodeEncodeError):
        return value
    if isinstance(found, list):
        first = found[0] if found else None
        first = first[0] if isinstance(first, list) and first else first
        typed = isinstance(first, dict) and ("function" in first or first.get("type") in BLOCKS | ITEMS)
        named = isinstance(first, dict) and isinstance(first.get("name"), str)
        return found if speaks(first) or typed or named else value
    holds = ("messages", "choices", "generations", "contents", "candidates", "tool_calls", "tools", "prompts")
    lists = any(isinstance(found.get(key), list) for key in holds) if isinstance(found, dict) else False
    message = isinstance(found, dict) and (speaks(found) or isinstance(found.get("function"), dict))
    return found if (lists and "plugins" not in found) or message else value


def reason(value: Record) -> str | None:
    """Why an answer ended, in whichever words."""
    details = value.get("incomplete_details")
    cut = details.get("reason") if isinstance(details, dict) else None
    metadata = value.get("response_metadata")
    inside = metadata if isinstance(metadata, dict) else {}
    keys = ("finish_reason", "stop_reason", "finishReason")
    found = next((side[key] for side in (value, inside) for key in keys if isinstance(side.get(key), str)), None)
    return cut if isinstance(cut, str) else found


def _held(value: Record, metadata: Record, where: str) -> list[Message]:
    """The messages of a request that is kept whole; an object of another kind is what the user said."""
    key = next((key for key in MESSAGES if isinstance(value.get(key), list | str)), None)
    system = next((value[key] for key in INSTRUCTIONS if value.get(key)), None)
    before = [] if system is None else [{"role": "system", "content": _bare(system)}]
    if key is not None:
        lose_rest(metadata, value, REQUEST, where)
        said = value[key] if isinstance(value[key], list) else [value[key]]
        return turns([*before, *_flat(said, metadata, f"{where}.{key}")], metadata, f"{where}.{key}")
    prompts = value.get("prompts", value.get("prompt"))
    if isinstance(prompts, list) and len(prompts) > 1 and all(isinstance(prompt, str) for prompt in prompts):
        lose(metadata, "dropped", f"{where}.prompts")
        prompts = prompts[:1]
    if isinstance(prompts, list | str) and prompts:
        lose_rest(metadata, value, REQUEST, where)
        return turns([*before, *(prompts if isinstance(prompts, list) else [prompts])], metadata, f"{where}.prompt")
    texts = [text for text in value.values() if isinstance(text, str)]
    return turns([*before, texts[0] if len(value) == 1 and texts else dumps(value)], metadata, where)


def _bare(system: object) -> object:
    """Gemini's instructions are a message, the others' their content."""
    return system["parts"] if isinstance(system, dict) and "parts" in system else system


def _flat(said: list[Any], metadata: Record, where: str) -> list[Any]:
    """LangChain lists the conversations of a batch; a single run has one."""
    if said and all(isinstance(each, list) for each in said):
        if len(said) > 1:
            lose(metadata, "dropped", where)
        return list(said[0])
    return said


def _of_list(value: list[Any], metadata: Record, where: str, begin: int) -> Answer:
    value = _flat(value, metadata, where)
    if all(isinstance(each, str) for each in value):  # the pieces of a streamed text
        return Answer(turns([_assistants("".join(value))], metadata, where, begin))
    if _are_pieces(value):
        whole, ended = joined(value, where)
        if not ended:
            lose(metadata, "truncated", where)
        return answered(whole, metadata, where, begin)
    said = [each for each in value if speaks(each)]
    if said:
        for each in value:
            if not speaks(each):
                lose(metadata, "dropped", f"{where}.{str(each.get('type') if isinstance(each, dict) else each)[:40]}")
        return Answer(turns(said, metadata, where, begin), reason(said[-1]))
    if all(isinstance(each, dict) and each.get("type") in BLOCKS for each in value):
        return Answer(turns([{"role": "assistant", "content": value}], metadata, where, begin))
    return Answer(turns([_assistants(dumps(value))], metadata, where, begin))


def _are_pieces(value: list[Any]) -> bool:
    """Whether these are the events or the chunks of a stream, as a client that nobody joined them for records them."""
    first = value[0]
    if not isinstance(first, dict):
        return False
    kind = str(first.get("type"))
    return kind == "message_start" or kind.startswith("response.") or _is_chunk(first)


def _is_chunk(piece: Record) -> bool:
    choices = piece.get("choices")
    return isinstance(choices, list) and (not choices or (isinstance(choices[0], dict) and "delta" in choices[0]))


def _of_choices(choices: list[Any], metadata: Record, where: str, begin: int) -> Answer:
    first = _first(choices, metadata, where)
    lose_rest(metadata, first, CHOICE, where)
    message = first.get("message", first.get("delta", first.get("text")))
    inner = answered(message, metadata, f"{where}[0].message", begin)
    return Answer(inner.messages, reason(first) or inner.finish)


def _of_generations(generations: list[Any], metadata: Record, where: str, begin: int) -> Answer:
    first = _first(_flat(generations, metadata, where), metadata, where)
    lose_rest(metadata, first, GENERATION, where)
    inner = answered(first.get("message") or first.get("text"), metadata, f"{where}[0]", begin)
    info = first.get("generation_info")
    if isinstance(info, dict):
        lose_rest(metadata, info, INFO, f"{where}.generation_info")
    return Answer(inner.messages, (reason(info) if isinstance(info, dict) else None) or inner.finish)


def _of_candidates(candidates: list[Any], metadata: Record, where: str, begin: int) -> Answer:
    first = _first(candidates, metadata, where)
    lose_rest(metadata, first, CHOICE, where)
    return Answer(answered(first.get("content"), metadata, f"{where}[0].content", begin).messages, reason(first))


def _first(listed: list[Any], metadata: Record, where: str) -> Record:
    """The first of several answers; that there were others is noted."""
    if len(listed) > 1:
        metadata["choices"] = len(listed)
        lose(metadata, "dropped", where)
    first = listed[0] if listed else {}
    if not isinstance(first, dict):
        raise wrong(f"{where}[0]", first, "an object")
    return first


def _parsed(tool: object) -> Any:
    """A tool's definition, which may be JSON text; any other text is the tool's name."""
    try:
        return parse_value(tool.encode()) if isinstance(tool, str) and tool.lstrip().startswith("{") else tool
    except FormatError:
        return tool


def _declared(tool: object) -> list[Any] | None:
    """Gemini lists its functions within one tool."""
    if not isinstance(tool, dict):
        return None
    found = tool.get("functionDeclarations", tool.get("function_declarations"))
    return found if isinstance(found, list) else None


def _assistants(text: str) -> Record:
    return {"role": "assistant", "content": text}


def ran(value: object, metadata: Record, where: str) -> tuple[str | None, str | None]:
    """What a tool gave back, as (text, id of the call); a message of LangChain's says both."""
    value = decoded(value)
    if isinstance(value, dict) and len(value) == 1 and (inner := next(iter(value))) in ("output", "result", "content"):
        value = decoded(value[inner])
    if value is None:
        return None, None
    if speaks(value):
        message = turns([value], metadata, where)[0]
        return message["content"], message.get("tool_call_id")
    return value if isinstance(value, str) else dumps(value), None


def arguments(value: object) -> tuple[object, str | None]:
    """What a tool was given, as (arguments, id of the call); LangChain wraps both, or writes the arguments as text."""
    value = decoded(value)
    if isinstance(value, dict) and value.get("type") == "tool_call" and "args" in value:
        return value["args"], value["id"] if isinstance(value.get("id"), str) else None
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("input"), str | dict):
        return value["input"], None
    return value, None
