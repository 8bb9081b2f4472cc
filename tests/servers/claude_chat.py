"""The same service in the wording of OpenAI's chat completions: requests come in as messages, replies go out as choices."""

import json
from typing import Any

from aiohttp import web

from tests.servers.claude_protocol import Body

FINISH = {"end_turn": "stop", "max_tokens": "length", "refusal": "content_filter", "tool_use": "tool_calls"}


def as_messages_api(body: Body) -> Body:
    """A chat completion's request as the Messages API has it."""
    system = [message for message in body["messages"] if message["role"] == "system"]
    told: Body = {key: body[key] for key in ("model", "max_tokens") if key in body}
    told["system"] = [{"type": "text", "text": message["content"], "cache_control": {}} for message in system]
    told["messages"] = [message for message in body["messages"] if message["role"] != "system"]
    if "tools" in body:
        function = body["tools"][0]["function"]
        told["tools"] = [{"name": function["name"], "input_schema": function["parameters"]}]
        told["tool_choice"] = {"type": "tool", "name": body["tool_choice"]["function"]["name"]}
    else:
        asked = body["response_format"]
        told["output_config"] = {"format": {"type": asked["type"], "schema": asked["json_schema"]["schema"]}}
    return told


def as_completion(response: web.StreamResponse) -> web.StreamResponse:
    """A message as a chat completion; anything else, such as an error or a web page, as it is."""
    if not isinstance(response, web.Response) or response.content_type != "application/json":
        return response
    told: dict[str, Any] = json.loads(response.text or "{}")
    if told.get("type") != "message":
        return response
    message: dict[str, Any] = {"role": "assistant", "content": None}
    for block in told["content"]:
        if block["type"] == "text":
            message["content"] = block["text"]
        else:
            function = {"name": block["name"], "arguments": json.dumps(block["input"])}
            message["tool_calls"] = [{"id": block["id"], "type": "function", "function": function}]
    used = told["usage"]
    cached = used["cache_read_input_tokens"]
    usage = {
        "prompt_tokens": used["input_tokens"] + used["cache_creation_input_tokens"] + cached,
        "completion_tokens": used["output_tokens"],
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    choice = {"index": 0, "message": message, "finish_reason": FINISH[told["stop_reason"]]}
    return web.json_response({"id": told["id"], "object": "chat.completion", "choices": [choice], "usage": usage})
