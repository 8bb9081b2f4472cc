"""Logs of the Messages API: two sides, bare, streamed, on Vertex, and as a batch's results beside its requests."""

import json
from collections.abc import Iterator

from curation.formats.reading import Record
from curation.sample import Message, dumps
from tests.formats.exports.conversations import Conversation, calls_of, thought
from tests.formats.exports.openai import pieces

ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def export(conversations: list[Conversation]) -> Iterator[Record]:
    """One record for each, in one of the ways in turn."""
    for conversation in conversations:
        yield {"trace_id": conversation.id, **WAYS[conversation.number % len(WAYS)](conversation)}


def blocks(message: Message) -> list[Record]:
    """An assistant's message as blocks."""
    reasoning, text = thought(message)
    found: list[Record] = []
    if reasoning is not None:
        found.append({"type": "thinking", "thinking": reasoning, "signature": "c2ln"})
    if text:
        found.append({"type": "text", "text": text})
    return found + [
        {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
        for call_id, name, arguments in calls_of(message)
    ]


def turns(messages: list[Message]) -> list[Record]:
    """User and assistant by turns: the results of calls, and what the user says next, are one turn."""
    found: list[Record] = []
    for message in messages:
        if message["role"] == "system":
            continue
        if message["role"] == "assistant":
            found.append({"role": "assistant", "content": blocks(message)})
            continue
        if message["role"] == "tool":
            block = {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": message["content"]}
        else:
            block = {"type": "text", "text": message["content"]}
        if not found or found[-1]["role"] != "user":
            found.append({"role": "user", "content": []})
        found[-1]["content"].append(block)
    return found


def tools(conversation: Conversation) -> list[Record]:
    return [
        {"name": tool["name"], "description": tool["description"], "input_schema": tool["parameters"]}
        for tool in conversation.tools
    ]


def request(conversation: Conversation, messages: list[Message]) -> Record:
    system = [message["content"] for message in messages if message["role"] == "system"]
    return {
        "max_tokens": 4096,
        "messages": turns(messages),
        "tools": tools(conversation),
        **({"system": system[0]} if system else {}),
    }


def message(answer: Message) -> Record:
    reason = "tool_use" if "tool_calls" in answer else "end_turn"
    return {"type": "message", "role": "assistant", "content": blocks(answer), "stop_reason": reason}


def _log(conversation: Conversation) -> Record:
    answer = conversation.answer
    response = ERROR if answer is None else message(answer)
    return {"request": {"model": "claude-x", **request(conversation, conversation.before)}, "response": response}


def _bare(conversation: Conversation) -> Record:
    return request(conversation, conversation.messages)


def _vertex(conversation: Conversation) -> Record:
    """A warehouse's request-response log keeps both as text."""
    sides = _log(conversation)
    body = {"anthropic_version": "vertex-2023-10-16", **sides["request"]}
    del body["model"]
    return {"full_request": json.dumps(body), "full_response": json.dumps(sides["response"])}


def _batch(conversation: Conversation) -> Record:
    sides = _log(conversation)
    kept = {"type": "errored", "error": ERROR} if conversation.answer is None else {"type": "succeeded"}
    result = kept if conversation.answer is None else {**kept, "message": sides["response"]}
    return {"custom_id": conversation.id, "params": sides["request"], "result": result}


def _streamed(conversation: Conversation) -> Record:
    answer = conversation.answer
    if answer is None:
        return _log(conversation)
    events: list[Record] = [
        {"type": "message_start", "message": {**message(answer), "content": [], "stop_reason": None}}
    ]
    for i, block in enumerate(blocks(answer)):
        empty = {"thinking": "", "text": "", "input": {}}
        begun = {key: empty.get(key, value) for key, value in block.items()}
        events.append({"type": "content_block_start", "index": i, "content_block": begun})
        for kind, member, text in (
            ("thinking_delta", "thinking", block.get("thinking", "")),
            ("signature_delta", "signature", block.get("signature", "")),
            ("text_delta", "text", block.get("text", "")),
            ("input_json_delta", "partial_json", dumps(block["input"]) if "input" in block else ""),
        ):
            events += [
                {"type": "content_block_delta", "index": i, "delta": {"type": kind, member: piece}}
                for piece in pieces(text)
            ]
        events.append({"type": "content_block_stop", "index": i})
    events.append({"type": "message_delta", "delta": {"stop_reason": message(answer)["stop_reason"]}})
    events.append({"type": "message_stop"})
    return {"request": request(conversation, conversation.before), "response": events}


WAYS = (_log, _bare, _vertex, _batch, _streamed)
