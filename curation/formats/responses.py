"""The Responses API: a conversation as a list of items, in which one turn of the assistant is several of them."""

from typing import Any

from curation.errors import FormatError
from curation.formats import builtin
from curation.formats.answer import Candidate
from curation.formats.fields import member, wrong
from curation.formats.losses import lose, lose_cut, lose_part, lose_rest
from curation.formats.messages import ROLES, TEXT_PART, assistant_message, call_message, text_of
from curation.formats.outcomes import note_tool_error
from curation.formats.reading import Record
from curation.sample import Message, dumps

ASKED = frozenset({"input", "instructions", "tools", "previous_response_id", "conversation", "prompt"})
ECHOED = frozenset({*ASKED, "output", "output_text", "id", "object", "created_at", "incomplete_details"})
ELSEWHERE = ("previous_response_id", "conversation", "prompt")  # where the rest of a request is kept by the platform
CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
RESULTS = ("function_call_output", "custom_tool_call_output")
TOLD = frozenset({"type", "id", "status"})
MESSAGE = TOLD | {"role", "content", "phase"}
REASONING = TOLD | {"summary", "content"}
CALL = TOLD | {"call_id", "name", "namespace", "arguments", "input"}
RESULT = TOLD | {"call_id", "name", "namespace", "output"}
LISTING = TOLD | {"tools", "server_label", "error"}
LATER = TOLD | {"role", "tools"}
APPROVAL = CALL | {"server_label"}
APPROVED = TOLD | {"approval_request_id", "approve"}
MCP_CALL = CALL | {"output", "error", "server_label", "approval_request_id"}

Said = tuple[list[Message], list[Candidate] | None, bool]


def conversation(request: Record, response: Record | None, metadata: Record, where: str) -> Said:
    """The messages, what was offered, and whether an answer came; what is only pointed at is noted as lost."""
    answer = response or {}
    turns = _Turns(metadata)
    for key in ELSEWHERE:
        if request.get(key):
            lose(metadata, "by_reference", f"{where}{key}")
    instructions = request.get("instructions", answer.get("instructions"))
    if isinstance(instructions, list):
        turns.read(instructions, f"{where}instructions")
    elif instructions:
        turns.tell("system", member({"instructions": instructions}, "instructions", where[:-1], str))
    asked = request.get("input")
    if isinstance(asked, str):
        turns.tell("user", asked)
    else:
        turns.read(_listed(asked, f"{where}input"), f"{where}input")
    turns.end()
    before = len(turns.messages)
    if answer.get("output") is not None:
        turns.read(_listed(answer["output"], "response.output"), "response.output")
        turns.end()
    if not turns.messages:
        raise FormatError(f"{where}input is empty")
    return turns.messages, _offered(request, answer, turns.listed, metadata, where), len(turns.messages) > before


def note_end(response: Record, metadata: Record) -> None:
    """Why the response ended, and that it was cut, where it was."""
    details = response.get("incomplete_details")
    reason = None
    if isinstance(details, dict):
        reason = details.get("reason")
        lose_rest(metadata, details, {"reason"}, "response.incomplete_details")
    if isinstance(reason, str):
        metadata.setdefault("finish_reason", reason)
    lose_cut(metadata, reason or response.get("status"), "response.output")


def _offered(
    request: Record, answer: Record, listed: list[Candidate], metadata: Record, where: str
) -> list[Candidate] | None:
    """The tools of the request, else those that the response repeats, with those that a server listed on the way."""
    stated = request.get("tools")
    stated = answer.get("tools") if stated is None else stated
    if stated is None:
        return listed or None
    return builtin.candidates(stated, metadata, f"{where}tools") + listed


