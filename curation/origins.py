"""Could a value have come from what was said? Answers no only where that can be known."""

import re
from collections.abc import Iterator

from curation.parameters import Schemas
from curation.references import referred
from curation.said import PLACES, Said, digits_of, lexicon, plain, scripts, words

DATE = re.compile(
    r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})(?:[-/.](?P<d>\d{1,2}))?(?:[T ](?P<time>.*))?|(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<year>\d{2,4})"
)
TIME = re.compile(r"T?(\d{1,2})(?::(\d{2}))?(?::\d{2}(?:\.\d+)?)?\s*(?:Z|[+-]\d{2}:?\d{2}|[aApP]\.?[mM]\.?)?")
NUMBER = re.compile(r"[-+]?[$€£]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?%?")
CODE = re.compile(
    r"\^?[A-Z]{1,6}(?:[./-]?[A-Z0-9]{1,3})?"
)  # a ticker, an airport, a model: follows from a name that was said, or not
TIMED = re.compile("(?i)year|month|day|date|time|hour|minute|week|duration|period|interval")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")  # as words begin
SMALL = 1  # numbers up to this are beginnings and switches rather than inventions
SHORT, MIDDLE = 3, 7  # words up to which a text is a name, or a phrase; a longer one was written for the purpose
ENOUGH = {SHORT: 0.01, MIDDLE: 0.25}  # of a text's words must be known; of a longer one's OF_LONG
OF_LONG = 0.2
HALF = 0.5  # of the characters of an id, a key or an address must be known
DECIMALS = 3  # a number with so many or more is computed or looked up
ROUNDED = 2  # decimals to which a calculated number is given; with fewer, chance would give many
FIRST_YEAR, LONG_AGO = 1000, 2000  # a year before this one belongs to a thing that was named; a later one is a choice


def described(schemas: Schemas) -> str:
    """All that the schemas say in words of a value: descriptions, titles, examples, defaults and lists of values."""
    keys = ("title", "description", "default", "const", "enum", "examples", "pattern")
    return " ".join(str(schema[key]) for schema in schemas for key in keys if key in schema)


def is_invented(text: str, kind: str, name: str, said: Said, about: Said) -> bool:
    """Whether nothing that was said, and nothing that the schema says (`about`), gives this value.

    `kind` is that of a value frame (string, number, …), `name` the name of the parameter.
    """
    if kind not in ("string", "number"):
        return False
    value = text.strip()
    if kind == "number" or NUMBER.fullmatch(value):
        return number_invented(value, name, said, about)
    if referred(value) or not any(c.isalnum() for c in value):
        return False
    if said.has(value) or about.has(value) or plain(value) in lexicon().neutral:
        return False
    if DATE.fullmatch(value) or TIME.fullmatch(value):
        if said.relative or "current" in about.words:
            return False
        return not any(said.numbers & way for way in ways_of_time(value, said))
    return text_invented(value, name, said, about)


def number_invented(text: str, name: str, said: Said, about: Said) -> bool:
    """A number is said in digits or words, perhaps in another unit; one that takes a calculation is not judged."""
    digits = text.strip("-+$€£%").replace(",", "")
    number = digits_of(digits)[0] if digits_of(digits) and "e" not in digits.lower() else 0.0
    if number <= SMALL or lexicon().known_of_things.search(name):
        return False
    decimals = len(digits.partition(".")[2].rstrip("0"))
    if decimals >= DECIMALS or (decimals == ROUNDED and number in said.rounded) or is_long_ago(number, name):
        return False
    if any(round(number, PLACES) in given for given in known_numbers(said, about)) or (
        len(digits.partition(".")[0]) > SHORT and digits.partition(".")[0] in said.joined
    ):
        return False
    if TIMED.search(name):
        return not (said.relative or "current" in about.words or number % 100 in said.numbers)
    return True


def is_long_ago(number: float, name: str) -> bool:
    """Whether it is the year of something that was named: when a book appeared or a war began is known of the world."""
    return "year" in name.lower() and FIRST_YEAR <= number < LONG_AGO


def known_numbers(said: Said, about: Said) -> Iterator[frozenset[float]]:
    """The numbers that a value may be, those that cost least first."""
    yield said.numbers
    yield about.numbers
    yield said.derived


def ways_of_time(text: str, said: Said) -> Iterator[frozenset[float]]:
    """The numbers by which a date or a time may have been told."""
    if date := DATE.fullmatch(text):
        month = next((int(date[key]) for key in ("m", "a", "b") if date[key]), 0)
        named = 1 <= month <= len(MONTHS) and f" {MONTHS[month - 1]}" in said.line
        yield said.numbers if named else frozenset()
        yield frozenset(float(date[key]) for key in ("y", "d", "a", "b", "year") if date[key])
        if date["time"]:
            yield from ways_of_time(date["time"], said)
    elif clock := TIME.fullmatch(text):
        hour = float(clock[1])
        yield frozenset({hour, hour - 12 if hour > 12 else hour + 12, hour * 100 + float(clock[2] or 0)})


def text_invented(text: str, name: str, said: Said, about: Said) -> bool:
    """A name or a phrase none of whose words is known, or a long text hardly any of whose words is."""
    lexical = lexicon()
    beyond = lexical.known_of_things.search(name) and not is_token(text)
    if beyond or said.means(plain(text)) or plain(text) in lexical.units:
        return False
    if plain(text) not in lexical.same:
        foreign = not scripts(text) <= said.scripts | {"COMMON"}
        if foreign or CODE.fullmatch(text) or lexical.written.search(text):
            return False
    own = [word for word in dict.fromkeys(words(text)) if word not in lexical.stop]
    if not own or said.abbreviates(own) or said.abbreviates(words(text.partition(",")[0])):
        return False
    known = [word for word in own if said.knows(word) or about.knows(word)]
    if is_token(text):
        return sum(map(len, known)) < HALF * sum(map(len, own))
    return len(known) / len(own) < next((enough for size, enough in ENOUGH.items() if len(own) <= size), OF_LONG)


def is_token(text: str) -> bool:
    """Whether it is one piece of letters and digits, as ids, keys and addresses are: those are said, or made up."""
    return (
        len(text.split()) == 1 and "/" not in text and any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    )
