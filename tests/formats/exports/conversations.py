"""Two thousand conversations of the public sets in the canonical form, and the samples that they are."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from curation.formats import FORMATS
from curation.formats.answer import function_candidate
from curation.formats.chat import drafts_of
from curation.formats.lines import records
from curation.formats.reading import Record
from curation.formats.strict import parse
from curation.ingest import discover
from curation.sample import Draft, Message, dumps

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
SETS = {"sgd": "sgd", "bfcl": "bfcl_v4"}
WANTED = {"sgd": 200, "bfcl": 1800}
THOUGHTS = ("Look first.", "Two things:\n\n1. find it\n2. “book” it, if it is free – not before", '{"maybe": [1, 2]} ✓')


@dataclass(frozen=True, slots=True)
class Conversation:
    """`messages` end with the answer, or with the request that nobody answered; `tools` as {name, description, parameters}."""

    number: int
    messages: list[Message]
    tools: list[Record]

    @property
    def id(self) -> str:
        return f"conversation-{self.number}"

    @property
    def answer(self) -> Message | None:
        return self.messages[-1] if self.messages[-1]["role"] == "assistant" else None

    @property
    def before(self) -> list[Message]:
        """What the last call of the model was given."""
        return self.messages[:-1] if self.answer else self.messages

    @property
    def calls(self) -> list[int]:
        """Where each answer of the model stands; a request without one is called for in vain, at the end."""
        answers = [i for i, message in enumerate(self.messages) if message["role"] == "assistant"]
        return answers if self.answer else [*answers, len(self.messages)]

    @property
    def samples(self) -> tuple[Draft, ...]:
        """The samples that it holds."""
        return drafts_of(self.messages, [function_candidate(tool) for tool in self.tools], {})


def thought(message: Message) -> tuple[str | None, str]:
    """An assistant's message as (reasoning, text), both as they were written."""
    found = re.fullmatch("<think>(.*?)</think>\n?(.*)", message["content"], re.DOTALL)
    return (found[1], found[2]) if found else (None, message["content"])


def calls_of(message: Message) -> list[tuple[str, str, Record]]:
    """The calls of a message as (id, name, arguments)."""
    found = message.get("tool_calls", ())
    return [(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in found]


def results_after(conversation: Conversation, position: int) -> list[Message]:
    """The results of the calls in the message at this position."""
    found = []
    for message in conversation.messages[position + 1 :]:
        if message["role"] != "tool":
            break
        found.append(message)
    return found


def conversations() -> list[Conversation]:
    """The same ones in the same order every time, or none where the public sets are not there."""
    if not all((DATA / folder).is_dir() for folder in SETS.values()):
        return []
    found: list[tuple[list[Message], list[Record]]] = []
    for name, folder in SETS.items():
        every = list(_read(name, folder))
        found += every[:: len(every) // WANTED[name]][: WANTED[name]]
    return [Conversation(i, _thinking(messages, i), tools) for i, (messages, tools) in enumerate(found)]


def _read(name: str, folder: str) -> Iterator[tuple[list[Message], list[Record]]]:
    for file in discover([str(DATA / folder)]).files:
        complete = FORMATS[name].join(file.path)
        for _, raw in records(file.path):
            draft = FORMATS[name].read(complete(parse(raw))).drafts[0]
            messages = draft.messages if draft.plan is None else [*draft.messages, _answer(draft.plan)]
            tools = [
                {"name": each["pluginId"], "description": each["description"], "parameters": each.get("parameters")}
                for each in draft.candidates or ()
            ]
            if tools and all(tool["parameters"] is not None for tool in tools) and not _is_odd(messages):
                yield _numbered(messages), tools


def _is_odd(messages: list[Message]) -> bool:
    """Whether one speaks twice in a row, or nobody answers after calls were made: no log of all the APIs can say it."""
    roles = [message["role"] for message in messages]
    twice = any(a == b and a != "tool" for a, b in pairwise(roles))
    called = any("tool_calls" in message for message in messages)
    return twice or roles[0] not in ("system", "user") or (called and roles[-1] == "user")


def _answer(plan: str) -> Message:
    """A plan as the message that makes its calls; any other text as it is."""
    try:
        steps = json.loads(plan)["plugins"]
    except (ValueError, TypeError, KeyError):
        return {"role": "assistant", "content": plan}
    if not steps:
        return {"role": "assistant", "content": "There is nothing to call."}
    calls = [_call(step["pluginId"], step["api_request_parameters"]) for step in steps]
    return {"role": "assistant", "content": "", "tool_calls": calls}


def _call(name: str, arguments: Record) -> Record:
    return {"id": "", "type": "function", "function": {"name": name, "arguments": dumps(arguments)}}


def _numbered(messages: list[Message]) -> list[Message]:
    """The messages with ids that say where a call stands, which is what a reader gives a call without an id."""
    renamed: dict[str, str] = {}
    found = []
    for i, message in enumerate(messages):
        calls = []
        for k, call in enumerate(message.get("tool_calls", ())):
            renamed[call["id"]] = f"call_{i}_{k}"
            function = {**call["function"], "arguments": dumps(json.loads(call["function"]["arguments"]))}
            calls.append({**call, "id": f"call_{i}_{k}", "function": function})
        more = {"tool_calls": calls} if calls else {}
        if "tool_call_id" in message:
            more["tool_call_id"] = renamed[message["tool_call_id"]]
        found.append({**message, **more})
    return found


def _thinking(messages: list[Message], number: int) -> list[Message]:
    """The messages with a thought before some of the answers: the public sets have none."""
    found = []
    for i, message in enumerate(messages):
        if message["role"] == "assistant" and (number + i) % 3 == 0:
            block = f"<think>{THOUGHTS[(number + i) // 3 % len(THOUGHTS)]}</think>"
            message = {**message, "content": f"{block}\n{message['content']}" if message["content"] else block}
        found.append(message)
    return found
