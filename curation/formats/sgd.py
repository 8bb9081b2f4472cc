"""Schema-guided dialogues: a user and a system that calls services, with the results that the services gave."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from curation.errors import FormatError
from curation.formats.answer import Candidate
from curation.formats.chat import drafts_of
from curation.formats.companions import load
from curation.formats.fields import are_texts, member, metadata_of, wrong
from curation.formats.losses import lose, lose_rest, lost_of
from curation.formats.messages import assistant_message, call_message
from curation.formats.outcomes import note_tool_error
from curation.formats.reading import Format, Reading, Record
from curation.sample import Message, dumps

SCHEMA = "schema.json"
SPEAKERS = {"USER": "user", "SYSTEM": "assistant"}
KNOWN = frozenset({"dialogue_id", "services", "turns"})
TURN = frozenset({"frames", "speaker", "utterance"})
FRAME = frozenset({"service", "service_call", "service_results"})
NOTICES = {"NOTIFY_SUCCESS": "succeeded", "NOTIFY_FAILURE": "failed"}
CALL = frozenset({"method", "parameters"})
SERVICE = frozenset({"service_name", "description", "slots", "intents"})
SLOT = frozenset({"name", "description", "is_categorical", "possible_values"})
INTENT = frozenset({"name", "description", "required_slots", "optional_slots"})


def recognises(record: Record) -> bool:
    """A dialogue's turns and the services that it is about."""
    return "dialogue_id" in record and isinstance(record.get("turns"), list) and "services" in record


def companion(path: Path, first: Record) -> bool:
    """The services and what may be asked of them."""
    return path.name == SCHEMA and "service_name" in first and "intents" in first


def join(path: Path) -> Callable[[Record], Record]:
    """Adds to a dialogue the schemas of its services, from `schema.json` beside the file."""

    @cache
    def schemas() -> dict[str, Record]:
        listed = load(path.with_name(SCHEMA), path)
        return {service["service_name"]: service for service in listed if isinstance(service.get("service_name"), str)}

    def complete(record: Record) -> Record:
        named = member(record, "services", "", list)
        for name in named:
            if not isinstance(name, str) or name not in schemas():
                raise FormatError(f"the service {str(name)[:40]!r} is not in {SCHEMA}")
        return {"record": record, "schema": [schemas()[name] for name in named]}

    return complete


def read(joined: Record) -> Reading:
    """The dialogue as a trajectory, and the plan of each service call."""
    record = member(joined, "record", "", dict)
    metadata = metadata_of(record, KNOWN)
    offered = [
        candidate
        for i, service in enumerate(member(joined, "schema", "", list))
        for candidate in _candidates(service, metadata, f"schema[{i}]")
    ]
    messages: list[Message] = []
    for i, turn in enumerate(member(record, "turns", "", list)):
        place = f"turns[{i}]"
        if not isinstance(turn, dict):
            raise wrong(place, turn, "an object")
        messages += _turn(turn, metadata, place, len(messages))
    if not messages:
        raise FormatError("turns is empty")
    metadata["services"] = record.get("services")
    drafts = drafts_of(messages, offered, metadata)
    identity = member(record, "dialogue_id", "", str)
    return Reading(drafts, trace_id=identity, metadata=metadata, lost=lost_of(metadata))


