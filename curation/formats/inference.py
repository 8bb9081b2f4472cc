"""OpenInference's conventions: what a span's `llm.…`, `tool.…` and `input.value` attributes say was said."""

from typing import Any

from curation.formats.attributes import nested, structured
from curation.formats.losses import lose, lose_rest
from curation.formats.outcomes import feedback_of
from curation.formats.reading import Record
from curation.formats.spans import AGENT, LLM, OTHER, TOOL, Span
from curation.formats.spoken import answered, arguments, given, offered_in, ran, tools_of
from curation.formats.turns import turns

KINDS = {"LLM": LLM, "TOOL": TOOL, "AGENT": AGENT}

# Attributes that are carried over, or that only repeat what is.
USED_PREFIXES = (
    *("llm.input_messages.", "llm.output_messages.", "llm.tools.", "llm.token_count.", "llm.prompts.", "llm.choices."),
    *("tool_call.", "metadata.", "annotations.", "evaluations.", "trace.annotations.", "trace.evaluations."),
    *("session.annotations.", "session.evaluations."),
)
USED = frozenset(
    {
        "openinference.span.kind",
        "llm.input_messages",
        "llm.output_messages",
        "llm.tools",
        "llm.prompts",
        "llm.choices",
        "llm.model_name",
        "llm.request.model_name",
        "llm.response.model_name",
        "llm.provider",
        "llm.system",
        "llm.finish_reason",
        "llm.token_count.prompt",
        "llm.token_count.completion",
        "input.value",
        "input.mime_type",
        "output.value",
        "output.mime_type",
        "tool.name",
        "tool.id",
        "tool.description",
        "tool.parameters",
        "tool.json_schema",
        "session.id",
        "user.id",
        "agent.name",
        "metadata",
        "tag.tags",
    }
)
OWN = ("metadata", "tag", "annotations", "evaluations", "trace", "session.annotations", "session.evaluations")
# What a person or an evaluator said, of a span, its trace or its session.
JUDGED = ("annotation", "evaluation")
JUDGEMENT = frozenset(("name", "score", "label", "annotator_kind", "identifier"))


def kind_of(tree: Record) -> str | None:
    """What a span is by these conventions; None where they say nothing of it."""
    said = _at(tree, "openinference", "span", "kind")
    if isinstance(said, str):
        return KINDS.get(said.upper(), OTHER)
    return LLM if _at(tree, "llm", "input_messages") or _at(tree, "llm", "output_messages") else None


def fill(span: Span, tree: Record, metadata: Record) -> None:
    """Writes into the span what its attributes, nested by their dots, say: messages, tools, a tool's call."""
    if span.kind == TOOL:
        _fill_tool(span, tree, metadata)
        return
    said = _messages(_at(tree, "llm", "input_messages"), metadata, "llm.input_messages") or _texts(
        tree, "prompts", "prompt", metadata
    )
    before = _at(tree, "input", "value")
    if said:
        span.said = turns(said, metadata, "llm.input_messages")
    elif span.kind == LLM and before is not None:
        span.said = given(before, metadata, "input.value")
    answers = _messages(_at(tree, "llm", "output_messages"), metadata, "llm.output_messages") or _texts(
        tree, "choices", "completion", metadata
    )
    if len(answers) > 1:  # of a model that was asked for several
        metadata["choices"] = len(answers)
        lose(metadata, "dropped", "llm.output_messages")
    after = _at(tree, "output", "value")
    if answers:
        answer = {"role": "assistant", **answers[0]}
        span.answered = turns([answer], metadata, "llm.output_messages", len(span.said))
    if after is not None and span.kind == LLM:
        answer_value = answered(after, {}, "output.value", len(span.said))
        span.finish = span.finish or answer_value.finish
        span.answered = span.answered or answer_value.messages
    span.finish = _text(_at(tree, "llm", "finish_reason")) or span.finish
    models = (("response", "model_name"), ("model_name",), ("request", "model_name"))
    span.model = next((found for path in models if (found := _text(_at(tree, "llm", *path)))), None)
    names = {"input_tokens": "prompt", "output_tokens": "completion"}
    counts = {key: _at(tree, "llm", "token_count", name) for key, name in names.items()}
    span.usage = {key: number for key, number in counts.items() if isinstance(number, int)}
    span.offered = _offered(_at(tree, "llm", "tools"), metadata)
    if span.offered is None and span.kind == LLM:
        span.offered = offered_in(_invocation(tree, before, metadata), metadata, "llm.invocation_parameters")


def note_own(attributes: Record, metadata: Record) -> None:
    """What an application says of a span's trace: its own metadata, its tags, and how it was judged."""
    if not any(name.startswith(OWN) for name in attributes) and not isinstance(attributes.get("session"), dict):
        return
    tree = nested(attributes)
    own = structured(_at(tree, "metadata"), metadata, "metadata")
    for key, value in own.items() if isinstance(own, dict) else ():
        metadata.setdefault(key, value)
    if own is not None and not isinstance(own, dict):
        lose(metadata, "dropped", "metadata")
    tags = _at(tree, "tag", "tags")
    if tags:
        metadata.setdefault("tags", tags)
    for owner in (tree, _at(tree, "trace"), _at(tree, "session")):
        for word in JUDGED:
            listed = _at(owner, f"{word}s")
            each = (
                [_inner(_unflat(one), word, metadata, f"{word}s") for one in listed] if isinstance(listed, list) else []
            )
            found = [one for one in each if isinstance(one, dict)]
            for one in found:
                lose_rest(metadata, one, JUDGEMENT, f"{word}s")
            feedback_of(((one.get("name"), one.get("score", one.get("label"))) for one in found), metadata)


