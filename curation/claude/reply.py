"""A reply is opened strictly: it holds exactly one answer of the form asked for, or it is named for what it is instead."""

import json
from dataclasses import dataclass
from typing import Any

import jsonschema
import orjson

from curation.claude.chat import as_message, is_completion

SHOWN = 200  # characters of a service's words that are kept in a sentence

STOPPED_SHORT = {"max_tokens": "the reply reached max_tokens", "model_context_window_exceeded": "the context was full"}


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that were paid for: sent anew, written to the prompt cache, read from it, and answered."""

    fresh: int = 0
    written: int = 0
    cached: int = 0
    output: int = 0


NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Opened:
    """What a raw reply holds: `answer` where `status` is ok; else `detail` says why there is none.

    `refused` and `truncated` are the service's own words; `unparseable` is whatever is not exactly one JSON value of
    the form asked for in exactly one place. `usage` was paid for all the same.
    """

    status: str
    answer: Any = None
    detail: str | None = None
    usage: Usage = NOTHING


class UnreadableError(ValueError):
    """The reply is not what was asked for; the message says in what way."""


def open_reply(raw: str, tool: str, form: jsonschema.Draft202012Validator) -> Opened:
    """Reads a response of the Messages API, or a chat completion: its usage, and the one answer in it.

    `tool` is the name of the tool call that a service without structured output is made to answer by.
    """
    try:
        body = strict_json(raw)
        if is_completion(body):
            body = as_message(body)
        if not isinstance(body, dict) or body.get("type") != "message":
            raise UnreadableError(f"not a message of the Messages API nor a chat completion: {raw[:SHOWN]!r}")
    except UnreadableError as error:
        return Opened("unparseable", detail=str(error))
    usage = usage_of(body)
    stop = body.get("stop_reason")
    if stop == "refusal":
        return Opened("refused", detail="the model declined to reply", usage=usage)
    if stop in STOPPED_SHORT:
        return Opened("truncated", detail=STOPPED_SHORT[stop], usage=usage)
    try:
        answer = only_answer(body.get("content"), tool)
        fault = next(form.iter_errors(answer), None)
        if fault is not None:
            raise UnreadableError(f"{fault.json_path}: {fault.message[:SHOWN]}")
    except UnreadableError as error:
        return Opened("unparseable", detail=str(error), usage=usage)
    return Opened("ok", answer, None, usage)


def error_message(raw: str) -> str:
    """The sentence in the JSON that stands for a request which never got a reply."""
    try:
        return str(orjson.loads(raw)["error"]["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return raw[:SHOWN]


def strict_json(text: str) -> Any:
    """The value of a JSON text in which no object names a key twice: there must be only one way to read it."""
    try:
        orjson.loads(text)  # refuses what json lets through: NaN, lone surrogates, depth without end
        return json.loads(text, object_pairs_hook=unique)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise UnreadableError(f"not JSON ({error}): {text[:SHOWN]!r}") from error


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members; raises UnreadableError where a key comes twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        raise UnreadableError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} stands twice in one object")
    return members


def only_answer(content: Any, tool: str) -> Any:
    """The value in the one place where the answer may stand: the forced tool call, else the only block of text."""
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise UnreadableError("the message has no list of content blocks")
    calls = [block for block in content if block.get("type") == "tool_use"]
    if calls:
        if len(calls) > 1 or calls[0].get("name") != tool:
            raise UnreadableError(f"{len(calls)} tool calls, of which one to {tool} was asked for")
        given = calls[0].get("input")
        return strict_json(given) if isinstance(given, str) else given
    texts = [block.get("text") for block in content if block.get("type") == "text"]
    if len(texts) != 1 or not isinstance(texts[0], str) or not texts[0].strip():
        raise UnreadableError(f"{len(texts)} blocks of text, or an empty one, where one answer was asked for")
    return strict_json(texts[0])


def usage_of(body: dict[str, Any]) -> Usage:
    """The tokens of a response; what it does not say counts as 0."""
    told = body.get("usage")
    counts = told if isinstance(told, dict) else {}

    def count(name: str) -> int:
        value = counts.get(name)
        return value if isinstance(value, int) and value > 0 else 0

    return Usage(
        count("input_tokens"),
        count("cache_creation_input_tokens"),
        count("cache_read_input_tokens"),
        count("output_tokens"),
    )
