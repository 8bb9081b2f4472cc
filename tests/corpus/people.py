"""Personal data that belongs to nobody, of every kind, planted in what was said and in what is called."""

import random
from collections.abc import Callable, Iterator

from curation.personal import luhn, remainder
from tests.corpus.bases import Base
from tests.corpus.planting import expecting, put, text_places


def card(rng: random.Random) -> str:
    """A number with a right check digit."""
    body = f"45{rng.randint(10**12, 10**13 - 1)}"
    return body + str((10 - luhn(body + "0")) % 10)


def iban(rng: random.Random) -> str:
    """An account with right check digits."""
    account = f"3704{rng.randint(10**13, 10**14 - 1)}"
    plain = f"DE{98 - remainder(f'DE00{account}'):02d}{account}"
    return rng.choice([plain, " ".join(plain[i : i + 4] for i in range(0, len(plain), 4))])


WRITTEN: dict[str, Callable[[random.Random], str]] = {
    "email": lambda r: f"ottilie{r.randint(10, 99)}@vandersloot-{r.randint(10, 99)}.nl",
    "card": card,
    "iban": iban,
    "phone": lambda r: r.choice(["+49 151 {}", "+49151{}", "+1 (415) {}"]).format(r.randint(2345678, 9876543)),
    "ip": lambda r: f"84.{r.randint(1, 250)}.{r.randint(1, 250)}.7",
    "ipv6": lambda r: f"2a02:8109:9a40:{r.randint(1000, 9999)}::1f2",
}


def people(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """One piece in the request, the thinking or a value."""
    for name, write in WRITTEN.items():
        text = write(rng)
        changed = base.copy()
        last = len(changed.before) - 1
        changed.before[last]["content"] = f"{changed.before[last].get('content') or ''} Reach me: {text}."
        yield f"{name} in request", expecting(changed, ("pii.found", f"/messages/{last}/content"))
        thought = base.copy()
        thought.thinking = f"They are at {text}, so I use it."
        yield f"{name} in thinking", expecting(thought, ("pii.found", "/thinking"))
        if text_places(base):
            place = rng.choice(text_places(base))
            yield f"{name} in value", expecting(put(base, place, text), ("pii.found", place.pointer()))
