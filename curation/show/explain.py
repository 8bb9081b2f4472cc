"""Everything known of one trace or sample, told so that a stranger sees why it was kept or dropped."""

from collections.abc import Iterator
from typing import Any

import orjson
from rich.console import Group, RenderableType
from rich.text import Text

from curation.pointer import tokens
from curation.terminal import visible

COLOURS = {"pass": "green", "flag": "yellow", "fail": "red", "abstain": "magenta"}
SHOWN = 600  # characters of a request, a reasoning trace or a plan


def explain(told: dict[str, Any]) -> Group:
    """What `curation explain ID` prints, from the object that `--json` prints."""
    parts: list[RenderableType] = []
    for trace in told["traces"]:
        parts.append(Text(f"trace {short(trace['trace_id'] or trace['trace_key'])}", style="bold"))
        parts.append(
            Text(
                f"  {trace['path']}:{trace['line']}  format {trace['format']}, source {trace['source']}, received {trace['received_at']}"
            )
        )
        if trace["error"]:
            parts.append(Text(f"  cannot be read: {short(trace['error'])}", style="red"))
    for sample in told["samples"]:
        parts += sample_parts(sample)
    return Group(*parts)


def sample_parts(sample: dict[str, Any]) -> Iterator[RenderableType]:
    """One sample: what it says, what each stage thinks of it, what became of it."""
    yield Text("")
    yield Text(f"sample {sample['sample_id']}", style="bold")
    made_of = {relative["sample_id"] for relative in sample["made_of"]}
    is_turn = sample["parent_id"] and sample["parent_id"] not in made_of
    yield Text(
        f"  {sample['kind']}{', ' + sample['category'] if sample['category'] else ''}{', turn of ' + sample['parent_id'] if is_turn else ''}"
    )
    yield from family_lines(sample)
    yield request_line(sample)
    for label, value in (("thinking", sample["thinking"]), ("plan", sample["plan"])):
        yield Text(f"  {label:<9} {short(value)}")
    yield Text("")
    for standing in sample["standing"]:
        yield verdict(standing)
    if not sample["standing"]:
        yield Text(f"  in no recipe's samples: none that was checked takes this {sample['kind']}", style="yellow")
    recipe = None
    for decision in sample["decisions"]:
        if decision["recipe"] != recipe:
            recipe = decision["recipe"]
            yield Text(f"  stages of recipe {recipe}", style="bold")
        yield from decision_lines(decision, sample)
    for judgement in sample["judgements"]:
        yield Text(
            f"  judged by {judgement['model']} ({judgement['backend']}): {judgement['overall'] if judgement['overall'] is not None else judgement['status']}"
        )
        if judgement["rationale"]:
            yield Text(f"    {short(judgement['rationale'])}")


def request_line(sample: dict[str, Any]) -> Text:
    """The request, with the words marked that stand as values in the plan."""
    line = Text(f"  {'request':<9} {short(sample['request'])}")
    said = {short(sample["request"][span["start"] : span["end"]]) for span in sample["grounded"]}
    line.highlight_words(sorted(said, key=len, reverse=True), style="bold green", case_sensitive=False)
    return line


def family_lines(sample: dict[str, Any]) -> Iterator[Text]:
    """What the sample was made of, and what was made of it."""
    for parent in sample["made_of"]:
        past = "" if parent["stands"] else ", and stands in its place no more"
        yield Text(f"  made of {parent['sample_id']} by {parent['maker']}{past}", style="cyan")
    for child in sample["children"]:
        told = "stands in its place" if child["stands"] else "was made of it, and stands in its place no more"
        yield Text(f"  {child['sample_id']} {told} where a recipe asks for {child['maker']}", style="cyan")


def verdict(standing: dict[str, Any]) -> Text:
    """Accepted, dropped and why, or released."""
    if standing["what"] == "release":
        return Text(f"  released in {standing['name']} {standing['version']}, split {standing['split']}", style="green")
    if standing["accepted"]:
        return Text(f"  accepted by recipe {standing['name']}", style="green")
    return Text(
        f"  not accepted by recipe {standing['name']}: {standing['reason']} (stage {standing['stage']})", style="red"
    )


def decision_lines(decision: dict[str, Any], sample: dict[str, Any]) -> Iterator[Text]:
    """A stage's outcome, and under it every fault: its place, what was seen there, and what was wanted."""
    yield Text(f"    {decision['stage']:<12} {decision['outcome']}", style=COLOURS[decision["outcome"]])
    for fault in decision["faults"] or ():
        place = f" at {fault['pointer']}" if fault["pointer"] else ""
        absent = fault["seen"] is None and fault["reason"].endswith(("missing", "missing_required"))
        seen = "absent" if absent else orjson.dumps(fault["seen"]).decode()
        yield Text(f"      {fault['reason']}{place}: {short(seen)}")
        wanted = wanted_at(fault["pointer"], sample) if fault["reason"].startswith("hydration.") else None
        if wanted is not None:
            yield Text(f"        wanted: {short(wanted)}", style="dim")


def wanted_at(pointer: str, sample: dict[str, Any]) -> str | None:
    """What the candidate's schema says of the parameter at a pointer; its parameters' names where it knows none such."""
    parts = tokens(pointer) if pointer else ()
    if len(parts) < 4 or parts[2] != "api_request_parameters" or not isinstance(sample["candidates"], list):
        return None
    try:
        plugin_id = orjson.loads(sample["plan"])["plugins"][int(parts[1])]["pluginId"]
        candidate = next(c for c in sample["candidates"] if c.get("pluginId") == plugin_id)
        known = candidate["parameters"]["properties"]
    except (orjson.JSONDecodeError, LookupError, StopIteration, TypeError, ValueError, AttributeError):
        return None
    if parts[3] in known:
        return orjson.dumps(known[parts[3]]).decode()
    return f"one of {', '.join(known)}" if known else "no parameters"


def short(value: str | None) -> str:
    """A value on one line, cut where it is long, with nothing in it that a terminal obeys."""
    if value is None:
        return "(none)"
    line = visible(" ".join(value.split()))
    return line if len(line) <= SHOWN else line[:SHOWN] + "…"
