"""OTLP/JSON as a collector writes it, batch by batch, under every version of the GenAI conventions."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from curation.formats.reading import Record
from curation.sample import Message, dumps
from tests.formats.exports.conversations import Conversation, calls_of, thought
from tests.formats.exports.openai import chat_message
from tests.formats.exports.runs import Call, Ran, at, last_second, model_calls, tool_runs

BATCH = 40  # spans of whichever traces ended at about the same time


def export(conversations: list[Conversation]) -> Iterator[Record]:
    """Batches of spans, and of the log events where a version of the conventions has them."""
    spans: list[Record] = []
    events: list[Record] = []
    for conversation in conversations:
        more, beside = WAYS[conversation.number % len(WAYS)](conversation)
        spans, events = spans + more, events + beside
        while len(spans) >= BATCH:
            yield envelope(spans[-BATCH:])
            del spans[-BATCH:]
    yield envelope(spans)
    for i in range(0, len(events), BATCH):
        yield envelope(events[i : i + BATCH], "resourceLogs", "scopeLogs", "logRecords")


def envelope(
    items: list[Record], outer: str = "resourceSpans", middle: str = "scopeSpans", inner: str = "spans"
) -> Record:
    resource = {"attributes": listed({"service.name": "planner"})}
    return {outer: [{"resource": resource, middle: [{"scope": {"name": "tests"}, inner: items}]}]}


def listed(attributes: Record) -> list[Record]:
    """Attributes as OTLP lists them."""
    return [{"key": key, "value": value(each)} for key, each in attributes.items() if each is not None]


def value(plain: Any) -> Record:
    if isinstance(plain, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": value(each)} for key, each in plain.items()]}}
    if isinstance(plain, list):
        return {"arrayValue": {"values": [value(each) for each in plain]}}
    if isinstance(plain, bool):
        return {"boolValue": plain}
    if isinstance(plain, int):
        return {"intValue": str(plain)}
    if isinstance(plain, float):
        return {"doubleValue": plain}
    return {} if plain is None else {"stringValue": plain}


def span_id(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()


def span(conversation: Conversation, name: str, second: int, attributes: Record, **more: Any) -> Record:
    begun = int(at(conversation, second).timestamp())
    return {
        "traceId": conversation.id,
        "spanId": span_id(name),
        "parentSpanId": span_id(f"{conversation.id}-root"),
        "name": name.split("-")[-2],
        "kind": 3,
        "startTimeUnixNano": f"{begun}000000000",
        "endTimeUnixNano": f"{begun + 1}000000000",
        "attributes": listed(attributes),
        "status": {"code": 1},
        **more,
    }


def root(conversation: Conversation, attributes: Record) -> Record:
    name = f"{conversation.id}-root"
    end = f"{int(at(conversation, last_second(conversation)).timestamp())}000000000"
    return {**span(conversation, name, 0, attributes), "parentSpanId": "", "endTimeUnixNano": end}


def parts(message: Message) -> Record:
    """A message of the current conventions."""
    if message["role"] == "tool":
        part = {"type": "tool_call_response", "id": message["tool_call_id"], "response": message["content"]}
        return {"role": "tool", "parts": [part]}
    if message["role"] != "assistant":
        return {"role": message["role"], "parts": [{"type": "text", "content": message["content"]}]}
    reasoning, text = thought(message)
    found: list[Record] = [] if reasoning is None else [{"type": "reasoning", "content": reasoning}]
    found += [{"type": "text", "content": text}] if text else []
    found += [
        {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}
        for call_id, name, arguments in calls_of(message)
    ]
    return {"role": "assistant", "parts": found}


def finish(answer: Message) -> str:
    return "tool_call" if "tool_calls" in answer else "stop"


def _base(conversation: Conversation) -> Record:
    tools = [{"type": "function", **tool} for tool in conversation.tools]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "planner-5",
        "gen_ai.tool.definitions": json.dumps(tools),
    }


def _failed(call: Call) -> Record:
    return {} if call.answer else {"status": {"code": 2, "message": "overloaded"}}


def _said(call: Call) -> Record:
    found: Record = {"gen_ai.input.messages": [parts(message) for message in call.given]}
    if call.answer:
        found["gen_ai.output.messages"] = [{**parts(call.answer), "finish_reason": finish(call.answer)}]
    return found


def _tools(conversation: Conversation) -> list[Record]:
    return [_tool(conversation, ran) for ran in tool_runs(conversation)]


def _tool(conversation: Conversation, ran: Ran) -> Record:
    told = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": ran.name,
        "gen_ai.tool.call.id": ran.call_id,
        "gen_ai.tool.call.arguments": json.dumps(ran.arguments),
        "gen_ai.tool.call.result": ran.result,
    }
    return span(conversation, ran.id, ran.second, told)


def _spans(conversation: Conversation, told: list[tuple[Call, Record, list[Record]]]) -> list[Record]:
    """The calls of the model, each with its attributes and events, the tools' spans, and the one that holds them."""
    calls = [
        span(conversation, call.id, call.second, attributes, events=events, **_failed(call))
        for call, attributes, events in told
    ]
    return [*calls, *_tools(conversation), root(conversation, {"gen_ai.operation.name": "invoke_agent"})]


