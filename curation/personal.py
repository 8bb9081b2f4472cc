"""Personal data is text that points at somebody: this finds it, and names the pseudonym that may stand in its place."""

import hmac
import ipaddress
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import re2

from curation.automata import automaton

PATTERNS_FILE = Path(__file__).parent / "filters" / "pii_patterns.toml"
OWN_DOMAIN = "people.internal"  # a domain that is never given to anybody (ICANN, 2024), and no stand-in either
BEFORE = 12  # characters before a match that say what it is
VERSIONED = re.compile(r"(?i)(?:\bv|version|release|build|section)[ :=]*$")
REMOTE = re.compile(
    r":[\w.~/-]*/|:[\w.-]+\.git\b"
)  # after a name and a host: a path on that host, as git and scp write it
PART = re.compile(r"[@_./-]$|[0-9A-Z] $")  # before the rest of something longer, such as an account written in groups
TAIL, ZEROS = 7, 3  # digits of a telephone number that tell the person, and those before it that become zeros
LONGEST = 15  # digits of a telephone number with its country (E.164)
MOD = 97  # ISO 7064, as IBANs are checked


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of personal data; see the head of the data file."""

    id: str
    pattern: str
    catches: tuple[str, ...]
    spares: tuple[str, ...]


class Found(NamedTuple):
    """Personal data in a text, by its place."""

    kind: str
    start: int
    end: int


@cache
def data() -> dict[str, Any]:
    """The data file as it stands."""
    return tomllib.loads(PATTERNS_FILE.read_text(encoding="utf-8"))


@cache
def kinds() -> tuple[Kind, ...]:
    """The kinds in the table's order: where two claim the same place, the first has it."""
    return tuple(
        Kind(each["id"], each["pattern"], tuple(each["catches"]), tuple(each["spares"])) for each in data()["kind"]
    )


@cache
def patterns() -> Any:
    """All patterns at once: which kinds a text could hold at all."""
    return automaton(kind.pattern for kind in kinds())


@cache
def compiled(pattern: str) -> Any:
    """A pattern for google-re2, which takes time linear in the text whatever the pattern."""
    return re2.compile(pattern)


def find(text: str) -> list[Found]:
    """Every piece of personal data in a text, in order."""
    found: list[Found] = []
    for place in sorted(patterns().Match(text) or ()):
        kind = kinds()[place]
        for start, end in spans(kind, text):
            if not any(start < other.end and other.start < end for other in found):
                found.append(Found(kind.id, start, end))
    return sorted(found, key=lambda each: each.start)


def spans(kind: Kind, text: str) -> Iterator[tuple[int, int]]:
    """Where a text holds this kind, checked."""
    for match in compiled(kind.pattern).finditer(text):
        start, end = match.span()
        inside = kind.id != "email" and text[start] != "+" and PART.search(text[max(0, start - 2) : start])
        versioned = kind.id == "ip" and VERSIONED.search(text[max(0, start - BEFORE) : start])
        remote = kind.id == "email" and REMOTE.match(text, end)
        dialled = kind.id == "card" and text[:start].endswith("+") and len(only_digits(match.group())) <= LONGEST
        if not inside and not versioned and not remote and not dialled and VERIFIERS[kind.id](match.group()):
            yield start, end


def is_mailbox(text: str) -> bool:
    """Whether somebody may read it: neither the name nor the domain is nobody's."""
    name, _, domain = text.lower().rpartition("@")
    return name not in data()["nobody_names"] and not any(
        domain == other or domain.endswith(other if other[0] == "." else f".{other}") for other in data()["nobody"]
    )


def is_card(text: str) -> bool:
    """Whether the check digit is right (Luhn), and the number is no pseudonym."""
    digits = only_digits(text)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 3 and digits[1:6] != "00000" and luhn(digits) == 0


def luhn(digits: str) -> int:
    """The sum by which a card's number is checked, modulo 10: 0 where it is right."""
    doubled = [int(d) * 2 if place % 2 else int(d) for place, d in enumerate(reversed(digits))]
    return sum(each - 9 if each > 9 else each for each in doubled) % 10


