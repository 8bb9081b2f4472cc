"""What LangSmith's command line and its datasets write: runs in other words, and examples, which are calls of a model."""

from curation.formats.reading import Record

EXAMPLE = frozenset(("inputs", "outputs"))
# What else an example may have; whatever has more is something else.
BESIDE = frozenset(
    ("id", "metadata", "dataset_id", "created_at", "modified_at", "source_run_id", "attachments", "split", "name")
)
SAYS = ("start_time", "trace_id", "parent_run_id", "inputs", "outputs")  # one of these a run has, whoever wrote it


def is_run(record: Record) -> bool:
    """A run: the SDK calls its id `id`, the command line `run_id`; its times may be missing."""
    if "id" not in record and "run_id" not in record:
        return False
    return "dotted_order" in record or ("run_type" in record and any(key in record for key in SAYS))


def is_example(record: Record) -> bool:
    """An example of a dataset: what was asked, and the answer that is wanted."""
    if not record.keys() >= EXAMPLE or not record.keys() <= EXAMPLE | BESIDE:
        return False
    return isinstance(record["inputs"], dict) and isinstance(record["outputs"], dict | None)


def as_run(part: Record) -> Record:
    """The part in the SDK's words."""
    if is_example(part):
        run = {key: value for key, value in part.items() if key not in ("created_at", "metadata", "split")}
        own = part["metadata"] if isinstance(part.get("metadata"), dict) else {}
        told = {**own, "dataset_split": part["split"]} if part.get("split") else own
        extra = {"metadata": told} if told else {}
        return {**run, "run_type": "llm", "start_time": part.get("created_at"), "status": "success", "extra": extra}
    if "id" in part or not is_run(part):
        return part
    counts, own = part.get("token_usage"), part.get("custom_metadata")
    run = {key: value for key, value in part.items() if key not in ("run_id", "token_usage", "custom_metadata")}
    return {
        **(counts if isinstance(counts, dict) else {}),
        **run,
        "id": part["run_id"],
        **({"extra": {"metadata": own}} if own is not None else {}),
    }


def size(run: Record) -> int:
    """How much a run was given: of calls without a time, one that was given more comes later in a conversation."""
    return len(repr(run.get("inputs")))
