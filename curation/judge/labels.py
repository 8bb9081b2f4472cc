"""Labels are what people say of samples, on the judge's own scales: the judge is measured by them."""

import getpass
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from curation.errors import InputError
from curation.sample import as_uuid, dumps
from schemas import load_schema

# The label frame: the columns of the table. JSON values are JSON text.
LABEL_FRAME: dict[str, Any] = {
    "label_id": pl.String(),
    "sample_id": pl.String(),
    "labeller": pl.String(),
    "scores": pl.String(),
    "accept": pl.Boolean(),
    "note": pl.String(),
    "labelled_at": pl.Datetime("us", "UTC"),
}

SHOWN = ("request", "messages", "candidates", "thinking", "plan")  # of a sample, to whoever labels it


@dataclass(frozen=True)
class Labels:
    """A file of labels: `frame` is a label frame, `blank` counts lines that nobody has filled in."""

    frame: pl.DataFrame
    blank: int


def read_labels(path: Path, criteria: tuple[str, ...]) -> Labels:
    """The labels of a file of JSON lines (schemas/label.schema.json).

    Raises InputError, naming line and fault, for the first that is none; `criteria` are those that can be scored.
    """
    import jsonschema  # heavy: only where a file is read

    validator = jsonschema.Draft202012Validator(load_schema("label"), format_checker=jsonschema.FormatChecker())
    given, blank = [], 0
    for number, entry in lines(path):
        fault = next(validator.iter_errors(entry), None)
        if fault is not None:
            raise InputError(f"{path}, line {number}: {fault.json_path}: {fault.message[:200]}")
        unknown = sorted(entry.get("scores", {}).keys() - set(criteria))
        if unknown:
            raise InputError(
                f"{path}, line {number}: the rubric has no criterion {unknown[0]!r}; it has {', '.join(criteria)}"
            )
        if is_blank(entry):
            blank += 1
        else:
            given.append(row(entry))
    return Labels(pl.DataFrame(given, schema=LABEL_FRAME, orient="row"), blank)


def lines(path: Path) -> Iterator[tuple[int, Any]]:
    """(number, value) of each line that is not empty."""
    try:
        texts = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(
            f"the labels {path} cannot be read: {error.strerror}; `curation calibrate {path} --draw 100` makes a sheet"
        ) from error
    for number, text in enumerate(texts, 1):
        if text.strip():
            try:
                yield number, orjson.loads(text)
            except orjson.JSONDecodeError as error:
                raise InputError(f"{path}, line {number} is not JSON: {error}") from error


def is_blank(entry: dict[str, Any]) -> bool:
    """Whether nobody has said anything yet."""
    return entry.get("accept") is None and all(score is None for score in entry.get("scores", {}).values())


def row(entry: dict[str, Any]) -> dict[str, Any]:
    """A row of a label frame."""
    labeller = entry.get("labeller") or getpass.getuser()
    scores = dumps(dict(sorted(entry.get("scores", {}).items())))
    said = [entry["sample_id"], labeller, scores, entry.get("accept"), entry.get("note")]
    at = entry.get("labelled_at")
    return {
        "label_id": as_uuid(hashlib.blake2b(orjson.dumps(said), digest_size=16).hexdigest()),
        **dict(zip(("sample_id", "labeller", "scores", "accept", "note"), said, strict=True)),
        "labelled_at": datetime.fromisoformat(at).astimezone(UTC) if at else datetime.now(UTC),
    }


def sheet(samples: pl.DataFrame, criteria: tuple[str, ...]) -> Iterator[bytes]:
    """A blank label for each row of a sample frame, one JSON line each; what the judge said is not shown."""
    for sample in samples.iter_rows(named=True):
        shown = {name: sample[name] for name in SHOWN if sample[name] is not None}
        for name in ("messages", "candidates"):
            if name in shown:
                shown[name] = orjson.loads(shown[name])
        blank = {"sample_id": sample["sample_id"], "scores": dict.fromkeys(criteria), "accept": None, "shown": shown}
        yield orjson.dumps(blank, option=orjson.OPT_APPEND_NEWLINE)
