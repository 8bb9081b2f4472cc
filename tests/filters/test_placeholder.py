"""Every rule of the placeholder table catches and spares what it says."""

from functools import cache

import polars as pl
import pytest

from curation import stand_ins
from curation.batch import VALUE_FRAME
from curation.filters import placeholder
from curation.recipe import Allow, Check
from tests.corpus.values import table
from tests.labelled import batch_of, faults, planned, step

RULES = stand_ins.rules()


def caught(texts: list[str], key: str = "value") -> dict[str, set[str]]:
    """For each text, the ids of the rules that call it a placeholder."""
    rows = [(row, 0, f"/plugins/0/api_request_parameters/{key}", "string", text) for row, text in enumerate(texts)]
    found = stand_ins.caught(pl.DataFrame(rows, schema=VALUE_FRAME, orient="row"))
    told: dict[str, set[str]] = {text: set() for text in texts}
    for hit in found:
        told[hit.text].add(hit.rule.id)
    return told


def rules_that_catch(text: str, key: str = "value") -> set[str]:
    """The ids of the rules that call this one value a placeholder."""
    return caught([text], key)[text]


@cache
def examples() -> dict[str, set[str]]:
    """What is caught of all the table's examples."""
    return caught([text for rule in RULES for text in (*rule.catches, *rule.spares)])


@pytest.mark.parametrize(("rule", "text"), [(r.id, text) for r in RULES for text in r.catches])
def test_a_rule_catches_its_examples(rule: str, text: str) -> None:
    assert rule in examples()[text]


@pytest.mark.parametrize("text", [text for r in RULES for text in r.spares])
def test_no_rule_catches_what_one_of_them_spares(text: str) -> None:
    assert examples()[text] == set()


def test_the_automaton_suspects_whatever_a_rule_matches() -> None:
    """In every text of the table and of the corpus, with letters, digits and blanks of other scripts put in, too."""
    texts = [text for rule in RULES for text in (*rule.catches, *rule.spares)]
    texts += [value for family in table("placeholders")["caught"].values() for value in family]
    texts += [value for family in table("suspicious")["spared"].values() for value in family]
    texts += [text.translate(str.maketrans("aeo1 ", "äєο٣\u00a0")) for text in texts]
    seen = pl.Series(texts)
    for place, rule in enumerate(RULES):
        matched = seen.filter(seen.str.contains(rule.pattern)).to_list()
        assert [text for text in matched if place not in (stand_ins.patterns().Match(text) or ())] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_a_name_of_its_own_and_both_kinds_of_example(rule: stand_ins.Rule) -> None:
    assert [r.id for r in RULES].count(rule.id) == 1
    assert rule.catches
    assert rule.spares
    assert rule.said in ("literally", "quoted")


def caught_in(value: object, request: str = "", **row: object) -> list[tuple[str, str]]:
    """The faults of a plan with one parameter of this value."""
    batch = batch_of([planned(step(parameters={"a": value}), request=request, **row)])
    return faults(placeholder.decide(batch, Check()))[0]


@pytest.mark.parametrize(
    ("value", "request_text", "spared"),
    [
        ("jane@example.com", "Write to jane@example.com.", True),
        ("jane@example.com", "Write to joe@example.com.", False),
        ("JANE@example.com", "write to Jane@Example.com!", True),
        ("https://example.com", "Audit 'example.com' for me", True),
        ("https://example.com/", "Audit www.example.com.", True),
        ("https://example.com", "Write to joe@example.com.", False),
        ("https://example.com", "Audit shop.example.com.", False),
        ("<city>", "What is the weather in my city?", False),
        ("<city>", "Translate 'Hello <city>' into German", True),
        ("foo", "Order some food", False),
        ("bar", "Find bars near the harbour", True),
        ("123-456-7890", "Call (123) 456-7890", True),
        ("123-456-7890", "Call me", False),
        ("number", "Give me the number of nurses", False),
        ("number", "Convert it to type 'number'", True),
        ("string", "Convert it to a string", True),
        ("a@example.com, b@example.org", "Ask a@example.com and b@example.org", True),
        ("a@example.com, b@example.org", "Ask a@example.com", False),
    ],
)
def test_a_match_that_the_user_wrote_is_the_user_s_value(value: str, request_text: str, spared: bool) -> None:
    assert (caught_in(value, request_text) == []) == spared


