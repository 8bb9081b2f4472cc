"""Logs of Anthropic's Messages API, first-party or Vertex: a request with its tools, and the message that came back."""

from typing import Any

from curation.errors import FormatError
from curation.formats.answer import OPEN
from curation.formats.apis import REQUESTS, RESPONSES, api_of, lose_wrapping, sides
from curation.formats.batches import completes_answers, is_answer_alone, with_request
from curation.formats.chat import candidates_of_tools, drafts_of, unwrap
from curation.formats.fields import OWN, metadata_of, origin, wrong
from curation.formats.losses import lose, lose_cut, lose_rest, lost_of
from curation.formats.messages import assistant_message, call_message, text_of
from curation.formats.outcomes import note_outcome, note_settings, note_tool_error
from curation.formats.reading import Format, Reading, Record
from curation.formats.streams import joined
from curation.sample import Draft, Message

IDS = ("trace_id", "id", "request_id", "custom_id")
TIMES = ("created_at", "logging_time")
REQUEST = frozenset({"messages", "system", "tools"})
RESPONSE = frozenset({"id", "type", "role", "content", "stop_reason"})
KNOWN = OWN | {*IDS, *TIMES, *REQUESTS, *RESPONSES, *REQUEST, *RESPONSE, "usage", "error"}
ALONE = (
    "holds an answer without its request; put the request beside it as `request`, or the file of the batch's requests, "
    "with the same custom_id, into the same folder"
)
UNTRIED = ("canceled", "expired")  # a batch's word for a request that was never sent
SAID = frozenset({"role", "content"})
CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
CALL = frozenset({"type", "id", "name", "input", "server_name"})
RESULT = frozenset({"type", "tool_use_id", "content", "is_error"})
TEXT = frozenset({"type", "text"})
THINKING = frozenset({"type", "thinking"})


def recognises(record: Record) -> bool:
    """Messages with the blocks, the tools or the `system` of the Messages API, or a message that answers them."""
    return api_of(sides(record)) == "messages" or (is_answer_alone(record) and "result" in record)


def read(record: Record) -> Reading:
    """The samples of one logged exchange, or of a bare `{system, messages, tools}`."""
    exchange = sides(record)
    request, where = exchange.request, exchange.where
    if not isinstance(request, dict):
        raise wrong(where[:-1], request, "an object")
    if exchange.response is not None and request is record and "messages" not in record:
        raise FormatError(ALONE)
    metadata = metadata_of(record, KNOWN)
    lose_wrapping(metadata, exchange)
    response = _whole(exchange.response, metadata)
    if request is not record:
        note_settings(metadata, request, REQUEST, where)
    if response is not None and response is not record:
        note_settings(metadata, response, RESPONSE, "response.")
    note_outcome(metadata, (response or {}, request, record, {"status": exchange.status}))
    messages = _messages(request, metadata, where)
    answered = response is not None and bool(response.get("content"))
    if response is not None and answered:
        if response.get("stop_reason") is not None:
            metadata.setdefault("finish_reason", response["stop_reason"])
        lose_cut(metadata, response.get("stop_reason"), "response.content")
        answer = _spoken("assistant", response["content"], metadata, "response.content", len(messages))
        messages = _continued(messages, answer)
    said, embedded = unwrap(messages, f"{where}messages")
    tools = request.get("tools")
    offered = embedded if tools is None else candidates_of_tools(tools, metadata, f"{where}tools")
    logged = response is not None or (request is not record and bool(metadata.get("error")))
    drafts = (Draft("prompt", said, offered),) if logged and not answered else drafts_of(said, offered, metadata)
    fields = origin(record, metadata, IDS, next((record[key] for key in TIMES if record.get(key)), None))
    if fields["trace_id"] is None and isinstance((response or {}).get("id"), str):
        fields["trace_id"] = (response or {})["id"]
    return Reading(drafts, **fields, metadata=metadata, lost=lost_of(metadata))


def _continued(messages: list[Message], answer: list[Message]) -> list[Message]:
    """The messages with the answer; a turn that the request began (a prefill, a paused turn) is one with its end."""
    last, first = messages[-1], answer[0]
    if last["role"] != "assistant" or "tool_calls" in last or first["content"].startswith(OPEN):
        return messages + answer
    return [*messages[:-1], {**first, "content": last["content"] + first["content"]}, *answer[1:]]


def _whole(response: Any, metadata: Record) -> Record | None:
    """The response as one message; of a stream that broke off, as much as came."""
    if isinstance(response, list):
        response, ended = joined(response, "response")
        if not ended:
            lose(metadata, "truncated", "response.content")
    if response is not None and not isinstance(response, dict):
        raise wrong("response", response, "an object")
    if response is None:
        return None
    told: Record = {**response, "error": response["type"]} if response.get("type") in UNTRIED else response
    if "content" not in told and not told.get("error"):
        raise FormatError("response has neither content nor an error")
    return told


