"""The digest of rows tells any two sets of rows apart, and not the batches in which they came."""

import itertools

import polars as pl
import pytest

from curation.release.digest import Digest
from curation.release.rows import MESSAGES

SCHEMA = {"prompt": MESSAGES, "plan": pl.String(), "n_steps": pl.Int32(), "score": pl.Float64()}


def said(*contents: str | None) -> list[dict[str, str | None]]:
    return [{"role": "user", "content": content} for content in contents]


ROWS = [
    (said("a", "bc"), "p", 1, 0.5),
    (said("ab", "c"), "p", 1, 0.5),
    (said("abc"), "p", 1, 0.5),
    (said(), "p", 1, 0.5),
    (None, "p", 1, 0.5),
    (said("a", "bc"), "", 1, 0.5),
    (said("a", "bc"), None, 1, 0.5),
    (said("a", "bc"), "p", None, 0.5),
    (said("a", "bc"), "p", 0, 0.5),
    (said("a", "bc"), "p", 1, None),
    (said("a", "bc"), "p", 1, 0.0),
    (said("a – naïve 🌧", None), "p", 1, 0.5),
]


def frame(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def digest(*batches: pl.DataFrame) -> str:
    made = Digest()
    for batch in batches:
        made.add(batch)
    return made.hexdigest()


def test_rows_that_differ_anywhere_have_another_digest() -> None:
    found = [digest(frame([row])) for row in ROWS]
    pairs = [digest(frame([one, other])) for one, other in itertools.permutations(ROWS, 2)]
    assert len({*found, *pairs}) == len(found) + len(pairs)


@pytest.mark.parametrize("cuts", [[0, 12], [0, 1, 12], [0, 5, 6, 7, 12], [0, 0, 12], list(range(13))])
def test_batches_and_how_they_lie_in_memory_do_not_matter(cuts: list[int]) -> None:
    whole = frame(ROWS)
    batches = [whole[start:stop] for start, stop in itertools.pairwise(cuts)]
    assert digest(*batches) == digest(whole)
    assert digest(pl.concat(batches)) == digest(whole)
    assert digest(frame(ROWS[::-1])[::-1]) == digest(whole)


def test_it_is_of_values_alone_whatever_computes_it() -> None:
    wanted = "0d6b5d05dcfdcad1a22361a1d9734653483099ba27266a463d5315818cf3501a"
    assert digest(frame(ROWS)) == wanted


def test_it_tells_how_many_bytes_the_values_take() -> None:
    assert Digest().add(frame(ROWS[:1])) == len("userauserbcp") + 4 + 8