def test_what_a_tool_said_counts_and_what_the_system_prompt_says_does_not() -> None:
    messages = [{"role": "system", "content": "Use <city>."}, {"role": "tool", "content": "mail: a@example.com"}]
    assert caught_in("<city>", messages=messages)
    assert not caught_in("a@example.com", messages=messages)


def test_a_value_that_the_schema_names_is_no_placeholder_but_only_there() -> None:
    properties = {"a": {"type": "string", "enum": ["string", "N/A"]}, "b": {"type": "string"}}
    candidates = [{"pluginId": "p", "parameters": {"type": "object", "properties": properties}}]
    batch = batch_of([planned(step(parameters={"a": "N/A", "b": "N/A"}), candidates=candidates)])
    assert faults(placeholder.decide(batch, Check()))[0] == [
        ("placeholder.value", "/plugins/0/api_request_parameters/b")
    ]


@pytest.mark.parametrize("text", ["{{p.output}}", "from {{p.output.a.b}} to {{p.v2.output.x y}}"])
def test_a_reference_of_legal_form_is_no_placeholder(text: str) -> None:
    assert rules_that_catch(text) == set()


@pytest.mark.parametrize(
    "text", ["{{p}}", "{{p.output.}}", "{{ p.output }}", "{{p.outputs.a}}", "{{p.output.a", "{{p.output.x}} and {{y}}"]
)
def test_a_malformed_reference_is_one(text: str) -> None:
    assert "double_brace_slot" in rules_that_catch(text)


def test_a_date_pattern_is_a_value_where_a_format_is_asked_for() -> None:
    assert rules_that_catch("YYYY-MM-DD", "due_date") == {"date_letters"}
    assert rules_that_catch("YYYY-MM-DD", "date_format") == set()


def test_each_value_is_told_once_whatever_the_number_of_rules() -> None:
    assert caught_in("<YOUR_API_KEY> at https://example.com/{id}") == [
        ("placeholder.value", "/plugins/0/api_request_parameters/a")
    ]


@pytest.mark.parametrize(
    "text", ["q.output.city", "<q.output>", "{q.output.city}", "[q.output.city]", "${q.output.city}"]
)
def test_a_reference_in_other_braces_or_none_is_malformed(text: str) -> None:
    batch = batch_of([planned(step("q"), step(parameters={"a": text}, dependencies=["q"]))])
    assert faults(placeholder.decide(batch, Check()))[0] == [
        ("placeholder.value", "/plugins/1/api_request_parameters/a")
    ]


def test_a_file_name_that_looks_like_a_bare_reference_is_a_value() -> None:
    assert caught_in("report.output.txt") == []


@pytest.mark.parametrize(
    ("key", "value", "request_text", "caught"),
    [
        ("city", "city", "What is the weather in my city?", True),
        ("city", "City", "", True),
        ("home_city", "home city", "", True),
        ("city", "city", "Use the word 'city' as it is.", False),
        ("threadPool", "threadPool", "Use threadPool for it.", False),
        ("city", "The city to look at", "", True),
        ("city", "The city of Oslo", "", False),
        ("id", "id", "", False),
    ],
)
def test_a_value_that_only_repeats_its_parameter_is_a_placeholder(
    key: str, value: str, request_text: str, caught: bool
) -> None:
    schema = {"type": "object", "properties": {key: {"type": "string", "description": "The city to look at"}}}
    row = planned(
        step(parameters={key: value}), request=request_text, candidates=[{"pluginId": "p", "parameters": schema}]
    )
    told = faults(placeholder.decide(batch_of([row]), Check()))[0]
    assert told == ([("placeholder.value", f"/plugins/0/api_request_parameters/{key}")] if caught else [])


@pytest.mark.parametrize(
    ("allow", "left"),
    [
        (Allow("N/A"), []),
        (Allow("N/A", plugin="p"), []),
        (Allow("N/A", plugin="q"), ["a", "b/0"]),
        (Allow("N/A", parameter="b"), ["a"]),
        (Allow("n/a"), ["a", "b/0"]),
    ],
)
def test_a_recipe_can_allow_a_value_by_plugin_and_parameter(allow: Allow, left: list[str]) -> None:
    batch = batch_of([planned(step(parameters={"a": "N/A", "b": ["N/A"]}))])
    told = faults(placeholder.decide(batch, Check(allow=(allow,))))[0]
    assert told == [("placeholder.value", f"/plugins/0/api_request_parameters/{name}") for name in left]
