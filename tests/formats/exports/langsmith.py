"""LangSmith: runs on lines, with their children, as two halves, with LangChain's messages, and as a bulk export's rows."""

import json
from collections.abc import Iterator

from curation.formats.reading import Record
from curation.sample import Message
from tests.formats.exports.conversations import Conversation, calls_of, thought
from tests.formats.exports.openai import chat_message, chat_tools, choice
from tests.formats.exports.runs import Call, Ran, at, last_second, model_calls, tool_runs

CLASSES = {"system": "SystemMessage", "user": "HumanMessage", "assistant": "AIMessage", "tool": "ToolMessage"}


def export(conversations: list[Conversation]) -> Iterator[Record]:
    """The records of each, in one of the ways in turn."""
    for conversation in conversations:
        yield from WAYS[conversation.number % len(WAYS)](conversation)


def _runs(conversation: Conversation, langchain: bool = False) -> list[Record]:
    told = _langchain if langchain else _wrapped
    calls = [
        {**_run(conversation, call.id, call.second), "run_type": "llm", "name": "Chat", **told(conversation, call)}
        for call in model_calls(conversation)
    ]
    tools = [
        {**_run(conversation, ran.id, ran.second), "run_type": "tool", "name": ran.name, **_tool(ran, langchain)}
        for ran in tool_runs(conversation)
    ]
    return [_root(conversation), *calls, *tools]


def _root(conversation: Conversation) -> Record:
    return {
        "id": conversation.id,
        "trace_id": conversation.id,
        "run_type": "chain",
        "name": "assistant",
        "start_time": _time(conversation, 0),
        "end_time": _time(conversation, last_second(conversation)),
        "dotted_order": f"{_stamp(conversation, 0)}{conversation.id}",
        "parent_run_id": None,
        "status": "success",
        "inputs": {"question": "x"},
        "outputs": {"answer": "y"},
    }


def _run(conversation: Conversation, identity: str, second: int) -> Record:
    return {
        "id": identity,
        "trace_id": conversation.id,
        "parent_run_id": conversation.id,
        "start_time": _time(conversation, second),
        "end_time": _time(conversation, second + 1),
        "dotted_order": f"{_root(conversation)['dotted_order']}.{_stamp(conversation, second)}{identity}",
        "status": "success",
    }


def _wrapped(conversation: Conversation, call: Call) -> Record:
    """As the wrapped client of OpenAI is traced."""
    inputs = {
        "messages": [chat_message(message) for message in call.given],
        "tools": chat_tools(conversation),
        "model": "planner-5",
    }
    if call.answer is None:
        return {"inputs": inputs, "outputs": None, "error": "overloaded", "status": "error"}
    usage = {"prompt_tokens": 9, "completion_tokens": 3}
    return {"inputs": inputs, "outputs": {"choices": [choice(call.answer)], "usage": usage}}


def _langchain(conversation: Conversation, call: Call) -> Record:
    inputs = {"messages": [[_constructed(message) for message in call.given]]}
    extra = {"invocation_params": {"model": "planner-5", "tools": chat_tools(conversation)}}
    if call.answer is None:
        return {"inputs": inputs, "outputs": None, "extra": extra, "error": "overloaded", "status": "error"}
    generation = {"text": thought(call.answer)[1], "message": _constructed(call.answer), "type": "ChatGeneration"}
    return {"inputs": inputs, "outputs": {"generations": [[generation]], "llm_output": None}, "extra": extra}


def _constructed(message: Message) -> Record:
    """A message as LangChain serialises it."""
    name = CLASSES[message["role"]]
    kwargs: Record = {"content": message["content"], "type": name.removesuffix("Message").lower()}
    if message["role"] == "assistant":
        reasoning, kwargs["content"] = thought(message)
        kwargs["additional_kwargs"] = {} if reasoning is None else {"reasoning_content": reasoning}
        kwargs["tool_calls"] = [
            {"name": called, "args": arguments, "id": call_id, "type": "tool_call"}
            for call_id, called, arguments in calls_of(message)
        ]
        kwargs["invalid_tool_calls"] = []
    elif message["role"] == "tool":
        kwargs["tool_call_id"] = message["tool_call_id"]
    return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", name], "kwargs": kwargs}


def _tool(ran: Ran, langchain: bool) -> Record:
    if not langchain:
        return {"inputs": ran.arguments, "outputs": {"output": ran.result}}
    message = {"role": "tool", "content": ran.result, "tool_call_id": ran.call_id}
    return {"inputs": {"input": str(ran.arguments)}, "outputs": {"output": _constructed(message)}}


def _time(conversation: Conversation, second: int) -> str:
    return at(conversation, second).isoformat(timespec="microseconds").removesuffix("+00:00")


def _stamp(conversation: Conversation, second: int) -> str:
    return at(conversation, second).strftime("%Y%m%dT%H%M%S%fZ")


def _on_lines(conversation: Conversation) -> Iterator[Record]:
    yield from _runs(conversation)


def _of_langchain(conversation: Conversation) -> Iterator[Record]:
    yield from _runs(conversation, langchain=True)


def _nested(conversation: Conversation) -> Iterator[Record]:
    root, *children = _runs(conversation, langchain=True)
    yield {**root, "child_runs": children}


def _halves(conversation: Conversation) -> Iterator[Record]:
    """As the SDK sends a run: when it begins, and what is new when it has ended."""
    for run in _runs(conversation):
        late = ("outputs", "end_time", "status", "error")
        yield {key: value for key, value in run.items() if key not in late}
        yield {key: run[key] for key in ("id", "trace_id", "dotted_order", *late) if key in run}


def _rows(conversation: Conversation) -> Iterator[Record]:
    """A bulk export's columns: what is an object elsewhere is text here."""
    for run in _runs(conversation, langchain=conversation.number % 2 == 0):
        yield {
            key: json.dumps(value) if isinstance(value, dict) else value
            for key, value in run.items()
            if value is not None
        }


WAYS = (_on_lines, _of_langchain, _nested, _halves, _rows)
