"""Plans written by hand, for schemas and dependencies that real traces rarely have: name -> (request, candidates, steps)."""

from typing import Any

Json = Any


def plugin(plugin_id: str, schema: Json, description: str = "does what its name says") -> Json:
    """A candidate."""
    return {
        "pluginId": plugin_id,
        "name": plugin_id,
        "description": description,
        "identifier": "rest_api",
        "method": "POST",
        "parameters": schema,
    }


def objects(properties: Json, *required: str, **more: Json) -> Json:
    """An object's schema."""
    return {"type": "object", "properties": properties, "required": list(required), **more}


def call(plugin_id: str, values: Json, *dependencies: str) -> Json:
    """A step."""
    return {"pluginId": plugin_id, "api_request_parameters": values, "dependencies": list(dependencies)}


TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}
COUNT: Json = {"type": "integer"}
BOOLEAN: Json = {"type": "boolean"}
TEXTS: Json = {"type": "array", "items": TEXT}

ORDER = objects(
    {
        "customer": objects({"name": TEXT, "address": objects({"city": TEXT, "zip": TEXT}, "city")}, "name"),
        "lines": {"type": "array", "items": objects({"sku": TEXT, "amount": COUNT, "notes": TEXTS}, "sku", "amount"), "minItems": 1},
        "express": BOOLEAN,
    },
    "customer", "lines",
)  # fmt: skip
KEYWORDS = objects(
    dict.fromkeys(("type", "properties", "required", "enum", "items", "default", "format", "$ref"), TEXT)
    | {"const": COUNT, "anyOf": TEXTS, "description": TEXT, "nullable": BOOLEAN},
    "type", "enum",
)  # fmt: skip
CHOICES = objects(
    {
        "when": {"anyOf": [{"type": "string", "format": "date"}, {"type": "integer", "minimum": 0}]},
        "to": {"oneOf": [objects({"email": {"type": "string", "format": "email"}}, "email", additionalProperties=False), objects({"phone": {"type": "string", "pattern": r"^\+\d{6,15}$"}}, "phone", additionalProperties=False)]},
        "version": {"const": 2},
        "size": {"allOf": [{"type": "integer"}, {"minimum": 1}, {"maximum": 10}]},
        "shade": {"not": {"enum": ["none"]}, "type": "string"},
        "ref": {"$ref": "#/$defs/box"},
    },
    "version",
    **{"$defs": {"box": objects({"w": NUMBER, "h": NUMBER, "inner": {"$ref": "#/$defs/box"}}, "w", "h")}},
)  # fmt: skip
FORMATS = objects(
    {
        "day": {"type": "string", "format": "date"}, "at": {"type": "string", "format": "date-time"},
        "mail": {"type": "string", "format": "email"}, "link": {"type": "string", "format": "uri"},
        "id": {"type": "string", "format": "uuid"}, "ip": {"type": "string", "format": "ipv4"},
        "code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"}, "short": {"type": "string", "maxLength": 8, "minLength": 2},
        "step": {"type": "integer", "multipleOf": 5}, "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "tags": {"type": "array", "items": TEXT, "uniqueItems": True, "maxItems": 3}, "level": {"type": "string", "enum": ["low", "high"]},
        "mode": {"type": "integer", "enum": [1, 2, 3]}, "days": {"type": "array", "items": {"type": "string", "enum": ["mon", "tue", "wed"]}},
    },
    "day",
)  # fmt: skip
VENDOR = {
    "type": "dict",
    "properties": {
        "city": {"type": "str"}, "ratio": {"type": "float"}, "n": {"type": "int"}, "tags": {"type": "List[str]"}, "any": {"type": "any"},
        "extra": {"type": "dict", "properties": {"deep": {"type": "Optional[int]"}}}, "flag": {"type": "bool"}, "pair": {"type": "tuple"},
        "must": {"type": "String", "required": True}, "maybe": {"type": "string", "nullable": True}, "big": {"type": "Long"}, "either": {"type": "int | str"},
    },
    "required": ["city"],
}  # fmt: skip
OPEN = {"type": "object", "properties": {"a": TEXT}, "additionalProperties": {"type": "integer"}}
CLOSED = {"type": "object", "properties": {"a": TEXT, "b": COUNT}, "required": ["a"], "additionalProperties": False}
LOOSE = {"type": "object"}
SEARCH = objects({"query": TEXT, "limit": COUNT}, "query")
MAIL = objects(
    {"to": TEXT, "subject": TEXT, "body": TEXT, "cc": TEXTS, "meta": {"type": "object"}, "amount": NUMBER}, "to"
)

