"""The spans of one trace become its conversations: the calls of a model that go on from one another are one run."""

from dataclasses import dataclass, field, replace
from typing import Any

from curation.formats.answer import Candidate, arguments_of, split
from curation.formats.chat import drafts_of, unwrap
from curation.formats.losses import lose, lose_cut
from curation.formats.outcomes import failed_calls
from curation.formats.reading import Record
from curation.sample import Draft, Message, dumps

LLM, TOOL, AGENT, OTHER = "llm", "tool", "agent", "other"

Key = tuple[Any, ...]


@dataclass(slots=True)
class Span:
    """One step of a trace, whichever platform wrote it down.

    `kind`: LLM (a call of a model), TOOL, AGENT (holds others; its own messages count only where they have none),
    OTHER. `order`: what spans are sorted by. `said` is what a model was given, `answered` what it gave back,
    `offered` the tools, None where the span does not say. `arguments`, `result` and `call_id` are a tool's. `error` is
    text where the span failed. `ended`: the platform saw its end. `elsewhere`: what it
    lacks is only pointed at, or was cut, which has been noted.
    """

    kind: str
    name: str
    order: tuple[Any, ...]
    id: str | None = None
    parent: str | None = None
    said: list[Message] = field(default_factory=list)
    answered: list[Message] = field(default_factory=list)
    offered: list[Candidate] | None = None
    finish: str | None = None
    model: str | None = None
    usage: dict[str, int] = field(default_factory=dict)
    call_id: str | None = None
    arguments: object = None
    result: str | None = None
    error: str | None = None
    ended: bool = True
    elsewhere: bool = False
    word: str = ""  # the platform's own word for what it is

    @property
    def messages(self) -> list[Message]:
        return [*self.said, *self.answered]


@dataclass(frozen=True, slots=True)
class Words:
    """How a platform calls what a span may lack; the fidelity report speaks in these words."""

    said: str
    answered: str
    ended: str
    spans: str


@dataclass(slots=True)
class _Run:
    """One conversation as far as it is known: the order of its last call, and the tools by the position of the answer."""

    messages: list[Message] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    offers: dict[int, list[Candidate]] = field(default_factory=dict)
    last: tuple[Any, ...] = ()


def drafts_of_spans(spans: list[Span], words: Words, metadata: Record) -> tuple[Draft, ...]:
    """The samples of one trace: for every conversation a trajectory with its plans, a plan, or a request alone.

    Notes in `metadata` how it went (`outcome`, `error`, `finish_reason`, `model`, `usage`) and what was lost.
    """
    spans = sorted(spans, key=lambda span: span.order)
    calls = [span for span in spans if span.kind == LLM]
    told = [span for span in calls if span.said]
    if not told:
        told = [span for span in spans if span.kind == AGENT and span.said][:1]
    _note_losses(spans, calls, words, metadata)
    _note_outcome(spans, calls, metadata)
    runs = _runs_of(told)
    used: set[int] = set()
    known = {call["id"] for run in runs for _, call in _calls(run.messages)}
    for run in runs:
        _complete(run, spans, used, known)
    for i, span in enumerate(spans):
        if i not in used and (span.kind == OTHER or (span.kind == TOOL and not _is_told(span, runs))):
            lose(metadata, "dropped", f"{words.spans}.{span.word or span.kind}")
    drafts: list[Draft] = []
    for run in runs:
        drafts += _drafts_of_run(run, metadata, len(drafts))
    return tuple(drafts)


