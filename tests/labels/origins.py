"""An origin is where a value of a plan came from; this counts them in the public sets by asking the check for each part."""

from collections import Counter
from functools import cache

import orjson
import polars as pl

from curation.batch import Batch
from curation.filters import grounding
from curation.filters.placeholder import within
from curation.origins import is_invented
from curation.references import referred
from curation.said import Said, spoken
from tests.corpus.bases import public_samples

# In the order in which they are looked for.
SPOKEN = ("the request", "an earlier turn", "the arguments of an earlier call", "a tool's recorded result")
REFERENCE, SCHEMA, TOGETHER = "a reference", "the schema or the plugin's description", "several of these together"
UNKNOWN, INVENTED = "cannot be known: not told", "nothing: told as invented"
ORIGINS = (*SPOKEN, REFERENCE, SCHEMA, TOGETHER, UNKNOWN, INVENTED)
SILENCE = Said("")


@cache
def origins(folder: str) -> Counter[str]:
    """How many texts and numbers in the plans of a public set come from where."""
    batch = Batch(public_samples(folder).filter(pl.col("n_steps") > 0))
    invented = {(row, pointer) for row, _, pointer, _ in grounding.invented(batch)}
    parts: dict[int, list[tuple[str, Said]]] = {}
    known: dict[tuple[str, str, str], Said] = {}
    found: Counter[str] = Counter()
    for row, step, pointer, kind, text in batch.values.filter(pl.col("type").is_in(["string", "number"])).iter_rows():
        if row not in parts:
            parts[row] = list(zip(SPOKEN, map(Said, parted(batch.samples["messages"][row])), strict=True))
        call = dict(batch.answers[row].steps)[step]
        place = (batch.samples["candidates"][row] or "", str(call.get("pluginId")), within(pointer))
        if place not in known:
            known[place] = Said(grounding.about(batch.offers[row], call, place[2]))
        if (row, pointer) in invented:
            found[INVENTED] += 1
        else:
            found[origin(text, kind, grounding.key_of(pointer), parts[row], known[place])] += 1
    return found


def origin(text: str, kind: str, key: str, parts: list[tuple[str, Said]], about: Said) -> str:
    """Where a value comes from that is not invented; the first of ORIGINS that gives it, as it stands or in another form."""
    if referred(text):
        return REFERENCE
    for name, said in parts:
        if grounding.stands(text.lower(), said.text.lower()):
            return name
    if about.has(text):
        return SCHEMA
    if not is_invented(text, kind, key, SILENCE, SILENCE):
        return UNKNOWN
    for name, said in parts:
        if not is_invented(text, kind, key, said, SILENCE):
            return name
    return TOGETHER if is_invented(text, kind, key, SILENCE, about) else SCHEMA


def parted(messages: str) -> tuple[str, str, str, str]:
    """A conversation (JSON text) in the parts of SPOKEN; the system prompt counts among the earlier turns."""
    told = [message for message in orjson.loads(messages) if isinstance(message, dict)]
    users = [place for place, message in enumerate(told) if message.get("role") == "user"]
    last = users[-1] if users else -1
    turns = [m for place, m in enumerate(told) if place != last and m.get("role") != "tool"]
    return (
        words(told[last : last + 1] if users else []),
        words([{"content": message.get("content")} for message in turns]),
        words([{**message, "content": ""} for message in turns]),
        words([message for message in told if message.get("role") == "tool"]),
    )


def words(messages: list[dict[str, object]]) -> str:
    """All that these messages say."""
    return spoken(orjson.dumps(messages).decode())
