"""Values that were said, in whatever form, are not told; values that came from nowhere are."""

from typing import Any

import pytest

from curation.filters import grounding
from curation.origins import described
from curation.recipe import Allow, Check
from curation.said import Said
from curation.stages import asked_of
from tests.labelled import Row, batch_of, faults, planned, step


def row(request: str, name: str, value: Any, schema: Row | None = None, **more: Any) -> Row:
    """A plan with one value."""
    parameters = {"type": "object", "properties": {name: schema if schema is not None else {}}}
    offered = [{"pluginId": "p", "name": "Plug", "description": "does it", "parameters": parameters}]
    return planned(step("p", {name: value}), request=request, candidates=offered, **more)


def told(*rows: Row, check: Check | None = None) -> list[bool]:
    """Of each plan, whether its value is said to come from nowhere."""
    return [bool(found) for found in faults(grounding.decide(batch_of(rows), check or Check()))]


GIVEN = [
    ("Weather in New  York, please", "city", "new york"),
    ("Weather in São Paulo", "city", "Sao Paulo"),
    ("Meet on March 3rd, 2026", "date", "2026-03-03"),
    ("from 2026.10.1 on", "start", "2026-10-01"),
    ("book it for tomorrow", "date", "2026-11-27"),
    ("at half past six in the evening, 6:30", "at", "18:30"),
    ("send two hundred and fifty of them", "amount", 250),
    ("twenty-five people", "guests", 25),
    ("about 1.5 million", "limit", 1500000),
    ("it costs $12,500.75", "price", 12500.75),
    ("a discount of 15%", "rate", 0.15),
    ("for two hours", "minutes", 120),
    ("between 3 and 8", "span", 5),
    ("convert to Euros", "to", "EUR"),
    ("5 dollars", "currency", "USD"),
    ("translate it into French", "target", "fr"),
    ("in Germany", "nation", "DE"),
    ("in degrees Celsius", "units", "metric"),
    ("a flight from San Francisco", "from", "SFO"),
    ("somewhere in SF", "city", "San Francisco"),
    ("hotels in Philly", "city", "Philadelphia"),
    ("weather for Chcicago", "city", "Chicago"),
    ("mail mara at northquay dot com", "to", "mara@northquay.com"),
    ("the repository acme/tools on GitHub", "url", "https://github.com/acme/tools"),
    ("sort it in ascending order", "order", "asc"),
    ("北京后天的天气如何？", "city", "北京"),
    ("tell Ada that the meeting moved to Friday noon", "text", "Hi Ada, the meeting has moved to Friday at noon."),
    ("anything", "query", "{{q.output.name}}"),
    ("anything", "verbose", True),
    ("anything", "page", 1),
    ("the derivative of x squared", "function", "lambda x: x**2"),
    ("where is it", "latitude", 48.8566),
    ("fill in 30 liters", "gallons", 7.93),
    ("the probability of a king from a deck of cards", "outcomes", 52),
    ("who was president in the Civil War", "year", 1861),
    ("我今年18，我姐姐比我大三岁", "age", 21),
    ("订二百五十张票", "tickets", 250),
    ("nous serons neuf", "guests", 9),
    ("stock of Apple", "ticker", "AAPL"),
]
INVENTED = [
    ("Weather, please", "city", "Ouagadougou"),
    ("Register the player", "email", "kx81@fastpost.ch"),
    ("Book a table for 4", "guests", 19),
    ("Cancel my order", "order_id", "ORD-88213"),
    ("Plan a visit to the flat", "visit", "2023-03-10"),
    ("Convert the total to euros", "base", "USD"),
    ("Write to the press", "contact_name", "Ottilie Vandersloot"),
    ("Delete the user", "uid", "8f0b2aff-d5b3-46f4-afbd-909b1b1a5468"),
    ("Ring the office", "phone", "+41783612345"),
    ("Fill the tank", "gallons", 7.93),
    ("Sales of the shop", "year", 2019),
    ("订票", "tickets", 250),
    ("Post something nice", "text", "Zebras gallop quietly beneath violet umbrellas in Antarctica"),
]


