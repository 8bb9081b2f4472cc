"""Does any parameter hold something that stands for a value instead of a value?"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from curation.batch import Batch
from curation.decision import Fault, decided
from curation.filters.hydration import names_value, schemas_at
from curation.pointer import unescape
from curation.recipe import Allow, Check
from curation.references import LEGAL, target

NAME = "placeholder"
VERSION = "2"
KINDS = ("plan",)
REASONS = ("placeholder.value",)
SETTINGS = ("allow",)
RULES_FILE = Path(__file__).with_name("placeholder_rules.toml")
DATA = (RULES_FILE,)

AROUND = " \t\r\n\"'“”‘’\u200b\ufeff"  # quotes and blanks around a value do not make it one
REFERENCE_MARK = "\u2042"  # stands in a text where a legal reference stood
BRACKETS = "<>[](){}$@# \t\n"  # in which a reference is written where its own braces are not known
BRACKETED = r"^[(\[<{«【]\s*(\w[^()\[\]<>{}«»【】]*?)\s*[)\]>}»】]$"  # a text in one pair of brackets
OWN_KEY = r"([^/]*[^/0-9][^/]*)(?:/\d+)*$"  # the name under which a value stands, a list's for its members
MADE_UP = re.compile(r"[a-z][A-Z]")  # a name that nobody says by chance
SHORTEST_NAME = 3  # letters of a parameter's name that a value can be told to repeat
SPEAKERS = ("user", "assistant", "tool")  # whose words can give a value; a system prompt's own slots cannot


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of placeholder; see the head of the data file."""

    id: str
    pattern: str
    catches: tuple[str, ...]
    spares: tuple[str, ...]
    spare: str | None = None
    spare_text: str | None = None
    spare_key: str | None = None
    said: str = "literally"


def decide(batch: Batch, check: Check) -> pl.DataFrame:
    """`placeholder.value`: once for each value that some rule of the table catches, at any depth; keys are not read.

    Spared are a value that the parameter's schema names (enum, const, default) or the recipe allows, a match that the
    conversation contains literally (a user may well ask about example.com) and a reference of legal form.
    """
    faults: dict[tuple[int, str], Fault] = {}
    for row, pointer, text in bare_references(batch):
        faults[row, pointer] = Fault(row, "placeholder.value", pointer, text)
    said: dict[int, str] = {}
    ruled = (
        (row, i, at, text, match, rules()[rule].said)
        for row, i, at, text, match, rule in caught(batch.values).iter_rows()
    )
    for row, i, pointer, text, matched, how in chain(ruled, own_words(batch)):
        if (row, pointer) in faults:
            continue
        if row not in said:
            said[row] = conversation(batch.samples["messages"][row])
        step = dict(batch.answers[row].steps)[i]
        if not (
            is_said(how, matched, said[row])
            or names_value(schemas_at(batch.offers[row], step, within(pointer)), text)
            or is_allowed(check.allow, step["pluginId"], pointer, text)
        ):
            faults[row, pointer] = Fault(row, "placeholder.value", pointer, text)
    return decided(batch.samples["sample_id"], REASONS, faults.values(), batch.unmeasured)


@cache
def rules() -> tuple[Rule, ...]:
    """The table, with its words written out."""
    table = tomllib.loads(RULES_FILE.read_text(encoding="utf-8"))

    def written_out(value: Any) -> Any:
        if not isinstance(value, str):
            return tuple(value)
        for name, words in table["words"].items():
            value = value.replace(f"(?&{name})", words)
        return value

    return tuple(Rule(**{key: written_out(value) for key, value in rule.items()}) for rule in table["rule"])


def caught(values: pl.DataFrame) -> pl.DataFrame:
    """The first rule that catches each text value: row, step, pointer, text, the rule's place in the table, the match.

    `values` is a value frame. The text is seen without the blanks and quotes around it and without legal references,
    and once more without one pair of brackets around it.
    """
    whole = pl.col("text").str.replace_all(LEGAL, REFERENCE_MARK).str.strip_chars(AROUND)
    key = pl.col("pointer").str.extract(OWN_KEY)
    texts = values.filter(pl.col("type") == "string").select("row", "step", "pointer", "text", key=key, whole=whole)
    inner = texts.with_columns(whole=pl.col("whole").str.extract(BRACKETED)).filter(pl.col("whole").is_not_null())
    texts = pl.concat([texts, inner])
    found = [matches(texts, place, rule) for place, rule in enumerate(rules())]
    return pl.concat(found).sort("row", "step", "pointer", "rule", maintain_order=True)


