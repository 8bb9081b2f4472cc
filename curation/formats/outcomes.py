"""How a run ended is written into its metadata under the same words, whatever the log calls them."""

from collections.abc import Collection, Iterable
from typing import Any

from curation.formats.fields import PLAIN
from curation.formats.losses import lose
from curation.formats.reading import Record
from curation.sample import Message

SUCCEEDED = ("succeeded", "success", "ok", "completed", "complete")
FAILED = ("failed", "failure", "error", "errored", "cancelled", "canceled", "incomplete", "timeout", "expired")
GATHERED_FAILURES = "curation.failed"  # where failed calls stand until `failed_calls` takes them out
CARRIED = ("model", "usage", "error", "status")


def note_outcome(metadata: Record, sides: Collection[Record]) -> None:
    """The first model, usage, error and status that the sides of an exchange name, and the `outcome` that they mean."""
    for key in CARRIED:
        found = next((side[key] for side in sides if side.get(key) is not None), None)
        if found is not None:
            metadata.setdefault(key, found)
    outcome = outcome_of(metadata.get("error"), metadata.get("status"))
    if outcome is not None:
        metadata.setdefault("outcome", outcome)


def outcome_of(error: Any, status: Any) -> str | None:
    """`succeeded` or `failed`, from an error, an HTTP status or a word; None where they say neither."""
    if error:
        return "failed"
    if isinstance(status, int) and not isinstance(status, bool):
        return "succeeded" if status < 400 else "failed"
    word = status.lower() if isinstance(status, str) else None
    return "succeeded" if word in SUCCEEDED else "failed" if word in FAILED else None


def note_settings(metadata: Record, side: Record, known: Collection[str], where: str) -> None:
    """Carries the plain values of a request or a response into the metadata, and names what else is in it as lost."""
    tags = side.get("metadata")
    for key, value in tags.items() if isinstance(tags, dict) else ():
        metadata.setdefault(key, value)
    for key, value in side.items():
        if key in known or key in CARRIED or key == "metadata" or value is None:
            continue
        if isinstance(value, PLAIN):
            metadata.setdefault(key, value)
        elif value:
            lose(metadata, "dropped", f"{where}{key}")


def note_tool_error(metadata: Record) -> None:
    """Counts one tool call that failed."""
    count = metadata.get("tool_errors")
    metadata["tool_errors"] = (count if isinstance(count, int) else 0) + 1


def note_failed_call(metadata: Record, result: Message) -> None:
    """Gathers one failed call by its result, which later calls of a model repeat; see `failed_calls`."""
    gathered = metadata.setdefault(GATHERED_FAILURES, [])
    told = result.get("tool_call_id") or result["content"]
    if told not in gathered:
        gathered.append(told)


def failed_calls(metadata: Record) -> int:
    """How many calls failed by their results' own word; takes the gathered ones out of the metadata."""
    return len(metadata.pop(GATHERED_FAILURES, ()))


def feedback_of(scores: Iterable[tuple[object, object]], metadata: Record) -> None:
    """Notes scores, (name, value) each, under `feedback`; the last of a name counts."""
    found = {name: value for name, value in scores if isinstance(name, str) and value is not None}
    if found:
        said = metadata.get("feedback")
        metadata["feedback"] = {**(said if isinstance(said, dict) else {}), **found}