def _turn(turn: Record, metadata: Record, place: str, position: int) -> list[Message]:
    """What was said, after the calls that the system made before it spoke, with their results."""
    lose_rest(metadata, turn, TURN, place)
    speaker = member(turn, "speaker", place, str)
    role = SPEAKERS.get(speaker)
    if role is None:
        raise FormatError(f"{place}.speaker is {speaker[:40]!r}, not one of {', '.join(SPEAKERS)}")
    calls: list[Record] = []
    results: list[Message] = []
    for i, frame in enumerate(member(turn, "frames", place, list)):
        where = f"{place}.frames[{i}]"
        if not isinstance(frame, dict):
            raise wrong(where, frame, "an object")
        lose_rest(metadata, frame, FRAME, where)
        _note_notice(frame, metadata)
        call = frame.get("service_call")
        if call is None:
            continue
        if not isinstance(call, dict):
            raise wrong(f"{where}.service_call", call, "an object")
        lose_rest(metadata, call, CALL, f"{where}.service_call")
        method = member(call, "method", f"{where}.service_call", str)
        call_id = f"call_{position}_{len(calls)}"
        name = plugin_id(member(frame, "service", where, str), method)
        calls.append(call_message(call_id, name, member(call, "parameters", f"{where}.service_call", dict)))
        if frame.get("service_results") is None:
            lose(metadata, "missing", f"{where}.service_results")
        else:
            results.append({"role": "tool", "content": dumps(frame["service_results"]), "tool_call_id": call_id})
    spoken: Message = {"role": role, "content": member(turn, "utterance", place, str)}
    return [assistant_message("", None, calls), *results, spoken] if calls else [spoken]


def _note_notice(frame: Record, metadata: Record) -> None:
    """The system's own word for how a call went; the last one of the dialogue is its outcome."""
    actions = frame.get("actions")
    for action in actions if isinstance(actions, list) else ():
        if isinstance(action, dict) and isinstance(action.get("act"), str) and action["act"] in NOTICES:
            metadata["outcome"] = NOTICES[action["act"]]
            if metadata["outcome"] == "failed":
                note_tool_error(metadata)


def plugin_id(service: str, intent: str) -> str:
    """The id of a service's intent: two services may have intents of one name."""
    return f"{service}_{intent}"


def _candidates(service: Any, metadata: Record, where: str) -> list[Candidate]:
    """The intents of a service; which slots an intent gives back has no place in a candidate."""
    if not isinstance(service, dict):
        raise wrong(where, service, "an object")
    name = member(service, "service_name", where, str)
    lose_rest(metadata, service, SERVICE, where)
    slots: dict[str, Record] = {}
    for i, slot in enumerate(member(service, "slots", where, list)):
        if not isinstance(slot, dict):
            raise wrong(f"{where}.slots[{i}]", slot, "an object")
        lose_rest(metadata, slot, SLOT, f"{where}.slots")
        slots[member(slot, "name", f"{where}.slots[{i}]", str)] = slot
    found = []
    for i, intent in enumerate(member(service, "intents", where, list)):
        place = f"{where}.intents[{i}]"
        if not isinstance(intent, dict):
            raise wrong(place, intent, "an object")
        lose_rest(metadata, intent, INTENT, place)
        called = member(intent, "name", place, str)
        told = [text for text in (intent.get("description"), service.get("description")) if isinstance(text, str)]
        found.append(
            {
                "pluginId": plugin_id(name, called),
                "name": called,
                "description": ". ".join(text.rstrip(".") for text in told),
                "identifier": "function",
                "method": "",
                "parameters": _schema(intent, slots, place),
            }
        )
    return found


def _schema(intent: Record, slots: dict[str, Record], place: str) -> Record:
    """Required and optional slots as a JSON Schema; every value of a slot is text, as the dialogues write it."""
    required = intent.get("required_slots", [])
    if not are_texts(required):
        raise FormatError(f"{place}.required_slots is not a list of strings")
    properties = {name: _property(slots.get(name, {})) for name in required}
    optional = member(intent, "optional_slots", place, dict) if "optional_slots" in intent else {}
    for name, default in optional.items():
        properties[name] = _property(slots.get(name, {}), default)
    return {"type": "object", "properties": properties, "required": required}


def _property(slot: Record, *default: Any) -> Record:
    """One slot: a categorical one is an enum of its values; a default is a value too, `dontcare` as well."""
    schema: Record = {"type": "string"}
    if isinstance(slot.get("description"), str):
        schema["description"] = slot["description"]
    values = slot.get("possible_values")
    if slot.get("is_categorical") is True and isinstance(values, list) and values:
        schema["enum"] = [*values, *(value for value in default if value not in values)]
    return {**schema, "default": default[0]} if default else schema


FORMAT = Format("sgd", "2", recognises, read, join, companion)
