"""What a trace's candidate takes, held against the registry: where they disagree, and what the trace leaves out."""

from collections.abc import Iterator, Mapping
from typing import Any

from curation.vendor_schema import as_list, standardise

Json = dict[str, Any]


def conflicts(plugin: Json, known: Json) -> list[str]:
    """One sentence for each difference between a candidate's `parameters` and the registry's; none where one is silent.

    Both are compared in standard form, so other vendors' words for the same are no difference, nor are descriptions.
    """
    try:
        ours, theirs = (standardise(p.get("parameters")) if p.get("parameters") else None for p in (plugin, known))
        if not isinstance(ours, dict) or not isinstance(theirs, dict):
            return []
        return list(differences(ours, theirs, ""))
    except RecursionError:
        return ["the parameters: nested too deep to be compared"]


def completed(plugin: Json, registry: Mapping[str, Json]) -> Json:
    """The candidate with the registry's `parameters` (by pluginId) where it has none of its own; else itself."""
    plugin_id = plugin.get("pluginId")
    known = registry.get(plugin_id) if isinstance(plugin_id, str) else None
    if plugin.get("parameters") is not None or known is None or known.get("parameters") is None:
        return plugin
    return {**plugin, "parameters": known["parameters"]}


def differences(ours: Json, theirs: Json, at: str) -> Iterator[str]:
    """What differs between two schemas of the value at `at`, a dotted path."""
    here = at or "the parameters"
    kinds = [sorted(as_list(schema.get("type", []))) for schema in (ours, theirs)]
    if all(kinds) and kinds[0] != kinds[1]:
        yield f"{here}: type {'|'.join(kinds[0])} in the trace, {'|'.join(kinds[1])} in the registry"
    enums = [schema.get("enum") for schema in (ours, theirs)]
    if enums[0] != enums[1] and sorted(map(repr, enums[0] or ())) != sorted(map(repr, enums[1] or ())):
        yield f"{here}: {shown(enums[0])} in the trace, {shown(enums[1])} in the registry"
    for key in ("format", "pattern"):
        if key in ours and key in theirs and ours[key] != theirs[key]:
            yield f"{here}: {key} {ours[key]} in the trace, {theirs[key]} in the registry"
    yield from members(ours, theirs, at)
    inner = [schema.get("items") for schema in (ours, theirs)]
    if isinstance(inner[0], dict) and isinstance(inner[1], dict):
        yield from differences(inner[0], inner[1], f"{at}[]")


def members(ours: Json, theirs: Json, at: str) -> Iterator[str]:
    """What differs between the members of two object schemas."""
    mine, other = (schema.get("properties", {}) for schema in (ours, theirs))
    if not mine and not other:
        return
    for name in (*mine, *(name for name in other if name not in mine)):
        path = f"{at}.{name}" if at else name
        if name not in other:
            yield f"{path}: only the trace has it"
        elif name not in mine:
            yield f"{path}: only the registry has it"
        else:
            needed = [name in schema.get("required", ()) for schema in (ours, theirs)]
            if needed[0] != needed[1]:
                yield f"{path}: {wanted(needed[0])} in the trace, {wanted(needed[1])} in the registry"
            if isinstance(mine[name], dict) and isinstance(other[name], dict):
                yield from differences(mine[name], other[name], path)


def wanted(required: bool) -> str:
    """How a parameter is asked for."""
    return "required" if required else "optional"


def shown(enum: list[Any] | None) -> str:
    """A list of choices as a reader sees it."""
    return (
        "no list of values"
        if enum is None
        else f"one of {', '.join(map(str, enum[:8]))}{', …' if len(enum) > 8 else ''}"
    )
