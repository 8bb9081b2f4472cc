"""The GenAI semantic conventions of OpenTelemetry, current and older: what a span's attributes and events say was said."""

from collections.abc import Iterable
from typing import Any

from curation.formats.attributes import nested, structured
from curation.formats.losses import lose, lose_rest
from curation.formats.reading import Record
from curation.formats.spans import AGENT, LLM, OTHER, TOOL, Span
from curation.formats.spoken import decoded, tools_of
from curation.formats.turns import turns

DETAILS = "gen_ai.client.inference.operation.details"
EVALUATION = "gen_ai.evaluation.result"
CHOICE = "gen_ai.choice"
PROMPT, COMPLETION = "gen_ai.content.prompt", "gen_ai.content.completion"  # of the first conventions
ROLES = {f"gen_ai.{role}.message": role for role in ("system", "user", "assistant", "tool")}
SAYING = frozenset((*ROLES, CHOICE, PROMPT, COMPLETION))  # events that tell what was said
HEARD = SAYING | {DETAILS, EVALUATION, "exception"}  # and those of which something else is carried over
EVALUATED = frozenset(
    (
        *("gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label"),
        *("gen_ai.response.id", "event.name", "error.type"),
    )
)
CHOSEN = frozenset(("index", "finish_reason", "message", "content", "tool_calls", "role"))

OPERATIONS = {
    **dict.fromkeys(("chat", "text_completion", "generate_content", "completion"), LLM),
    **dict.fromkeys(("invoke_agent", "create_agent", "agent"), AGENT),
    **dict.fromkeys(("execute_tool", "tool"), TOOL),
}
REFERENCES = (".ref", ".reference", ".reference_id", ".uri", ".url", "_ref")  # where uploaded content is pointed at

# Attributes that are carried over, or that only repeat what is.
USED = frozenset(
    {
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.system",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.id",
        "gen_ai.conversation.id",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.tool.definitions",
        "gen_ai.tool.name",
        "gen_ai.tool.call.id",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.completion_tokens",
        "gen_ai.usage.total_tokens",
        "gen_ai.agent.name",
        "llm.request.type",
        "llm.usage.total_tokens",
        "error.type",
        "session.id",
        "user.id",
        "enduser.id",
        "traceloop.span.kind",
        "traceloop.entity.name",
        "traceloop.entity.input",
        "traceloop.entity.output",
    }
)
USED_PREFIXES = ("gen_ai.prompt.", "gen_ai.completion.", "llm.request.functions.")


def kind_of(attributes: Record) -> str | None:
    """What a span is by these conventions; None where they say nothing of it."""
    operation = attributes.get("gen_ai.operation.name")
    if operation is None:
        operation = attributes.get("llm.request.type", attributes.get("traceloop.span.kind"))
    if isinstance(operation, str):
        return OPERATIONS.get(operation.lower(), OTHER)
    if "gen_ai.tool.name" in attributes:
        return TOOL
    said = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.prompt.0.role", "gen_ai.completion.0.role")
    return LLM if any(name in attributes for name in said) else None


def fill(span: Span, attributes: Record, events: Iterable[tuple[str, Record]], metadata: Record) -> None:
    """Writes into the span what its attributes and its events (name, body) say: messages, tools, a tool's call."""
    if span.kind == TOOL:
        _fill_tool(span, attributes, metadata)
        return
    listed = list(events)
    told, choices = _told(listed, metadata)
    given = _input(attributes, metadata) or _indexed(attributes, "gen_ai.prompt", metadata) or told
    given = [*_instructions(attributes, metadata), *given] if given else []
    span.said = turns(given, metadata, "gen_ai.input.messages") if given else []
    answers = (
        _messages(attributes.get("gen_ai.output.messages"), metadata, "gen_ai.output.messages")
        or _indexed(attributes, "gen_ai.completion", metadata)
        or choices
    )
    if len(answers) > 1:
        metadata["choices"] = len(answers)
        lose(metadata, "dropped", "gen_ai.output.messages")
    if answers:
        first = {"role": "assistant", **answers[0]} if isinstance(answers[0], dict) else answers[0]
        span.answered = turns([first], metadata, "gen_ai.output.messages", len(span.said))
        span.finish = _reason(first) or span.finish
    reasons = attributes.get("gen_ai.response.finish_reasons")
    reasons = structured(reasons, metadata, "gen_ai.response.finish_reasons")
    if span.finish is None and isinstance(reasons, list) and reasons and isinstance(reasons[0], str):
        span.finish = reasons[0]
    span.model = _text(attributes.get("gen_ai.response.model")) or _text(attributes.get("gen_ai.request.model"))
    span.usage = _usage(attributes)
    span.offered = _offered(attributes, metadata)
    _note_references(span, attributes, metadata)


def evaluation(attributes: Record, metadata: Record) -> tuple[object, object]:
    """The name and the value of an evaluation event; a number before its label."""
    lose_rest(metadata, attributes, EVALUATED, EVALUATION)
    number = attributes.get("gen_ai.evaluation.score.value")
    return attributes.get("gen_ai.evaluation.name"), (
        attributes.get("gen_ai.evaluation.score.label") if number is None else number
    )