def _runs_of(calls: list[Span]) -> list[_Run]:
    """The conversations that these calls of a model, sorted by time, belong to."""
    runs: list[_Run] = []
    for call in calls:
        said = [_key(message) for message in call.said]
        keys = said + [_key(message) for message in call.answered]
        twice = next((run for run in runs if run.keys[: len(keys)] == keys), None)
        if twice is not None:  # the same call, written down by two instrumentations, or tried again
            if call.offered is not None:
                twice.offers.setdefault(len(call.said), call.offered)
            continue
        before = max(
            (run for run in runs if run.keys == said[: len(run.keys)]), key=lambda run: len(run.keys), default=None
        )
        if before is not None:
            kept = [_richer(old, new) for old, new in zip(before.messages, call.messages, strict=False)]
            before.messages = [*kept, *call.messages[len(kept) :]]
            before.keys = keys
        else:
            before = next((run for run in reversed(runs) if _goes_on(run, call.said)), None)
            if before is None:
                before = _Run()
                runs.append(before)
            before.messages = [*before.messages, *call.messages]
            before.keys = [*before.keys, *keys]
        before.last = call.order
        if call.offered is not None:
            before.offers[len(before.messages) - len(call.answered)] = call.offered
    return runs


def _key(message: Message) -> Key:
    """What makes two messages the same: not how the reasoning, the ids or the arguments' text are written.

    Nor what is said beside calls, which older instrumentations leave out when a later call repeats them.
    """
    role, content = message["role"], message["content"]
    if role != "assistant":
        return role, content.strip()
    calls = (call["function"] for call in message.get("tool_calls", ()))
    said = tuple((function["name"], _normal(arguments_of(function["arguments"]))) for function in calls)
    return role, "" if said else split(content)[1], said


