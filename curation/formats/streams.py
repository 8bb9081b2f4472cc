"""The pieces of a streamed answer are put together again into the response that they were."""

from collections.abc import Iterable
from typing import Any

from curation.errors import FormatError
from curation.formats.fields import wrong
from curation.formats.reading import Record
from curation.formats.strict import parse_value

ENDED = ("response.completed", "response.incomplete", "response.failed")
TEXTS = ("content", "reasoning_content", "reasoning", "refusal")  # what a chat delta brings piece by piece

CALLED = {"function": "arguments", "custom": "input"}  # what a call in a chat delta holds, and what of it grows

# Where a Responses item keeps what a delta event adds to, by the event's type.
GROWING = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
    "response.mcp_call_arguments.delta": "arguments",
    "response.code_interpreter_call_code.delta": "code",
    "response.reasoning_text.delta": "text",
    "response.reasoning_summary_text.delta": "text",
}
# The same for a block of the Messages API: the delta's own member, and the block's.
BLOCK_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "input"),
    "compaction_delta": ("content", "content"),
}
# What an event of the Messages API consists of, besides what it says of its block or its message.
EVENT = ("type", "index", "delta", "message", "content_block", "usage", "error")


def joined(events: list[Any], where: str) -> tuple[Record, bool]:
    """The response of any of the three APIs, and whether its stream came to its end."""
    pieces = []
    for i, event in enumerate(events):
        if not isinstance(event, dict):
            raise wrong(f"{where}[{i}]", event, "an object")
        pieces.append(event)
    kinds = [str(piece.get("type")) for piece in pieces]
    if any(kind.startswith("response.") for kind in kinds):
        return _response(pieces)
    if "message_start" in kinds:
        return _message(pieces)
    if any(isinstance(piece.get("choices"), list) for piece in pieces):
        return _completion(pieces)
    raise FormatError(f"{where} is a list of no known kind of streamed events")


def _completion(chunks: list[Record]) -> tuple[Record, bool]:
    """The first choice of chat-completion chunks; usage may come in a chunk of its own."""
    response: Record = {}
    message: Record = {"role": "assistant"}
    whole: Record = {"message": message}
    calls: dict[Any, Record] = {}
    reason = None
    others = set()
    for chunk in chunks:
        response |= {key: value for key, value in chunk.items() if key != "choices" and value is not None}
        for choice in _objects(chunk.get("choices")):
            if choice.get("index", 0) != 0:
                others.add(str(choice["index"]))
                continue
            reason = choice.get("finish_reason") or reason
            _keep(whole, choice, ("index", "delta", "finish_reason"))
            if isinstance(choice.get("delta"), dict):
                _grow_message(message, calls, choice["delta"])
    if calls:
        message["tool_calls"] = list(calls.values())
    return {**response, "choices": [{**whole, "finish_reason": reason}, *({} for _ in others)]}, reason is not None


def _grow_message(message: Record, calls: dict[Any, Record], delta: Record) -> None:
    """Adds what one chunk brings; a member that does not come bit by bit is kept as it first came."""
    for key in TEXTS:
        _grow(message, key, delta.get(key))
    for call in _objects(delta.get("tool_calls")):
        _grow_call(calls, call)
    older = delta.get("function_call")
    if isinstance(older, dict):
        held = message.setdefault("function_call", {})
        _grow(held, "arguments", older.get("arguments"))
        _keep(held, older, ("arguments",))
    if isinstance(delta.get("audio"), dict):
        spoken = message.setdefault("audio", {})
        _grow(spoken, "transcript", delta["audio"].get("transcript"))
        _keep(spoken, delta["audio"], ("transcript",))
    _keep(message, delta, (*TEXTS, "tool_calls", "function_call", "audio"))


def _grow_call(calls: dict[Any, Record], piece: Record) -> None:
    """Adds a piece to the call with its index: the id and the name come once, the arguments bit by bit."""
    index = piece.get("index")
    known = calls.setdefault(index if isinstance(index, int) else len(calls), {})
    _keep(known, piece, ("index", *CALLED))
    for kind, grown in CALLED.items():
        if isinstance(piece.get(kind), dict):
            held = known.setdefault(kind, {})
            _keep(held, piece[kind], (grown,))
            _grow(held, grown, piece[kind].get(grown))


