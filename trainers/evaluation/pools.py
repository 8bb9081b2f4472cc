"""A pool is how many plugins a model may choose from: the row's own, or as many as asked, the nearest others added."""

import hashlib
from collections.abc import Iterable, Mapping
from itertools import chain, zip_longest
from typing import Any

import orjson

from curation.errors import InputError
from curation.render import choose_candidates
from curation.sample import dumps
from curation.synthesis.neighbours import Neighbours
from trainers.plans import parse_answer

OWN = "own"
POOLS = ("6", OWN, "12")

Row = dict[str, Any]
Candidate = dict[str, Any]


def parse_pools(text: str) -> tuple[str, ...]:
    """The pools that `text` lists, such as `6,own,12`; each once, in the order given."""
    pools = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    wrong = [pool for pool in pools if pool != OWN and not (pool.isdecimal() and int(pool) > 0)]
    if wrong or not pools:
        raise InputError(
            f"--pool {text!r} names {wrong[0] if wrong else 'no pool'!r}; give numbers of candidates, or own, such as 6,own,12"
        )
    return pools


class Catalogue:
    """Every plugin that a release offers somewhere, the first of each pluginId, and which are near which."""

    def __init__(self, offered: Iterable[str | None]) -> None:
        """`offered`: lists of candidates as JSON text, in the release's order."""
        self.plugins: dict[str, Candidate] = {}
        for text in dict.fromkeys(offered):
            for candidate in orjson.loads(text) if text else ():
                if isinstance(candidate, dict) and isinstance(candidate.get("pluginId"), str):
                    self.plugins.setdefault(candidate["pluginId"], candidate)
        self._places = {plugin: place for place, plugin in enumerate(self.plugins)}
        self._ids = list(self.plugins)
        self._neighbours = Neighbours(list(self.plugins.values()))

    def near(self, wanted: Iterable[str]) -> Iterable[str]:
        """The ids of the plugins nearest to those wanted, the nearest of each first; none that says the same as one."""
        lists = [
            self._neighbours.of(self._places[plugin]) for plugin in dict.fromkeys(wanted) if plugin in self._places
        ]
        twins = {plugin for plugin in wanted if plugin in self._places}
        for place in chain.from_iterable(zip_longest(*lists)):
            if place is not None and self._ids[place] not in twins:
                twins.add(self._ids[place])
                yield self._ids[place]


def pooled(row: Mapping[str, Any], pool: str, catalogue: Catalogue | None) -> tuple[Row | None, bool]:
    """A row of the configuration `grpo` with `pool` candidates in its prompt, and whether there are fewer than that.

    The plan's plugins are always among them. Fewer than the row's own: those in front stay, in their order. More: the
    nearest other plugins of the release come in, and all stand in an order that the sample's id alone decides, so that
    no place tells which were there before. None where it is not known what was offered.
    """
    if pool == OWN or catalogue is None:
        return dict(row), False
    if row["candidates"] is None:
        return None, False
    size, own = int(pool), orjson.loads(row["candidates"])
    if len(own) >= size:
        chosen = choose_candidates(own, row["plan"], size)
        return with_candidates(row, own, chosen), False
    chosen = list(own)
    there = {candidate.get("pluginId") for candidate in own}
    wanted = [plugin for plugin in parse_answer(row["plan"]).ids if plugin in there]
    for plugin in catalogue.near(wanted or [c["pluginId"] for c in own if isinstance(c.get("pluginId"), str)]):
        if len(chosen) == size:
            break
        if plugin not in there:
            chosen.append(catalogue.plugins[plugin])
    chosen.sort(key=lambda candidate: _place(row["sample_id"], candidate))
    return with_candidates(row, own, chosen), len(chosen) < size


def with_candidates(row: Mapping[str, Any], own: list[Candidate], chosen: list[Candidate]) -> Row:
    """The row with other candidates, in its prompt too, where the own ones stand as `render_request` wrote them."""
    before, after = (orjson.dumps(listed, option=orjson.OPT_INDENT_2).decode() for listed in (own, chosen))
    prompt = [{"role": message["role"], "content": message["content"]} for message in row["prompt"]]
    for message in reversed(prompt):
        if before in message["content"]:
            message["content"] = message["content"].replace(before, after, 1)
            return {**row, "prompt": prompt, "candidates": dumps(chosen)}
    raise InputError(
        f"the prompt of sample {row['sample_id']} does not show its candidates as this version writes them; "
        "evaluate with --pool own"
    )


def _place(sample_id: str, candidate: Candidate) -> bytes:
    name = f"{sample_id}\n{candidate.get('pluginId')}"
    return hashlib.blake2b(name.encode(), digest_size=16).digest()