def _as_json(conversation: Conversation) -> tuple[list[Record], list[Record]]:
    told = [
        (call, {**_base(conversation), **{key: json.dumps(said) for key, said in _said(call).items()}}, [])
        for call in model_calls(conversation)
    ]
    return _spans(conversation, [(call, attributes, []) for call, attributes, _ in told]), []


def _as_values(conversation: Conversation) -> tuple[list[Record], list[Record]]:
    """Structured values; the instructions stand apart."""
    told: list[tuple[Call, Record, list[Record]]] = []
    for call in model_calls(conversation):
        said = _said(call)
        if call.given[0]["role"] == "system":
            said["gen_ai.system_instructions"] = said["gen_ai.input.messages"].pop(0)["parts"]
        told.append((call, {**_base(conversation), **said}, []))
    return _spans(conversation, told), []


def _as_log_event(conversation: Conversation) -> tuple[list[Record], list[Record]]:
    """What was said stands in one log event beside the span."""
    calls = model_calls(conversation)
    name = "gen_ai.client.inference.operation.details"
    events = [_log(conversation, call, name, attributes=listed(_said(call))) for call in calls]
    return _spans(conversation, [(call, _base(conversation), []) for call in calls]), events


def _as_older_log_events(conversation: Conversation) -> tuple[list[Record], list[Record]]:
    """A log event for every message, its body as a structure."""
    calls = model_calls(conversation)
    events = [
        _log(conversation, call, name, body=value(body), timeUnixNano=f"{number}", attributes=[])
        for call in calls
        for number, (name, body) in enumerate(_messages(call))
    ]
    return _spans(conversation, [(call, _base(conversation), []) for call in calls]), events


def _as_older_events(conversation: Conversation) -> tuple[list[Record], list[Record]]:
    """An event of the span for every message, whose attributes cannot be structures and so are JSON."""
    told = [
        (
            call,
            _base(conversation),
            [
                {"name": name, "timeUnixNano": f"{number}", "attributes": listed(_flat(body))}
                for number, (name, body) in enumerate(_messages(call))
            ],
        )
        for call in model_calls(conversation)
    ]
    return _spans(conversation, told), []


def _as_numbered(conversation: Conversation) -> tuple[list[Record], list[Record]]:
    """An attribute for every field of every message, as the first instrumentations wrote them."""
    told: list[tuple[Call, Record, list[Record]]] = []
    for call in model_calls(conversation):
        found: Record = {"llm.request.type": "chat", "gen_ai.request.model": "planner-5"}
        for i, tool in enumerate(conversation.tools):
            found |= {f"llm.request.functions.{i}.{key}": tool[key] for key in ("name", "description")}
            found[f"llm.request.functions.{i}.parameters"] = json.dumps(tool["parameters"])
        for i, message in enumerate(call.given):
            found |= _numbered(f"gen_ai.prompt.{i}", message)
        if call.answer:
            found |= _numbered("gen_ai.completion.0", call.answer)
            found["gen_ai.completion.0.finish_reason"] = finish(call.answer)
        told.append((call, found, []))
    return _spans(conversation, told), []


def _numbered(prefix: str, message: Message) -> Record:
    reasoning, text = thought(message) if message["role"] == "assistant" else (None, message["content"])
    found: Record = {f"{prefix}.role": message["role"], f"{prefix}.content": text or None}
    found[f"{prefix}.reasoning"] = reasoning
    found[f"{prefix}.tool_call_id"] = message.get("tool_call_id")
    for k, (call_id, name, arguments) in enumerate(calls_of(message)):
        own = {"id": call_id, "name": name, "arguments": dumps(arguments)}
        found |= {f"{prefix}.tool_calls.{k}.{key}": each for key, each in own.items()}
    return found


def _messages(call: Call) -> list[tuple[str, Record]]:
    """The older conventions' events for one call, as (name, body)."""
    found: list[tuple[str, Record]] = []
    for message in call.given:
        body = {key: each for key, each in chat_message(message).items() if key != "role" and each is not None}
        if message["role"] == "tool":
            body["id"] = body.pop("tool_call_id")
        found.append((f"gen_ai.{message['role']}.message", body))
    if call.answer:
        body = {"index": 0, "finish_reason": finish(call.answer), "message": chat_message(call.answer)}
        found.append(("gen_ai.choice", body))
    return found


def _flat(body: Record) -> Record:
    return {key: json.dumps(each) if isinstance(each, list | dict) else each for key, each in body.items()}


def _log(conversation: Conversation, call: Call, name: str, **more: Any) -> Record:
    own = {"timeUnixNano": "1", "traceId": conversation.id, "spanId": span_id(call.id), "eventName": name}
    return {**own, **more}


WAYS = (_as_json, _as_values, _as_log_event, _as_older_log_events, _as_older_events, _as_numbered)
