"""The tool calls of an assistant's message, written as the plan that they are: one form, answered or remembered."""

import re
from typing import Any

from curation.formats.answer import Call, Candidate, arguments_of, plan_text
from curation.formats.fields import note
from curation.formats.reading import Record
from curation.formats.references import Resolve, Target, link

# A parallel call may take a value from one before it in the same turn: by that call's id, or by its plugin's.
_REFERENCE = re.compile(r"\{\{\s*([^{}]+?)\.output(?:\.([^{}]+?))?\s*\}\}")


def planned(said: list[Record], index: dict[str, Candidate], metadata: dict[str, Any]) -> str:
    """The plan that a message's `tool_calls` are, as JSON text; `index` as from `index_of`.

    What cannot be read of a call's arguments, or of a reference to another call, is noted in `metadata`.
    """
    calls = [_call(call["function"], index) for call in said]
    for call, asked in zip(calls, said, strict=True):
        if isinstance(call.arguments, str):
            note(metadata, "unreadable_arguments", asked.get("id"))
    if any("{{" in str(call["function"].get("arguments")) for call in said):
        calls = link(calls, _REFERENCE, _resolver(said, calls), metadata)
    return plan_text(calls, index)


def _call(function: Record, index: dict[str, Candidate]) -> Call:
    found = index.get(function["name"], {}).get("pluginId")
    return Call(found if isinstance(found, str) else function["name"], arguments_of(function.get("arguments")))


def _resolver(said: list[Record], calls: list[Call]) -> Resolve:
    """By the id of a call of this turn, else by the plugin that it calls."""

    def resolve(match: re.Match[str]) -> list[Target]:
        by_id = [i for i, call in enumerate(said) if call.get("id") == match[1]]
        by_plugin = [i for i, call in enumerate(calls) if call.name == match[1]]
        return [(target, match[2] or "") for target in by_id or by_plugin]

    return resolve
