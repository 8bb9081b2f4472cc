"""What people read of public plans: for values and plans of which a check told something, whether it was right."""

from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).parent
# sample_id, pointer (of copies the other sample and the set), reason, right, draw; no text of the set. `draw` says in
# which sample it was read: 1 when the rules were written, 2 and 3 afterwards (BFCL's by the seeds 20261126 and 20261127,
# before and after the rules were mended), 0 because every plan of one turn was.
Label = dict[str, Any]


def labels(name: str) -> list[Label]:
    """The labels in a file of this folder."""
    return [orjson.loads(line) for line in (FOLDER / f"{name}.jsonl").read_bytes().splitlines()]
