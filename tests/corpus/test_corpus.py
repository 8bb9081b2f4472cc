"""What is planted is found under its reason at its place, and good plans that look suspicious pass."""

from collections import Counter, defaultdict
from functools import cache

import pytest

from curation.stages import ROW_STAGES
from tests.corpus.bases import Base
from tests.corpus.leaks import FORMS
from tests.corpus.measure import CLEAN, PLANTS, Case, Fault, measured, sound_bases
from tests.corpus.suspicious import spared
from tests.corpus.values import caught, table
from tests.filters.test_placeholder import caught as caught_by_rules

EACH = 4  # plans of each origin: some 40 bases and 10,000 planted plans
RECALL, DROPPED = 0.98, 0.005


@cache
def sound() -> list[Base]:
    """The good plans in which everything is planted."""
    return sound_bases(EACH)


@cache
def planted() -> dict[str, list[tuple[Case, set[Fault]]]]:
    """Every planted plan with what is told of it, by reason."""
    found = defaultdict(list)
    for case, faults in measured(PLANTS, sound()):
        found[case.plant].append((case, faults))
    return found


@cache
def clean() -> list[tuple[Case, set[Fault]]]:
    """Every good plan made to look suspicious, with what is told of it."""
    return list(measured(CLEAN, sound()))


def test_every_reason_of_a_stage_is_planted() -> None:
    reasons = {reason for stage in ROW_STAGES for reason in stage.REASONS}
    assert set(PLANTS) == reasons


@pytest.mark.parametrize("reason", PLANTS)
def test_what_is_planted_is_found_under_its_reason_at_its_place(reason: str) -> None:
    cases = planted()[reason]
    missed = Counter(case.variant for case, faults in cases if not set(case.base.expected) <= faults)
    assert len(cases) >= 8
    assert missed.total() <= (1 - RECALL) * len(cases), missed.most_common(20)


def test_good_plans_that_look_suspicious_pass() -> None:
    dropped = Counter(
        f"{case.plant}: {case.variant}: {sorted({reason for reason, _ in faults})}"
        for case, faults in clean()
        if faults
    )
    assert len(clean()) >= 1_000
    assert dropped.total() <= DROPPED * len(clean()), dropped.most_common(20)


@pytest.mark.parametrize("way", CLEAN)
def test_every_way_of_looking_suspicious_is_tried(way: str) -> None:
    assert sum(case.plant == way for case, _ in clean()) >= 20


@pytest.mark.parametrize("reason", PLANTS)
def test_a_planted_fault_is_told_of_no_other_stage_that_has_nothing_to_do_with_it(reason: str) -> None:
    """Thinking, secrets and the shape have no neighbours; a changed value or step can break more than one rule."""
    alone = {"thinking", "secret", "schema"} - {reason.partition(".")[0]}
    expected = [{code for code, _ in case.base.expected} for case, _ in planted()[reason]]
    strangers = Counter(
        code
        for (_, faults), own in zip(planted()[reason], expected, strict=True)
        for code, _ in faults
        if code.partition(".")[0] in alone and code not in own
    )
    assert strangers.total() <= DROPPED * len(expected), strangers


def test_the_rules_alone_catch_the_placeholders_and_spare_what_looks_like_one() -> None:
    stand_ins, values = [value for _, value in caught()], [value for _, value in spared()]
    missed = [value for value, rules in caught_by_rules(stand_ins).items() if not rules]
    suspected = [value for value, rules in caught_by_rules(values).items() if rules]
    by_key = [
        (key, value)
        for key, value in table("suspicious")["spared_by_key"]["pairs"]
        if caught_by_rules([value], key)[value]
    ]
    assert (missed, suspected, by_key) == ([], [], [])
    assert len(stand_ins) > 500
    assert len(values) > 350


def test_every_form_of_credential_is_planted_somewhere() -> None:
    seen = {case.variant.partition(" in ")[0] for case, _ in planted()["secret.found"]}
    assert seen == FORMS.keys()
