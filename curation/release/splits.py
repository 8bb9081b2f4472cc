"""Samples that are alike share a split, and a split once given is kept: nothing of the test set is ever trained on."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import orjson
import polars as pl

from curation.errors import RecipeError

SPLITS = ("train", "validation", "test")

SPLIT_FRAME = {"sample_id": pl.String(), "split": pl.String(), "group": pl.String()}
GROUP_FRAME = {"key": pl.String(), "split": pl.String()}


@dataclass(frozen=True)
class Splits:
    """Where each sample goes, and what a later release must know to send it there again.

    `samples`: one row per sample (SPLIT_FRAME), sorted by sample_id. `group` names the group that the sample is in.
    `remember`: the keys whose split is new or has changed (GROUP_FRAME), to be written over what was remembered.
    """

    samples: pl.DataFrame
    remember: pl.DataFrame


def assign(
    samples: pl.DataFrame, pairs: pl.DataFrame, groups_before: pl.DataFrame, validation: float, test: float
) -> Splits:
    """A split for each sample, by groups of like samples.

    `samples`: a sample frame, `parent_id` naming the trajectory, with `first_release` (a version or null) where earlier
    releases are known and `origin_id` where samples may have been made of others; `pairs`: the similar pairs among them
    (a, b); `groups_before`: what earlier calls asked to remember; `validation` and `test`: shares of the groups, 0 to 1.

    Alike are samples of one trajectory, a sample and what was made of it, samples with the same normalised conversation
    up to the request, and similar pairs; likeness is passed on. Each sample answers to several keys (itself, its
    trajectory, its origin, its request), and what is remembered is the split of every key: so a group keeps its split
    however it grows, and where one member left and another with its request came. Where groups of different splits turn
    out to be one, test wins over validation and validation over train: what was tested on never becomes training data.
    A group of which nothing is remembered goes where a hash of its name falls among the shares.
    """
    if validation < 0 or test < 0 or validation + test > 1:
        raise RecipeError(
            f"[release] validation = {validation:g} and test = {test:g} must be shares of at least 0 that add up to "
            "at most 1; the rest is train"
        )
    keys = [_keys(*row) for row in _earliest_first(samples).iter_rows()]
    before: dict[str, str] = dict(groups_before.select("key", "split").iter_rows())
    alike = [(_sample_key(a), _sample_key(b)) for a, b in pairs.select("a", "b").iter_rows()]
    groups = _groups(keys, alike)
    known = [tuple(map(before.get, own)) for own in keys]
    split_of, name_of = _choose(groups, keys, known, validation, test)
    rows = [(own[0][len("sample:") :], split_of[at], name_of[at]) for own, at in zip(keys, groups, strict=True)]
    remember = {
        key: split_of[at]
        for own, splits, at in zip(keys, known, groups, strict=True)
        for key, split in zip(own, splits, strict=True)
        if split != split_of[at]
    }
    return Splits(
        pl.DataFrame(rows, schema=SPLIT_FRAME, orient="row").sort("sample_id"),
        pl.DataFrame(sorted(remember.items()), schema=GROUP_FRAME, orient="row"),
    )


def _groups(keys: list[tuple[str, ...]], alike: list[tuple[str, str]]) -> list[int]:
    """The group of each sample, given its keys, itself first: a number that those share who are alike.

    Most samples share no key with another and are a group of their own: only the others are joined.
    """
    counted = Counter(chain(chain.from_iterable(keys), chain.from_iterable(alike)))
    shared = {key for key, times in counted.items() if times > 1}
    joined = _Groups()
    for own in keys:
        if not shared.isdisjoint(own):
            joined.join(own)
    for pair in alike:
        joined.join(pair)
    return [-1 - place if shared.isdisjoint(own) else joined.root(own[0]) for place, own in enumerate(keys)]


def normalise(request: str) -> str:
    """A request without what does not change it: Unicode form, letter case, spacing."""
    plain = request if request.isascii() else unicodedata.normalize("NFKC", request)
    return " ".join(plain.casefold().split())


def _choose(
    roots: list[int],
    keys: list[tuple[str, ...]],
    known: list[tuple[str | None, ...]],
    validation: float,
    test: float,
) -> tuple[dict[int, str], dict[int, str]]:
    """The split and the name of each group, by its number; a group is called after its earliest sample.

    `known`: the split that is remembered of each of a sample's keys.
    """
    kept: dict[int, str] = {}
    names: dict[int, str] = {}
    for root, own, splits in zip(roots, keys, known, strict=True):
        names.setdefault(root, own[0])
        for split in splits:
            if split is not None and split != kept.get(root):
                kept[root] = max(kept.get(root, "train"), split, key=SPLITS.index)
    return {root: kept.get(root) or _drawn(name, validation, test) for root, name in names.items()}, names


def _drawn(name: str, validation: float, test: float) -> str:
    """Where a group falls by the hash of its name, a number that is uniform over [0, 1)."""
    point = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) / 2**64
    if point < test:
        return "test"
    return "validation" if point < test + validation else "train"


def _earliest_first(samples: pl.DataFrame) -> pl.DataFrame:
    """Samples by the first release that held them (by version number), then by time, then by id; single `messages` are null."""
    released = pl.col("first_release") if "first_release" in samples.columns else pl.lit(None, pl.String)
    origin = pl.col("origin_id") if "origin_id" in samples.columns else pl.lit(None, pl.String)
    several = pl.col("messages").str.count_matches('"role"', literal=True) > 1  # else nothing was said before the last
    return (
        samples.with_columns(
            origin.alias("origin_id"), in_order(released).alias("released"), messages=pl.when(several).then("messages")
        )
        .sort("released", "timestamp", "sample_id", nulls_last=True)
        .select("sample_id", "parent_id", "origin_id", "request", "messages")
    )


def in_order(versions: pl.Expr) -> pl.Expr:
    """Text that sorts as versions do: 1.10.0 after 1.9.0."""
    return versions.str.extract_all(r"\d+").list.eval(pl.element().str.pad_start(12, "0")).list.join(".")


def _sample_key(sample_id: str) -> str:
    return f"sample:{sample_id}"


def _keys(
    sample_id: str, parent_id: str | None, origin_id: str | None, request: str | None, messages: str | None
) -> tuple[str, ...]:
    """What a sample answers to, itself first; two samples that share a key are alike.

    A request counts with what was said before it: a "yes, please" is the same only in the same conversation.
    """
    keys = [_sample_key(sample_id)]
    keys += [_sample_key(other) for other in (parent_id, origin_id) if other is not None and other != sample_id]
    if request is not None and (text := normalise(request)):
        text = "\n".join([text, *_earlier(messages)]) if messages else text
        keys.append("request:" + hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest())
    return tuple(keys)


def _earlier(messages: str) -> list[str]:
    """What was said before the last message, normalised, without the platform's own words."""
    before = [message for message in orjson.loads(messages) if message.get("role") != "system"][:-1]
    return [f"{message.get('role')}: {normalise(str(message.get('content') or ''))}" for message in before]


class _Groups:
    """Disjoint sets of keys (union-find with path halving)."""

    def __init__(self) -> None:
        self._node: dict[str, int] = {}
        self._parent: list[int] = []

    def root(self, key: str) -> int:
        node = self._node.get(key)
        if node is None:
            node = self._node[key] = len(self._parent)
            self._parent.append(node)
        while self._parent[node] != node:
            self._parent[node] = self._parent[self._parent[node]]
            node = self._parent[node]
        return node

    def join(self, keys: Iterable[str]) -> None:
        roots = [self.root(key) for key in keys]
        first = min(roots)
        for root in roots:
            self._parent[root] = first
