"""Seal-Tools: a query and its calls; what was offered stands in the prompts written for fine-tuning."""

import ast
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from curation.errors import FormatError
from curation.formats.answer import Call, Candidate, index_of, plan_text
from curation.formats.companions import load
from curation.formats.fields import are_texts, member, metadata_of, wrong
from curation.formats.losses import lose_rest, lose_undefined, lost_of
from curation.formats.reading import Format, Reading, Record
from curation.formats.references import Target, link
from curation.sample import Draft

KNOWN = frozenset({"id", "query", "calling"})
CALL = frozenset({"api", "parameters", "responses"})
API = frozenset({"api_name", "api_description", "parameters", "required"})
PROMPTS = "dataset_for_finetune"
_OFFER = re.compile(r"api_list = (\[.*\])\s*\n\s*task_instruction = ", re.DOTALL)
_REFERENCE = re.compile(r"\bAPI_call_\d+\b")


def recognises(record: Record) -> bool:
    """A query and its calling."""
    return "query" in record and isinstance(record.get("calling"), list)


def companion(path: Path, first: Record) -> bool:
    """The prompts for fine-tuning, the list of all tools and that of all fields."""
    if path.parent.name == PROMPTS:
        return "conversations" in first
    if path.name.startswith("tool."):
        return "api_name" in first
    return path.name.startswith("field.") and len(first) == 1 and are_texts(*first.values())


def join(path: Path) -> Callable[[Record], Record]:
    """Adds to each record the `api_list` of the prompt that has its id."""

    @cache
    def prompts() -> dict[str, str]:
        listed = load(path.parent / PROMPTS / f"{path.stem}.json", path)
        return {prompt["id"]: _human(prompt) for prompt in listed if isinstance(prompt.get("id"), str)}

    def complete(record: Record) -> Record:
        identity = member(record, "id", "", str)
        if identity not in prompts():
            raise FormatError(f"no prompt in {PROMPTS}/{path.stem}.json has the id {identity[:40]!r}")
        offer = _OFFER.search(prompts()[identity])
        try:
            listed = ast.literal_eval(offer[1]) if offer else None
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            listed = None
        if listed is None:
            raise FormatError(f"the api_list of {identity[:40]!r} in {PROMPTS}/{path.stem}.json cannot be read")
        return {"record": record, "api_list": listed}

    return complete


def read(joined: Record) -> Reading:
    """The plan, with `API_call_3` as a reference to the response of that name of an earlier call."""
    record = member(joined, "record", "", dict)
    apis = member(joined, "api_list", "", list)
    offered = [_candidate(api, i) for i, api in enumerate(apis)]
    outputs = {api["api_name"]: list(api["responses"]) for api in apis if isinstance(api.get("responses"), dict)}
    metadata = metadata_of(record, KNOWN)
    calls: list[Call] = []
    produced: dict[str, list[Target]] = {}
    for i, said in enumerate(member(record, "calling", "", list)):
        if not isinstance(said, dict):
            raise wrong(f"calling[{i}]", said, "an object")
        name = member(said, "api", f"calling[{i}]", str)
        lose_rest(metadata, said, CALL, "calling")
        calls.append(Call(name, member(said, "parameters", f"calling[{i}]", dict)))
        for k, response in enumerate(member(said, "responses", f"calling[{i}]", list)):
            paths = outputs.get(name, [])
            produced.setdefault(str(response), []).append((i, paths[k] if k < len(paths) else ""))
    for api in apis:
        lose_rest(metadata, api, API, "api_list")
    index = index_of(offered)
    lose_undefined(metadata, (call.name for call in calls), index, "calling")
    linked = link(calls, _REFERENCE, lambda match: produced.get(match[0], []), metadata)
    request = {"role": "user", "content": member(record, "query", "", str)}
    draft = Draft("plan", [request], offered, None, plan_text(linked, index))
    return Reading((draft,), trace_id=member(record, "id", "", str), metadata=metadata, lost=lost_of(metadata))


def _human(prompt: Record) -> str:
    conversation = prompt.get("conversations")
    said = conversation[0] if isinstance(conversation, list) and conversation else None
    text = said.get("value") if isinstance(said, dict) else None
    return text if isinstance(text, str) else ""


def _candidate(api: Any, i: int) -> Candidate:
    if not isinstance(api, dict):
        raise wrong(f"api_list[{i}]", api, "an object")
    name = member(api, "api_name", f"api_list[{i}]", str)
    return {
        "pluginId": name,
        "name": name,
        "description": api.get("api_description") or "",
        "identifier": "function",
        "method": "",
        "parameters": {
            "type": "object",
            "properties": api.get("parameters") or {},
            "required": api.get("required") or [],
        },
    }


FORMAT = Format("seal_tools", "3", recognises, read, join, companion)
