"""Good plans made to look suspicious: none of them may be told of any fault."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from tests.corpus.bases import Base
from tests.corpus.handmade import call, objects, plugin
from tests.corpus.leaks import HEX, LETTERS, URLSAFE, uuid
from tests.corpus.leaks import some as chars
from tests.corpus.planting import PARAMETERS, places, put, some, text_places
from tests.corpus.values import MEANT, caught, table

Json = Any

# How a good plan may be written, and what may stand before it.
WRITTEN: dict[str, Callable[[list[Json]], str]] = {
    "indented": lambda steps: json.dumps({"plugins": steps}, indent=2),
    "tabs": lambda steps: json.dumps({"plugins": steps}, indent="\t"),
    "blank lines around": lambda steps: "\n\n" + json.dumps({"plugins": steps}) + "\n\n",
    "escaped letters": lambda steps: json.dumps({"plugins": steps}, ensure_ascii=True).replace("a", "\\u0061", 0),
    "slashes escaped": lambda steps: orjson.dumps({"plugins": steps}).decode().replace("/", "\\/"),
    "windows line ends": lambda steps: json.dumps({"plugins": steps}, indent=1).replace("\n", "\r\n"),
    "keys turned": lambda steps: json.dumps({"plugins": [dict(reversed(step.items())) for step in steps]}),
    "further keys": lambda steps: json.dumps({"plugins": [{**step, "order": 1, "comment": None} for step in steps]}),
    "names null": lambda steps: json.dumps({"plugins": [{**step, "name": None, "method": ""} for step in steps]}),
    "words of other keys": lambda steps: json.dumps(
        {"plugins": [{**step, "description": 'Returns {"plugins": []} or <city>; TODO: {{x}}'} for step in steps]}
    ),
}
PREFIXES = {
    "no break": "<think>Look it up.</think>", "blank lines": "\n\n<think>\nLook it up.\n</think>\n\n\n", "a tag within": "<think>First <think> again, then go.</think>\n",
    "JSON within": '<think>Perhaps {"plugins": []}? No: one call.</think>\n', "a fence within": "<think>\n```json\n{}\n```\n</think>\n", "another language": "<think>天気を調べる。</think>",
    "one letter": "<think>k</think>", "braces": "<think>{city} is {{x}} <city> [name] TODO N/A</think>", "long": "<think>" + "So it goes. " * 400 + "</think>",
}  # fmt: skip


def written(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """Another way of writing the same."""
    for name, write in WRITTEN.items():
        changed = base.copy()
        changed.answer = write(base.steps)
        yield name, changed
    for name, prefix in PREFIXES.items():
        changed = base.copy()
        changed.prefix = prefix
        yield name, changed


def spared() -> list[tuple[str, str]]:
    """(family, value) of every value that only looks like a placeholder."""
    return [(family, value) for family, values in table("suspicious")["spared"].items() for value in values]


def lookalikes(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A suspicious value in a place of free text."""
    open_places = text_places(base)
    for family, value in some(rng, spared(), 12) if open_places else ():
        yield f"{family}: {value}", put(base, rng.choice(open_places), value)