def _response(events: list[Record]) -> tuple[Record, bool]:
    """What the last event of a Responses stream says whole; of a cut one, its items as far as they came."""
    last = next((e["response"] for e in reversed(events) if e.get("type") in ENDED and "response" in e), None)
    if isinstance(last, dict) and last.get("output"):
        return last, True
    first: Record = next((event["response"] for event in events if isinstance(event.get("response"), dict)), {})
    failed: Record = next(({"error": event} for event in events if event.get("type") == "error"), {})
    output = _items(events)
    if isinstance(last, dict):  # some servers leave out of the end what they have said before
        return ({**last, "output": output} if output else last), True
    return {**first, **failed, "output": output}, False


def _items(events: list[Record]) -> list[Record]:
    """The items of a Responses stream, as far as they came."""
    items: dict[Any, Record] = {}
    for event in events:
        place, kind = event.get("output_index"), event.get("type")
        place = place if isinstance(place, int) else 0
        item = event.get("item")
        if kind in ("response.output_item.added", "response.output_item.done") and isinstance(item, dict):
            items[place] = {**item, "done": kind.endswith("done")}
        elif kind == "response.reasoning_summary_part.added" and "text" in items.get(place, {}):
            _grow(items[place], "text", "\n\n")
        elif str(kind) in GROWING and not items.setdefault(place, {"type": "message"}).get("done"):
            _grow(items[place], GROWING[str(kind)], event.get("delta"))
    return [_item(items[place]) for place in sorted(items)]


def _item(grown: Record) -> Record:
    """An item in its own form; the text of one that was never finished is wrapped as its type wants it."""
    item = {key: value for key, value in grown.items() if key not in ("done", "text", "refusal")}
    if item.get("type") == "reasoning" and "text" in grown:
        return {**item, "summary": [{"type": "summary_text", "text": grown["text"]}]}
    texts = [{"type": "output_text", "text": grown["text"]}] if "text" in grown else []
    refusals = [{"type": "refusal", "refusal": grown["refusal"]}] if "refusal" in grown else []
    return {**item, "role": "assistant", "content": texts + refusals} if texts or refusals else item


def _message(events: list[Record]) -> tuple[Record, bool]:
    """A message of the Messages API from its blocks' deltas; a call's arguments that break off stay text."""
    message: Record = {}
    blocks: dict[Any, Record] = {}
    ended = False
    for event in events:
        kind, index, delta = event.get("type"), event.get("index"), event.get("delta")
        place = index if isinstance(index, int) else len(blocks)
        delta = delta if isinstance(delta, dict) else {}
        if kind == "message_start" and isinstance(event.get("message"), dict):
            message |= event["message"]
        elif kind == "content_block_start" and isinstance(event.get("content_block"), dict):
            blocks[place] = dict(event["content_block"])
        elif kind == "content_block_delta" and place in blocks:
            _grow_block(blocks[place], delta)
        elif kind == "message_delta":
            message |= {key: value for key, value in delta.items() if value is not None}
            if isinstance(message.get("usage"), dict) and isinstance(event.get("usage"), dict):
                message["usage"] = message["usage"] | event["usage"]
        elif kind == "error":
            message["error"] = event.get("error")
        ended = ended or kind == "message_stop"
        _keep(message, event, EVENT)
    content = [_with_input(blocks[place]) for place in sorted(blocks)]
    return {**message, "content": content}, ended


def _grow_block(block: Record, delta: Record) -> None:
    """Adds what one event brings to its block; what does not come bit by bit, such as a citation, is kept as it came."""
    kind = str(delta.get("type"))
    said, grown = BLOCK_DELTAS.get(kind, ("", ""))
    if grown and not isinstance(block.get(grown), str):
        block[grown] = ""
    _grow(block, grown, delta.get(said))
    if kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or []), delta.get("citation")]
    _keep(block, delta, ("type", said, "citation"))


def _with_input(block: Record) -> Record:
    if not isinstance(block.get("input"), str):
        return block
    try:
        return {**block, "input": parse_value(block["input"].encode()) if block["input"] else {}}
    except FormatError:
        return block


def _grow(holder: Record, key: str, piece: Any) -> None:
    if isinstance(piece, str):
        before = holder.get(key)
        holder[key] = (before if isinstance(before, str) else "") + piece


def _keep(holder: Record, piece: Record, known: Iterable[str]) -> None:
    """Keeps every other member of a piece, where the holder has none yet: its reader names what it has no place for."""
    for key, value in piece.items():
        if key not in known and value is not None and holder.get(key) in (None, ""):
            holder[key] = value


def _objects(said: Any) -> Iterable[Record]:
    return [item for item in said if isinstance(item, dict)] if isinstance(said, list) else ()
