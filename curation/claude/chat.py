"""The wording of OpenAI's chat completions: the same request, and the same reply, as other servers say it."""

from collections.abc import Mapping
from typing import Any

# finish_reason -> stop_reason of the Messages API.
STOPS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal", "tool_calls": "tool_use"}


def chat_request(body: Mapping[str, Any]) -> dict[str, Any]:
    """A request of the Messages API as a chat completion: system text first, the form of the reply enforced."""
    system = [{"role": "system", "content": part["text"]} for part in body.get("system", ())]
    asked: dict[str, Any] = {
        "model": body["model"],
        "max_tokens": body["max_tokens"],
        "messages": [*system, *body["messages"]],
    }
    if "tools" in body:
        tool = body["tools"][0]
        function = {"name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]}
        asked["tools"] = [{"type": "function", "function": function}]
        asked["tool_choice"] = {"type": "function", "function": {"name": tool["name"]}}
    else:
        form = {"name": "reply", "strict": True, "schema": body["output_config"]["format"]["schema"]}
        asked["response_format"] = {"type": "json_schema", "json_schema": form}
    return asked


def is_completion(body: Any) -> bool:
    """Whether a reply is a chat completion."""
    return isinstance(body, dict) and body.get("object") == "chat.completion" and isinstance(body.get("choices"), list)


def as_message(body: dict[str, Any]) -> dict[str, Any]:
    """A chat completion as the Messages API would have put it; several choices stay several answers, and so unreadable."""
    choices = [choice for choice in body["choices"] if isinstance(choice, dict)]
    told = choices[0] if choices else {}
    stop = STOPS.get(str(told.get("finish_reason")), "end_turn")
    if any((choice.get("message") or {}).get("refusal") for choice in choices):
        stop = "refusal"
    content = [block for choice in choices for block in blocks(choice.get("message") or {})]
    return {"type": "message", "stop_reason": stop, "content": content, "usage": usage(body.get("usage") or {})}


def blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The content blocks of one choice: calls with their arguments as they came (JSON text), else the text."""
    calls = [call.get("function") or {} for call in message.get("tool_calls") or ()]
    if calls:
        return [{"type": "tool_use", "name": call.get("name"), "input": call.get("arguments")} for call in calls]
    return [{"type": "text", "text": message.get("content")}]


def usage(told: dict[str, Any]) -> dict[str, Any]:
    """Tokens in the words of the Messages API, where those from the cache are not among those sent anew."""
    cached = (told.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    sent = told.get("prompt_tokens")
    return {
        "input_tokens": sent - cached if isinstance(sent, int) and isinstance(cached, int) else 0,
        "cache_read_input_tokens": cached,
        "output_tokens": told.get("completion_tokens"),
    }
