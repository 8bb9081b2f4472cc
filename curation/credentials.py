"""A credential is text that opens something: this finds them by their form and checks each before it calls it one."""

import base64
import binascii
import math
import re
import string
import tomllib
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import polars as pl
import re2

from curation.automata import automaton

PATTERNS_FILE = Path(__file__).parent / "filters" / "secret_patterns.toml"
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
WORDLIKE = re.compile(r"(?:[a-z]+|[A-Z]+|[A-Z][a-z]+|\d{1,4})(?:[-_. ](?:[a-z]+|[A-Z]+|[A-Z][a-z]+|\d{1,4}))+")
ESCAPED = "\\u00"
FEW = 100  # literals looked for at once: the search for so many is three times as fast as that for more
BEFORE = 24  # characters before a match that say what it is
JOINT = ": "  # between a key and its value, where both are looked at together
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
RESTLESS = 0.25  # turns a character from which on a text looks made by chance: words have fewer
RANDOM = 3.0  # bits a character: 32 random hexadecimal digits have 3.3 to 3.9
SIGNS = "!#$%^&*@+=?~|"  # what people and generators put into passwords, and hardly into words
LEET = str.maketrans("@013$5", "aoiess")  # as people disguise words


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of credential; see the head of the data file."""

    id: str
    hint: str
    pattern: str
    catches: tuple[str, ...]
    spares: tuple[str, ...]
    literals: tuple[str, ...] = ()
    entropy: float = 0.0
    verify: str | None = None
    checksum: str | None = None
    unless: str | None = None


class Found(NamedTuple):
    """A credential in a text, by its place: the text of the secret itself is not carried about."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Words:
    """The words by which an example gives itself away; see the head of the data file."""

    documentation: tuple[str, ...]
    passwords: frozenset[str]
    examples: tuple[str, ...]


@cache
def data() -> dict[str, Any]:
    """The data file as it stands."""
    return tomllib.loads(PATTERNS_FILE.read_text(encoding="utf-8"))


@cache
def kinds() -> tuple[Kind, ...]:
    """The kinds of credential, in the table's order, their examples put together."""
    made = []
    for entry in data()["kind"]:
        fields: dict[str, Any] = {
            key: joined(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        made.append(Kind(**fields))
    return tuple(made)


def joined(examples: list[Any]) -> tuple[str, ...]:
    """Each text of a list; an example is put together from its parts."""
    return tuple("".join(parts) for parts in examples)


@cache
def words() -> Words:
    """The words of the data file."""
    told = data()["words"]
    return Words(tuple(told["documentation"]), frozenset(told["passwords"]), tuple(told["examples"]))


@cache
def hints() -> Any:
    """One automaton over every kind's hint: says which kinds a text could hold at all."""
    return automaton(kind.hint for kind in kinds())


@cache
def compiled(pattern: str) -> Any:
    """A pattern for google-re2, which takes time linear in the text whatever the pattern."""
    return re2.compile(pattern)


def possible(texts: pl.Series) -> pl.Series:
    """Which texts (JSON text with its escapes, perhaps) could hold a credential at all: most can be told not to.

    A letter of the secret may be written as an escape: then only the parsed text tells.
    """
    literals = [ESCAPED, *(literal for kind in kinds() for literal in kind.literals)]
    parts = [literals[start : start + FEW] for start in range(0, len(literals), FEW)]
    looks = [pl.col("text").str.contains_any(part, ascii_case_insensitive=True) for part in parts]
    looks += [pl.col("text").str.contains(kind.hint) for kind in kinds() if not kind.literals]
    return texts.to_frame("text").select(pl.any_horizontal(looks).fill_null(False)).to_series()


def suspected(text: str) -> list[Kind]:
    """The kinds whose hint stands in a text, which may be JSON text with its escapes."""
    return [kinds()[place] for place in sorted(hints().Match(text) or ())]


def find(text: str) -> list[Found]:
    """Every credential in a text, in order; where two kinds claim the same place, the first of the table has it."""
    found: list[Found] = []
    for kind in suspected(text):
        for start, end in hits(kind, text):
            if not any(start < other.end and other.start < end for other in found):
                found.append(Found(kind.id, start, end))
    return sorted(found, key=lambda each: each.start)


def find_under(key: str, text: str) -> list[Found]:
    """Every credential in a text that stands under a key, which may be what makes it one; places are those in the text.

    What the key and the text make together may hide what the text alone shows, so both are looked at.
    """
    if not key:
        return find(text)
    before = len(key) + len(JOINT)
    told = [Found(kind, max(start - before, 0), end - before) for kind, start, end in find(f"{key}{JOINT}{text}")]
    found = [each for each in told if each.end > 0]
    for each in find(text):
        if not any(each.start < other.end and other.start < each.end for other in found):
            found.append(each)
    return sorted(found, key=lambda each: each.start)


def hits(kind: Kind, text: str) -> Iterator[tuple[int, int]]:
    """Where a text holds a credential of this kind."""
    for match in compiled(kind.pattern).finditer(text):
        group = 1 if compiled(kind.pattern).groups else 0
        secret = match.group(group)
        if kind.checksum and CHECKSUMS[kind.checksum](secret):
            yield match.span(group)
            continue
        if kind.unless and compiled(kind.unless).search(text[max(0, match.start() - BEFORE) : match.start()]):
            continue
        if any(word in match.group(0) for word in words().documentation) or entropy(secret) < kind.entropy:
            continue
        if kind.verify is None or VERIFIERS[kind.verify](secret):
            yield match.span(group)


def mask(text: str, key: str = "") -> str:
    """The text, which stands under a key, with each credential replaced by its kind: it may be shown or written down."""
    for kind, start, end in reversed(find_under(key, text)):
        text = f"{text[:start]}[{kind}]{text[end:]}"
    return text


def entropy(text: str) -> float:
    """Shannon entropy of a text's characters, in bits a character."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def is_jwt(secret: str) -> bool:
    """Whether the first part decodes to a JSON object that names an algorithm."""
    head = secret.partition(".")[0]
    try:
        header = orjson.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, orjson.JSONDecodeError, ValueError):
        return False
    return isinstance(header, dict) and "alg" in header


def is_numbered(secret: str) -> bool:
    """Whether the first part is a number in base64, as a bot's id is."""
    head = secret.partition(".")[0]
    try:
        return base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)).isdigit()
    except (binascii.Error, ValueError):
        return False


