"""The platform's native trace: messages, with the candidates beside them or inside the user's message."""

from curation.formats.answer import is_plan, split
from curation.formats.apis import api_of, sides
from curation.formats.chat import drafts_of, offered_by, unwrap
from curation.formats.embedded import is_embedded
from curation.formats.fields import OWN, metadata_of, origin
from curation.formats.losses import lose_cut, lost_of
from curation.formats.messages import canonical
from curation.formats.reading import Format, Reading, Record

KNOWN = OWN | {"messages", "candidates", "tools", "functions"}


def recognises(record: Record) -> bool:
    """Messages with candidates, or in which the platform's prompt or answer form shows, or without any tools."""
    if "messages" not in record or "request" in record or "response" in record:
        return False
    if "candidates" in record:
        return True
    messages = record["messages"]
    listed = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    if any(_shows_form(message) for message in listed):
        return True
    return api_of(sides(record)) is None


def _shows_form(message: Record) -> bool:
    content = message.get("content")
    if not isinstance(content, str):
        return False
    if message.get("role") == "user":
        return is_embedded(content)
    return message.get("role") == "assistant" and is_plan(split(content)[1])


def read(record: Record) -> Reading:
    """The samples of a native trace; both ways of writing the candidates give the same sample."""
    metadata = metadata_of(record, KNOWN)
    lose_cut(metadata, metadata.get("finish_reason"), "finish_reason")
    messages, embedded = unwrap(canonical(record.get("messages"), metadata))
    beside = offered_by(record, metadata)
    if embedded is not None and beside is not None and embedded != beside:
        metadata["candidates_differ"] = True
    drafts = drafts_of(messages, embedded if beside is None else beside, metadata)
    return Reading(drafts, **origin(record, metadata), metadata=metadata, lost=lost_of(metadata))


FORMAT = Format("ondemand", "3", recognises, read)
