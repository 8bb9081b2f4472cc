"""A hollow text is empty or nothing but blanks; now and then that is what was asked for."""

import re
import tomllib
from functools import cache
from pathlib import Path

import orjson

EMPTY_WORDS = Path(__file__).parent / "filters" / "empty_words.toml"


@cache
def rule(name: str) -> re.Pattern[str]:
    """One pattern of the data file."""
    return re.compile(tomllib.loads(EMPTY_WORDS.read_text(encoding="utf-8"))[name])


def asked_for(messages: str) -> bool:
    """Whether the user said, in this conversation (JSON text), that something is to be left empty."""
    return any(
        rule("asked").search(" ".join(message["content"].lower().split()))
        for message in orjson.loads(messages)
        if isinstance(message, dict) and message.get("role") == "user" and isinstance(message.get("content"), str)
    )


def holds_blanks(pointer: str) -> bool:
    """Whether the parameter at `pointer` is of those for which a blank is an answer: a separator, a filler."""
    key = next((token for token in reversed(pointer.split("/")) if not token.isdigit()), "")
    return rule("blank_key").search(key) is not None