def _messages(request: Record, metadata: Record, where: str) -> list[Message]:
    """The system's words and the turns, each of which may become several messages."""
    listed = request.get("messages")
    if listed is None:
        raise FormatError(f"{where}messages is missing")
    if not isinstance(listed, list):
        raise wrong(f"{where}messages", listed, "a list")
    if not listed:
        raise FormatError(f"{where}messages is empty")
    messages: list[Message] = []
    if request.get("system"):
        text = text_of(request["system"], metadata, f"{where}system", "system")
        messages.append({"role": "system", "content": text})
    for i, turn in enumerate(listed):
        place = f"{where}messages[{i}]"
        if not isinstance(turn, dict):
            raise wrong(place, turn, "an object")
        role = turn.get("role")
        if role not in ("user", "assistant", "system"):
            raise FormatError(f"{place}.role is {str(role)[:40]!r}, not one of user, assistant, system")
        lose_rest(metadata, turn, SAID, place)
        messages += _spoken(role, turn.get("content"), metadata, f"{place}.content", len(messages))
    return messages


def _spoken(role: str, content: object, metadata: Record, where: str, position: int) -> list[Message]:
    """One turn's content, a string or blocks, as messages; `position` numbers a call without an id."""
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    if not isinstance(content, list):
        raise wrong(where, content, "a string or a list of blocks")
    turn = _Turn(role, metadata, position)
    for i, block in enumerate(content):
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise FormatError(f"{where}[{i}] is not an object with a type")
        turn.add(block, f"{where}[{i}]", where)
    return turn.messages()


class _Turn:
    """Gathers blocks; a tool's result ends the message before it, in the user's turn and in the assistant's."""

    def __init__(self, role: str, metadata: Record, position: int) -> None:
        self._role, self._metadata, self._position = role, metadata, position
        self._done: list[Message] = []
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[Record] = []

    def add(self, block: Record, place: str, where: str) -> None:
        """One more block."""
        kind: str = block["type"]
        if kind == "text" and isinstance(block.get("text"), str):
            lose_rest(self._metadata, block, TEXT, f"{where}.text")
            self._texts.append(block["text"])
        elif kind == "thinking" and isinstance(block.get("thinking"), str):
            lose_rest(self._metadata, block, THINKING, f"{where}.thinking")
            if block["thinking"]:
                self._thoughts.append(block["thinking"])
            else:  # the platform shows that there was some, and keeps it
                lose(self._metadata, "missing", f"{where}.thinking")
        elif kind in CALLS:
            self._call(block, place, where)
        elif kind.endswith("tool_result"):
            self._result(block, place, where)
        else:
            text_of([block], self._metadata, where, self._role)  # which names it as lost

    def messages(self) -> list[Message]:
        """What was gathered; a turn of which nothing can be carried over is an empty message."""
        self._end()
        return self._done or [{"role": self._role, "content": ""}]

    def _end(self) -> None:
        text = "\n".join(self._texts)
        if self._role == "assistant" and (self._texts or self._thoughts or self._calls):
            reasoning = "\n\n".join(self._thoughts) if self._thoughts else None
            self._done.append(assistant_message(text, reasoning, self._calls))
        elif self._texts:
            self._done.append({"role": self._role, "content": text})
        self._texts, self._thoughts, self._calls = [], [], []

    def _call(self, block: Record, place: str, where: str) -> None:
        lose_rest(self._metadata, block, CALL, f"{where}.{block['type']}")
        name, call_id = block.get("name"), block.get("id")
        if not isinstance(name, str):
            raise wrong(f"{place}.name", name, "a string")
        unnamed = f"call_{self._position + len(self._done)}_{len(self._calls)}"
        self._calls.append(call_message(call_id if isinstance(call_id, str) else unnamed, name, block.get("input")))

    def _result(self, block: Record, place: str, where: str) -> None:
        self._end()
        lose_rest(self._metadata, block, RESULT, f"{where}.{block['type']}")
        call_id = block.get("tool_use_id")
        if not isinstance(call_id, str):
            raise wrong(f"{place}.tool_use_id", call_id, "a string")
        said = block.get("content")
        if block.get("is_error") or (isinstance(said, dict) and str(said.get("type")).endswith("_error")):
            note_tool_error(self._metadata)
        text = text_of(said, self._metadata, f"{where}.{block['type']}.content", "tool")
        self._done.append({"role": "tool", "content": text, "tool_call_id": call_id})


FORMAT = Format("anthropic", "2", recognises, read, with_request, completes_answers)
