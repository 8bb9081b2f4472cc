"""A result goes to the file that `--out` names: whole or not at all; a pipe or a device is written to as it stands."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from curation.errors import InputError


def require_file(out: Path) -> None:
    """Raises InputError where `out` names a folder: to be told before work is done for it."""
    if not out.name or out.is_dir():
        raise InputError(f"--out {str(out)!r} is a folder; name a file")


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """The path to write to; at the end the file takes the place of `out`, at a failure `out` stays what it was.

    A link is followed. What is no regular file (a pipe, /dev/stdout) cannot be replaced, and is opened itself.
    Raises InputError where it cannot be written.
    """
    require_file(out)
    whole = out.resolve() if out.is_file() or not out.exists() else None
    partial = whole.with_name(f".{whole.name}.{os.getpid()}.partial") if whole else out
    try:
        yield partial
        if whole:
            partial.replace(whole)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"--out {out} cannot be written: {getattr(error, 'strerror', None) or error}") from error
    finally:
        if whole:
            _leave_nothing(partial)


def _leave_nothing(partial: Path) -> None:
    """Removes what a failure has left; where nothing could be written there is nothing to remove."""
    try:
        partial.unlink(missing_ok=True)
    except OSError:
        return
