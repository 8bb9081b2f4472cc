"""What a reply cost: its tokens at the price that its model had on that day."""

import logging
import re
import tomllib
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files

from curation.claude.reply import Usage

log = logging.getLogger(__name__)

DATED = re.compile(r"[@-]\d{8}$")  # a model's release date, as some services append it to its name

MILLION = 1_000_000


@cache
def price_list() -> tuple[dict[str, object], ...]:
    """The entries of prices.toml, latest first."""
    table = tomllib.loads((files(__package__) / "prices.toml").read_text(encoding="utf-8"))
    return tuple(sorted(table["price"], key=lambda entry: str(entry["from"]), reverse=True))


@cache
def rates(model: str, day: date) -> tuple[float, float, float, float] | None:
    """Dollars per million tokens sent anew, written to the cache, read from it, answered; None: no price is known."""
    name = DATED.sub("", model)
    for entry in price_list():
        begins = entry["from"]
        if entry["model"] == name and isinstance(begins, date) and begins <= day:
            fresh, written, cached, output = (
                float(str(entry[key])) for key in ("input", "cache_write", "cache_read", "output")
            )
            return fresh, written, cached, output
    warn_unpriced(name)
    return None


@cache
def warn_unpriced(model: str) -> None:
    """Says once per model that its cost is not counted, and where to enter its price."""
    log.warning("no price is known for the model %s: its cost is not counted; add it to %s", model, price_file())


def price_file() -> str:
    """Where the prices stand."""
    return str(files(__package__) / "prices.toml")


def price(model: str, usage: Usage, day: date) -> float | None:
    """US dollars for this usage on this day (UTC); None, and one warning a model, where no price is known."""
    found = rates(model, day)
    if found is None:
        return None
    counts = (usage.fresh, usage.written, usage.cached, usage.output)
    return sum(count * rate for count, rate in zip(counts, found, strict=True)) / MILLION


def saved(model: str, cached: int, day: date) -> float:
    """US dollars by which tokens from the prompt cache were cheaper than sent anew; 0 where no price is known."""
    found = rates(model, day) if cached else None
    return 0.0 if found is None else cached * (found[0] - found[2]) / MILLION


def dearest(model: str, sent: int, answered: int, day: date) -> float | None:
    """The most US dollars that a request of `sent` tokens and a reply of at most `answered` can cost on this day."""
    found = rates(model, day)
    if found is None:
        return None
    fresh, written, _, output = found
    return (sent * max(fresh, written) + answered * output) / MILLION


def today() -> date:
    """The day by which prices are looked up."""
    return datetime.now(UTC).date()