def _normal(value: object) -> str:
    return value if isinstance(value, str) else dumps(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _richer(old: Message, new: Message) -> Message:
    """The message as it is repeated later, with the reasoning or the words that only the answer itself had."""
    if new["role"] != "assistant" or new["content"] == old["content"]:
        return new
    (thought, text), (had, words) = split(new["content"]), split(old["content"])
    lacks = (thought is None and had is not None) or (not text and bool(words))
    return {**new, "content": old["content"]} if lacks else new


def _goes_on(run: _Run, said: list[Message]) -> bool:
    """Whether a call that repeats nothing begins with the results that the run waits for."""
    first = next((message for message in said if message["role"] != "system"), None)
    if first is None or first["role"] != "tool":
        return False
    return first.get("tool_call_id") in {call["id"] for _, call in _open(run.messages)}


def _open(messages: list[Message]) -> list[tuple[int, Record]]:
    """The calls of the last assistant's message that nothing answers, each with its place among the calls."""
    last = next((i for i in range(len(messages) - 1, -1, -1) if messages[i]["role"] != "tool"), None)
    if last is None or messages[last]["role"] != "assistant":
        return []
    results = {message.get("tool_call_id") for message in messages[last + 1 :]}
    calls: list[Record] = messages[last].get("tool_calls", [])
    return [(i, call) for i, call in enumerate(calls) if call["id"] not in results]


def _complete(run: _Run, spans: list[Span], used: set[int], known: set[str]) -> None:
    """Adds the results of the run's last calls from the tools' own spans, and fills in those that were left empty."""
    for i, call in _calls(run.messages):
        at = next(
            (j for j in range(i + 1, len(run.messages)) if run.messages[j].get("tool_call_id") == call["id"]), None
        )
        if at is not None and not run.messages[at]["content"]:
            found = _ran(call, spans, used, known, run.last)
            if found is not None:
                run.messages[at] = {**run.messages[at], "content": _outcome_of_tool(found)}
    for _, call in _open(run.messages):
        found = _ran(call, spans, used, known, run.last)
        if found is not None:
            run.messages.append({"role": "tool", "content": _outcome_of_tool(found), "tool_call_id": call["id"]})


def _calls(messages: list[Message]) -> list[tuple[int, Record]]:
    return [(i, call) for i, message in enumerate(messages) for call in message.get("tool_calls", ())]


def _ran(call: Record, spans: list[Span], used: set[int], known: set[str], last: tuple[Any, ...]) -> Span | None:
    """The span that ran a call: by id, else the first of that name with these arguments, else the first of that name.

    A span with the id of another of the trace's calls (`known`) ran that one; one that is not called a tool must have begun
    after the `last` call of the model, for those before it are what the model was called from.
    """
    fits = [
        (span.call_id != call["id"], span.kind != TOOL, not _same_arguments(span, call), i)
        for i, span in enumerate(spans)
        if i not in used
        and (span.kind == TOOL or (span.kind != LLM and span.order > last))
        and (span.result is not None or span.error is not None)
        and (_has_its_id(span, call) or (span.call_id not in known and span.name == call["function"]["name"]))
    ]
    if not fits:
        return None
    used.add(min(fits)[-1])
    return spans[min(fits)[-1]]


def _has_its_id(span: Span, call: Record) -> bool:
    """Whether a span has a call's id: ids that only number the calls recur, with another name and other arguments."""
    if span.call_id != call["id"]:
        return False
    return span.name == call["function"]["name"] or span.arguments is None or _same_arguments(span, call)


def _same_arguments(span: Span, call: Record) -> bool:
    given = arguments_of(span.arguments)
    return _normal(given) == _normal(arguments_of(call["function"]["arguments"]))


def _outcome_of_tool(span: Span) -> str:
    return span.result or span.error or ""


def _is_told(span: Span, runs: list[_Run]) -> bool:
    """Whether a tool's span says only what the messages say already."""
    for run in runs:
        for _, call in _calls(run.messages):
            if span.call_id == call["id"] or span.name == call["function"]["name"]:
                return True
    return False


def _drafts_of_run(run: _Run, metadata: Record, offset: int) -> list[Draft]:
    """The run's samples; `offset` samples of the trace come before them."""
    messages, embedded = unwrap(run.messages)
    offered = embedded
    if run.offers:
        by_name = {candidate.get("pluginId"): candidate for tools in run.offers.values() for candidate in tools}
        offered = list(by_name.values())
    drafts = []
    for draft in drafts_of(messages, offered, metadata):
        at = len(draft.messages) if draft.kind != "trajectory" else -1
        own = run.offers.get(at, draft.candidates)
        parent = None if draft.parent is None else draft.parent + offset
        drafts.append(replace(draft, candidates=own, parent=parent))
    return drafts


def _note_losses(spans: list[Span], calls: list[Span], words: Words, metadata: Record) -> None:
    for span in calls:
        if not span.said and not span.elsewhere:
            lose(metadata, "missing", words.said)
        if not span.answered and span.error is None and span.ended and not span.elsewhere:
            lose(metadata, "missing", words.answered)
        lose_cut(metadata, span.finish, words.answered)
    if not calls:
        lose(metadata, "missing", f"{words.spans}.{LLM}")
    if any(not span.ended for span in spans):
        lose(metadata, "truncated", words.ended)


def _note_outcome(spans: list[Span], calls: list[Span], metadata: Record) -> None:
    """`outcome`: failed if the outermost spans or the last call of a model failed, succeeded if all of these ended well."""
    ids = {span.id for span in spans if span.id is not None}
    outer = [span for span in spans if span.parent is None or span.parent not in ids]
    deciding = [*outer, *calls[-1:]]
    errors = [span.error for span in deciding if span.error is not None]
    if errors:
        metadata.setdefault("outcome", "failed")
        metadata.setdefault("error", next((error for error in errors if error), "unknown"))
    elif deciding and all(span.ended for span in deciding):
        metadata.setdefault("outcome", "succeeded")
    failed = max(failed_calls(metadata), sum(1 for span in spans if span.kind == TOOL and span.error is not None))
    if failed:
        metadata.setdefault("tool_errors", failed)
    for span in reversed(calls):
        if span.model is not None:
            metadata.setdefault("model", span.model)
        if span.finish is not None:
            metadata.setdefault("finish_reason", span.finish)
    usage: dict[str, int] = {}
    for span in calls:
        for key, number in span.usage.items():
            usage[key] = usage.get(key, 0) + number
    if usage:
        metadata.setdefault("usage", usage)
