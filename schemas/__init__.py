"""What a record looks like: JSON Schema files, the single source of truth, and their loader."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

NAMES = ("trace", "sample", "plan", "plugin", "decision", "judgement", "label", "manifest", "recipe")


@cache
def load_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) called `name`, one of NAMES; read once, not to be changed by the caller."""
    text = (files(__package__) / f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
