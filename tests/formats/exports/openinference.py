"""OpenInference: flat attributes in OTLP/JSON, Phoenix's spans, and the columns of its data frame."""

import json
from collections.abc import Iterator
from typing import Any

from curation.formats.reading import Record
from curation.sample import Message, dumps
from tests.formats.exports.conversations import Conversation, calls_of, thought
from tests.formats.exports.openai import chat_tools
from tests.formats.exports.otlp import envelope, root, span, span_id
from tests.formats.exports.runs import Call, Ran, at, last_second, model_calls, tool_runs

KIND = "openinference.span.kind"


def export(conversations: list[Conversation]) -> Iterator[Record]:
    """The records of each, in one of the ways in turn."""
    for conversation in conversations:
        yield from WAYS[conversation.number % len(WAYS)](conversation)


def _message(message: Message) -> Record:
    """A message whose reasoning is a part before the text."""
    if message["role"] != "assistant":
        said = {"message.role": message["role"], "message.content": message["content"]}
        more = {"message.tool_call_id": message["tool_call_id"]} if message["role"] == "tool" else {}
        return {**said, **more}
    reasoning, text = thought(message)
    found: Record = {"message.role": "assistant"}
    if reasoning is not None:
        found["message.contents"] = [{"message_content.type": "reasoning", "message_content.text": reasoning}]
        if text:
            found["message.contents"].append({"message_content.type": "text", "message_content.text": text})
    elif text:
        found["message.content"] = text
    calls = [
        {
            "tool_call.id": call_id,
            "tool_call.function.name": name,
            "tool_call.function.arguments": dumps(arguments),
        }
        for call_id, name, arguments in calls_of(message)
    ]
    return {**found, "message.tool_calls": calls} if calls else found


def _llm(conversation: Conversation, call: Call) -> Record:
    found: Record = {
        KIND: "LLM",
        "llm.model_name": "planner-5",
        "llm.input_messages": [_message(message) for message in call.given],
        "llm.tools": [{"tool.json_schema": json.dumps(tool)} for tool in chat_tools(conversation)],
    }
    if call.answer:
        found["llm.output_messages"] = [_message(call.answer)]
    return found


def _tool(ran: Ran) -> Record:
    return {
        KIND: "TOOL",
        "tool.name": ran.name,
        "input.value": json.dumps(ran.arguments),
        "input.mime_type": "application/json",
        "output.value": ran.result,
    }


def flat(attributes: Any, prefix: str = "") -> Record:
    """Lists and objects as attributes of their own, numbered from 0, as they lie in a span."""
    found: Record = {}
    for key, each in attributes.items() if isinstance(attributes, dict) else enumerate(attributes):
        if isinstance(each, dict | list):
            found |= flat(each, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = each
    return found


def _told(conversation: Conversation) -> list[tuple[str, int, Record, bool]]:
    """Every span but the outermost as (name, second, attributes, failed)."""
    calls = [
        (call.id, call.second, _llm(conversation, call), call.answer is None) for call in model_calls(conversation)
    ]
    return [*calls, *((ran.id, ran.second, _tool(ran), False) for ran in tool_runs(conversation))]


def _as_otlp(conversation: Conversation) -> Iterator[Record]:
    spans = [root(conversation, {KIND: "AGENT", "input.value": "x"})]
    for name, second, attributes, failed in _told(conversation):
        status = {"status": {"code": 2, "message": "overloaded"}} if failed else {}
        spans.append(span(conversation, name, second, flat(attributes), **status))
    yield envelope(spans[::-1])


def _as_phoenix(conversation: Conversation) -> Iterator[Record]:
    """As `GET /v1/projects/{name}/spans` answers, a page of spans with flat attributes."""
    told = [(f"{conversation.id}-root", 0, {KIND: "CHAIN"}, False), *_told(conversation)]
    data = [
        {
            **_phoenix(conversation, name, second, failed),
            "context": {"trace_id": conversation.id, "span_id": span_id(name)},
            "span_kind": attributes[KIND],
            "attributes": flat(attributes),
            "events": [],
        }
        for name, second, attributes, failed in told
    ]
    yield {"data": data, "next_cursor": None}


def _as_columns(conversation: Conversation) -> Iterator[Record]:
    """A row of the data frame for each span: an attribute is a column, its lists and objects are values."""
    for name, second, attributes, failed in [
        (f"{conversation.id}-root", 0, {KIND: "CHAIN"}, False),
        *_told(conversation),
    ]:
        yield {
            **_phoenix(conversation, name, second, failed),
            "context.trace_id": conversation.id,
            "context.span_id": span_id(name),
            "span_kind": attributes[KIND],
            **{f"attributes.{key}": each for key, each in attributes.items()},
        }


def _phoenix(conversation: Conversation, name: str, second: int, failed: bool) -> Record:
    outermost = name.endswith("-root")
    ended = last_second(conversation) if outermost else second + 1
    return {
        "name": name.split("-")[-2],
        "parent_id": None if outermost else span_id(f"{conversation.id}-root"),
        "start_time": at(conversation, second).isoformat(),
        "end_time": at(conversation, ended).isoformat(),
        "status_code": "ERROR" if failed else "OK",
        "status_message": "overloaded" if failed else "",
    }


WAYS = (_as_otlp, _as_phoenix, _as_columns)
