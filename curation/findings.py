"""What the stages found in one sample: each fault once, with its place and what was wanted there."""

from typing import Any

import orjson

from curation.pointer import tokens

PARAMETERS = "api_request_parameters"


def findings(decisions: list[dict[str, Any]], plan: str | None, candidates: Any) -> list[dict[str, Any]]:
    """Every fault that some recipe's decisions hold, in their order: `{stage, outcome, reason, pointer, seen, wanted, recipes}`.

    `decisions` are JSON values with `recipe`, `stage`, `outcome` and `faults`; `recipes` names those whose decision has
    the fault, `wanted` what the candidate's schema says of its place (None: nothing).
    """
    found: dict[bytes, dict[str, Any]] = {}
    for decision in decisions:
        for fault in decision["faults"] or ():
            told = {"stage": decision["stage"], "outcome": decision["outcome"], **fault}
            entry = found.setdefault(orjson.dumps(told), told | {"wanted": None, "recipes": []})
            entry["recipes"].append(decision["recipe"])
    for entry in found.values():
        if entry["stage"] == "hydration":
            entry["wanted"] = wanted_at(entry["pointer"], plan, candidates)
    return list(found.values())


def wanted_at(pointer: str, plan: str | None, candidates: Any) -> str | None:
    """What the candidate's schema says of the parameter at a pointer; the names there are, where it knows none such."""
    parts = tokens(pointer)
    if len(parts) < 4 or parts[2] != PARAMETERS or not isinstance(candidates, list):
        return None
    try:
        plugin_id = orjson.loads(plan or "")["plugins"][int(parts[1])]["pluginId"]
        schema = next(c for c in candidates if c.get("pluginId") == plugin_id)["parameters"]
        for token in parts[3:]:
            known = schema.get("properties")
            if known is not None and token not in known:
                return f"one of {', '.join(known)}" if known else "no parameters"
            schema = known[token] if known is not None else schema["items"]
    except (orjson.JSONDecodeError, LookupError, StopIteration, TypeError, ValueError, AttributeError):
        return None
    return orjson.dumps(schema).decode()
