"""Samples for the judge's tests: a request, its candidates, and plans of known quality."""

import copy
import hashlib
import uuid
from collections.abc import Iterator
from typing import Any

import polars as pl

from curation.claude.journal import journal_folder, pending
from curation.judge.judgement import JUDGEMENT_FRAME
from curation.judge.ledger import judgements
from curation.sample import SAMPLE_FRAME, dumps, identify

SECRET = b"a secret of this warehouse"

Row = dict[str, Any]


def plugin(key: str, name: str, description: str, **properties: Any) -> Row:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    head = {"pluginId": key, "name": name, "description": description}
    return {**head, "identifier": "rest_api", "method": "POST", "parameters": parameters}


TEXT = {"type": "string"}

CANDIDATES = [
    plugin(
        "plugin-11", "Flight Finder", "Searches flights between two airports", origin=TEXT, destination=TEXT, date=TEXT
    ),
    plugin(
        "plugin-12",
        "Hotel Booker",
        "Books a hotel room in a city for some nights",
        city=TEXT,
        nights={"type": "integer"},
    ),
    plugin(
        "plugin-13",
        "Currency Converter",
        "Converts an amount of money into another currency",
        amount={"type": "number"},
    ),
    plugin("plugin-14", "Weather Report", "Tells the weather forecast of a city", city=TEXT),
    plugin("plugin-15", "Invoice Mailer", "Sends an invoice by e-mail", recipient=TEXT, invoice=TEXT),
]

REQUEST = (
    "Find flights from Lisbon to Oslo on 12 May, and book a hotel in Oslo for 3 nights based on the result. "
    "I travel alone."
)

THINKING = (
    "The user wants to fly from Lisbon to Oslo on 12 May and needs a hotel there for 3 nights. The Flight Finder "
    "searches flights between airports, and the Hotel Booker books the room in the city where the flight arrives."
)


def step(key: str, dependencies: tuple[str, ...] = (), **values: Any) -> Row:
    offered = next(candidate for candidate in CANDIDATES if candidate["pluginId"] == key)
    told = {name: offered[name] for name in ("pluginId", "name", "description", "identifier", "method")}
    return {
        **told,
        "api_request_parameters": values,
        "all_parameters_hydrated": True,
        "dependencies": list(dependencies),
    }


FLIGHT = step("plugin-11", origin="Lisbon", destination="Oslo", date="12 May")
HOTEL = step("plugin-12", ("plugin-11",), city="{{plugin-11.output.destination}}", nights=3)


def sample(
    request: str = REQUEST,
    steps: list[Row] | None = None,
    thinking: str | None = THINKING,
    candidates: list[Row] | None = CANDIDATES,
    plan: str | None = None,
    attempt: int = 0,
) -> Row:
    """One row of a work list; by default a good plan."""
    messages = dumps([{"role": "user", "content": request}])
    offered = None if candidates is None else dumps(candidates)
    text = plan if plan is not None else dumps({"plugins": copy.deepcopy([FLIGHT, HOTEL] if steps is None else steps)})
    return {
        **dict.fromkeys(SAMPLE_FRAME),
        "sample_id": identify("plan", messages, offered, thinking, text),
        "kind": "plan",
        "source": "tests",
        "request": request,
        "messages": messages,
        "candidates": offered,
        "thinking": thinking,
        "plan": text,
        "attempt": attempt,
    }


def frame(rows: list[Row]) -> pl.DataFrame:
    """Rows as a frame of the work list."""
    return pl.DataFrame(rows, schema={**SAMPLE_FRAME, "attempt": pl.Int32()}, orient="row")


def numbered(n: int, start: int = 0, attempt: int = 0) -> list[Row]:
    """So many different good samples, the same ones on every call."""
    return [sample(f"{REQUEST} Case {i:05d}.", attempt=attempt) for i in range(start, start + n)]


def frames(n: int, size: int = 500) -> Iterator[pl.DataFrame]:
    """A work list of `n` samples in frames of `size`."""
    for start in range(0, n, size):
        yield frame(numbered(min(size, n - start), start))


def kept(warehouse: Any) -> pl.DataFrame:
    """Everything that the journal of this warehouse holds, as a warehouse would have it: each judgement once."""
    found = [judgements(file) for file in pending(journal_folder(warehouse))]
    return pl.concat([pl.DataFrame(schema=JUDGEMENT_FRAME), *found]).unique("judgement_id", maintain_order=True)


def an_id(text: str) -> str:
    """Some UUID."""
    return str(uuid.UUID(bytes=hashlib.blake2b(text.encode(), digest_size=16).digest()))
