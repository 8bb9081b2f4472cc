"""What was said before a plan: its words and numbers, so that a value can be looked for whatever way it is written."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from itertools import product
from pathlib import Path

import orjson

WORDS_FILE = Path(__file__).parent / "filters" / "grounding_words.toml"
WORD = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)*|[$€£¥₹%°]")
JOINT = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")  # where camelCase has its blanks
COMMAS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+,\d+")  # between thousands, or before decimals
NUMERALS = re.compile("[〇零一二两兩三四五六七八九十百千万萬]+")  # as Chinese and Japanese write numbers
POWER = re.compile(r"\d+(?:\.\d+)?[eE][-+]?\d{1,2}\b")
ALIKE = 0.85  # of 1, how like two words are of which one is misspelt
STEM = 5  # letters of a word that say what it is about: "book", "booked" and "booking" meet, and it needs no language
NICK = 4  # letters by which a short form of a name is known
FEW = 14  # numbers of which every sum and product is looked at
PLACES = 4  # decimals to which two numbers are the same


@dataclass(frozen=True, slots=True)
class Words:
    """The data file, its lists as sets; `same` maps each name to the groups of names for the same thing."""

    stop: frozenset[str]
    neutral: frozenset[str]
    relative: frozenset[str]
    known_of_things: re.Pattern[str]
    written: re.Pattern[str]
    factors: tuple[float, ...]
    numbers: dict[str, float]
    scales: dict[str, float]
    numerals: dict[str, float]
    carried: dict[str, tuple[float, ...]]
    same: dict[str, tuple[tuple[str, ...], ...]]
    units: frozenset[str]


@cache
def lexicon() -> Words:
    """The data file, read once."""
    table = tomllib.loads(WORDS_FILE.read_text(encoding="utf-8"))
    same: dict[str, tuple[tuple[str, ...], ...]] = {}
    for groups in table["same"].values():
        for group in groups:
            names = tuple(name.replace("-", " ") for name in group.split())
            for name in names:
                same[name] = (*same.get(name, ()), names)
    return Words(
        stop=frozenset(table["stop"].split()),
        neutral=frozenset(table["neutral"].split()),
        relative=frozenset(table["relative"].split()),
        known_of_things=re.compile(table["known_of_things"]),
        written=re.compile(table["written"]),
        factors=tuple(map(float, table["factors"])),
        numbers=table["numbers"],
        scales=table["scales"],
        numerals=table["numerals"],
        carried={word: tuple(held["numbers"]) for held in table["carried"] for word in held["words"].split()},
        same=same,
        units=frozenset(name for group in table["same"]["unit"] for name in group.split()),
    )


def plain(text: str) -> str:
    """The text in lower case and without accents, its joined words taken apart."""
    apart = JOINT.sub(" ", text)
    if not apart.isascii():
        apart = "".join(c for c in unicodedata.normalize("NFKD", apart) if not unicodedata.combining(c))
    return apart.casefold()


def words(text: str) -> list[str]:
    """Every word and number of a text."""
    return WORD.findall(plain(text))


def stem(word: str) -> str:
    """The beginning of a word, without the plural's s."""
    singular = word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
    return singular[:STEM]


def spoken(messages: str) -> str:
    """All texts of a conversation (JSON text): what was said, what tools were called with, what they returned."""
    parts: list[str] = []
    for message in orjson.loads(messages):
        if isinstance(message, dict):
            content = message.get("content")
            parts.append(content if isinstance(content, str) else orjson.dumps(content).decode())
            for call in message.get("tool_calls") or ():
                parts.append(str((call.get("function") or {}).get("arguments")) if isinstance(call, dict) else "")
    return "\n".join(parts)


