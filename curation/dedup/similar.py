"""Finds the pairs of samples that are near-copies: candidates by MinHash bands, each verified on its real shingles."""

from collections.abc import Callable

import numpy as np
import polars as pl

from curation.dedup.signature import matrix
from curation.dedup.text import document, shingles

# 25 bands of 5 rows find a pair at Jaccard 0.8 with probability 0.99996 and one at 0.7 with 0.99; what they find too
# much is verified away. datasketch's own choice for a threshold of 0.8, 9 bands of 13 rows, finds 40% at exactly 0.8.
BANDS, ROWS = 25, 5
PER_SAMPLE = 64  # pairs kept a sample, earliest partners first: enough to find one that is kept
MARGIN = 0.2  # below the threshold by this much on the MinHash estimate (5.6 standard errors) is not worth verifying
CHUNK = 20_000  # pairs verified at a time

PAIR_FRAME: dict[str, pl.DataType] = {"a": pl.String(), "b": pl.String(), "similarity": pl.Float64()}


def candidates(signed: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Pairs (a, b, positions in `signed`) that may reach `threshold`, at least one of each pair new, a before b.

    `signed` has `minhash`, `group` (plans of one group are never compared; null: none) and `new`, in the order in which
    samples count as earlier.
    """
    sketches = matrix(signed["minhash"])
    pairs = pl.DataFrame(schema={"a": pl.UInt32, "b": pl.UInt32})
    for band in range(BANDS):  # one band at a time: a crowd of copies shares all of them
        pairs = pl.concat([pairs, band_pairs(band_buckets(sketches, band), signed["new"])]).unique()
    pairs = pairs.sort("b", "a")
    group = signed["group"]
    apart = group.gather(pairs["a"]).ne_missing(group.gather(pairs["b"])) | group.gather(pairs["a"]).is_null()
    return pairs.filter(apart & (estimate(sketches, pairs) >= threshold - MARGIN))


def band_pairs(bucket: np.ndarray[tuple[int], np.dtype[np.uint64]], new: pl.Series) -> pl.DataFrame:
    """(a, b): positions that share a bucket, at least one of each pair new, with the earliest of a crowd only."""
    met = np.isin(bucket, bucket[new.to_numpy()])  # what no new sample falls into is the most of it
    placed = pl.DataFrame(
        {"position": np.flatnonzero(met).astype(np.uint32), "bucket": bucket[met], "new": new.filter(met)}
    )
    shared = placed.filter(pl.len().over("bucket") > 1)
    earliest = shared.filter(pl.int_range(pl.len()).over("bucket") < PER_SAMPLE)
    return (
        earliest.join(shared, on="bucket", suffix="_b")
        .filter((pl.col("position") < pl.col("position_b")) & (pl.col("new") | pl.col("new_b")))
        .select(a="position", b="position_b")
    )


def band_buckets(
    sketches: np.ndarray[tuple[int, int], np.dtype[np.uint32]], band: int
) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """One number per sample: equal where all rows of the band are equal."""
    rows = sketches[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
    odd = np.random.default_rng(band).integers(1, 2**63, size=ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    with np.errstate(over="ignore"):
        mixed: np.ndarray[tuple[int], np.dtype[np.uint64]] = (rows * odd).sum(axis=1, dtype=np.uint64)
        return mixed ^ (mixed >> np.uint64(29))


def estimate(sketches: np.ndarray[tuple[int, int], np.dtype[np.uint32]], pairs: pl.DataFrame) -> pl.Series:
    """The MinHash estimate of each pair's similarity."""
    a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
    parts = [
        (sketches[a[i : i + CHUNK]] == sketches[b[i : i + CHUNK]]).mean(axis=1, dtype=np.float64)
        for i in range(0, len(a), CHUNK)
    ]
    return pl.Series(np.concatenate(parts) if parts else np.empty(0), dtype=pl.Float64)


def verified(
    pairs: pl.DataFrame, sample_ids: pl.Series, threshold: float, load: Callable[[pl.Series], pl.DataFrame]
) -> pl.DataFrame:
    """The candidate pairs whose shingles really reach `threshold`, as a PAIR_FRAME, at most PER_SAMPLE for each b.

    `load(sample_ids)` gives sample_id, messages and plan. Similarity is the exact Jaccard of the two shingle sets.
    """
    found = []
    for part in pairs.iter_slices(CHUNK):
        ids = part.select(a=sample_ids.gather(part["a"]), b=sample_ids.gather(part["b"]))
        texts = load(pl.concat([ids["a"], ids["b"]]).unique())
        sets = {
            row[0]: shingles(document(row[1], row[2]))
            for row in texts.select("sample_id", "messages", "plan").iter_rows()
        }
        similarity = [jaccard(sets[a], sets[b]) for a, b in ids.iter_rows()]
        found.append(ids.with_columns(similarity=pl.Series(similarity, dtype=pl.Float64)))
    if not found:
        return pl.DataFrame(schema=PAIR_FRAME)
    reached = pl.concat(found).filter(pl.col("similarity") >= threshold)
    return reached.filter(pl.int_range(pl.len()).over("b") < PER_SAMPLE)


def jaccard(a: set[int], b: set[int]) -> float:
    """Size of the intersection over size of the union."""
    common = len(a & b)
    return common / (len(a) + len(b) - common)
