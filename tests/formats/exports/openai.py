"""Logs of chat completions and of the Responses API: bare, in two sides, streamed, or as an HTTP log's text."""

import json
from collections.abc import Iterator

from curation.formats.reading import Record
from curation.sample import Message, dumps
from tests.formats.exports.conversations import Conversation, calls_of, thought

ERROR = {"error": {"message": "overloaded", "type": "server_error"}}


def export(conversations: list[Conversation]) -> Iterator[Record]:
    """One record for each, in one of the ways in turn."""
    for conversation in conversations:
        yield {"trace_id": conversation.id, **WAYS[conversation.number % len(WAYS)](conversation)}


def chat_message(message: Message) -> Record:
    """A message as the chat API has it; reasoning stands beside the text."""
    if message["role"] != "assistant":
        return dict(message)
    reasoning, text = thought(message)
    said: Record = {"role": "assistant", "content": text or None}
    if reasoning is not None:
        said["reasoning_content"] = reasoning
    if "tool_calls" in message:
        said["tool_calls"] = message["tool_calls"]
    return said


def chat_tools(conversation: Conversation) -> list[Record]:
    return [{"type": "function", "function": tool} for tool in conversation.tools]


def request(conversation: Conversation) -> Record:
    return {
        "model": "planner-5",
        "messages": [chat_message(message) for message in conversation.before],
        "tools": chat_tools(conversation),
    }


def choice(answer: Message) -> Record:
    reason = "tool_calls" if "tool_calls" in answer else "stop"
    return {"index": 0, "message": chat_message(answer), "finish_reason": reason}


def _log(conversation: Conversation) -> Record:
    answer = conversation.answer
    response = ERROR if answer is None else {"object": "chat.completion", "choices": [choice(answer)]}
    return {"request": request(conversation), "response": response}


def _bare(conversation: Conversation) -> Record:
    messages = [chat_message(message) for message in conversation.messages]
    return {"messages": messages, "tools": chat_tools(conversation)}


def _as_text(conversation: Conversation) -> Record:
    log = _log(conversation)
    return {side: {"status_code": 200, "body": json.dumps(log[side])} for side in log}


def _streamed(conversation: Conversation) -> Record:
    """Pieces of some letters each, as a stream brings them."""
    answer = conversation.answer
    if answer is None:
        return _log(conversation)
    reasoning, text = thought(answer)
    deltas: list[Record] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": piece} for piece in pieces(reasoning or "")]
    deltas += [{"content": piece} for piece in pieces(text)]
    for i, (call_id, name, arguments) in enumerate(calls_of(answer)):
        begun = {"index": i, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        deltas.append({"tool_calls": [begun]})
        deltas += [
            {"tool_calls": [{"index": i, "function": {"arguments": piece}}]} for piece in pieces(dumps(arguments))
        ]
    chunks: list[Record] = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": choice(answer)["finish_reason"]}]})
    chunks.append({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}})
    return {"request": request(conversation), "response": chunks}


def pieces(text: str, size: int = 7) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def items(message: Message) -> list[Record]:
    """A message as items of the Responses API."""
    if message["role"] == "tool":
        return [{"type": "function_call_output", "call_id": message["tool_call_id"], "output": message["content"]}]
    if message["role"] != "assistant":
        return [{"role": message["role"], "content": [{"type": "input_text", "text": message["content"]}]}]
    reasoning, text = thought(message)
    found: list[Record] = []
    if reasoning is not None:
        found.append({"type": "reasoning", "summary": [{"type": "summary_text", "text": reasoning}]})
    if text:
        found.append({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]})
    for call_id, name, arguments in calls_of(message):
        found.append({"type": "function_call", "call_id": call_id, "name": name, "arguments": dumps(arguments)})
    return found


def _asked(conversation: Conversation) -> Record:
    return {
        "model": "planner-5",
        "input": [item for message in conversation.before for item in items(message)],
        "tools": [{"type": "function", **tool} for tool in conversation.tools],
    }


def _response(answer: Message | None) -> Record:
    if answer is None:
        return {"object": "response", "status": "failed", "error": {"code": "server_error"}, "output": []}
    return {"object": "response", "status": "completed", "output": items(answer)}


def _responses(conversation: Conversation) -> Record:
    return {"request": _asked(conversation), "response": _response(conversation.answer)}


def _response_events(conversation: Conversation) -> Record:
    """Only what a stream says item by item: its last event was logged without the response."""
    answer = conversation.answer
    if answer is None:
        return _responses(conversation)
    events: list[Record] = [{"type": "response.created", "response": {"object": "response", "status": "in_progress"}}]
    for i, item in enumerate(items(answer)):
        events.append(
            {"type": "response.output_item.added", "output_index": i, "item": {**item, "status": "in_progress"}}
        )
        events.append({"type": "response.output_item.done", "output_index": i, "item": item})
    events.append({"type": "response.completed", "response": _response(answer)})
    return {"request": _asked(conversation), "response": events}


WAYS = (_log, _bare, _as_text, _streamed, _responses, _response_events)
