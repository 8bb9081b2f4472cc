"""OpenAI's logs: a request with its tools, and the response with its calls; or bare messages with tools."""

from typing import Any

from curation.errors import FormatError
from curation.formats.apis import REQUESTS, RESPONSES, Exchange, api_of, lose_wrapping, sides
from curation.formats.batches import completes_answers, is_answer_alone, with_request
from curation.formats.chat import drafts_of, offered_by, unwrap
from curation.formats.fields import OWN, metadata_of, origin, wrong
from curation.formats.losses import lose, lose_cut, lose_rest, lost_of
from curation.formats.messages import canonical, canonical_message
from curation.formats.outcomes import note_outcome, note_settings
from curation.formats.reading import Format, Reading, Record
from curation.formats.responses import ASKED, ECHOED, conversation, note_end
from curation.formats.streams import joined
from curation.sample import Draft

PREFERRED, REJECTED = "preferred_output", "non_preferred_output"  # of a file for tuning on preferences
IDS = ("trace_id", "id", "request_id", "custom_id")
TIMES = ("created_at", "created", "logging_time")
REQUEST = frozenset({"messages", "tools", "functions", *ASKED})
RESPONSE = frozenset({"id", "object", "created", "choices", *ECHOED})
CHOICE = frozenset({"index", "message", "finish_reason"})
ANSWERS = ("chat.completion", "response")
ALONE = (
    "holds an answer without its request; put the request beside it as `request`, or what it was asked as `messages` "
    "(chat completions) or `input` (responses); of a batch, put the file of its requests, with the same custom_id, into "
    "the same folder"
)
KNOWN = OWN | {*IDS, *TIMES, *REQUESTS, *RESPONSES, *REQUEST, *RESPONSE, "usage", "error", PREFERRED, REJECTED}


def recognises(record: Record) -> bool:
    """A request beside a response, messages that come with tools, calls or choices, or items of the Responses API.

    An answer alone is of this format too, so that its error can say what it lacks.
    """
    exchange = sides(record)
    if _is_preference(record) or api_of(exchange) in ("chat", "responses") or _is_answer_alone(exchange):
        return True
    return is_answer_alone(record) and "result" not in record  # of a batch, and it failed


def read(record: Record) -> Reading:
    """The samples of one logged exchange."""
    exchange = Exchange(record["input"], None, "input.", None) if _is_preference(record) else sides(record)
    request, where = exchange.request, exchange.where
    if not isinstance(request, dict):
        raise wrong(where[:-1], request, "an object")
    if _is_answer_alone(exchange):
        raise FormatError(ALONE)
    metadata = metadata_of(record, KNOWN)
    lose_wrapping(metadata, exchange)
    is_chat = api_of(exchange) != "responses"
    response = _whole(exchange.response, metadata)
    if request is not record:
        note_settings(metadata, request, REQUEST, where)
    if response is not None and response is not record:
        note_settings(metadata, response, RESPONSE, "response.")
    note_outcome(metadata, (response or {}, request, record, {"status": exchange.status}))
    if PREFERRED in record:
        request = _preferred(request, record, metadata)
    logged = response is not None or (request is not record and bool(metadata.get("error")))
    drafts = (_chat if is_chat else _responses)(request, response, metadata, where, logged)
    time = next((side[key] for side in (record, response or {}) for key in TIMES if side.get(key)), None)
    fields = origin(record, metadata, IDS, time)
    if fields["trace_id"] is None and isinstance((response or {}).get("id"), str):
        fields["trace_id"] = (response or {})["id"]
    return Reading(drafts, **fields, metadata=metadata, lost=lost_of(metadata))


def _is_preference(record: Record) -> bool:
    return PREFERRED in record and isinstance(record.get("input"), dict)


def _preferred(request: Record, record: Record, metadata: Record) -> Record:
    """The request of a preference, answered by what was preferred; the other answer is lost."""
    lose_rest(metadata, {REJECTED: record.get(REJECTED)}, frozenset(), "")
    said, answer = request.get("messages"), record[PREFERRED]
    if not isinstance(answer, list):
        raise wrong(PREFERRED, answer, "a list")
    return {**request, "messages": [*said, *answer]} if isinstance(said, list) else request


def _is_answer_alone(exchange: Exchange) -> bool:
    """Whether a completion or a response stands there without its request: as it is stored, or as a batch returns it."""
    answer, request = exchange.response, exchange.request
    if not isinstance(answer, dict) or not isinstance(request, dict) or answer.get("object") not in ANSWERS:
        return False
    return not exchange.where and not any(key in request for key in ("messages", "input"))


def _whole(response: Any, metadata: Record) -> Record | None:
    """The response as one object; streamed pieces are joined, and a stream without an end is noted as truncated."""
    if isinstance(response, list):
        response, ended = joined(response, "response")
        if not ended:
            lose(metadata, "truncated", "response")
    if response is not None and not isinstance(response, dict):
        raise wrong("response", response, "an object")
    return response


def _chat(request: Record, response: Record | None, metadata: Record, where: str, logged: bool) -> tuple[Draft, ...]:
    said, embedded = unwrap(canonical(request.get("messages"), metadata, f"{where}messages"), f"{where}messages")
    stated = offered_by(request, metadata, where)
    offered = embedded if stated is None else stated
    choice = _choice(response, metadata)
    if choice is not None:
        lose_rest(metadata, choice, CHOICE, "choices[0]")
        lose_cut(metadata, choice.get("finish_reason"), "choices[0].message")
        if choice.get("finish_reason") is not None:
            metadata.setdefault("finish_reason", choice["finish_reason"])
        said.append(canonical_message(choice.get("message"), metadata, "choices[0].message", len(said)))
    elif logged:  # the request that stands there was never answered, whatever came before it
        return (Draft("prompt", said, offered),)
    return drafts_of(said, offered, metadata)


def _responses(
    request: Record, response: Record | None, metadata: Record, where: str, logged: bool
) -> tuple[Draft, ...]:
    messages, offered, answered = conversation(request, response, metadata, where)
    said, embedded = unwrap(messages, f"{where}input")
    offered = embedded if offered is None else offered
    if response is not None:
        note_end(response, metadata)
    if logged and not answered:
        return (Draft("prompt", said, offered),)
    return drafts_of(said, offered, metadata)


def _choice(response: Record | None, metadata: Record) -> Record | None:
    """The first choice; how many there were is noted."""
    if response is None:
        return None
    choices = response.get("choices")
    if choices is None:
        if response.get("error"):
            return None
        raise FormatError("response has neither choices nor an error")
    if not isinstance(choices, list):
        raise wrong("choices", choices, "a list")
    if len(choices) > 1:
        metadata["choices"] = len(choices)
        lose(metadata, "dropped", "choices")
    if choices and not isinstance(choices[0], dict):
        raise wrong("choices[0]", choices[0], "an object")
    return choices[0] if choices else None


FORMAT = Format("openai", "4", recognises, read, with_request, completes_answers)
