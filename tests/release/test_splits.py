"""Like samples share a split, a split is kept, and the shares are about what was asked for."""

from collections import Counter, defaultdict
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.errors import RecipeError
from curation.release.splits import GROUP_FRAME, SPLITS, Splits, assign, normalise
from tests.release.samples import NO_GROUPS, NO_PAIRS, frame, many, sample

ids = st.integers(0, 30)
drawn = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d", None, "e f", "g"]), st.none() | st.integers(0, 5)), max_size=25
)


def world(rows: list[tuple[str | None, int | None]]) -> pl.DataFrame:
    """Samples with the requests and parents drawn (a parent is the id of the sample of that number, or of none)."""
    made = []
    for number, (request, parent) in enumerate(rows):
        own = sample(number, parent_id=None if parent is None else sample(parent * 7)["sample_id"])
        made.append(own | {"request": request})
    return frame(made)


def pairs_of(samples: pl.DataFrame, drawn: list[tuple[int, int]]) -> pl.DataFrame:
    known = samples["sample_id"].to_list()
    rows = [(known[a], known[b]) for a, b in drawn if a < len(known) and b < len(known) and a != b]
    return pl.DataFrame(rows, schema=NO_PAIRS.schema, orient="row")


def remembered(before: pl.DataFrame, result: Splits) -> pl.DataFrame:
    """What the caller's table holds after writing what it was asked to remember over what it held."""
    kept = before.join(result.remember, on="key", how="anti")
    return pl.concat([kept, result.remember])


def split_of(result: Splits) -> dict[str, str]:
    return dict(result.samples.select("sample_id", "split").iter_rows())


@given(drawn, st.lists(st.tuples(ids, ids), max_size=10))
@settings(max_examples=60, deadline=None)
def test_no_likeness_crosses_a_border(rows: list[tuple[str | None, int | None]], links: list[tuple[int, int]]) -> None:
    samples = world(rows)
    pairs = pairs_of(samples, links)
    result = assign(samples, pairs, NO_GROUPS, 0.3, 0.3)
    split = split_of(result)
    assert sorted(split) == sorted(samples["sample_id"])
    assert set(split.values()) <= set(SPLITS)
    sharing: dict[Any, set[str]] = defaultdict(set)
    for sample_id, parent, request in samples.select("sample_id", "parent_id", "request").iter_rows():
        sharing["id", parent or sample_id].add(split[sample_id])
        sharing["id", sample_id].add(split[sample_id])
        if request is not None:
            sharing["request", request].add(split[sample_id])
    assert all(len(found) == 1 for found in sharing.values())
    assert all(split[a] == split[b] for a, b in pairs.iter_rows())
    assert result.samples.group_by("group").agg(pl.col("split").n_unique())["split"].eq(1).all()


