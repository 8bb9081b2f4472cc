"""The part of JSON Schema that the service can enforce of a reply's form."""

from typing import Any

# Keywords that the service's structured output does not take; replies are validated against them all the same.
NOT_ENFORCED = frozenset({"$schema", "title", "minimum", "maximum"})


def without(schema: Any, keywords: frozenset[str]) -> Any:
    """The schema without these keywords, at any depth (property names are not keywords, and are kept)."""
    if isinstance(schema, list):
        return [without(member, keywords) for member in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in keywords:
            continue
        if key == "properties":
            kept[key] = {name: without(member, keywords) for name, member in value.items()}
        else:
            kept[key] = without(value, keywords)
    return kept
