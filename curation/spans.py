"""Where in the request each value of a plan stands: what a reader is shown of where values come from."""

import re
from collections.abc import Iterator
from typing import Any

from curation.batch import leaves, parse_answer
from curation.origins import MONTHS

SHORTEST = 2  # characters of a value that is looked for: a single one stands anywhere
LONGEST = 30  # words up to which a value's words are looked for with other signs between them
WORD = re.compile(r"[^\W_]+")
DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
WHOLE = re.compile(r"-?\d{4,15}")


def grounded(request: str | None, plan: str | None) -> list[dict[str, Any]]:
    """The spans (start, end) of the request in which a value of the plan stands, each with the value's pointer.

    Neither case nor what parts its words matters (`cold_call`, *cold call*); a date may be told with its month's name, a
    number with commas. Of several places the first is told. A value said in yet other words has no span.
    """
    found = []
    for i, step in parse_answer(plan).steps if request else ():
        for pointer, kind, text in leaves(step.get("api_request_parameters"), f"/plugins/{i}/api_request_parameters"):
            if kind in ("string", "number") and len(text.strip()) >= SHORTEST:
                looks = (re.search(rf"(?<!\w){way}(?!\w)", request or "", re.IGNORECASE) for way in ways(text.strip()))
                place = next((look for look in looks if look), None)
                if place:
                    found.append({"start": place.start(), "end": place.end(), "pointer": pointer})
    return found


def ways(text: str) -> Iterator[str]:
    """Patterns of the ways in which a value may be written, the nearest first."""
    yield re.escape(text)
    own = WORD.findall(text)
    if 1 < len(own) <= LONGEST:
        yield r"[\W_]{1,3}".join(map(re.escape, own))
    if (date := DATE.fullmatch(text)) and 1 <= int(date[2]) <= len(MONTHS):
        day, month, year = rf"0?{int(date[3])}(?:st|nd|rd|th)?", rf"{MONTHS[int(date[2]) - 1]}[a-z]*\.?", date[1]
        yield rf"{day}(?: of)? {month}(?:,? {year})?"
        yield rf"{month} {day}(?:,? {year})?"
    if WHOLE.fullmatch(text):
        yield re.escape(f"{int(text):,}")
