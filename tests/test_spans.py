"""A reader sees which words of a request became values."""

from curation.sample import dumps
from curation.spans import grounded
from tests.labelled import step


def test_a_value_that_was_said_is_found_where_it_was_said_and_no_part_of_a_word() -> None:
    request = "Fly from Oslo to OSLOFJORD for 12 days, Gate 2"
    plan = dumps({"plugins": [step("p", {"from": "oslo", "days": 12, "gate": "2", "to": "Bergen", "ok": True})]})
    spans = [(request[span["start"] : span["end"]], span["pointer"]) for span in grounded(request, plan)]
    at = "/plugins/0/api_request_parameters"
    assert spans == [("Oslo", f"{at}/from"), ("12", f"{at}/days")]


def test_a_broken_plan_and_a_missing_request_have_no_spans() -> None:
    assert grounded("Oslo", "{") == []
    assert grounded(None, dumps({"plugins": [step("p", {"a": "Oslo"})]})) == []
    assert grounded("Oslo", dumps({"plugins": [{"pluginId": "p"}]})) == []