class _Turns:
    """Items become messages: all that the assistant does between two events from outside is one turn."""

    def __init__(self, metadata: Record) -> None:
        self.messages: list[Message] = []
        self.listed: list[Candidate] = []
        self._metadata = metadata
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[Record] = []
        self._called: list[str] = []  # the ids of all calls, in order

    def read(self, items: list[Any], where: str) -> None:
        """One list of items after another."""
        for i, item in enumerate(items):
            if not isinstance(item, dict):
                raise wrong(f"{where}[{i}]", item, "an object")
            self._item(item, f"{where}[{i}]", where)

    def tell(self, role: str, content: str, **more: str) -> None:
        """An event from outside."""
        self.end()
        self.messages.append({"role": role, "content": content, **more})

    def end(self) -> None:
        """Ends the assistant's turn, if there is one."""
        if self._texts or self._thoughts or self._calls:
            thoughts = "\n\n".join(self._thoughts) if self._thoughts else None
            self.messages.append(assistant_message("\n".join(self._texts), thoughts, self._calls))
        self._texts, self._thoughts, self._calls = [], [], []

    def _item(self, item: Record, place: str, where: str) -> None:
        kind = member(item, "type", place, str) if "type" in item else "message"
        if kind == "message":
            self._said(item, place)
        elif kind == "reasoning":
            self._thought(item, place)
        elif kind in CALLS:
            lose_rest(self._metadata, item, CALL, place)
            self._call(item, place, item.get("call_id") or item.get("id"))
        elif kind in RESULTS:
            lose_rest(self._metadata, item, RESULT, place)
            text = text_of(item.get("output"), self._metadata, f"{place}.output", "tool")
            self.tell("tool", text, tool_call_id=member(item, "call_id", place, str))
        elif kind in builtin.CALLS and (kind not in builtin.SERVED or builtin.served(item) is not None):
            self._called_builtin(item, place)
        elif kind in builtin.RESULTS:
            self._builtin_result(item, place, builtin.RESULTS[kind])
        elif kind == "mcp_call":
            self._called_by_server(item, place)
        elif kind.startswith("mcp_approval_"):
            self._approval(item, place)
        elif kind in ("mcp_list_tools", "additional_tools"):
            lose_rest(self._metadata, item, LISTING if kind == "mcp_list_tools" else LATER, place)
            self.listed += builtin.candidates(item.get("tools"), self._metadata, f"{place}.tools")
        else:
            what = "by_reference" if kind == "item_reference" else "dropped"
            lose(self._metadata, what, f"{where}.{kind[:40]}")

    def _said(self, item: Record, place: str) -> None:
        named = member(item, "role", place, str)
        role = ROLES.get(named)
        if role not in ("system", "user", "assistant"):
            raise FormatError(f"{place}.role is {named[:40]!r}, not one of system, developer, user, assistant")
        lose_rest(self._metadata, item, MESSAGE, place)
        if item.get("status") == "incomplete":
            lose(self._metadata, "truncated", f"{place}.content")
        text = text_of(item.get("content"), self._metadata, f"{place}.content", role)
        if role == "assistant":
            self._texts.append(text)
        else:
            self.tell(role, text)

    def _thought(self, item: Record, place: str) -> None:
        lose_rest(self._metadata, item, REASONING, place)
        parts = item.get("content") or item.get("summary") or []
        listed = [part for part in _listed(parts, f"{place}.summary") if isinstance(part, dict)]
        for part in listed:
            lose_rest(self._metadata, part, TEXT_PART, f"{place}.summary")
        texts = [part.get("text") for part in listed]
        self._thoughts += ["\n\n".join(text for text in texts if isinstance(text, str))] if texts else []

    def _call(self, item: Record, place: str, call_id: object) -> None:
        name = builtin.qualified(member(item, "name", place, str), item.get("namespace"))
        arguments = item.get("arguments")
        if item.get("type") == "custom_tool_call":
            arguments = {"input": item.get("input")}
        if item.get("status") == "incomplete":
            lose(self._metadata, "truncated", f"{place}.arguments")
        self._add_call(name, arguments, call_id)

    def _add_call(self, name: str, arguments: object, call_id: object) -> None:
        unnamed = f"call_{len(self.messages)}_{len(self._calls)}"
        self._called.append(call_id if isinstance(call_id, str) else unnamed)
        self._calls.append(call_message(self._called[-1], name, arguments))

    def _called_builtin(self, item: Record, place: str) -> None:
        """A call of a tool of the platform's own; what the platform did itself has its result in the same item."""
        own = builtin.SERVED.get(item["type"])
        lose_rest(self._metadata, item, builtin.CALL | {own} if own else builtin.CALL, place)
        self._add_call(*builtin.asked(item), item.get("call_id") or item.get("id"))
        if item.get("status") == "failed":
            note_tool_error(self._metadata)
        if own:
            self.tell("tool", dumps(builtin.served(item)), tool_call_id=self._called[-1])

    def _builtin_result(self, item: Record, place: str, key: str) -> None:
        lose_rest(self._metadata, item, builtin.RESULT, place)
        output = item.get(key)
        if key == "tools":
            self.listed += builtin.candidates(output, self._metadata, f"{place}.tools")
        if item.get("status") == "failed":
            note_tool_error(self._metadata)
        if isinstance(output, dict):  # a screenshot
            lose_part(self._metadata, output, f"{place}.output")
            output = None
        call_id = item.get("call_id") or (item.get("id") if item["type"] == "local_shell_call_output" else None)
        if not isinstance(call_id, str):
            call_id = self._called[-1] if self._called else ""
        self.tell("tool", text_of(output, self._metadata, f"{place}.output", "tool"), tool_call_id=call_id)

    def _approval(self, item: Record, place: str) -> None:
        """A call that waits for a person's word, or that word: a refusal is what came of the call."""
        if item["type"] == "mcp_approval_request":
            lose_rest(self._metadata, item, APPROVAL, place)
            self._call(item, place, item.get("id"))
            return
        lose_rest(self._metadata, item, APPROVED | ({"reason"} if item.get("approve") is False else set()), place)
        if item.get("approve") is False:
            said = {key: item[key] for key in ("approve", "reason") if item.get(key) is not None}
            self.tell("tool", dumps(said), tool_call_id=member(item, "approval_request_id", place, str))

    def _called_by_server(self, item: Record, place: str) -> None:
        """A call that the platform made itself, with its result in the same item."""
        lose_rest(self._metadata, item, MCP_CALL, place)
        call_id = item.get("approval_request_id")
        if call_id not in self._called:
            self._call(item, place, item.get("id"))
            call_id = self._called[-1]
        if item.get("error"):
            note_tool_error(self._metadata)
        output = item.get("error") if item.get("output") is None else item["output"]
        self.tell("tool", text_of(output, self._metadata, f"{place}.output", "tool"), tool_call_id=str(call_id))


def _listed(said: object, where: str) -> list[Any]:
    if said is None:
        raise FormatError(f"{where} is missing")
    if not isinstance(said, list):
        raise wrong(where, said, "a list")
    return said