@given(drawn, drawn, st.lists(st.tuples(ids, ids), max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_split_once_given_is_kept_when_samples_come(
    first: list[tuple[str | None, int | None]],
    more: list[tuple[str | None, int | None]],
    links: list[tuple[int, int]],
) -> None:
    before = assign(world(first), NO_PAIRS, NO_GROUPS, 0.3, 0.3)
    grown = world(first + more)
    after = assign(grown, pairs_of(grown, links), remembered(NO_GROUPS, before), 0.3, 0.3)
    now = split_of(after)
    for sample_id, split in split_of(before).items():
        assert SPLITS.index(now[sample_id]) >= SPLITS.index(split), "a sample moved towards training"


@given(drawn, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_rows_changes_nothing(rows: list[tuple[str | None, int | None]], random: Any) -> None:
    samples = world(rows)
    order = list(range(samples.height))
    random.shuffle(order)
    one, other = (assign(each, NO_PAIRS, NO_GROUPS, 0.2, 0.2) for each in (samples, samples[order]))
    assert one.samples.equals(other.samples)
    assert one.remember.equals(other.remember)


def test_asked_again_with_what_was_remembered_nothing_is_new() -> None:
    samples = many(50)
    first = assign(samples, NO_PAIRS, NO_GROUPS, 0.2, 0.2)
    again = assign(samples, NO_PAIRS, first.remember, 0.2, 0.2)
    assert again.samples.equals(first.samples)
    assert again.remember.is_empty()


def test_other_shares_do_not_move_what_was_placed() -> None:
    samples = many(50)
    first = assign(samples, NO_PAIRS, NO_GROUPS, 0.2, 0.2)
    assert assign(samples, NO_PAIRS, first.remember, 0.0, 0.9).samples.equals(first.samples)


def test_the_shares_are_about_what_was_asked_for() -> None:
    counts = Counter(assign(many(4000), NO_PAIRS, NO_GROUPS, 0.1, 0.05).samples["split"])
    assert counts["validation"] == pytest.approx(400, abs=80)
    assert counts["test"] == pytest.approx(200, abs=60)


@pytest.mark.parametrize(
    ("splits", "wins"),
    [(("train", "test"), "test"), (("train", "validation"), "validation"), (("validation", "test"), "test")],
)
def test_when_groups_turn_out_to_be_one_the_split_further_from_training_wins(
    splits: tuple[str, str], wins: str
) -> None:
    samples = many(2)
    one, other = samples["sample_id"]
    before = pl.DataFrame(
        [(f"sample:{one}", splits[0]), (f"sample:{other}", splits[1])], schema=GROUP_FRAME, orient="row"
    )
    pairs = pl.DataFrame({"a": [one], "b": [other]})
    result = assign(samples, pairs, before, 0.1, 0.1)
    assert set(split_of(result).values()) == {wins}
    assert set(remembered(before, result)["split"]) == {wins}


def test_a_request_that_was_tested_on_stays_in_test_when_its_sample_has_left() -> None:
    gone = sample(1, messages=[{"role": "user", "content": "Book  a TABLE"}])
    first = assign(frame([gone]), NO_PAIRS, NO_GROUPS, 0.0, 1.0)
    came = frame([sample(2, messages=[{"role": "user", "content": "book a table"}])])
    assert split_of(assign(came, NO_PAIRS, first.remember, 0.0, 0.0)) == {came["sample_id"][0]: "test"}


def test_a_group_is_called_after_the_sample_that_was_released_first() -> None:
    late = sample(1, first_release="1.10.0", request="same")
    early = sample(9, first_release="1.9.0", request="same")
    new = sample(0, request="same")
    result = assign(frame([new, late, early]), NO_PAIRS, NO_GROUPS, 0.1, 0.1)
    assert set(result.samples["group"]) == {f"sample:{early['sample_id']}"}


def test_requests_differ_by_more_than_form() -> None:
    assert normalise(" Ｂook\u00a0a\nTable ") == normalise("book a table")
    assert normalise("book a table") != normalise("book a cable")


@pytest.mark.parametrize(("validation", "test"), [(-0.1, 0.1), (0.6, 0.5), (0.1, -1)])
def test_shares_that_cannot_be_are_refused(validation: float, test: float) -> None:
    with pytest.raises(RecipeError, match="validation"):
        assign(many(2), NO_PAIRS, NO_GROUPS, validation, test)


def test_the_same_last_words_of_two_conversations_are_not_the_same_request() -> None:
    def conversation(number: int, before: str) -> dict[str, Any]:
        said = [
            {"role": "user", "content": before},
            {"role": "assistant", "content": "Shall I?"},
            {"role": "user", "content": "Yes, please"},
        ]
        return sample(number, messages=said)

    two = frame([conversation(1, "Book a table in Lima"), conversation(2, "Cancel my flight to Oslo")])
    assert assign(two, NO_PAIRS, NO_GROUPS, 0.1, 0.1).samples["group"].n_unique() == 2
    same = frame([conversation(1, "Book a table in Lima"), conversation(2, "book a table  in Lima")])
    assert assign(same, NO_PAIRS, NO_GROUPS, 0.1, 0.1).samples["group"].n_unique() == 1


def test_what_was_made_of_a_sample_goes_where_that_one_went_whatever_its_words_are_now() -> None:
    parents = many(40)
    first = assign(parents, NO_PAIRS, NO_GROUPS, 0.3, 0.3)
    children = frame([sample(100 + number) for number in range(40)]).with_columns(origin_id=parents["sample_id"])
    later = split_of(assign(children, NO_PAIRS, remembered(NO_GROUPS, first), 0.3, 0.3))
    assert len(set(later.values())) == 3
    before = split_of(first)
    assert later == {child: before[origin] for child, origin in children.select("sample_id", "origin_id").iter_rows()}