def by_key(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """What looks like a placeholder, where the parameter's name says that it is meant."""
    for key, value in some(rng, table("suspicious")["spared_by_key"]["pairs"], 4):
        changed = base.copy()
        changed.candidates = [*(base.candidates or []), plugin("made.for", objects({key: {"type": "string"}}))]
        changed.steps.append({**call("made.for", {key: value}), "all_parameters_hydrated": True})
        yield f"{key}: {value}", changed


def said(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A placeholder that the user asked for in so many words."""
    open_places = [place for place in text_places(base) if not MEANT.search(place.key())]
    for family, value in (
        some(rng, [(f, v) for f, v in caught() if f in ("angle", "brace", "mail", "site", "filler", "bracket")], 3)
        if open_places
        else ()
    ):
        changed = put(base, rng.choice(open_places), value)
        changed.before[-1]["content"] = f"{changed.before[-1].get('content') or ''} Write '{value}' exactly like this."
        yield f"{family}: {value}", changed


# Texts that only look like credentials, with the key under which they might stand.
HARMLESS: dict[str, tuple[str, Callable[[random.Random], str]]] = {
    "uuid": ("id", uuid), "sha1": ("commit", lambda r: chars(r, HEX, 40)), "sha256": ("checksum", lambda r: chars(r, HEX, 64)),
    "digest": ("image", lambda r: "registry.io/app@sha256:" + chars(r, HEX, 64)), "md5": ("etag", lambda r: chars(r, HEX, 32)),
    "drive file": ("spreadsheet_id", lambda r: "1" + chars(r, URLSAFE, 43)), "video": ("video_id", lambda r: chars(r, URLSAFE, 11)),
    "page token": ("page_token", lambda r: "CAUQ" + chars(r, LETTERS, 40)), "next page": ("next_page_token", lambda r: chars(r, LETTERS, 60)),
    "cursor": ("cursor", lambda r: chars(r, LETTERS, 48) + "=="), "sync": ("syncToken", lambda r: "CP" + chars(r, LETTERS, 30)),
    "image": ("image", lambda r: "data:image/png;base64,iVBORw0KGgo" + chars(r, LETTERS + "+/", 200)), "order": ("order", lambda r: f"ORD-{r.randint(10**7, 10**8)}-{chars(r, 'ABCDEF', 4)}"),
    "iban": ("iban", lambda r: "DE" + chars(r, "0123456789", 20)), "tracking": ("tracking", lambda r: "1Z" + chars(r, "ABCDEFGH0123456789", 16)),
    "wallet": ("address", lambda r: "0x" + chars(r, HEX, 40)), "transaction": ("tx", lambda r: "0x" + chars(r, HEX, 64)), "arn": ("arn", lambda r: f"arn:aws:iam::{chars(r, '123456789', 12)}:role/deploy"),
    "ssh public": ("key", lambda r: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + chars(r, LETTERS, 43) + " mara@laptop"), "certificate": ("cert", lambda r: "-----BEGIN CERTIFICATE-----\n" + chars(r, LETTERS + "+/", 64) + "\n-----END CERTIFICATE-----"),
    "publishable": ("key", lambda r: "pk_live_" + chars(r, LETTERS, 24)), "max tokens": ("max_tokens", lambda r: "4096"), "count": ("token_count", lambda r: "120000"),
    "password words": ("note", lambda r: "the password must have at least twelve characters"), "reset": ("subject", lambda r: "Password reset: what you need to know"), "policy": ("topic", lambda r: "API key rotation policy 2026"),
    "documentation": ("key", lambda r: "AKIAIOSFODNN7" + "EXAMPLE"), "redacted": ("token", lambda r: "gh" + "p_" + "x" * 36), "variable": ("header", lambda r: "Authorization: Bearer $TOKEN"), "environment": ("value", lambda r: "api_key=os.environ['API_KEY']"),
    "url": ("url", lambda r: f"https://acme.io/p/{chars(r, LETTERS, 22)}?ref={chars(r, LETTERS, 16)}"), "port": ("url", lambda r: "https://user.corp.io:8443/path@v2"), "mail link": ("url", lambda r: "mailto:mara@northquay.com"),
    "package": ("pkg", lambda r: "sk-learn-contrib-extra-estimators"), "path": ("path", lambda r: "/usr/local/lib/python3.11/site-packages/secretstorage"), "slug": ("slug", lambda r: "how-to-store-a-secret-in-kubernetes-2026"),
    "class": ("class", lambda r: "com.acme.security.TokenAuthenticationFilterFactoryBean"), "secret santa": ("event", lambda r: "Secret Santa: budget is 20 euros"), "passport": ("document", lambda r: "passport C01X00T47"),
    "token is a word": ("text", lambda r: "A token of appreciation: thank-you-cards-and-flowers"), "bearer bond": ("text", lambda r: "bearer instruments-of-the-nineteenth-century"), "git": ("url", lambda r: "git@github.com:acme/app.git"), "session": ("session_id", lambda r: uuid(r)),
}  # fmt: skip


def harmless(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A text that looks like a credential, in the request, the thinking, a free place, or under a telling key."""
    for name in rng.sample(sorted(HARMLESS), 8):
        key, make = HARMLESS[name]
        text = make(rng)
        changed = base.copy()
        changed.before[-1]["content"] = f"{changed.before[-1].get('content') or ''} ({key}: {text})"
        yield f"{name} in request", changed
        if text_places(base):
            yield f"{name} in value", put(base, rng.choice(text_places(base)), text)
        changed = base.copy()
        changed.candidates = [*(base.candidates or []), plugin("made.for", objects({key: {"type": "string"}}))]
        changed.steps.append({**call("made.for", {key: text}), "all_parameters_hydrated": True})
        yield f"{name} under its key", changed


def allowed(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """Values that look empty, wrong or surplus, and that the schema allows."""
    for place in some(rng, list(places(base)), 6):
        said = place.schema
        numeric = said.keys() <= {"type", "description", "title"} and said.get("type") in (
            "number",
            "float",
            "integer",
            "int",
        )
        if numeric:
            for value in (0, -1, 0.0, 5.0, 1e3, 10**15):
                yield f"{value} for {said['type']}", put(base, place, value)
        if said.get("type") in ("boolean", "bool") and "enum" not in said:
            yield "false", put(base, place, False)
        if said.get("type") in ("array", "list") and said.keys() <= {"type", "description", "items", "title"}:
            yield "an empty list", put(base, place, [])
    for step in base.steps:
        names = {candidate["pluginId"]: candidate for candidate in base.candidates or ()}
        candidate = names.get(step["pluginId"])
        if (
            candidate is None
            or not isinstance(candidate.get("parameters"), dict)
            or not candidate["parameters"].get("properties")
        ):
            continue
        for extra in ({"additionalProperties": True}, {"patternProperties": {"^x-": {}}}):
            changed = base.copy()
            own = next(c for c in changed.candidates or () if c["pluginId"] == step["pluginId"])
            own["parameters"].pop("additionalProperties", None)
            own["parameters"] |= extra
            for other in changed.steps:
                if other["pluginId"] == step["pluginId"]:
                    other[PARAMETERS]["x-note"] = "kept"
            yield f"a surplus parameter with {next(iter(extra))}", changed
        if any(place.value is None or place.value == "" for place in places(base)):
            break
        bare = base.copy()
        own = next(c for c in bare.candidates or () if c["pluginId"] == step["pluginId"])
        own["parameters"] = {}
        yield "a plugin that says nothing of its parameters", bare
        break


def chained(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """Dependencies and references that look wrong and are right."""
    names = [step["pluginId"] for step in base.steps]
    if any("{{" in str(step[PARAMETERS]) or step["dependencies"] for step in base.steps) or len(set(names)) != len(
        names
    ):
        return
    if len(base.steps) > 1:
        everything = base.copy()
        for i, step in enumerate(everything.steps):
            step["dependencies"] = names[:i]
        yield "all earlier ones", everything
        twice = base.copy()
        twice.steps[-1]["dependencies"] = [names[0], names[0]]
        yield "the same one twice", twice
    places_ = [place for place in text_places(base) if place.step]
    for place in places_[:1]:
        for inner in (
            "output",
            "output.a.b",
            "output.items[0].id",
            "output.first name",
            "output.ключ",
            "output.a-b/c",
            "output.output",
            "output.0",
            "output.$",
        ):
            changed = put(base, place, f"{{{{{names[0]}.{inner}}}}}")
            changed.steps[place.step]["dependencies"] = [names[0]]
            yield f"reference to {inner}", changed
        changed = put(base, place, f"about {{{{{names[0]}.output.x}}}} and {{{{{names[0]}.output.y}}}}!")
        changed.steps[place.step]["dependencies"] = [names[0]]
        yield "two references in a text", changed
    for place in places(base):
        if place.step and not isinstance(place.value, dict | list):
            changed = put(base, place, f"{{{{{names[0]}.output.v}}}}")
            changed.steps[place.step]["dependencies"] = [names[0]]
            yield "a reference for any type", changed
            break
    again = base.copy()
    again.steps.append({**again.copy().steps[0], "dependencies": [names[0]]})
    yield "the same plugin after itself", again


def untouched(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """The plan as it was."""
    yield "as it was", base.copy()