def is_basic(secret: str) -> bool:
    """Whether it decodes to a name and a password that could be somebody's."""
    try:
        name, colon, password = base64.b64decode(secret + "=" * (-len(secret) % 4)).decode().partition(":")
    except (binascii.Error, ValueError):
        return False
    return bool(colon) and name.isprintable() and password.isprintable() and is_password(password)


def has_crc32(token: str) -> bool:
    """Whether the last six characters are the CRC-32 of the 30 before them in base 62, as GitHub and npm issue tokens."""
    body, check = token.rpartition("_")[2][:-6], token[-6:]
    value, digits = zlib.crc32(body.encode()), ""
    while value:
        value, rest = divmod(value, 62)
        digits = BASE62[rest] + digits
    return len(body) == 30 and digits.rjust(6, "0") == check


def is_pem(body: str) -> bool:
    """Whether key material follows the header, which prose about keys lacks."""
    return re.search(r"[A-Za-z0-9+/=]{32,}", body) is not None


def is_password(secret: str) -> bool:
    """Whether it could be somebody's: not the word by which manuals stand in for one."""
    return (
        secret.lower().strip("[]()") not in words().passwords
        and len(set(secret)) > 2
        and secret[:1] not in ("%", "$")
        and "${" not in secret
    )


def is_unworded(secret: str) -> bool:
    """Whether it is no phrase: not words joined by signs, and more than one kind of character."""
    kinds = sum(any(test(c) for c in secret) for test in (str.isupper, str.islower, str.isdigit))
    return kinds > 1 and not WORDLIKE.fullmatch(secret)


def is_mixed(secret: str) -> bool:
    """Letters and digits, and neither a UUID nor a plain hexadecimal hash nor words joined by signs."""
    letters, digits = any(c.isalpha() for c in secret), any(c.isdigit() for c in secret)
    hashed = UUID.fullmatch(secret) or (HEX.fullmatch(secret) and len(secret) in (40, 64))
    return letters and digits and not hashed and not WORDLIKE.fullmatch(secret)


def is_assigned(secret: str) -> bool:
    """Whether what is assigned to a password or key looks made by a machine.

    From 20 characters on: letters and digits that alternate as chance makes them. From 10 on: letters, digits
    and signs together, as password rules ask for. What people make up for an example holds a word that says so; the
    first part of a JWT alone says only how it is signed.
    """
    if (
        re.match(r"[A-Za-z]+://|/", secret)
        or is_jwt(secret)
        or any(word in secret.lower().translate(LEET) for word in words().examples)
    ):
        return False
    upper, lower, digit = (any(test(c) for c in secret) for test in (str.isupper, str.islower, str.isdigit))
    signed = (upper or lower) and digit and any(c in SIGNS for c in secret)
    if signed and ((upper and lower) or turns(secret) >= RESTLESS or not re.search(r"[a-z]{4}", secret)):
        return True
    restless = turns(secret) >= (RESTLESS / 2 if HEX.fullmatch(secret) else RESTLESS)
    return len(secret) >= 20 and entropy(secret) >= RANDOM and is_mixed(secret) and restless


def turns(text: str) -> float:
    """How often, from one character to the next, digits begin or end or a capital follows a small letter."""
    pairs = pairwise(text)
    return sum(a.isdigit() != b.isdigit() or (a.islower() and b.isupper()) for a, b in pairs) / max(len(text) - 1, 1)


VERIFIERS: dict[str, Callable[[str], bool]] = {
    "jwt": is_jwt,
    "pem": is_pem,
    "password": is_password,
    "unworded": is_unworded,
    "mixed": is_mixed,
    "assigned": is_assigned,
    "basic": is_basic,
    "numbered": is_numbered,
}
CHECKSUMS: dict[str, Callable[[str], bool]] = {"crc32": has_crc32}
