"""Values that come from nowhere: other names, numbers, dates and addresses than those that were said."""

import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.corpus.bases import Base
from tests.corpus.leaks import LETTERS, uuid
from tests.corpus.leaks import some as chars
from tests.corpus.planting import Place, expecting, places, put, some, text_places

Json = Any
NUMERIC = ("number", "float", "integer", "int")
# Parts of names of parameters whose value nobody can tell from the request alone, so that nothing is told of them.
BEYOND = (
    *("type", "kind", "class", "categor", "genre", "style", "cuisine", "lang", "country", "state", "lat", "lon", "coord"),
    *("zone", "zip", "postal", "symbol", "format", "team", "locale", "time", "date", "year", "ticker", "sector", "mood", "tone"),
)  # fmt: skip

# What people and models make up, by what it is.
MADE_UP: dict[str, Callable[[random.Random], str]] = {
    "person": lambda r: r.choice(["Ottilie Vandersloot", "Kwame Brathwaite", "Ljubica Zorić", "Gideon Plumtree"]),
    "place": lambda r: r.choice(["Ouagadougou", "Whakatane", "Szczebrzeszyn", "Llanfairfechan"]),
    "company": lambda r: r.choice(["Quibblewick Foundry", "Vexillum Partners", "Grözinger Werke"]),
    "mail": lambda r: r.choice(["ottilie.v@vandersloot.nl", "plumtree77@fastpost.ch"]),
    "id": lambda r: f"ZQ-{r.randint(70001, 99999)}-{chars(r, LETTERS, 3)}",
    "uuid": uuid,
    "key": lambda r: chars(r, LETTERS, 11),
    "phone": lambda r: f"+4178{r.randint(3000000, 9999999)}",
    "sentence": lambda r: r.choice(["Zebras gallop quietly beneath violet umbrellas", "Our walrus juggles seventeen marmalade jars"]),
    "in lower case": lambda r: r.choice(["vandersloot", "quibblewick", "szczebrzeszyn"]),
}  # fmt: skip


def knowable(place: Place) -> bool:
    """Whether the name of the parameter leaves it to the request what the value is."""
    return not any(word in place.key().lower() for word in BEYOND)


def inventions(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A made-up value in place of one that was said."""
    open_places = [place for place in text_places(base) if knowable(place)]
    for name, make in MADE_UP.items():
        if open_places:
            place = rng.choice(open_places)
            yield name, expecting(put(base, place, make(rng)), ("grounding.invented", place.pointer()))
    for place in some(rng, [p for p in places(base) if is_plain_number(p) and knowable(p)], 2):
        number = rng.randint(7_000_001, 9_999_999)
        yield "number", expecting(put(base, place, number), ("grounding.invented", place.pointer()))


def is_plain_number(place: Place) -> bool:
    """Whether any number may stand here."""
    return place.schema.get("type") in NUMERIC and place.schema.keys() <= {"type", "description", "title"}
