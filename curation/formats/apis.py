"""A logged exchange is a request and what came back; a log has its own words for both, and the API shows in them."""

from typing import Any, NamedTuple

from curation.errors import FormatError
from curation.formats.losses import lose_rest
from curation.formats.reading import Record
from curation.formats.strict import parse_value

# What gateways, batch files and warehouses' logging call the two sides.
REQUESTS = ("request", "request_body", "full_request", "params", "body")
RESPONSES = ("response", "response_body", "full_response", "chunks", "result")
BATCH = ("params", "body", "result")  # words of a batch file alone: elsewhere they may mean anything
WRAPPERS = ("body", "message")  # around an HTTP log's body, around a batch result's message
STATUSES = ("status_code", "statusCode", "status")
WRAPPING = frozenset({*WRAPPERS, *STATUSES, "type", "method", "url", "request_id"})
CONTENTS = ("messages", "input", "choices", "content", "output")  # one of them shows that nothing is wrapped
SSE = ("data:", "event:")

# Blocks that only the Messages API writes, and the items of the Responses API.
BLOCKS = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use"})
ITEMS = frozenset(
    ("message", "reasoning", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output")
)


class Exchange(NamedTuple):
    """The two sides of a record, as they stand there: objects, if it is a good one.

    `request` is the record itself where it is bare. `response` may be a list of streamed events, and is None where
    there is none. `where` is the path of the request, with a dot at its end. `status` is an HTTP log's. `wrapped` holds
    what stood around a side's body, with its path.
    """

    request: Any
    response: Any
    where: str
    status: Any
    wrapped: tuple[tuple[str, Record], ...] = ()


def sides(record: Record) -> Exchange:
    """The request and the response of a record; raises nothing, whatever stands there."""
    key, answered = _named(record, REQUESTS), _named(record, RESPONSES)
    asked = record if key is None else opened(record[key])
    request, _, where = (record, None, "") if key is None else _unwrapped(asked, f"{key}.")
    around = () if request is asked else ((str(key), asked),)
    if answered is None:
        answers = request is record and ("choices" in record or "output" in record or record.get("type") == "message")
        return Exchange(request, record if answers else None, where, None, around)
    came = opened(record[answered])
    response, status, _ = _unwrapped(came, "")
    return Exchange(request, response, where, status, around if response is came else (*around, (answered, came)))


def lose_wrapping(metadata: Record, exchange: Exchange) -> None:
    """Names what stands around a body, other than what every such log has."""
    for where, wrapping in exchange.wrapped:
        lose_rest(metadata, wrapping, WRAPPING, where)


def api_of(exchange: Exchange) -> str | None:
    """`messages` (Anthropic), `responses` or `chat` (OpenAI), by what only one of them writes; None: none of them."""
    request, response = exchange.request, exchange.response
    if not isinstance(request, dict):
        return None
    if _is_messages_api(request, response):
        return "messages"
    if _is_responses_api(request, response, exchange.where == ""):
        return "responses"
    if exchange.where:
        return "chat" if "messages" in request or response is not None else None
    if "messages" not in request or "candidates" in request:
        return None
    told = "tools" in request or "functions" in request or response is not None
    messages = _objects(request["messages"])
    return "chat" if told or any("tool_calls" in m or "function_call" in m for m in messages) else None


def opened(value: Any) -> Any:
    """A side that was logged as text, parsed: JSON, or the lines of an event stream; anything else as it is."""
    if isinstance(value, list):
        return [opened(item) for item in value]
    if not isinstance(value, str):
        return value
    try:
        if value.lstrip().startswith(SSE):
            data = [line[5:].strip() for line in value.splitlines() if line.startswith("data:")]
            return [parse_value(text.encode()) for text in data if text and text != "[DONE]"]
        return parse_value(value.encode())
    except FormatError:
        return value


def _named(record: Record, names: tuple[str, ...]) -> str | None:
    is_batch = "custom_id" in record
    return next((key for key in names if record.get(key) is not None and (is_batch or key not in BATCH)), None)


def _unwrapped(side: Any, where: str) -> tuple[Any, Any, str]:
    """What stands in an HTTP log's body or a batch's message, with the status beside it."""
    if isinstance(side, dict) and not any(key in side for key in CONTENTS):
        for key in WRAPPERS:
            inner = opened(side.get(key))
            if isinstance(inner, dict | list):
                return inner, next((side[s] for s in STATUSES if side.get(s) is not None), None), f"{where}{key}."
    return side, None, where


def _is_messages_api(request: Record, response: Any) -> bool:
    if any(event.get("type") == "message_start" for event in _objects(response)[:3]):
        return True
    if isinstance(response, dict) and response.get("type") == "message" and isinstance(response.get("content"), list):
        return True
    messages = _objects(request.get("messages"))
    if not messages or any("tool_calls" in message or message.get("role") == "tool" for message in messages):
        return False
    if "anthropic_version" in request or any("input_schema" in tool for tool in _objects(request.get("tools"))):
        return True
    if any(str(block.get("type")) in BLOCKS for message in messages for block in _objects(message.get("content"))):
        return True
    return "system" in request and not any("function" in tool for tool in _objects(request.get("tools")))


def _is_responses_api(request: Record, response: Any, bare: bool) -> bool:
    if any(str(event.get("type")).startswith("response.") for event in _objects(response)[:3]):
        return True
    if "messages" in request or "inputs" in request:
        return False
    if isinstance(response, dict) and (response.get("object") == "response" or _are_items(response.get("output"))):
        return True
    if "input" not in request:
        return False
    return _are_items(request["input"]) or "instructions" in request or not (bare or _is_embedding(response))


def _are_items(said: Any) -> bool:
    return any(isinstance(item.get("type"), str) and item["type"] in ITEMS for item in _objects(said))


def _is_embedding(response: Any) -> bool:
    """Embedding and moderation requests have an `input` too; what comes back tells them apart."""
    return isinstance(response, dict) and ("data" in response or "results" in response)


def _objects(said: Any) -> list[Record]:
    return [item for item in said if isinstance(item, dict)] if isinstance(said, list) else []