HANDMADE: dict[str, tuple[str, list[Json], list[Json]]] = {
    "nested": (
        "Order two of A-7 with a red ribbon for Mara Lind in Graz, normal delivery.",
        [plugin("shop.order", ORDER), plugin("search", SEARCH)],
        [call("shop.order", {"customer": {"name": "Mara Lind", "address": {"city": "Graz", "zip": "8010"}}, "lines": [{"sku": "A-7", "amount": 2, "notes": ["red ribbon"]}], "express": False})],
    ),
    "keywords": (
        "Make a card of type note with the enum colours and description blue things.",
        [plugin("card", KEYWORDS)],
        [call("card", {"type": "note", "enum": "colours", "description": "blue things", "required": "yes", "properties": "many", "const": 3, "anyOf": ["x1"], "nullable": False})],
    ),
    "choices": (
        "Ship version 2 in size 4, shade teal, on 4 March 2026 to marta@northquay.com, box 2 by 3.",
        [plugin("ship", CHOICES)],
        [call("ship", {"when": "2026-03-04", "to": {"email": "marta@northquay.com"}, "version": 2, "size": 4, "shade": "teal", "ref": {"w": 2, "h": 3.5, "inner": {"w": 1, "h": 1}}})],
    ),
    "formats": (
        "Book 4 March 2026, 9:30 UTC, for marta@northquay.com, level high.",
        [plugin("book", FORMATS)],
        [call("book", {"day": "2026-03-04", "at": "2026-03-04T09:30:00Z", "mail": "marta@northquay.com", "link": "https://northquay.com/a", "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "ip": "10.1.2.3", "code": "ABC-1234", "short": "abcd", "step": 15, "share": 0.5, "tags": ["a1", "b2"], "level": "high", "mode": 2, "days": ["mon", "wed"]})],
    ),
    "vendor": (
        "Tag Graz with wine and hills, ratio 0.5, 3 of them.",
        [plugin("tagger", VENDOR)],
        [call("tagger", {"city": "Graz", "ratio": 0.5, "n": 3, "tags": ["wine", "hills"], "any": {"x": 1}, "extra": {"deep": 4}, "flag": True, "pair": [1, "two"], "must": "so", "maybe": None, "big": 5000000000, "either": "three"})],
    ),
    "open": ("Set a to north and b to 3.", [plugin("kv", OPEN)], [call("kv", {"a": "north", "b": 3})]),
    "closed": ("Set a to north and b to 3.", [plugin("kv", CLOSED)], [call("kv", {"a": "north", "b": 3})]),
    "loose": ("Send north and 3 along.", [plugin("any", LOOSE)], [call("any", {"where": "north", "n": 3, "deep": {"list": [1, {"x": "y1"}]}})]),
    "diamond": (
        "Find the harbour, then its weather and its ferries, and mail both to Mara.",
        [plugin("find", SEARCH), plugin("weather.v2", SEARCH), plugin("ferry", SEARCH), plugin("mail", MAIL)],
        [call("find", {"query": "harbour"}), call("weather.v2", {"query": "{{find.output.name}}"}, "find"), call("ferry", {"query": "to {{find.output.name}} today", "limit": "{{find.output.count}}"}, "find"), call("mail", {"to": "mara@northquay.com", "body": "{{weather.v2.output.text}} and {{ferry.output}}", "cc": ["{{find.output.contacts[0].mail}}"], "meta": {"ids": [{"id": "{{ferry.output.id}}"}]}, "amount": "{{ferry.output.price}}"}, "weather.v2", "ferry", "find")],
    ),
    "dotted": (
        "Look up a, then a.b, then send both on.",
        [plugin("a", SEARCH), plugin("a.b", SEARCH), plugin("a.b.output", SEARCH), plugin("mail", MAIL)],
        [call("a", {"query": "north"}), call("a.b", {"query": "{{a.output.b}}"}, "a"), call("a.b.output", {"query": "south"}), call("mail", {"to": "{{a.b.output.to}}", "body": "{{a.b.output.output.text}} {{a.output.output}}"}, "a", "a.b", "a.b.output")],
    ),
    "repeated": (
        "Search north, then south, then mail both results; then search east with what came back.",
        [plugin("search", SEARCH), plugin("mail", MAIL)],
        [call("search", {"query": "north"}), call("mail", {"to": "mara@northquay.com", "body": "{{search.output}}"}, "search"), call("search", {"query": "{{mail.output.next}}"}, "mail"), call("mail", {"to": "mara@northquay.com", "body": "{{search.output.text}}"}, "search"), call("search", {"query": "after {{search.output.id}}"}, "search")],
    ),
    "chain": (
        "Do one after the other: north, then what follows, then what follows that.",
        [plugin("one", SEARCH), plugin("two", SEARCH), plugin("three", SEARCH), plugin("four", SEARCH)],
        [call("one", {"query": "north"}), call("two", {"query": "{{one.output.x y}}"}, "one"), call("three", {"query": "{{two.output.ключ}}"}, "two", "one"), call("four", {"query": "{{three.output.a.b.c}} {{one.output}}"}, "three", "two", "one")],
    ),
    "nullable": (
        "Note that nothing is due.",
        [plugin("note", objects({"text": {"type": ["string", "null"]}, "mark": {"type": "string", "enum": ["", "x"]}, "rank": {"type": "string", "default": ""}, "list": {"type": "array"}, "map": {"type": "object"}, "zero": COUNT, "off": BOOLEAN}))],
        [call("note", {"text": None, "mark": "", "rank": "", "list": [], "map": {}, "zero": 0, "off": False})],
    ),
}  # fmt: skip
