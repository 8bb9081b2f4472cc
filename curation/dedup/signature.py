"""A signature is what the search for copies keeps of a sample: two keys for equality, a MinHash for likeness."""

from collections.abc import Iterable

import numpy as np
import polars as pl
import pyarrow as pa

from curation.dedup.text import document, keys, shingles

PERMUTATIONS = 128  # 512 bytes a sample; the estimate's standard error is 0.035 at a similarity of 0.8

SIGNATURE_FRAME: dict[str, pl.DataType] = {
    "sample_id": pl.String(),
    "request_key": pl.String(),
    "exact_key": pl.String(),
    "minhash": pl.Binary(),  # PERMUTATIONS little-endian uint32
}


def already_hashed(shingle: int) -> int:
    """datasketch's hash function for elements that are 32-bit hashes already."""
    return shingle


def signatures(samples: pl.DataFrame) -> pl.DataFrame:
    """One signature per sample of a sample frame (messages filled), as a SIGNATURE_FRAME.

    MinHash by datasketch's `affine32` scheme with seed 1 over word 5-grams; sketches of other schemes do not mix.
    """
    texts = list(samples.select("messages", "plan").iter_rows())
    sketches = minhashes(document(messages, plan) for messages, plan in texts)
    both = [keys(messages, plan) for messages, plan in texts]
    return pl.DataFrame(
        {
            "sample_id": samples["sample_id"],
            "request_key": [request for request, _ in both],
            "exact_key": [exact for _, exact in both],
            "minhash": sketches,
        },
        schema=SIGNATURE_FRAME,
    )


def minhashes(texts: Iterable[str]) -> list[bytes]:
    """The MinHash of each text's shingles as bytes."""
    from datasketch import MinHash  # it loads SciPy: half a second that most commands need not wait for

    made = MinHash.generator(
        (list(shingles(text)) for text in texts),
        num_perm=PERMUTATIONS,
        seed=1,
        hashfunc=already_hashed,
        scheme="affine32",
    )
    return [np.asarray(sketch.hashvalues, dtype="<u4").tobytes() for sketch in made]


def matrix(minhash: pl.Series) -> np.ndarray[tuple[int, int], np.dtype[np.uint32]]:
    """The signatures as an array of shape (samples, PERMUTATIONS)."""
    array = minhash.rechunk().to_arrow().cast(pa.large_binary())
    _, ends, values = array.buffers()
    bounds = np.frombuffer(ends, dtype="<i8")[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(values, dtype="<u4")[bounds[0] // 4 : bounds[-1] // 4].reshape(-1, PERMUTATIONS)
