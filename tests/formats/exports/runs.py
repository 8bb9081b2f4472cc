"""A conversation as the steps that a platform sees: the calls of the model, and the calls of tools between them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from curation.sample import Message
from tests.formats.exports.conversations import Conversation, calls_of, results_after, thought

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the model: what it was given, what it answered (None: it failed), and when, in seconds."""

    id: str
    given: list[Message]
    answer: Message | None
    second: int


@dataclass(frozen=True, slots=True)
class Ran:
    """One call of a tool that a model asked for."""

    id: str
    name: str
    call_id: str
    arguments: dict[str, object]
    result: str
    second: int


def model_calls(conversation: Conversation) -> list[Call]:
    """Every second conversation is of a client that does not send the reasoning back."""
    found = []
    for i in conversation.calls:
        given = conversation.messages[:i]
        if conversation.number % 2:
            given = [_without_thought(message) for message in given]
        answer = conversation.messages[i] if i < len(conversation.messages) else None
        found.append(Call(f"{conversation.id}-call-{i}", given, answer, 10 * i))
    return found


def tool_runs(conversation: Conversation) -> list[Ran]:
    """The tools that ran, in the order in which they came back: the last call of several first."""
    found = []
    for i in conversation.calls:
        if i >= len(conversation.messages):
            break
        told = {message["tool_call_id"]: message["content"] for message in results_after(conversation, i)}
        for k, (call_id, name, arguments) in enumerate(reversed(calls_of(conversation.messages[i]))):
            if call_id in told:
                ran = Ran(f"{conversation.id}-tool-{i}-{k}", name, call_id, arguments, told[call_id], 10 * i + 2 + k)
                found.append(ran)
    return found


def at(conversation: Conversation, second: int) -> datetime:
    """Conversations follow one another by the hour."""
    return BEGIN + timedelta(hours=conversation.number, seconds=second)


def last_second(conversation: Conversation) -> int:
    return 10 * len(conversation.messages) + 9


def _without_thought(message: Message) -> Message:
    return {**message, "content": thought(message)[1]} if message["role"] == "assistant" else message
