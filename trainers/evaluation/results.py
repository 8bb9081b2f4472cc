"""An evaluation's folder: what was asked and answered, kept as it comes, so that a killed run goes on."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from curation.errors import InputError
from trainers.engines import Completion
from trainers.evaluation.metrics import COUNTS, NAMES

SETTINGS = "settings.json"
JOURNAL = "completions.jsonl"
TABLE = "evaluation.parquet"
SUMMARY = "evaluation.json"

# One row for each sample and pool. `prompt` is the digest of what the model was shown.
FRAME: dict[str, pl.DataType] = {
    "sample_id": pl.String(),
    "category": pl.String(),
    "n_steps": pl.Int32(),
    "pool": pl.String(),
    "candidates": pl.Int32(),
    "prompt": pl.String(),
    "request": pl.String(),
    "plan": pl.String(),
    "completion": pl.String(),
    "finish": pl.String(),
    "tokens": pl.Int64(),
    "problem": pl.String(),
    **dict.fromkeys(NAMES, pl.Float64()),
    **dict.fromkeys(COUNTS, pl.Int64()),
}


def begin(folder: Path, settings: Mapping[str, Any]) -> None:
    """Makes the folder, or makes sure that what it holds was answered under the same settings."""
    path = folder / SETTINGS
    if path.exists():
        differing = _differing(orjson.loads(path.read_bytes()), settings)
        if differing:
            raise InputError(
                f"{folder} holds an evaluation with another {' and another '.join(differing)}; "
                "name another folder with --out, or remove that one"
            )
        return
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty and holds no evaluation; name another folder with --out")
    folder.mkdir(parents=True, exist_ok=True)
    write(path, orjson.dumps(settings, option=orjson.OPT_INDENT_2))


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [key for key in now if before.get(key) != now[key]]


def known(folder: Path) -> dict[str, Completion]:
    """digest of a prompt -> its completion, from the journal."""
    found: dict[str, Completion] = {}
    if not (folder / JOURNAL).exists():
        return found
    for line in (folder / JOURNAL).read_bytes().split(b"\n"):
        try:
            prompt, *rest = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue  # empty, or torn by a kill: that prompt is asked again
        found[prompt] = Completion(*rest)
    return found


@contextmanager
def journal(folder: Path) -> Iterator["Journal"]:
    """The journal, open for further completions."""
    descriptor = os.open(folder / JOURNAL, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            os.write(descriptor, b"\n")  # what a kill tore is a line of its own
        yield Journal(descriptor)
    finally:
        os.close(descriptor)


class Journal:
    """Completions, one line each, on the disk before `add` returns."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def add(self, prompt: str, completion: Completion) -> None:
        """Keeps one."""
        line = orjson.dumps([prompt, completion.text, completion.finish, completion.tokens]) + b"\n"
        os.write(self._descriptor, line)
        os.fsync(self._descriptor)


def write_table(folder: Path, table: pl.DataFrame) -> None:
    """Writes the table, whole."""
    held = BytesIO()
    table.write_parquet(held, compression="zstd")
    write(folder / TABLE, held.getvalue())


def write(path: Path, content: bytes) -> None:
    """A file that appears whole."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def read(folder: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The table and the summary of a finished evaluation; InputError where there is none."""
    try:
        return pl.read_parquet(folder / TABLE), orjson.loads((folder / SUMMARY).read_bytes())
    except (OSError, orjson.JSONDecodeError, pl.exceptions.PolarsError):
        raise InputError(
            f"{folder} holds no finished evaluation ({TABLE} and {SUMMARY}); `curation evaluate` makes one"
        ) from None


def framed(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as the table."""
    return pl.DataFrame(list(rows), schema=FRAME, orient="row")
