"""A warehouse as it can be compared with another: every table's rows without times and ids of runs."""

from pathlib import Path

import duckdb

COLUMNS = {
    "trace": "trace_key, trace_id, format, source, line, error",
    "sample": "* EXCLUDE (first_seen)",
    "sample_trace": "*",
    "derivation": "* EXCLUDE (made_at)",
    "decision": "* EXCLUDE (decided_at)",
    "signature": "*",
    '"similar"': "*",
    "recipe_stage": "*",
    "judgement": "judgement_id, sample_id, spec, status, scores, overall",
    "verdict": "*",
    "release": "name, version, state, digest",
    "release_sample": "*",
    "split_group": "*",
}


def facts(warehouse: Path) -> dict[str, list[tuple[object, ...]]]:
    """Table -> its rows in order."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return {
            name: connection.execute(f"SELECT {what} FROM {name} ORDER BY ALL").fetchall()
            for name, what in COLUMNS.items()
        }
