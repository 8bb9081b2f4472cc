"""What people read of public plans: for values and plans of which a check told something, whether it was right."""

from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).parent
Label = dict[str, Any]  # sample_id, pointer, reason, right; no text of the set


def labels(name: str) -> list[Label]:
    """The labels in a file of this folder."""
    return [orjson.loads(line) for line in (FOLDER / f"{name}.jsonl").read_bytes().splitlines()]