def _texts(tree: Record, several: str, one: str, metadata: Record) -> list[Record]:
    """The texts of a model that completes them, as messages: `[{prompt: {text}}]`, `[{completion: {text}}]`."""
    role = "user" if one == "prompt" else "assistant"
    listed = structured(_at(tree, "llm", several), metadata, f"llm.{several}")
    found = [_at(_unflat(each), one, "text") for each in listed] if isinstance(listed, list) else []
    return [{"role": role, "content": text} for text in found if isinstance(text, str)]


def _fill_tool(span: Span, tree: Record, metadata: Record) -> None:
    span.name = _text(_at(tree, "tool", "name")) or span.name
    held, call_id = arguments(_at(tree, "input", "value"))
    span.arguments = held if held is not None else _at(tree, "tool", "parameters")
    span.result, answers = ran(_at(tree, "output", "value"), metadata, "output.value")
    span.call_id = _text(_at(tree, "tool", "id")) or _text(_at(tree, "tool_call", "id")) or answers or call_id


def _invocation(tree: Record, before: Any, metadata: Record) -> Any:
    """Where an older instrumentation keeps the tools: the parameters of the call, or the whole request."""
    found = structured(_at(tree, "llm", "invocation_parameters"), {}, "llm.invocation_parameters")
    return found if isinstance(found, dict) and ("tools" in found or "functions" in found) else before


def _messages(value: Any, metadata: Record, where: str) -> list[Record]:
    """`[{message: {role, content, tool_calls: [{tool_call: {…}}]}}]` in the chat form."""
    found = structured(value, metadata, where)
    listed = found if isinstance(found, list) else []
    return [_message(each, metadata, where) for each in map(_unflat, listed) if isinstance(each, dict)]


def _unflat(each: Any) -> Any:
    return nested(each) if isinstance(each, dict) else each


def _message(said: Record, metadata: Record, where: str) -> Record:
    inner = said.get("message", said)
    if inner is not said:
        lose_rest(metadata, said, {"message"}, where)
    message: Record = dict(inner) if isinstance(inner, dict) else {}
    contents = message.pop("contents", None)
    parts = [_part(each, metadata, f"{where}.contents") for each in contents] if isinstance(contents, list) else []
    if parts:
        message["content"] = parts
    calls = message.pop("tool_calls", None)
    if isinstance(calls, list) and calls:  # which the parts repeat, where their order was worth keeping
        message["content"] = [part for part in parts if not _is_call(part)] or message.get("content")
        message["tool_calls"] = [_inner(each, "tool_call", metadata, f"{where}.tool_calls") for each in calls]
    name = message.pop("function_call_name", None)
    if name:
        message["function_call"] = {"name": name, "arguments": message.pop("function_call_arguments_json", None)}
    message.setdefault("role", "user")
    return message


def _part(said: Any, metadata: Record, where: str) -> Any:
    """One item of `message.contents`, `{message_content: {type, text | image | …}}`; a call stands beside its type."""
    if isinstance(said, dict) and isinstance(said.get("tool_call"), dict):
        lose_rest(metadata, said, {"message_content", "tool_call"}, where)
        return {**said["tool_call"], "type": "tool_use"}
    return _inner(said, "message_content", metadata, where)


def _is_call(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "tool_use"


def _inner(said: Any, name: str, metadata: Record, where: str) -> Any:
    """What is wrapped under a name of its own."""
    if not isinstance(said, dict) or name not in said:
        return said
    lose_rest(metadata, said, {name}, where)
    return said[name]


def _offered(value: Any, metadata: Record) -> Any:
    """`[{tool: {name, description, json_schema}}]`; the schema may hold the whole definition or the parameters alone."""
    found = structured(value, metadata, "llm.tools")
    if not isinstance(found, list) or not found:
        return None
    return tools_of([_tool(_unflat(each), metadata) for each in found], metadata, "llm.tools")


def _tool(said: Any, metadata: Record) -> Any:
    inner = _inner(said, "tool", metadata, "llm.tools")
    if not isinstance(inner, dict):
        return inner
    schema = structured(inner.get("json_schema"), metadata, "llm.tools.tool.json_schema")
    named = {key: inner[key] for key in ("name", "description") if isinstance(inner.get(key), str)}
    if not isinstance(schema, dict):
        return named or inner
    lose_rest(metadata, inner, {"json_schema", "name", "description"}, "llm.tools.tool")
    function = schema.get("function", schema)
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        named = {**function, **named, "type": "function"}
        return named if function is schema else {**schema, "function": named}
    if isinstance(schema.get("toolSpec"), dict):  # of Bedrock
        spec = schema["toolSpec"]
        held = spec.get("inputSchema")
        return {**spec, **named, "inputSchema": held.get("json", held) if isinstance(held, dict) else held}
    return {**named, "parameters": schema} if named else schema


def _at(tree: Any, *path: str) -> Any:
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