def _fill_tool(span: Span, attributes: Record, metadata: Record) -> None:
    name = attributes.get("gen_ai.tool.name", attributes.get("traceloop.entity.name"))
    span.name = name if isinstance(name, str) else span.name
    span.call_id = _text(attributes.get("gen_ai.tool.call.id"))
    span.arguments = attributes.get("gen_ai.tool.call.arguments", attributes.get("traceloop.entity.input"))
    result = attributes.get("gen_ai.tool.call.result", attributes.get("traceloop.entity.output"))
    if result is not None:
        message = turns([{"role": "tool", "content": result}], metadata, "gen_ai.tool.call.result")[0]
        span.result = message["content"]
    _note_references(span, attributes, metadata)


def _input(attributes: Record, metadata: Record) -> list[Any]:
    return _messages(attributes.get("gen_ai.input.messages"), metadata, "gen_ai.input.messages")


def _instructions(attributes: Record, metadata: Record) -> list[Any]:
    """The instructions that the current conventions keep apart from the messages."""
    system = structured(attributes.get("gen_ai.system_instructions"), metadata, "gen_ai.system_instructions")
    return [{"role": "system", "parts": system if isinstance(system, list) else [system]}] if system else []


def _messages(value: Any, metadata: Record, where: str) -> list[Any]:
    found = structured(value, metadata, where)
    if isinstance(found, dict):
        found = found.get("messages", [found])
    if isinstance(found, list):
        return [structured(each, metadata, where) if isinstance(each, str) else each for each in found]
    return [found] if isinstance(found, str) and found else []


def _indexed(attributes: Record, prefix: str, metadata: Record) -> list[Any]:
    """Messages whose every field is an attribute: `gen_ai.prompt.0.role`, `gen_ai.prompt.0.tool_calls.0.name`."""
    own = {name[len(prefix) + 1 :]: value for name, value in attributes.items() if name.startswith(f"{prefix}.")}
    if not own:
        return []
    tree = nested(own)
    if isinstance(tree, dict):
        tree = [value for key, value in sorted(tree.items()) if isinstance(value, dict)]
    return [_with_parts(each) for each in tree if isinstance(each, dict)]


def _with_parts(message: Record) -> Record:
    """The message with its parts as a list, where its content is their JSON text."""
    content = decoded(message.get("content"))
    named = {"role": "tool" if message.get("tool_call_id") else "user", **message}
    return {**named, "content": content if isinstance(content, list) else message.get("content")}


def _told(events: list[tuple[str, Record]], metadata: Record) -> tuple[list[Any], list[Any]]:
    """What the older events tell: the messages that were given, and the answers."""
    given: list[Any] = []
    answers: list[Any] = []
    for name, body in events:
        if name in ROLES:
            message = {**body, "role": body.get("role") or ROLES[name]}
            calls = structured(body.get("tool_calls"), metadata, name)
            if calls is not None:
                message["tool_calls"] = calls
            if ROLES[name] == "tool":
                message.setdefault("tool_call_id", message.pop("id", None))
            given.append({key: value for key, value in message.items() if not key.startswith(("gen_ai.", "event."))})
        elif name == CHOICE:
            own = {key: value for key, value in body.items() if not key.startswith(("gen_ai.", "event."))}
            lose_rest(metadata, own, CHOSEN, name)
            message = structured(body.get("message", body.get("content")), metadata, name)
            inner = message if isinstance(message, dict) else {"content": message}
            calls = structured(inner.get("tool_calls", body.get("tool_calls")), metadata, name)
            inner = {**inner, "finish_reason": body.get("finish_reason")}
            answers.append({**inner, "tool_calls": calls} if calls else inner)
        elif name == PROMPT:
            given += _messages(body.get("gen_ai.prompt"), metadata, "gen_ai.prompt")
        elif name == COMPLETION:
            answers += _messages(body.get("gen_ai.completion"), metadata, "gen_ai.completion")
    return given, answers


def _offered(attributes: Record, metadata: Record) -> Any:
    definitions = structured(attributes.get("gen_ai.tool.definitions"), metadata, "gen_ai.tool.definitions")
    if isinstance(definitions, list):
        return tools_of(definitions, metadata, "gen_ai.tool.definitions")
    listed = _indexed(attributes, "llm.request.functions", metadata)
    for each in listed:
        each.pop("content", None), each.pop("role", None)
        each["parameters"] = structured(each.get("parameters"), metadata, "llm.request.functions.parameters")
    return tools_of(listed, metadata, "llm.request.functions") if listed else None


def _note_references(span: Span, attributes: Record, metadata: Record) -> None:
    for name in attributes:
        base = next((name.removesuffix(suffix) for suffix in REFERENCES if name.endswith(suffix)), None)
        if base in USED:
            span.elsewhere = True
            lose(metadata, "by_reference", base)


def _usage(attributes: Record) -> dict[str, int]:
    names = {
        "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    }
    found = {}
    for key, places in names.items():
        number = next((attributes[place] for place in places if isinstance(attributes.get(place), int)), None)
        if number is not None:
            found[key] = number
    return found


def _reason(message: Any) -> str | None:
    return _text(message.get("finish_reason")) if isinstance(message, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
