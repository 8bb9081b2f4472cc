"""What the checks tell of public plans is right, by the labels of people who read them."""

import polars as pl
import pytest

from curation.dedup.similar import jaccard
from curation.dedup.text import document, keys, shingles
from curation.recipe import Dedup
from tests.conftest import ROOT
from tests.corpus.bases import PUBLIC, data_folder, public_samples
from tests.labels import labels
from tests.labels.measure import labelled, origin_rows, precision, reason_rows, told

INVENTED = "grounding.invented"
ENOUGH = 0.9  # of what a check tells is right
STILL = 0.95  # of what was rightly told is told to this day
FEW = 10  # labels below which a share says nothing: then one may be wrong
FIRST_FRESH = 2  # the draw from which on nobody had seen the plans when the rules were written

pytestmark = pytest.mark.skipif(
    data_folder() is None, reason="the public data is not beside the repository (../shared/data)"
)


def test_a_label_says_of_one_place_once_whether_the_check_is_right() -> None:
    for folder in PUBLIC:
        for name in (f"grounding_{folder}", f"faults_{folder}"):
            places = [(label["sample_id"], label["reason"], label.get("pointer")) for label in labels(name)]
            assert len(places) == len(set(places))


@pytest.mark.parametrize("folder", PUBLIC)
def test_what_a_check_tells_is_right(folder: str) -> None:
    for reason, (right, read) in precision(folder).items():
        assert right >= (ENOUGH * read if read >= FEW else read - 1), (reason, right, read)


@pytest.mark.parametrize("folder", PUBLIC)
def test_what_was_rightly_told_is_still_told(folder: str) -> None:
    right = [place for place, is_right in labelled(folder).items() if is_right]
    assert sum(place in told(folder) for place in right) >= STILL * len(right), (
        "read a new sample: these labels are stale"
    )


@pytest.mark.parametrize("folder", PUBLIC)
def test_values_told_as_invented_are_so_in_plans_that_were_read_after_the_rules_were_written(folder: str) -> None:
    judged = [
        label["right"]
        for label in labels(f"grounding_{folder}")
        if label["draw"] >= FIRST_FRESH and (label["sample_id"], INVENTED, label.get("pointer")) in told(folder)
    ]
    assert sum(judged) >= ENOUGH * len(judged)


@pytest.mark.parametrize("folder", [folder for folder in PUBLIC if folder != "sgd"])
def test_most_values_that_stand_nowhere_as_they_are_written_and_are_not_told_came_from_somewhere(folder: str) -> None:
    read = labels(f"untold_{folder}")
    assert len(read) == 50
    assert not {(label["sample_id"], INVENTED, label["pointer"]) for label in read if label["right"]} & told(folder)
    assert sum(label["right"] for label in read) >= ENOUGH * len(read)


def test_nothing_is_told_of_dialogues_in_which_every_value_was_said() -> None:
    read = {label["sample_id"] for label in labels("grounding_sgd")}
    assert len(read) == 50
    assert all(label["right"] for label in labels("grounding_sgd"))
    assert read <= set(public_samples("sgd")["sample_id"])
    assert {sample_id for sample_id, reason, _ in told("sgd") if reason == INVENTED} == set()


@pytest.mark.parametrize("label", labels("copies"), ids=lambda label: f"{label['reason']} {label['sample_id'][:8]}")
def test_two_plans_that_were_read_are_copies_as_they_were_told(label: dict[str, str]) -> None:
    samples = pl.concat([public_samples(folder) for folder in PUBLIC]).select("sample_id", "messages", "plan")
    one, other = (samples.row(by_predicate=pl.col("sample_id") == label[key])[1:] for key in ("sample_id", "other"))
    (request, exact), (other_request, other_exact) = keys(*one), keys(*other)
    like = jaccard(shingles(document(*one)), shingles(document(*other)))
    holds = {
        "duplicate.exact": exact == other_exact,
        "duplicate.near": exact != other_exact and like >= Dedup().threshold,
        "duplicate.conflict": request == other_request and exact != other_exact,
    }
    assert holds[label["reason"]]


@pytest.mark.slow
@pytest.mark.parametrize("rows", [reason_rows, origin_rows])
def test_the_tables_in_the_documentation_are_what_is_measured(rows: object) -> None:
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert callable(rows)
    assert "\n".join(rows()) in page
