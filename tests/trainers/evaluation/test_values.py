"""Two values are the same by type and content; text in the way that is asked for."""

from typing import Any

import pytest

from trainers.evaluation.values import OMIT, as_accepted, canonical, exact, fits, fits_all, loose

REFERENCE = "{{p-1.output.rows[0].id}}"

# (a, b, the same as written, the same loosely)
PAIRS: list[tuple[Any, Any, bool, bool]] = [
    ("Oslo", "Oslo ", True, True),
    ("Oslo", "oslo", False, True),
    ("April 1, 2024", "april 1 2024", False, True),
    ("it's", 'it"s', False, True),
    ("caf\u00e9", "cafe\u0301", True, False),
    ("Oslo", "Rome", False, False),
    (5, "5", False, False),
    (5, 5.0, True, True),
    (1, True, False, False),
    (0, False, False, False),
    (None, "", False, False),
    ([1, 2], [2, 1], False, False),
    ({"a": 1, "b": [None]}, {"b": [None], "a": 1}, True, True),
    ({"a": "X"}, {"a": "x"}, False, True),
    (2**60, 2**60 + 1, False, False),
    (REFERENCE, "{{ p-1.output.rows.0.id }}", True, True),
    (REFERENCE, "{{p-1.output.rows[1].id}}", False, False),
    (REFERENCE, "{{p1.output.rows[0].id}}", False, False),
    (f"To {REFERENCE}.", f"to {REFERENCE}", False, True),
    ("{{name}}", "{{Name}}", False, True),
]


@pytest.mark.parametrize(("a", "b", "as_written", "loosely"), PAIRS, ids=range(len(PAIRS)))
def test_two_values_are_the_same_or_not(a: Any, b: Any, as_written: bool, loosely: bool) -> None:
    assert (canonical(a, exact) == canonical(b, exact)) is as_written
    assert (canonical(a, loose) == canonical(b, loose)) is loosely
    assert hash(canonical(a, exact)) == hash(canonical(a, exact))


def test_a_parameter_fits_one_of_the_values_accepted_and_may_be_left_out_where_that_is_said() -> None:
    accepted = {"city": ["Oslo", "Kristiania"], "days": [3, OMIT]}
    assert fits_all({"city": "kristiania"}, accepted)
    assert fits_all({"city": "Oslo", "days": 3}, accepted)
    assert not fits_all({"city": "Oslo", "days": 4}, accepted)
    assert not fits_all({"days": 3}, accepted)
    assert not fits_all({"city": "Oslo", "who": "Ann"}, accepted)


def test_objects_within_are_compared_member_by_member() -> None:
    options = [{"size": ["large"], "notes": ["hot", "boiling", OMIT]}]
    assert fits({"size": "Large"}, options)
    assert fits({"size": "large", "notes": "boiling"}, options)
    assert not fits({"notes": "hot"}, options)
    assert not fits({"size": "large", "milk": "no"}, options)
    assert fits([{"a": 1}, "x"], [as_accepted([{"a": 1}, "X"])])
    assert not fits([{"a": 1}], [as_accepted([{"a": 1}, "X"])])
    assert not fits("large", options)
