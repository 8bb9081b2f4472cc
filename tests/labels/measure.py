"""What the checks tell of the public sets, and how often that is right: `python -m tests.labels.measure` prints the tables."""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import orjson
import polars as pl

from curation.batch import Batch
from curation.dedup import candidates as pairs_of
from curation.dedup import choose, signatures, verified
from curation.recipe import Check, Dedup
from curation.stages import ROW_STAGES
from tests.corpus.bases import PUBLIC, public_samples
from tests.labels import labels
from tests.labels.origins import ORIGINS, origins

CHECK = Check(
    thinking="optional", empty_plan="allow"
)  # none of the sets has a reasoning trace; BFCL asks the impossible
COPIES = ("duplicate.exact", "duplicate.near", "duplicate.conflict")
Place = tuple[str, str, str]  # sample_id, reason, pointer


@cache
def told(folder: str) -> frozenset[Place]:
    """Every fault that the row stages find in the plans of a public set."""
    batch = Batch(public_samples(folder))
    return frozenset(
        (sample_id, fault["reason"], fault["pointer"])
        for stage in ROW_STAGES
        for sample_id, text in stage.decide(batch, CHECK).select("sample_id", "faults").iter_rows()
        for fault in (orjson.loads(text) if text else ())
    )


@cache
def copies(folder: str) -> Counter[str]:
    """How many plans of a set fall or are flagged as copies of another one of the same set."""
    samples = public_samples(folder)
    signed = signatures(samples).with_columns(group=samples["parent_id"], new=pl.lit(True))
    threshold = Dedup().threshold
    pairs = verified(
        pairs_of(signed, threshold),
        signed["sample_id"],
        threshold,
        lambda ids: samples.filter(pl.col("sample_id").is_in(ids.implode())),
    )
    whole = signed.with_columns(
        parent_id=samples["parent_id"], timestamp=samples["timestamp"], released=pl.lit(None), put_out=pl.lit(False)
    )
    return Counter(choose(whole, pairs, Dedup())["reason"].drop_nulls())


def plans(folder: str) -> Counter[str]:
    """How many plans of a set have each reason, copies included."""
    return Counter(reason for _, reason in {(sample_id, reason) for sample_id, reason, _ in told(folder)}) + copies(
        folder
    )


def labelled(folder: str) -> dict[Place, bool]:
    """What people read of a set: whether the fault at each place is right."""
    known = [*labels(f"grounding_{folder}"), *labels(f"faults_{folder}")]
    return {(each["sample_id"], each["reason"], each["pointer"]): each["right"] for each in known if "pointer" in each}


def precision(folder: str) -> dict[str, tuple[int, int]]:
    """For each reason: how many of the faults that were read and are told are right, and how many were read."""
    judged: dict[str, list[bool]] = {}
    for place, right in labelled(folder).items():
        if place in told(folder):
            judged.setdefault(place[1], []).append(right)
    for label in labels("copies"):
        if label["set"] == folder:
            judged.setdefault(label["reason"], []).append(label["right"])
    return {reason: (sum(rights), len(rights)) for reason, rights in judged.items()}


def reason_rows() -> Iterator[str]:
    """The table reason x set: plans with it, and of the faults read how many are right."""
    yield f"| reason | {' | '.join(PUBLIC)} |"
    yield f"|---|{'---|' * len(PUBLIC)}"
    counted, right = {folder: plans(folder) for folder in PUBLIC}, {folder: precision(folder) for folder in PUBLIC}
    order = [*(reason for stage in ROW_STAGES for reason in stage.REASONS), *COPIES]
    for reason in order:
        if any(counted[folder][reason] for folder in PUBLIC):
            cells = [cell(counted[folder][reason], right[folder].get(reason)) for folder in PUBLIC]
            yield f"| `{reason}` | {' | '.join(cells)} |"


def cell(count: int, right: tuple[int, int] | None) -> str:
    """One cell: the plans, and `right of read`."""
    return "" if not count else f"{count:,}" + (f" ({right[0]} of {right[1]})" if right else "")


def origin_rows() -> Iterator[str]:
    """The table origin x set: the share of the plans' values that come from each."""
    yield f"| where from | {' | '.join(PUBLIC)} |"
    yield f"|---|{'---|' * len(PUBLIC)}"
    counted = {folder: origins(folder) for folder in PUBLIC}
    yield f"| values | {' | '.join(f'{counted[folder].total():,}' for folder in PUBLIC)} |"
    for origin in ORIGINS:
        shares = [counted[folder][origin] / counted[folder].total() for folder in PUBLIC]
        yield f"| {origin} | {' | '.join(f'{share:.1%}' if share else '' for share in shares)} |"


if __name__ == "__main__":
    print("\n".join([*reason_rows(), "", *origin_rows()]))
