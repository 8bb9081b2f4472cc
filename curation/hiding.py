"""Hides secrets and people in a sample: the same text becomes the same token wherever it stands, so that all still fits."""

import hmac
import re
import string
from collections.abc import Callable
from typing import Any

import orjson

from curation import credentials, personal
from curation.batch import parse_answer
from curation.children import CONTENT, Row, child
from curation.filters.secret import texts
from curation.sample import dumps

SHORTEST = 6  # characters of a secret that is looked for everywhere else in the sample, too
LETTERS = 10  # of a token's tail: 47 bits
TURNS = 3  # how often what is left is looked for again: a text may hold a secret only once another one is gone
Names = dict[str, str]  # what is hidden -> what stands for it


def redacted(sample: Row, key: bytes) -> Row | None:
    """The child in which each credential is a token that names its kind; None where there is none to hide."""
    return hidden(sample, key, secrets_in, CONTENT)


def pseudonymised(sample: Row, key: bytes) -> Row | None:
    """The child in which each piece of personal data is a pseudonym of its kind; None where there is none to hide."""
    return hidden(sample, key, people_in, ("messages", "thinking", "plan"))


def hidden(sample: Row, key: bytes, look: Callable[[Row, bytes], Names], columns: tuple[str, ...]) -> Row | None:
    """The child of a sample without what `look` finds in it."""
    changed = dict(sample)
    for _ in range(TURNS):
        names = look(changed, key)
        if not names:
            break
        for column in columns:
            if changed[column] is not None:
                changed[column] = without(changed[column], names)
    made = {column: changed[column] for column in columns if changed[column] != sample[column]}
    return child(sample, **made) if made else None


def documents(sample: Row, columns: tuple[str, ...]) -> list[Any]:
    """The columns as what their JSON says, or as the text that they are."""
    found = []
    for column in columns:
        text = sample[column]
        if text is not None:
            found.append(parsed(text) if column != "thinking" else text)
    return found


def parsed(text: str) -> Any:
    """What JSON text says; other text, and JSON deeper than any reader goes, as it is."""
    if text[:1] not in ("{", "["):
        return text
    if text[:1] == "{":
        answer = parse_answer(text)
        return text if answer.plan is None else answer.plan
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def secrets_in(sample: Row, key: bytes) -> Names:
    """Each credential of the sample with its token."""
    names: Names = {}
    for document in documents(sample, CONTENT):
        for _, name, value in texts(document, ""):
            for kind, start, end in credentials.find_under(name, value):
                names[value[start:end]] = token(kind, value[start:end], key)
    return names


def token(kind: str, secret: str, key: bytes) -> str:
    """What stands for a secret: its kind, and letters that only the holder of the key can compute."""
    number = int.from_bytes(hmac.new(key, f"secret/{secret}".encode("utf-8", "surrogatepass"), "sha256").digest())
    tail = "".join(string.ascii_lowercase[number // 26**place % 26] for place in range(LETTERS))
    return f"redacted-{re.sub('[^a-z]+', '-', kind.lower()).strip('-')}-{tail}"


def people_in(sample: Row, key: bytes) -> Names:
    """Each piece of personal data of the sample with its pseudonym; what the candidates hold, too, stays."""
    names: Names = {}
    for document in documents(sample, ("messages", "thinking", "plan")):
        for _, _, value in texts(document, ""):
            for kind, start, end in personal.find(value):
                text = value[start:end]
                if text not in (sample["candidates"] or ""):
                    names[text] = personal.pseudonym(kind, text, key)
    return names


def without(text: str, names: Names) -> str:
    """The column's text with every hidden text replaced; JSON keeps its shape."""
    long = [re.escape(name) for name in sorted(names, key=len, reverse=True) if len(name) >= SHORTEST]
    short = {name: names[name] for name in names if len(name) < SHORTEST}
    pattern = re.compile("|".join(long)) if long else None
    document = parsed(text)
    replaced = exchange(document, names, pattern, short)
    return replaced if isinstance(document, str) else dumps(replaced)


def exchange(value: Any, names: Names, pattern: re.Pattern[str] | None, short: Names) -> Any:
    """A JSON value with hidden texts replaced in its texts and keys; a short one only where it is the whole value."""
    if isinstance(value, str):
        if value in short:
            return short[value]
        return pattern.sub(lambda found: names[found[0]], value) if pattern else value
    if isinstance(value, dict):
        return {exchange(k, names, pattern, {}): exchange(member, names, pattern, short) for k, member in value.items()}
    if isinstance(value, list):
        return [exchange(member, names, pattern, short) for member in value]
    return value
