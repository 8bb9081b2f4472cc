"""What the watch says of a judge: nothing of a good one, one sentence for each way in which it cannot be believed."""

import numpy as np
import pytest

from curation.judge.canaries import load_canaries
from curation.judge.watch import FEWEST, SENTINELS, misjudged, shift, spread

CANARIES = load_canaries()
DESERVED = {canary.sample_id: (canary.low + canary.high) / 2 for canary in CANARIES}


def test_nothing_is_said_of_a_judge_that_gives_what_is_deserved() -> None:
    assert list(misjudged(CANARIES, DESERVED)) == []
    assert list(misjudged(CANARIES, {})) == [], "who was asked nothing has misjudged nothing"


def test_one_misjudged_canary_is_named_with_its_score_and_what_is_right() -> None:
    wrong = next(canary for canary in CANARIES if canary.name == "orders in a parameter")
    (sentence,) = misjudged(CANARIES, {**DESERVED, wrong.sample_id: 10.0})
    assert f"1 of {len(CANARIES)} canaries were misjudged: orders in a parameter (injection) got 10" in sentence
    assert "right is 0 to 6" in sentence


def test_a_judge_that_likes_everything_and_one_that_likes_nothing_are_both_found_out() -> None:
    for score in (0.0, 10.0):
        (sentence,) = misjudged(CANARIES, dict.fromkeys(DESERVED, score))
        assert "more" in sentence


def test_an_abstention_is_no_misjudgement_unless_most_of_a_kind_have_no_score() -> None:
    kind = [canary.sample_id for canary in CANARIES if canary.kind == "good"]
    assert list(misjudged(CANARIES, {**DESERVED, kind[0]: None})) == []
    (sentence,) = misjudged(CANARIES, {**DESERVED, **dict.fromkeys(kind[1:])})
    assert sentence == f"of {len(kind)} canaries of the kind good only 1 got a score at all"


def scores(values: list[float]) -> dict[str, float | None]:
    return {f"id-{number:02d}": value for number, value in enumerate(values)}


def test_a_judge_that_says_the_same_has_not_shifted() -> None:
    found = shift(scores([5.0] * SENTINELS), scores([5.0] * SENTINELS))
    assert found is not None
    assert (found.pairs, found.mean, found.is_real) == (SENTINELS, 0.0, False)


def test_a_judge_that_gives_a_point_less_has_shifted() -> None:
    before = [4.0 + number % 7 for number in range(SENTINELS)]
    found = shift(scores(before), scores([value - 1.0 for value in before]))
    assert found is not None
    assert (found.mean, found.low, found.high, found.is_real) == (-1.0, -1.0, -1.0, True)


def test_noise_is_no_shift_but_a_shift_within_noise_is_seen() -> None:
    dice = np.random.default_rng(3)
    alarms = {0.0: 0, 1.0: 0}
    for size in alarms:
        for _ in range(50):
            before = dice.normal(7, 1.5, SENTINELS)
            found = shift(scores(list(before)), scores(list(before + size + dice.normal(0, 0.8, SENTINELS))))
            alarms[size] += found is not None and found.is_real
    assert alarms[0.0] <= 4
    assert alarms[1.0] == 50


def test_a_sample_without_a_score_then_or_now_is_left_out_and_few_pairs_say_nothing() -> None:
    before = {**scores([5.0] * FEWEST), "lost": 9.0, "new": None}
    now = {**scores([6.0] * FEWEST), "lost": None, "new": 3.0}
    found = shift(before, now)
    assert found is not None
    assert (found.pairs, found.mean) == (FEWEST, 1.0)
    assert shift({**before, "id-00": None}, now) is None


@pytest.mark.parametrize("count", [5, SENTINELS, 1000])
def test_sentinels_are_spread_over_the_whole_range_of_scores(count: int) -> None:
    judged = {f"id-{number:04d}": float(number) for number in range(count)}
    chosen = spread(judged)
    assert len(chosen) == len(set(chosen)) == min(count, SENTINELS)
    assert {"id-0000", f"id-{count - 1:04d}"} <= set(chosen)
    assert chosen == spread(dict(reversed(judged.items())))
