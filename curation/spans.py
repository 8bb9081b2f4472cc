"""Where in the request each value of a plan stands as it is: what a reader is shown of where values come from."""

import re
from typing import Any

from curation.batch import leaves, parse_answer

SHORTEST = 2  # characters of a value that is looked for: a single one stands anywhere


def grounded(request: str | None, plan: str | None) -> list[dict[str, Any]]:
    """The spans (start, end) of the request in which a value of the plan stands whole, each with the value's pointer.

    Case does not matter; of several places the first is told. A value said in other words has no span.
    """
    found = []
    for i, step in parse_answer(plan).steps if request else ():
        for pointer, kind, text in leaves(step.get("api_request_parameters"), f"/plugins/{i}/api_request_parameters"):
            if kind in ("string", "number") and len(text.strip()) >= SHORTEST:
                place = re.search(rf"(?<!\w){re.escape(text.strip())}(?!\w)", request or "", re.IGNORECASE)
                if place:
                    found.append({"start": place.start(), "end": place.end(), "pointer": pointer})
    return found
