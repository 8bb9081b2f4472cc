"""Langfuse's scheduled exports are rows of its database: they become the objects that its API gives."""

import re

from curation.formats.reading import Record

# What only such a row has: an observation's, a score's and a trace's columns.
ROWS = (
    ("trace_id", "start_time", "type", "id"),
    ("trace_id", "data_type", "value", "name"),
    ("id", "timestamp", "project_id", "session_id", "tags"),
)

_WORD = re.compile(r"_([a-z0-9])")


def is_row(record: Record) -> bool:
    """Whether the record is a row of an export, by its columns' names."""
    return any(all(key in record for key in keys) for keys in ROWS) and "span_id" not in record


def as_object(record: Record) -> Record:
    """The row under the API's names; a column without a value holds an empty text there, and nothing here.

    A record that is no row stays as it is.
    """
    if not is_row(record):
        return record
    named = ((_WORD.sub(lambda match: match[1].upper(), key), value) for key, value in record.items())
    return {key: value for key, value in named if value != ""}
