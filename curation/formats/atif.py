"""ATIF, the agent trajectory interchange format: one run of an agent as steps, with what came back in each."""

from dataclasses import replace

from curation.errors import FormatError
from curation.formats.answer import Candidate
from curation.formats.atif_steps import Step, listed, messages_of, note_step
from curation.formats.chat import candidates_of_tools, drafts_of
from curation.formats.fields import OWN, PLAIN, member, metadata_of, origin, wrong
from curation.formats.losses import lose, lose_rest, lost_of
from curation.formats.messages import attribute
from curation.formats.outcomes import note_outcome
from curation.formats.reading import Format, Reading, Record
from curation.sample import Draft, Message

TRAJECTORY = frozenset(
    (
        *("schema_version", "trajectory_id", "session_id", "agent", "steps", "extra", "final_metrics"),
        *("subagent_trajectories", "continued_trajectory_ref"),
    )
)
KNOWN = OWN | TRAJECTORY
AGENT = frozenset({"name", "version", "model_name", "tool_definitions"})


def recognises(record: Record) -> bool:
    """The schema's version, or an agent and steps that have a source."""
    version = record.get("schema_version")
    if isinstance(version, str) and version.startswith("ATIF"):
        return True
    steps = record.get("steps")
    told = isinstance(steps, list) and bool(steps) and isinstance(record.get("agent"), dict)
    return told and all(isinstance(step, dict) and "source" in step for step in record["steps"])


def read(record: Record) -> Reading:
    """The run and the plan of each turn that calls tools; a sub-agent's run inside it is a trajectory of its own."""
    metadata = metadata_of(record, KNOWN)
    _note(record, metadata)
    drafts = _all_drafts(record, metadata, "", _embedded(record))
    times = (step.said.get("timestamp") for step in _ordered(_listed_steps(record, "")))
    time = next((time for time in times if time is not None), None)
    fields = origin(record, metadata, ("trajectory_id", "trace_id", "session_id"), time)
    return Reading(tuple(drafts), **fields, metadata=metadata, lost=lost_of(metadata))


def _note(record: Record, metadata: Record) -> None:
    """What may be filtered on: agent, model, the figures of the whole run, and what the writer added at its end."""
    agent = member(record, "agent", "", dict)
    version = record.get("schema_version")
    names = {"agent": agent.get("name"), "agent_version": agent.get("version"), "model": agent.get("model_name")}
    for key, value in {**names, "schema_version": version}.items():
        if isinstance(value, str):
            metadata.setdefault(key, value)
    figures = record.get("final_metrics")
    if isinstance(figures, dict) and figures:
        metadata.setdefault("usage", figures)
    extra = record.get("extra")
    for key, value in extra.items() if isinstance(extra, dict) else ():
        if isinstance(value, PLAIN):
            metadata.setdefault(key, value)
        elif value:
            lose(metadata, "dropped", f"extra.{key}")
    note_outcome(metadata, (record, extra if isinstance(extra, dict) else {}))


def _embedded(record: Record) -> frozenset[str]:
    """The ids of all runs inside this one: a reference to any of them is no loss."""
    found: set[str] = set()
    waiting = [record]
    while waiting:
        inside = waiting.pop().get("subagent_trajectories")
        for inner in inside if isinstance(inside, list) else ():
            if isinstance(inner, dict):
                waiting.append(inner)
                if isinstance(inner.get("trajectory_id"), str):
                    found.add(inner["trajectory_id"])
    return frozenset(found)


def _all_drafts(record: Record, metadata: Record, where: str, embedded: frozenset[str]) -> list[Draft]:
    """The samples of a run and of all runs inside it, each plan with its own run as its parent."""
    drafts = list(_drafts(record, metadata, where, embedded))
    if record.get("continued_trajectory_ref"):
        lose(metadata, "by_reference", f"{where}continued_trajectory_ref")
    for i, inner in enumerate(listed(record, "subagent_trajectories", where[:-1])):
        place = f"{where}subagent_trajectories[{i}]"
        if not isinstance(inner, dict):
            raise wrong(place, inner, "an object")
        known = TRAJECTORY - {"extra", "final_metrics"}  # the figures and words of the outer run stand for all
        lose_rest(metadata, inner, known, place)
        before = len(drafts)
        drafts += [
            draft if draft.parent is None else replace(draft, parent=draft.parent + before)
            for draft in _all_drafts(inner, metadata, f"{place}.", embedded)
        ]
    return drafts


def _drafts(record: Record, metadata: Record, where: str, embedded: frozenset[str]) -> tuple[Draft, ...]:
    agent = member(record, "agent", where[:-1], dict)
    lose_rest(metadata, agent, AGENT, f"{where}agent")
    tools = agent.get("tool_definitions")
    offered: list[Candidate] | None = None
    if tools is not None:
        offered = candidates_of_tools(tools, metadata, f"{where}agent.tool_definitions")
    messages: list[Message] = []
    foreign: set[int] = set()  # positions of turns that no model gave in this run
    for step in _ordered(_listed_steps(record, where)):
        if not note_step(step, metadata):
            foreign.add(len(messages))
        messages += messages_of(step, metadata, len(messages), embedded)
    if not messages:
        raise FormatError(f"{where}steps is empty")
    attribute(messages, [None] * len(messages))
    found = drafts_of(messages, offered, metadata)
    return tuple(draft for draft in found if draft.parent is None or draft.turn not in foreign)


def _listed_steps(record: Record, where: str) -> list[Step]:
    steps = []
    for i, step in enumerate(member(record, "steps", where[:-1], list)):
        place = f"{where}steps[{i}]"
        if not isinstance(step, dict):
            raise wrong(place, step, "an object")
        steps.append(Step(step, place))
    return steps


def _ordered(steps: list[Step]) -> list[Step]:
    """The steps by their numbers, if each has one of its own; else as they stand."""
    numbers = [step.said.get("step_id") for step in steps]
    if all(isinstance(number, int) for number in numbers) and len(set(numbers)) == len(numbers):
        return sorted(steps, key=lambda step: int(step.said["step_id"]))
    return steps


FORMAT = Format("atif", "2", recognises, read)
