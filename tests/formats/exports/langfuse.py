"""Langfuse: a trace with its observations, each on a line, the API's strings, and the blob storage's rows."""

import json
import re
from collections.abc import Iterator

from curation.formats.reading import Record
from tests.formats.exports.conversations import Conversation
from tests.formats.exports.openai import chat_message, chat_tools
from tests.formats.exports.runs import Call, Ran, at, last_second, model_calls, tool_runs


def export(conversations: list[Conversation]) -> Iterator[Record]:
    """The records of each, in one of the ways in turn."""
    for conversation in conversations:
        yield from WAYS[conversation.number % len(WAYS)](conversation)


def _trace(conversation: Conversation) -> Record:
    return {
        "id": conversation.id,
        "timestamp": _time(conversation, 0),
        "name": "assistant",
        "sessionId": None,
        "userId": None,
        "input": None,
        "output": None,
        "metadata": {},
        "tags": [],
    }


def _observations(conversation: Conversation) -> list[Record]:
    root = {
        "id": f"{conversation.id}-root",
        "traceId": conversation.id,
        "type": "SPAN",
        "name": "assistant",
        "startTime": _time(conversation, 0),
        "endTime": _time(conversation, last_second(conversation)),
        "level": "DEFAULT",
        "parentObservationId": None,
    }
    calls = [_generation(conversation, call) for call in model_calls(conversation)]
    return [root, *calls, *(_tool(conversation, ran) for ran in tool_runs(conversation))]


def _generation(conversation: Conversation, call: Call) -> Record:
    return {
        **_observed(conversation, call.id, call.second),
        "type": "GENERATION",
        "name": "OpenAI-generation",
        "model": "planner-5",
        "input": {
            "messages": [chat_message(message) for message in call.given],
            "tools": chat_tools(conversation),
        },
        "output": None if call.answer is None else chat_message(call.answer),
        "level": "DEFAULT" if call.answer else "ERROR",
        "statusMessage": None if call.answer else "overloaded",
        "usageDetails": {"input": 9, "output": 3, "total": 12},
    }


def _tool(conversation: Conversation, ran: Ran) -> Record:
    return {
        **_observed(conversation, ran.id, ran.second),
        "type": "TOOL",
        "name": ran.name,
        "input": ran.arguments,
        "output": ran.result,
        "level": "DEFAULT",
    }


def _observed(conversation: Conversation, identity: str, second: int) -> Record:
    return {
        "id": identity,
        "traceId": conversation.id,
        "parentObservationId": f"{conversation.id}-root",
        "startTime": _time(conversation, second),
        "endTime": _time(conversation, second + 1),
    }


def _time(conversation: Conversation, second: int) -> str:
    return at(conversation, second).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole(conversation: Conversation) -> Iterator[Record]:
    """As `GET /api/public/traces/{id}` answers."""
    yield {**_trace(conversation), "observations": _observations(conversation), "scores": []}


def _on_lines(conversation: Conversation) -> Iterator[Record]:
    yield _trace(conversation)
    yield from _observations(conversation)


def _with_strings(conversation: Conversation) -> Iterator[Record]:
    """As `GET /api/public/v2/observations` answers: what was said is text, and the trace's own fields are repeated."""
    for each in _observations(conversation):
        told = {key: _text(each.get(key)) for key in ("input", "output")}
        yield {**each, **told, "providedModelName": each.pop("model", None), "traceName": "assistant", "tags": []}


def _rows(conversation: Conversation) -> Iterator[Record]:
    """As the blob storage gets them: columns of the database, text, and nothing is null."""
    for each in _with_strings(conversation):
        row = {re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower(): value for key, value in each.items()}
        for key in ("start_time", "end_time"):
            row[key] = f"{row[key][:10]} {row[key][11:-1]}000"
        yield {key: "" if value is None else value for key, value in row.items()}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) or value is None else json.dumps(value)


WAYS = (_whole, _on_lines, _with_strings, _rows)
