"""Guards hold a release for just what the recipe names, and say how far off it is."""

import pytest

from curation.recipe import Guard
from curation.release.guards import Candidate, tripped

BEFORE = Candidate(0, 1_000, {"duplicate.near": 100, "thinking.missing": 10})
USUAL = Candidate(90, 1_100, {"duplicate.near": 110, "thinking.missing": 11}, BEFORE)


def test_a_usual_night_and_a_recipe_without_guards_let_everything_out() -> None:
    assert tripped(Guard(new_rows=90, dropped=0.1), USUAL) == ()
    assert tripped(Guard(), Candidate(0, 1_000, {"plugin.unknown": 1_000}, BEFORE)) == ()


def test_too_few_new_rows_hold_the_release() -> None:
    (sentence,) = tripped(Guard(new_rows=91), USUAL)
    assert sentence == "90 rows are new, and [guard] new_rows = 91 wants more"


@pytest.mark.parametrize(
    ("fell", "named"),
    [
        ({"duplicate.near": 160, "thinking.missing": 11}, "duplicate.near put out 60 more"),
        ({"duplicate.near": 110, "plugin.unknown": 51}, "plugin.unknown put out 51 more"),
    ],
)
def test_a_reason_that_puts_out_far_more_than_before_holds_the_release(fell: dict[str, int], named: str) -> None:
    (sentence,) = tripped(Guard(dropped=0.5), Candidate(40, 1_100, fell, BEFORE))
    assert named in sentence


def test_a_stage_that_puts_out_old_samples_holds_the_release_though_nothing_came() -> None:
    (sentence,) = tripped(Guard(dropped=0.5), Candidate(0, 1_000, {"hydration.flag": 5}, BEFORE))
    assert "hydration.flag put out 5 more samples" in sentence


def test_the_first_release_has_nothing_to_be_held_against() -> None:
    assert tripped(Guard(dropped=0.0), Candidate(5, 10, {"plugin.unknown": 5})) == ()


def test_what_the_judges_watch_found_holds_the_release() -> None:
    assert tripped(Guard(), Candidate(5, 10, {}, None, ["the judge drifts"])) == ("the judge drifts",)