class Said:
    """One text in which values are looked for: a conversation, or what a schema says of a parameter."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def words(self) -> list[str]:
        """Every word and number."""
        return words(self.text)

    @cached_property
    def line(self) -> str:
        """The words with single blanks between and around them."""
        return f" {' '.join(self.words)} "

    def has(self, text: str) -> bool:
        """Whether these words stand here in this order, joined or apart."""
        sought = words(text)
        if not sought:
            return False
        closed = (
            len(text) > STEM or not text.isascii()
        )  # long enough to be no part of a word; or written without blanks
        return f" {' '.join(sought)} " in self.line or (closed and "".join(sought) in self.joined)

    def knows(self, word: str) -> bool:
        """Whether a word stands here, in any of its forms, or a number, or another name for the same thing."""
        if word[:1].isdigit():
            return bool(numbers([word]) & self.numbers) or word in self.joined
        form = stem(word)
        if f" {form}{'' if len(form) > 2 else ' '}" in self.line:
            return True
        if len(word) > 3 and any(word.startswith(said[:NICK]) for said in self.forms):
            return True
        if self.means(word) or lexicon().numbers.get(word) in self.numbers:
            return True
        return len(word) >= STEM and bool(get_close_matches(word, self.forms, n=1, cutoff=ALIKE))

    def abbreviates(self, own: list[str]) -> bool:
        """Whether the first letters of these words stand here as a word, perhaps with one more: SF and SFO, LA and LAX."""
        letters = "".join(word[0] for word in own if word not in lexicon().stop)
        return len(letters) > 1 and re.search(f" {re.escape(letters)}[a-z]? ", self.line) is not None

    def means(self, name: str) -> bool:
        """Whether another name for the same thing stands here."""
        groups = lexicon().same.get(name, ())
        return any(f" {other} " in self.line for group in groups for other in group)

    @cached_property
    def joined(self) -> str:
        """All words without blanks, so that spacing does not matter."""
        return "".join(self.words)

    @cached_property
    def forms(self) -> frozenset[str]:
        """The words that are the beginnings of others, or share it with them: "Philly" of Philadelphia, "Chi" of Chicago."""
        stop = lexicon().stop
        return frozenset(word for word in self.words if len(word) > 2 and word.isalpha() and word not in stop)

    @cached_property
    def numbers(self) -> frozenset[float]:
        """Every number, in digits or in words; of what commas part (a list, thousands, decimals) every way to read it."""
        parted = COMMAS.findall(self.text)
        read = {float(each.replace(",", "")) for each in parted} | {float(each) for each in POWER.findall(self.text)}
        read |= {float(each.replace(",", ".")) for each in parted if each.count(",") == 1 and "." not in each}
        if not self.text.isascii():
            read |= {numeral(run) for run in NUMERALS.findall(self.text)}
        return numbers(self.words) | read

    @cached_property
    def derived(self) -> frozenset[float]:
        """What can be computed of the numbers in one step (other units, sums, differences, products, shares), and the
        numbers that a thing has by its nature: a deck has 52 cards."""
        own = [number for number in self.numbers if number]
        found = {number * factor for number in own for factor in lexicon().factors}
        found |= {number / factor for number in own for factor in lexicon().factors}
        if len(own) <= FEW:
            found |= {value for a, b in product(own, own) for value in (a + b, a - b, a * b, a / b, 12 * a + b)}
        found |= {number + by for number in own for by in (-1, 1)}  # "fewer than five", "a year older"
        found |= {number for word in self.forms for number in lexicon().carried.get(word, ())}
        return frozenset(round(number, PLACES) for number in found)

    @cached_property
    def rounded(self) -> frozenset[float]:
        """The numbers in other units of measure, and their shares in each other, to two decimals as people are told them."""
        own = [number for number in self.numbers if number]
        measures = [factor for factor in lexicon().factors if factor % 1]
        found = {value for number in own for factor in measures for value in (number * factor, number / factor)}
        if len(own) <= FEW:
            found |= {a / b for a, b in product(own, own)}
        return frozenset(round(number, 2) for number in found)

    @cached_property
    def relative(self) -> bool:
        """Whether a date or a time was spoken of in words."""
        return not lexicon().relative.isdisjoint(self.words)

    @cached_property
    def scripts(self) -> frozenset[str]:
        """The writing systems of its letters."""
        return scripts(self.text)


def numbers(said: list[str]) -> frozenset[float]:
    """The numbers among words: digits, and words that make one together ("two hundred and five", "3 million")."""
    known, found = lexicon(), set[float]()
    whole, part, running = 0.0, 0.0, False
    for word in [*said, ""]:
        digits = digits_of(word)
        value = digits[0] if len(digits) == 1 else known.numbers.get(word)
        if value is not None:
            joins = not digits and (part % 100 == 0 or (20 <= part % 100 < 100 and part % 10 == 0 and value < 10))
            if running and not joins:
                found.add(whole + part)
                whole, part = 0.0, 0.0
            found.add(value)
            part, running = part + value, True
        elif word in known.scales and running:
            part = max(part, 1.0) * known.scales[word]
            found.add(whole + part)
            if known.scales[word] > 100:
                whole, part = whole + part, 0.0
        elif word != "and" or not running:
            found.update(digits, {whole + part} if running else ())
            whole, part, running = 0.0, 0.0, False
    return frozenset(round(number, PLACES) for number in found)


def digits_of(word: str) -> list[float]:
    """The number that digits stand for; several where dots part them, as in a date or an address; none for a word."""
    if not word[:1].isdigit():
        return []
    parts = word.split(".")
    return [float(word)] if len(parts) < 3 else [float(part) for part in parts]


def numeral(run: str) -> float:
    """The number that Chinese numerals spell: 二百五十 is 250."""
    value = lexicon().numerals
    whole, part, digit = 0.0, 0.0, 0.0
    for sign in run:
        if value[sign] < 10:
            digit = value[sign]
        elif value[sign] < 10_000:
            part, digit = part + (digit or 1.0) * value[sign], 0.0
        else:
            whole, part, digit = (whole + part + digit) * value[sign], 0.0, 0.0
    return whole + part + digit


def scripts(text: str) -> frozenset[str]:
    """The first word of each letter's Unicode name: LATIN, CJK, CYRILLIC …"""
    if text.isascii():
        return frozenset({"LATIN"})
    return frozenset(unicodedata.name(c, "?").partition(" ")[0] for c in set(text) if c.isalpha())
