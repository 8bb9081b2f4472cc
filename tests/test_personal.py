"""Personal data is found by its form and its check digits; its pseudonym has the same form and is found no more."""

import pytest

from curation import personal

KEY = b"k" * 32
CAUGHT = [(kind.id, text) for kind in personal.kinds() for text in kind.catches]


def pieces(text: str) -> list[tuple[str, str]]:
    """What is found in a text, as (kind, text)."""
    return [(kind, text[start:end]) for kind, start, end in personal.find(text)]


@pytest.mark.parametrize(("kind", "text"), CAUGHT)
def test_every_example_of_the_table_is_caught(kind: str, text: str) -> None:
    assert [found for found, _ in pieces(text)] == [kind]


@pytest.mark.parametrize("text", [text for kind in personal.kinds() for text in kind.spares])
def test_every_spared_example_of_the_table_is_spared(text: str) -> None:
    assert pieces(text) == []


@pytest.mark.parametrize(("kind", "text"), CAUGHT)
def test_a_pseudonym_is_of_the_same_kind_always_the_same_and_found_no_more(kind: str, text: str) -> None:
    ((_, piece),) = pieces(text)
    stands = personal.pseudonym(kind, piece, KEY)
    assert stands != piece
    assert stands == personal.pseudonym(kind, piece, KEY) != personal.pseudonym(kind, piece, b"other")
    assert pieces(stands) == []


@pytest.mark.parametrize(
    "text", ["+49 151 23456789", "+4915123456789", "+5511912345678", "0151 23456789", "4556737586899855"]
)
def test_no_pseudonym_is_taken_for_another_kind_under_any_key(text: str) -> None:
    ((kind, piece),) = pieces(text)
    made = {personal.pseudonym(kind, piece, bytes([number, 7])) for number in range(200)}
    assert len(made) == 200
    assert [found for each in made for found in pieces(each)] == []


def test_check_digits_of_pseudonyms_are_right() -> None:
    assert personal.luhn(personal.only_digits(personal.pseudonym("card", "4556-7375-8689-9855", KEY))) == 0
    assert personal.remainder(personal.pseudonym("iban", "GB82WEST12345698765432", KEY)) == 1


def test_a_number_written_in_two_ways_has_one_pseudonym() -> None:
    ways = [personal.pseudonym("phone", text, KEY) for text in ("+49 151 23456789", "+4915123456789", "0151 23456789")]
    assert len({personal.only_digits(way)[-10:] for way in ways}) == 1
    assert ways[0].startswith("+4")
    assert len(ways[0]) == len("+49 151 23456789")
    cards = [personal.pseudonym("card", text, KEY) for text in ("4556 7375 8689 9855", "4556737586899855")]
    assert cards[0].replace(" ", "") == cards[1]


def test_pseudonyms_are_addresses_that_schemas_take() -> None:
    import jsonschema_rs

    for kind, text, form in (("email", "mara@northquay.com", "email"), ("ip", "84.112.7.201", "ipv4")):
        validator = jsonschema_rs.validator_for({"type": "string", "format": form}, validate_formats=True)
        assert validator.is_valid(personal.pseudonym(kind, text, KEY))
