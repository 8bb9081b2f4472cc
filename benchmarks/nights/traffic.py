"""What a platform logs in one night: mostly good traces, with copies, faults and secrets among them; the same for a seed."""

import json
import random
from itertools import product
from typing import Any

Trace = dict[str, Any]

WORDS = [
    "".join(syllables) for syllables in product("bdfgklmnprst", "aeiou", "bdfgklmnprst", "aeiou")
]  # of no language
PLUGINS = 400  # that the platform has; a trace offers six of them
SETTLING = 3  # nights at the end without samples that the judge refuses: it is asked for each in three runs
REFUSED = "the judge will not look at this"

# What of 1,000 traces is to be what; the rest is good and like no other.
SHARES = {
    "respaced": 30,
    "reworded": 50,
    "replanned": 20,
    "longer": 15,
    "repeated": 15,
    "placeholder": 30,
    "incomplete": 20,
    "unknown": 20,
    "secret": 10,
    "refused": 5,
    "broken": 5,
}
EARLIER = ("respaced", "reworded", "replanned", "longer", "repeated")  # made of a trace that came before


def night(seed: int, number: int, size: int, nights: int) -> list[str]:
    """The lines of one night, numbered from 1; the last ones of so many `nights` hold nothing that must settle."""
    return [line(seed, number, place, size, nights) for place in range(size)]


def line(seed: int, number: int, place: int, size: int, nights: int) -> str:
    """One line as it is logged."""
    rng = random.Random(f"{seed} {number} {place} line")
    kind = drawn(rng)
    if kind == "refused" and number > nights - SETTLING:
        kind = "good"
    if kind in EARLIER and number == 1 and place < 10:
        kind = "good"
    trace = good(seed, number, place)
    if kind in EARLIER:
        trace = made_of(kind, good(seed, *earlier(rng, number, place, size)), trace, rng)
    else:
        spoil(kind, trace, rng)
    text = json.dumps(trace)
    return text[: len(text) // 2] if kind == "broken" else text


def drawn(rng: random.Random) -> str:
    """What a line is to be."""
    point = rng.uniform(0, 1000)
    for kind, share in SHARES.items():
        point -= share
        if point < 0:
            return kind
    return "good"


def earlier(rng: random.Random, number: int, place: int, size: int) -> tuple[int, int]:
    """Night and place of a trace that came before."""
    position = rng.randrange((number - 1) * size + place)
    return position // size + 1, position % size


def good(seed: int, number: int, place: int) -> Trace:
    """A native trace of about 3 KB that every stage passes: six candidates, some thinking, a plan of one to three steps."""
    rng = random.Random(f"{seed} {number} {place}")
    offered = [plugin(seed, i) for i in rng.sample(range(PLUGINS), 6)]
    steps = [step(offered[i], " ".join(rng.choices(WORDS, k=4)), offered[:i]) for i in range(rng.randint(1, 3))]
    request = f"Please {' '.join(rng.choices(WORDS, k=30))}."
    thinking = f"I take {' '.join(rng.choices(WORDS, k=60))}."
    minute = number * 1440 + place * 600 // 2000
    return {
        "trace_id": f"night-{number}-{place}",
        "timestamp": f"2026-{1 + minute // 40320:02}-{1 + minute // 1440 % 28:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z",
        "messages": [{"role": "user", "content": request}, answer(thinking, steps)],
        "candidates": offered,
        "metadata": {"outcome": "succeeded"},
    }


def plugin(seed: int, number: int) -> Trace:
    """A plugin that takes a text and a number."""
    rng = random.Random(f"{seed} plugin {number}")
    values = {
        "query": {"type": "string", "description": " ".join(rng.choices(WORDS, k=6))},
        "limit": {"type": "integer"},
    }
    return {
        "pluginId": f"plugin-{number}",
        "name": " ".join(rng.choices(WORDS, k=2)),
        "description": " ".join(rng.choices(WORDS, k=10)),
        "identifier": "rest_api",
        "method": "POST",
        "parameters": {"type": "object", "properties": values, "required": ["query"]},
    }


def step(chosen: Trace, query: str, before: list[Trace]) -> Trace:
    """A call of the plugin after those before it."""
    kept = {key: chosen[key] for key in ("pluginId", "name", "description", "identifier", "method")}
    depends = [other["pluginId"] for other in before]
    told = {"api_request_parameters": {"query": query, "limit": 10}, "all_parameters_hydrated": True}
    return {**kept, **told, "dependencies": depends}


def answer(thinking: str, steps: list[Trace]) -> Trace:
    """What the model said."""
    return {"role": "assistant", "content": f"<think>{thinking}</think>\n" + json.dumps({"plugins": steps})}


def made_of(kind: str, original: Trace, fresh: Trace, rng: random.Random) -> Trace:
    """A trace made of one that came before; `fresh` is what would have come in its place."""
    if kind == "repeated":
        return original
    ask, told = original["messages"]
    candidates = [*original["candidates"], *fresh["candidates"]]
    if kind == "longer":
        return {**original, "messages": [ask, told, *fresh["messages"]], "candidates": candidates}
    made = {**original, "trace_id": fresh["trace_id"], "timestamp": fresh["timestamp"]}
    words = ask["content"].split(" ")
    if kind == "respaced":
        words[rng.randrange(1, len(words))] += " "
    elif kind == "reworded":
        words[rng.randrange(1, len(words))] = rng.choice(WORDS)
    else:
        told = fresh["messages"][1]
        made["candidates"] = candidates
    return {**made, "messages": [{**ask, "content": " ".join(words)}, told]}


def spoil(kind: str, trace: Trace, rng: random.Random) -> None:
    """Changes a good trace into one with that fault, or one that the judge refuses; others are left as they are."""
    ask, told = trace["messages"]
    thinking, _, plan = told["content"].partition("\n")
    steps = json.loads(plan)["plugins"]
    parameters = steps[0]["api_request_parameters"]
    if kind == "placeholder":
        parameters["query"] = "<your query here>"
    elif kind == "incomplete":
        del parameters["query"]
    elif kind == "unknown":
        steps[0]["pluginId"] = "plugin-of-nobody"
    elif kind == "secret":
        ask["content"] += f" My key is AKIA{''.join(rng.choices('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', k=16))}."
    elif kind == "refused":
        ask["content"] += f" {REFUSED}"
    told["content"] = f"{thinking}\n{json.dumps({'plugins': steps})}"
