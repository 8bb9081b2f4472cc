"""Does any parameter hold something that stands for a value instead of a value?"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import orjson
import polars as pl

from curation.batch import Batch
from curation.decision import Fault, decided
from curation.filters.hydration import names_value, schemas_at
from curation.pointer import unescape
from curation.recipe import Allow, Check
from curation.references import target
from curation.stand_ins import OWN_KEY, RULES_FILE, caught, name_of

NAME = "placeholder"
VERSION = "3"
KINDS = ("plan",)
REASONS = ("placeholder.value",)
SETTINGS = ("allow", "placeholder")
DATA = (RULES_FILE,)

BRACKETS = "<>[](){}$@# \t\n"  # in which a reference is written where its own braces are not known
MADE_UP = re.compile(r"[a-z][A-Z]")  # a name that nobody says by chance
JOINTS = 3  # characters between the words of a name that its spelling may have more or fewer of
SHORTEST_NAME = 3  # letters of a parameter's name that a value can be told to repeat
SPEAKERS = ("user", "assistant", "tool")  # whose words can give a value; a system prompt's own slots cannot


class Suspect(NamedTuple):
    """A value that may be a placeholder; `match` is what the conversation must say, and `how`, for it to be a value."""

    row: int
    step: int
    pointer: str
    text: str
    match: str
    how: str


def decide(batch: Batch, check: Check) -> pl.DataFrame:
    """`placeholder.value`: once for each value that some rule of the table catches, at any depth; keys are not read.

    Spared are a value that the parameter's schema names (enum, const, default) or the recipe allows, a match that the
    conversation contains literally (a user may well ask about example.com) and a reference of legal form.
    """
    faults: dict[tuple[int, str], Fault] = {}
    for row, pointer, text in bare_references(batch):
        faults[row, pointer] = Fault(row, "placeholder.value", pointer, text)
    said: dict[int, str] = {}
    ruled = (Suspect(*hit[:5], hit.rule.said) for hit in caught(batch.values, check.placeholder))
    for row, i, pointer, text, matched, how in chain(ruled, own_words(batch)):
        if (row, pointer) in faults:
            continue
        if row not in said:
            said[row] = conversation(batch.samples["messages"][row])
        step = dict(batch.answers[row].steps)[i]
        if not (
            is_said(how, matched, said[row])
            or names_value(schemas_at(batch.offers[row], step, within(pointer)), text)
            or is_allowed(check.allow, step.get("pluginId"), pointer, text)
        ):
            faults[row, pointer] = Fault(row, "placeholder.value", pointer, text)
    return decided(batch.samples["sample_id"], REASONS, faults.values(), batch.unmeasured)


def bare_references(batch: Batch) -> Iterator[tuple[int, str, str]]:
    """Values that are a reference but for the braces, or in others: `<id>.output…` with the id of a step of the plan."""
    texts = batch.values.filter((pl.col("type") == "string") & pl.col("text").str.contains(".output", literal=True))
    for row, pointer, text in texts.select("row", "pointer", "text").iter_rows():
        inner = text.strip(BRACKETS)
        ids = [step["pluginId"] for _, step in batch.answers[row].steps if isinstance(step.get("pluginId"), str)]
        if "{{" not in text and target(inner, ids) and " " not in inner:
            yield row, pointer, text


def own_words(batch: Batch) -> Iterator[Suspect]:
    """Values that only repeat what the parameter is called or how its schema describes it: `city: "city"`."""
    size = pl.col("text").str.len_chars()
    texts = batch.values.filter((pl.col("type") == "string") & (size >= SHORTEST_NAME))
    name = pl.col("pointer").str.extract(OWN_KEY)
    near = texts.with_columns(key=name).filter((pl.col("key").str.len_chars() - size.cast(pl.Int64)).abs() <= JOINTS)
    plain = {each: pl.col(each).str.to_lowercase().str.replace_all(r"[ _-]", "") for each in ("key", "text")}
    named = near.filter(plain["key"] == plain["text"])
    for row, i, pointer, text in named.select("row", "step", "pointer", "text").iter_rows():
        yield Suspect(row, i, pointer, text, text, "literally" if MADE_UP.search(text) else "quoted")
    offered = batch.samples["candidates"].to_list()
    phrases = texts.filter(pl.col("text").str.count_matches(" ", literal=True) > 1)
    for row, i, pointer, text in phrases.select("row", "step", "pointer", "text").iter_rows():
        if offered[row] and orjson.dumps(text)[1:-1].decode() in offered[row]:
            step = dict(batch.answers[row].steps)[i]
            if any(s.get("description") == text for s in schemas_at(batch.offers[row], step, within(pointer))):
                yield Suspect(row, i, pointer, text, text, "quoted")


def within(pointer: str) -> str:
    """A pointer into the plan as one into the parameters that it leads to."""
    return "".join(f"/{token}" for token in pointer.split("/")[4:])


def is_allowed(allow: tuple[Allow, ...], plugin_id: object, pointer: str, text: str) -> bool:
    """Whether the recipe lets this value pass, for this plugin and this parameter."""
    key = unescape(name_of(pointer))
    return any(
        text == entry.value and entry.plugin in (None, plugin_id) and entry.parameter in (None, key) for entry in allow
    )


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

    Telephone-like matches are compared by their digits. `how` is a rule's `said`; "quoted": only
    where it stands in quotes there, and not as the key of an object.
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
