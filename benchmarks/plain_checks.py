"""The seven row stages written plainly with `json`, `jsonschema` and `re`: what `benchmarks/checks.py` is compared with.

Each distinct validator and pattern is built once. It asks the same questions of the same tables and says which samples
fail; what only makes faults readable (order, pointers, masks) it leaves out.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema

from curation import credentials, stand_ins
from curation.filters import placeholder
from curation.references import is_reference, referred, target
from curation.vendor_schema import standardise
from schemas import load_schema

Row = dict[str, Any]
SCRIPTS = {
    "L": r"a-zA-Z\u00aa-\u024f\u0370-\u1fff\u3040-\u9fff\uac00-\ud7af", "N": "0-9", "M": r"\u0300-\u036f", "Han": r"\u4e00-\u9fff",
    "Hiragana": r"\u3040-\u309f", "Katakana": r"\u30a0-\u30ff", "Hangul": r"\uac00-\ud7af", "Arabic": r"\u0600-\u06ff",
    "Devanagari": r"\u0900-\u097f", "Hebrew": r"\u0590-\u05ff", "Greek": r"\u0370-\u03ff", "Cyrillic": r"\u0400-\u04ff",
}  # fmt: skip
TOKEN = re.compile(r"\\p\{(\w+)\}|\\.|\[|\]|\(\?i\)|\(|\)", re.DOTALL)


@cache
def python_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern of the tables for `re`: classes by script become ranges, flags in the middle get a group."""
    out, place, inside, opened = [], 0, False, [0]
    for match in TOKEN.finditer(pattern):
        out.append(pattern[place : match.start()])
        token, place = match[0], match.end()
        if match[1]:
            out.append(SCRIPTS[match[1]] if inside else f"[{SCRIPTS[match[1]]}]")
        elif token == "(?i)" and not inside:
            out.append("(?i:")
            opened[-1] += 1
        elif token == "(" and not inside:
            opened.append(0)
            out.append(token)
        elif token == ")" and not inside:
            out.append(")" * opened.pop() + token)
        else:
            inside = (inside or token == "[") and token != "]"
            out.append(r"\[" if token == "[" and out and inside and out[-1:] == ["["] else token)
    return re.compile("".join(out) + pattern[place:] + ")" * opened[0])


@cache
def plan_validator() -> jsonschema.Draft202012Validator:
    """The plan's shape."""
    return jsonschema.Draft202012Validator(load_schema("plan"))


@cache
def parameter_validator(text: str) -> tuple[jsonschema.Draft202012Validator, frozenset[str] | None]:
    """A plugin's parameters, and the names that may be sent where it lists them."""
    schema = standardise(json.loads(text))
    listed = schema.get("properties") if isinstance(schema, dict) else None
    closed = isinstance(schema, dict) and listed and not {"additionalProperties", "patternProperties"} & schema.keys()
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(schema, format_checker=checker), frozenset(listed) if closed else None


def fails(row: Row) -> bool:
    """Whether any of the seven stages fails this sample."""
    found = [*schema_faults(row), *thinking_faults(row), *secret_faults(row)]
    for i, step in enumerate(steps(row)):
        values = step.get("api_request_parameters")
        found += dependency_faults(row, i, step)
        if isinstance(values, dict):
            found += [*plugin_faults(row, step, values), *placeholder_faults(row, values)]
        if step.get("all_parameters_hydrated") is not True:
            found.append("hydration.flag")
    return bool(found)


def steps(row: Row) -> list[Row]:
    """The steps that are objects."""
    try:
        plan = json.loads(row["plan"] or "")
    except ValueError:
        return []
    listed = plan.get("plugins") if isinstance(plan, dict) else None
    return [step for step in listed if isinstance(step, dict)] if isinstance(listed, list) else []


def schema_faults(row: Row) -> Iterator[str]:
    """One JSON object of a plan's shape."""
    try:
        plan = json.loads(row["plan"] or "")
    except ValueError:
        yield "schema.not_json"
        return
    yield from ("schema.invalid" for _ in plan_validator().iter_errors(plan))
    if isinstance(plan, dict) and plan.get("plugins") == []:
        yield "schema.invalid"


def thinking_faults(row: Row) -> Iterator[str]:
    """A trace that says something."""
    if not re.search(r"\w", row["thinking"] or ""):
        yield "thinking.missing"


def plugin_faults(row: Row, step: Row, values: Row) -> Iterator[str]:
    """A plugin that was offered, with parameters that fit its schema."""
    offered = {candidate["pluginId"]: candidate for candidate in json.loads(row["candidates"] or "[]")}
    if step.get("pluginId") not in offered:
        yield "plugin.unknown"
        return
    validator, names = parameter_validator(json.dumps(offered[step["pluginId"]].get("parameters")))
    for error in validator.iter_errors(values):
        if not is_reference(error.instance):
            yield f"hydration.{error.validator}"
    if names is not None and not names.issuperset(values):
        yield "hydration.unknown_parameter"
    if any(value is None or value == "" for value in texts(values)):
        yield "hydration.empty"


def texts(value: Any) -> Iterator[Any]:
    """Every value without members."""
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from texts(member)
    else:
        yield value


def placeholder_faults(row: Row, values: Row) -> Iterator[str]:
    """Every text against every rule, with and without brackets around it; what was said is no placeholder."""
    for value in texts(values):
        if not isinstance(value, str):
            continue
        whole = stand_ins.LEGAL_FORM.sub(stand_ins.REFERENCE_MARK, value).strip(stand_ins.AROUND)
        inner = stand_ins.BRACKETED.search(whole)
        for text in (whole, inner[1]) if inner else (whole,):
            for rule in stand_ins.rules():
                match = python_pattern(rule.pattern).search(text)
                if match and not (rule.spare_text and python_pattern(rule.spare_text).search(text)):
                    said = placeholder.conversation(row["messages"])
                    if not placeholder.is_said(rule.said, match[0], said):
                        yield "placeholder.value"


def dependency_faults(row: Row, i: int, step: Row) -> Iterator[str]:
    """Dependencies on earlier steps only, and references to nothing else."""
    earlier = {other.get("pluginId") for other in steps(row)[:i]}
    declared = step.get("dependencies")
    declared = declared if isinstance(declared, list) else []
    yield from ("dependency.unknown" for entry in declared if entry not in earlier)
    for value in texts(step.get("api_request_parameters")):
        for inner in referred(value) if isinstance(value, str) else ():
            if target(inner, [entry for entry in declared if isinstance(entry, str)]) is None:
                yield "dependency.undeclared"


def secret_faults(row: Row) -> Iterator[str]:
    """Every text against every pattern of a credential."""
    for column in ("plan", "thinking", "messages", "candidates"):
        for kind in credentials.kinds():
            for match in python_pattern(kind.pattern).finditer(row[column] or ""):
                secret = match[1] if match.re.groups else match[0]
                documented = any(word in match[0] for word in credentials.words().documentation)
                verified = kind.verify is None or credentials.VERIFIERS[kind.verify](secret)
                if not documented and credentials.entropy(secret) >= kind.entropy and verified:
                    yield "secret.found"