@pytest.mark.parametrize(("request_", "name", "value"), GIVEN)
def test_a_value_that_was_said_in_another_form_is_not_told(request_: str, name: str, value: Any) -> None:
    assert told(row(request_, name, value)) == [False]


@pytest.mark.parametrize(("request_", "name", "value"), INVENTED)
def test_a_value_that_nothing_gives_is_told_at_its_place(request_: str, name: str, value: Any) -> None:
    found = faults(grounding.decide(batch_of([row(request_, name, value)]), Check()))
    assert found == [[("grounding.invented", f"/plugins/0/api_request_parameters/{name}")]]


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": ["Ouagadougou", "Oslo"]},
        {"const": "Ouagadougou"},
        {"default": "Ouagadougou"},
        {"examples": ["Ouagadougou"]},
        {"description": "The capital; Ouagadougou where none is named"},
    ],
)
def test_what_the_schema_gives_is_not_told(schema: Row) -> None:
    assert told(row("Weather, please", "city", "Ouagadougou", schema)) == [False]


def test_a_value_under_a_name_that_the_schema_does_not_know_may_be_another_parameter_s() -> None:
    schema = {"type": "string", "enum": ["BEST_MATCH", "CHEAPEST"]}
    known = {"type": "object", "properties": {"sort_by": schema}}
    offered = [{"pluginId": "p", "name": "Plug", "description": "does it", "parameters": known}]
    rows = [planned(step("p", {"sortBy": value}), candidates=offered) for value in ("BEST_MATCH", "QUIBBLEWICK")]
    assert told(*rows) == [False, True]


def test_what_a_schema_says_of_a_list_holds_for_its_members() -> None:
    schema = {"type": "array", "items": {"type": "string"}, "description": "Any of driver, passenger, rear_left"}
    assert told(row("Lock it all", "doors", ["driver", "rear_left"], schema)) == [False]
    assert told(row("Lock it all", "doors", ["driver", "vandersloot"], schema)) == [True]


def test_an_earlier_turn_and_a_tool_s_result_give_values() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "find", "arguments": '{"near": "Whakatane"}'}}
    messages = [
        {"role": "user", "content": "I am Ottilie Vandersloot"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": '{"order": "ORD-88213"}'},
        {"role": "user", "content": "Cancel it"},
    ]
    values = {"who": "Ottilie Vandersloot", "near": "Whakatane", "order": "ORD-88213", "code": "ORD-88214"}
    found = faults(grounding.decide(batch_of([planned(step("p", values), messages=messages)]), Check()))
    assert found == [[("grounding.invented", "/plugins/0/api_request_parameters/code")]]


def test_the_recipe_says_whether_it_is_asked_and_whether_it_drops() -> None:
    batch = batch_of([row("Weather, please", "city", "Ouagadougou")])
    outcome = {how: grounding.decide(batch, Check(grounding=how))["outcome"].item() for how in ("flag", "drop")}
    assert outcome == {"flag": "flag", "drop": "fail"}
    assert grounding not in asked_of(Check(grounding="off"))
    assert len(asked_of(Check())) == len(asked_of(Check(grounding="off"))) + 1


def test_a_value_that_the_recipe_allows_is_not_told() -> None:
    rows = [row("Convert it to euros", "base", "USD"), row("Convert it to euros", "from", "USD")]
    assert told(*rows, check=Check(allow=(Allow("USD", parameter="base"),))) == [False, True]


def test_numbers_are_read_in_digits_and_words() -> None:
    said = Said("twelve thousand three hundred and four, 3.5k, 1,234,567.5, 2,5 and 10.0.0.7 or 2 and 3 million")
    assert {12304, 3500, 1234567.5, 2.5, 7, 2, 3_000_000} <= said.numbers


def test_a_schema_without_words_says_nothing() -> None:
    assert described([{"type": "string"}]) == ""
