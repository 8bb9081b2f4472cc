"""A stand-in is text that stands for a value instead of being one: this finds them by a table of patterns."""

import difflib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from curation.automata import automaton
from curation.errors import RecipeError
from curation.recipe import RuleChange
from curation.references import LEGAL

RULES_FILE = Path(__file__).parent / "filters" / "placeholder_rules.toml"
AROUND = " \t\r\n\"'“”‘’\u200b\ufeff"  # quotes and blanks around a value do not make it one
REFERENCE_MARK = "\u2042"  # stands in a text where a legal reference stood
BRACKETED = re.compile(r"^[(\[<{«【]\s*(\w[^()\[\]<>{}«»【】]*?)\s*[)\]>}»】]$")  # a text in one pair of brackets
OWN_KEY = r"([^/]*[^/0-9][^/]*)(?:/\d+)*$"  # the name under which a value stands, a list's for its members

LEGAL_FORM = re.compile(LEGAL)
TOKEN = re.compile(r"\\.|\[\^?|.", re.DOTALL)  # what a pattern is made of, as far as classes and escapes go
WIDER = {r"\w": r"\pL\pN\pM\p{Pc}", r"\d": r"\p{Nd}", r"\s": r"\s\p{Z}\x{85}\x{b}"}
Changes = tuple[RuleChange, ...]  # of the rules, by a recipe
MATCHES: dict[str, pl.DataType] = {"text": pl.String(), "match": pl.String(), "rule": pl.UInt32()}


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of stand-in; see the head of the data file."""

    id: str
    pattern: str
    catches: tuple[str, ...]
    spares: tuple[str, ...]
    spare: str | None = None
    spare_text: str | None = None
    spare_key: str | None = None
    said: str = "literally"


class Caught(NamedTuple):
    """What a rule calls a stand-in: `match` is the part of the text that it means."""

    row: int
    step: int
    pointer: str
    text: str
    match: str
    rule: Rule


@cache
def data() -> dict[str, Any]:
    """The data file as it stands."""
    return tomllib.loads(RULES_FILE.read_text(encoding="utf-8"))


def written_out(value: Any) -> Any:
    """A pattern with the words that it names in their place; a list of examples as a tuple."""
    if not isinstance(value, str):
        return tuple(value)
    for name, words in data()["words"].items():
        value = value.replace(f"(?&{name})", words)
    return value


@cache
def rules(changes: Changes = ()) -> tuple[Rule, ...]:
    """The table, with its words written out, as these changes leave it; new rules come last."""
    known = {rule["id"]: Rule(**{key: written_out(value) for key, value in rule.items()}) for rule in data()["rule"]}
    for change in changes:
        told = {key: written_out(value) for key, value in asdict(change).items() if key != "off" and value is not None}
        if change.off:
            known.pop(change.id, None)
        elif change.id in known:
            known[change.id] = replace(known[change.id], **told)
        else:
            known[change.id] = Rule(**told, catches=(), spares=())
    return tuple(known.values())


def require_rules(changes: Changes) -> None:
    """Raises RecipeError for a change of a rule that is not there, and for a pattern that is none."""
    known = [rule["id"] for rule in data()["rule"]]
    for change in changes:
        if change.id not in known and (change.off or change.pattern is None):
            near = difflib.get_close_matches(change.id, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise RecipeError(
                f"[placeholder] {change.id}: no rule is called so; {hint}a new rule needs a pattern, and there are: {', '.join(known)}"
            )
        for field in ("pattern", "spare", "spare_text", "spare_key"):
            text = written_out(getattr(change, field) or "")
            if why := misread(text, python=field == "spare_key"):
                raise RecipeError(f"[placeholder] {change.id}.{field} is no regular expression: {why}")


def misread(text: str, python: bool) -> str | None:
    """Why a text is no pattern for the engines that read it: Python's, or else Polars' and google-re2; None: it is one."""
    try:
        if python:
            re.compile(text)
        else:
            pl.Series([""]).str.contains(text)
            automaton([loosened(text)])
    except (re.error, ValueError) as error:
        return str(error)
    except pl.exceptions.ComputeError as error:
        return next(iter(re.findall("^error: (.+)", str(error), re.MULTILINE)), str(error).splitlines()[0])
    return None


def caught(values: pl.DataFrame, changes: Changes = ()) -> Iterator[Caught]:
    """Every match of a rule, as a recipe changes them, in the texts of a value frame, in order of place and rule.

    A text is seen without the blanks and quotes around it and without legal references, and once more without one
    pair of brackets around it. Each distinct text is looked at once.
    """
    texts = values.filter(pl.col("type") == "string")
    hits = in_texts(texts["text"].unique(), changes)
    found = texts.join(hits, on="text").sort("row", "step", "pointer", "rule", maintain_order=True)
    for row, step, pointer, text, place, match in found.select(
        "row", "step", "pointer", "text", "rule", "match"
    ).iter_rows():
        rule = rules(changes)[place]
        if rule.spare_key is None or not re.search(rule.spare_key, name_of(pointer)):
            yield Caught(row, step, pointer, text, match, rule)


def name_of(pointer: str) -> str:
    """The name of the parameter at a pointer, as it is written there; of a list's members, the list's."""
    named = re.search(OWN_KEY, pointer)
    return named[1] if named else ""


def in_texts(distinct: pl.Series, changes: Changes = ()) -> pl.DataFrame:
    """The matches in distinct texts: (text, rule, match), `rule` being a place in the table.

    One automaton over all patterns says which rules a text could match at all; few do, and those rules are asked.
    """
    possible: dict[int, list[tuple[str, str]]] = {}
    for text in distinct.to_list():
        whole = (LEGAL_FORM.sub(REFERENCE_MARK, text) if "{{" in text else text).strip(AROUND)
        inner = BRACKETED.search(whole)
        for seen in (whole, inner[1]) if inner else (whole,):
            for place in patterns(changes).Match(seen) or ():
                possible.setdefault(place, []).append((text, seen))
    frames = [
        matches(pl.DataFrame(texts, schema=["text", "whole"], orient="row"), place, rules(changes)[place])
        for place, texts in sorted(possible.items())
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=MATCHES)


@cache
def patterns(changes: Changes = ()) -> Any:
    """All patterns at once, each loosened where the two engines differ: what a pattern matches, its loosened form does."""
    return automaton(loosened(rule.pattern) for rule in rules(changes))


def loosened(pattern: str) -> str:
    """A pattern for Polars as one for google-re2 that matches whatever it matches, and perhaps more.

    `\\w`, `\\d` and `\\s` mean ASCII there, so they are written out, but not where a class is negated: less in it is
    more that it matches. Word boundaries are left out.
    """
    out, negated, inside, place = [], False, False, 0
    for token in TOKEN.finditer(pattern):
        text, place = token[0], token.end()
        if inside and text == "]":
            inside = negated = False
        elif not inside and text in ("[", "[^"):
            inside, negated = True, text == "[^"
        elif text in WIDER and not negated:
            text = WIDER[text] if inside else f"[{WIDER[text]}]"
        elif text in (r"\b", r"\B"):
            text = ""
        out.append(text)
    return "".join(out) + pattern[place:]


def matches(texts: pl.DataFrame, place: int, rule: Rule) -> pl.DataFrame:
    """What one rule matches, one row for each match."""
    hits = texts.filter(pl.col("whole").str.contains(rule.pattern))
    if rule.spare_text:
        hits = hits.filter(~pl.col("whole").str.contains(rule.spare_text))
    hits = hits.with_columns(match=pl.col("whole").str.extract_all(rule.pattern)).explode("match")
    if rule.spare:
        hits = hits.filter(~pl.col("match").str.contains(rule.spare))
    return hits.select("text", "match", rule=pl.lit(place, pl.UInt32))