def bare_references(batch: Batch) -> Iterator[tuple[int, str, str]]:
    """Values that are a reference but for the braces, or in others: `<id>.output…` with the id of a step of the plan."""
    texts = batch.values.filter((pl.col("type") == "string") & pl.col("text").str.contains(".output", literal=True))
    for row, pointer, text in texts.select("row", "pointer", "text").iter_rows():
        inner = text.strip(BRACKETS)
        ids = [step["pluginId"] for _, step in batch.answers[row].steps if isinstance(step.get("pluginId"), str)]
        if "{{" not in text and target(inner, ids) and " " not in inner:
            yield row, pointer, text


def own_words(batch: Batch) -> Iterator[tuple[int, int, str, str, str, str]]:
    """Values that only repeat what the parameter is called or how its schema describes it: `city: "city"`.

    As (row, step, pointer, text, text, how it must have been said to be the user's).
    """
    texts = batch.values.filter((pl.col("type") == "string") & (pl.col("text").str.len_chars() >= SHORTEST_NAME))
    plain = {name: pl.col(name).str.to_lowercase().str.replace_all(r"[ _-]", "") for name in ("key", "text")}
    named = texts.with_columns(key=pl.col("pointer").str.extract(OWN_KEY)).filter(plain["key"] == plain["text"])
    for row, i, pointer, text in named.select("row", "step", "pointer", "text").iter_rows():
        yield row, i, pointer, text, text, "literally" if MADE_UP.search(text) else "quoted"
    offered = batch.samples["candidates"]
    phrases = texts.filter(pl.col("text").str.contains(r"\S\s+\S+\s+\S"))
    for row, i, pointer, text in phrases.select("row", "step", "pointer", "text").iter_rows():
        if offered[row] and orjson.dumps(text)[1:-1].decode() in offered[row]:
            step = dict(batch.answers[row].steps)[i]
            if any(s.get("description") == text for s in schemas_at(batch.offers[row], step, within(pointer))):
                yield row, i, pointer, text, text, "quoted"


def within(pointer: str) -> str:
    """A pointer into the plan as one into the parameters that it leads to."""
    return "".join(f"/{token}" for token in pointer.split("/")[4:])


def is_allowed(allow: tuple[Allow, ...], plugin_id: object, pointer: str, text: str) -> bool:
    """Whether the recipe lets this value pass, for this plugin and this parameter."""
    named = re.search(OWN_KEY, pointer)
    key = unescape(named[1]) if named else None
    return any(
        text == entry.value and entry.plugin in (None, plugin_id) and entry.parameter in (None, key) for entry in allow
    )


def matches(texts: pl.DataFrame, place: int, rule: Rule) -> pl.DataFrame:
    """What one rule calls a placeholder, one row for each match."""
    hits = texts.filter(pl.col("whole").str.contains(rule.pattern))
    if rule.spare_text:
        hits = hits.filter(~pl.col("whole").str.contains(rule.spare_text))
    if rule.spare_key:
        hits = hits.filter(~pl.col("key").str.contains(rule.spare_key))
    hits = hits.with_columns(match=pl.col("whole").str.extract_all(rule.pattern)).explode("match")
    if rule.spare:
        hits = hits.filter(~pl.col("match").str.contains(rule.spare))
    return hits.select("row", "step", "pointer", "text", "match", rule=pl.lit(place, pl.UInt32))


def conversation(messages: str) -> str:
    """All that was said before the answer, in lower case with single blanks; what the system prompt says is left out."""
    spoken = [
        message["content"]
        for message in orjson.loads(messages)
        if isinstance(message, dict) and message.get("role") in SPEAKERS and isinstance(message.get("content"), str)
    ]
    return normalised("\n".join(spoken))


def normalised(text: str) -> str:
    """Lower case, single blanks."""
    return " ".join(text.lower().split())


def is_said(how: str, matched: str, said: str) -> bool:
    """Whether the conversation contains the match as words of their own, so that it is the user's value after all.

    Telephone-like matches are compared by their digits. `how` is a rule's `said`; "quoted": only where it stands in quotes there, and
    not as the key of an object.
    """
    written = normalised(matched)
    wanted = written.strip(" \"'`(),;:!?=/").removeprefix("www.") or written
    if not wanted:
        return False
    if how == "quoted":
        return re.search(f"([\"'`]){re.escape(wanted)}\\1(?!\\s*:)", said) is not None
    before = r"(?<![\w.@-])(?:www\.)?" if wanted[0].isalnum() else ""
    after = r"(?:e?s|ing|ed)?(?![\w@]|[.-]\w)" if wanted[-1].isalnum() else ""
    if re.search(before + re.escape(wanted) + after, said):
        return True
    digits = re.sub(r"\D", "", wanted)
    return len(digits) >= 7 and digits in re.sub(r"[ ().+-]", "", said)
