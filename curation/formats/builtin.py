"""The tools that OpenAI brings itself: how their calls and results are written among the items of a response."""

from typing import Any

from curation.formats.answer import Candidate
from curation.formats.chat import candidates_of_tools
from curation.formats.fields import wrong
from curation.formats.losses import lose_rest
from curation.formats.reading import Record

# The type of a call, the name of its tool, and the member that says what is to be done.
CALLS = {
    "shell_call": ("shell", "action"),
    "local_shell_call": ("local_shell", "action"),
    "apply_patch_call": ("apply_patch", "operation"),
    "computer_call": ("computer", "actions"),
    "tool_search_call": ("tool_search", "arguments"),
    "code_interpreter_call": ("code_interpreter", "code"),
    "file_search_call": ("file_search", "queries"),
    "web_search_call": ("web_search", "action"),
}
# The items that hold the result of an earlier call, and the member that it stands under.
RESULTS = {
    "shell_call_output": "output",
    "local_shell_call_output": "output",
    "apply_patch_call_output": "output",
    "computer_call_output": "output",
    "tool_search_output": "tools",
}
# Those of the platform's own calls that hold their result themselves, if it was asked for.
SERVED = {"code_interpreter_call": "outputs", "file_search_call": "results", "web_search_call": "sources"}
# The types under which the tools are offered, where these are not their names already; some end in a date.
OFFERED_AS = {"computer_use_preview": "computer", "web_search_preview": "web_search"}

NAMES = frozenset(name for name, _ in CALLS.values())
CALL = frozenset(("type", "id", "status", "call_id", "action", *(member for _, member in CALLS.values())))
RESULT = frozenset(("type", "id", "status", "call_id", "output", "tools"))
NAMESPACE = frozenset(("type", "name", "tools"))


def candidates(tools: Any, metadata: Record, where: str) -> list[Candidate]:
    """Tools as candidates: the platform's own under the names that their calls have, a namespace as what is in it."""
    if not isinstance(tools, list):
        return candidates_of_tools(tools, metadata, where)
    named: list[Any] = []
    for i, tool in enumerate(tools):
        if isinstance(tool, dict) and tool.get("type") == "namespace":
            named += _within(tool, metadata, f"{where}[{i}]")
        else:
            named.append(_named(tool))
    return candidates_of_tools(named, metadata, where)


def qualified(name: str, namespace: object) -> str:
    """A function's name, with that of the namespace which it was offered in."""
    return f"{namespace}.{name}" if isinstance(namespace, str) and namespace else name


def asked(item: Record) -> tuple[str, Any]:
    """The name and the arguments of a call; text and lists become an object with one member."""
    name, key = CALLS[item["type"]]
    said = item.get(key, item.get("action"))
    if isinstance(said, dict) and item["type"] in SERVED:
        said = {member: value for member, value in said.items() if member != SERVED[item["type"]]}
    return name, said if said is None or isinstance(said, dict) else {key: said}


def served(item: Record) -> Any:
    """What the platform's own call found; None where the record does not have it."""
    key = SERVED.get(item["type"])
    action = item.get("action")
    return item.get(key, action.get(key) if isinstance(action, dict) else None) if key else None


def _within(namespace: Record, metadata: Record, where: str) -> list[Any]:
    lose_rest(metadata, namespace, NAMESPACE, where)
    tools = namespace.get("tools")
    if not isinstance(tools, list):
        raise wrong(f"{where}.tools", tools, "a list")
    inside = (tool if isinstance(tool, dict) else {} for tool in tools)
    return [{**tool, "name": qualified(str(tool.get("name")), namespace.get("name"))} for tool in inside]


def _named(tool: Any) -> Any:
    kind = tool.get("type") if isinstance(tool, dict) else None
    if not isinstance(kind, str) or "name" in tool:
        return tool
    bare = next((known for known in (*OFFERED_AS, *NAMES) if kind == known or kind.startswith(f"{known}_20")), None)
    return tool if bare is None else {**tool, "name": OFFERED_AS.get(bare, bare)}
