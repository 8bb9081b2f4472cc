"""Everything known of one trace or sample, told so that a stranger sees why it was kept or dropped."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from curation.show.marks import COLOURS, Line, fault_lines, marked, short
from curation.show.plan import plan_lines
from curation.stages import ROW_STAGES
from curation.terminal import visible

AT_PLACES = {stage.NAME for stage in ROW_STAGES}  # whose faults have a place in the sample
REQUEST = 2_000  # characters of a request that are shown


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
    """One sample: what it says with every fault at its place, what each stage thinks of it, what became of it."""
    recipes = {decision["recipe"] for decision in sample["decisions"]}
    faults = [fault | {"partly": set(fault["recipes"]) != recipes} for fault in sample["findings"]]
    placed = [fault for fault in faults if fault["stage"] in AT_PLACES]
    yield Text("")
    yield from marked(lines(sample, placed), placed)
    yield Text("")
    for standing in sample["standing"]:
        yield verdict(standing)
    if not sample["standing"]:
        yield Text(f"  in no recipe's samples: none that was checked takes this {sample['kind']}", style="yellow")
    for recipe in sorted(recipes):
        yield stages_line(recipe, [each for each in sample["decisions"] if each["recipe"] == recipe])
    for fault in faults:
        if fault["stage"] not in AT_PLACES:
            yield from fault_lines(fault, "    ")
    for judgement in sample["judgements"]:
        yield Text(
            f"  judged by {judgement['model']} ({judgement['backend']}): {judgement['overall'] if judgement['overall'] is not None else judgement['status']}"
        )
        if judgement["rationale"]:
            yield Text(f"    {short(judgement['rationale'])}")


def lines(sample: dict[str, Any], faults: list[dict[str, Any]]) -> Iterator[Line]:
    """What a sample is and says, a line for each place that a fault may be about."""
    made_of = {relative["sample_id"] for relative in sample["made_of"]}
    is_turn = sample["parent_id"] and sample["parent_id"] not in made_of
    turn = f", turn of {sample['parent_id']}" if is_turn else ""
    yield Line("/source", Text(f"sample {sample['sample_id']}", style="bold"))
    yield Line("/source", Text(f"  {sample['kind']}{', ' + sample['category'] if sample['category'] else ''}{turn}"))
    yield from (Line("/source", text) for text in family_lines(sample))
    yield from earlier_lines(sample, faults)
    yield Line("/messages", request_line(sample))
    yield Line("/thinking", Text(f"  {'thinking':<9} {short(sample['thinking'])}"))
    if any((fault["pointer"] or "").startswith("/candidates") for fault in faults):
        yield Line("/candidates", Text(f"  {'offered':<9} {len(sample['candidates'] or ()):,} candidates"))
    yield from plan_lines(sample, faults)


def earlier_lines(sample: dict[str, Any], faults: list[dict[str, Any]]) -> Iterator[Line]:
    """The messages besides the request of which something is told."""
    messages = sample["messages"] if isinstance(sample["messages"], list) else []
    for place, message in enumerate(messages):
        at = f"/messages/{place}"
        is_told = any((fault["pointer"] or "").startswith(f"{at}/") for fault in faults)
        if is_told and isinstance(message, dict) and message.get("content") != sample["request"]:
            content = message.get("content")
            yield Line(
                at,
                Text(
                    f"  {short(str(message.get('role')), 9):<9} {short(content if isinstance(content, str) else None)}"
                ),
            )


def request_line(sample: dict[str, Any]) -> Text:
    """The request with its words marked, where they stand as values in the plan."""
    head = f"  {'request':<9} "
    if sample["request"] is None:
        return Text(f"{head}(none)")
    flat = visible("".join(" " if character.isspace() else character for character in sample["request"]))
    line = Text(head + flat[:REQUEST] + ("…" if len(flat) > REQUEST else ""))
    for span in sample["grounded"]:
        if span["end"] <= REQUEST:
            line.stylize("bold green underline", len(head) + span["start"], len(head) + span["end"])
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


def stages_line(recipe: str, decisions: list[dict[str, Any]]) -> Text:
    """What each stage of a recipe thinks of the sample, in one line."""
    line = Text(f"  stages of recipe {recipe}: ", style="")
    for place, decision in enumerate(decisions):
        line.append(", " if place else "").append(f"{decision['stage']} ")
        line.append(decision["outcome"], style=COLOURS[decision["outcome"]])
    return line