def is_iban(text: str) -> bool:
    """Whether the check digits are right, and the account is no pseudonym."""
    plain = text.replace(" ", "")
    return 15 <= len(plain) <= 34 and plain[4:8] != "0000" and remainder(plain) == 1


def remainder(iban: str) -> int:
    """The number that an IBAN spells, modulo 97: 1 where it is right."""
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % MOD


def is_phone(text: str) -> bool:
    """Whether it has as many digits as numbers have, and is neither filler nor a pseudonym."""
    digits = only_digits(text)
    if re.fullmatch(data()["counting"], digits):
        return False
    return 8 <= len(digits) <= LONGEST and len(set(digits)) > 2 and set(digits[-TAIL - ZEROS : -TAIL]) != {"0"}


def is_address(text: str) -> bool:
    """Whether it is an address of the open internet."""
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def only_digits(text: str) -> str:
    """The digits alone."""
    return re.sub(r"\D", "", text)


def pseudonym(kind: str, text: str, key: bytes) -> str:
    """What stands for `text` wherever it is written: of the same kind and shape, the same in every sample under this key.

    It opens nothing and reaches nobody, and `find` does not find it.
    """
    return MAKERS[kind](text, key)


def derived(kind: str, text: str, key: bytes) -> int:
    """A number that only the holder of the key can compute."""
    return int.from_bytes(hmac.new(key, f"pii/{kind}/{text}".encode(), "sha256").digest())


def mailbox(text: str, key: bytes) -> str:
    """Another mailbox: nobody's, and without a trace of the name."""
    return f"p{derived('email', text.lower(), key) % 16**10:010x}@{OWN_DOMAIN}"


def phone(text: str, key: bytes) -> str:
    """The same number of digits, written alike; what comes before the last ten stays, so that a country does."""
    digits = only_digits(text)
    number = derived("phone", digits[-TAIL:], key)
    tail = f"{2 + number % 3}{number // 3 % 10 ** (TAIL - 1):0{TAIL - 1}d}"
    return written_like(
        text, (digits[: -TAIL - ZEROS] + "0" * (len(digits[-TAIL - ZEROS : -TAIL])) + tail)[-len(digits) :]
    )


def card(text: str, key: bytes) -> str:
    """A number of the same network and length, with a right check digit, that no bank issues."""
    digits = only_digits(text)
    size = len(digits) - 7
    body = digits[0] + "00000" + f"{derived('card', digits, key) % 10**size:0{size}d}"
    return written_like(text, body + str((10 - luhn(body + "0")) % 10))


def iban(text: str, key: bytes) -> str:
    """An account of the same country and length, with right check digits, at a bank that does not exist."""
    plain = text.replace(" ", "")
    number = derived("iban", plain, key)
    rest = "".join(str(number // 10**place % 10) if c.isdigit() else c for place, c in enumerate(plain[8:]))
    body = "0000" + rest
    check = MOD + 1 - remainder(f"{plain[:2]}00{body}")
    return written_like(text, f"{plain[:2]}{check:02d}{body}")


def address(text: str, key: bytes) -> str:
    """An address of a private network."""
    number = derived("ip", str(ipaddress.ip_address(text)), key)
    if ":" in text:
        return str(ipaddress.IPv6Address((0xFD << 120) + number % 2**64))
    return str(ipaddress.IPv4Address((10 << 24) + number % 2**24))


def written_like(text: str, characters: str) -> str:
    """The characters with the blanks and signs of `text` between them."""
    coming = iter(characters)
    return "".join(next(coming) if c.isalnum() else c for c in text)


VERIFIERS: dict[str, Callable[[str], bool]] = {
    "email": is_mailbox,
    "iban": is_iban,
    "card": is_card,
    "phone": is_phone,
    "ip": is_address,
}
MAKERS: dict[str, Callable[[str, bytes], str]] = {
    "email": mailbox,
    "iban": iban,
    "card": card,
    "phone": phone,
    "ip": address,
}
