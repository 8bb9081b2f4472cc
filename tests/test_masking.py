"""What a person is shown holds no credential, wherever it stood."""

import orjson
import polars as pl

from curation.masking import masked, masked_column

TOKEN = "".join(("gh", "p_", "x9TqLw2ZrVb7NcKd4Ms8HyPf1GjEa6UoRi3Q"))
PASSWORD = "".join(("Tr0ub4", "dor&3x!K"))


def test_a_credential_is_told_by_its_kind_in_texts_keys_and_lists() -> None:
    shown = masked({"a": [f"use {TOKEN} now", 3, None], TOKEN: {"b": True}})
    assert TOKEN[5:] not in orjson.dumps(shown).decode()
    assert shown["a"][0].startswith("use [")
    assert shown["a"][1:] == [3, None]


def test_what_only_its_name_makes_a_credential_is_hidden_too() -> None:
    assert PASSWORD not in orjson.dumps(masked({"password": PASSWORD, "passwords": [PASSWORD]})).decode()
    assert masked({"motto": "carpe diem"}) == {"motto": "carpe diem"}


def test_a_column_changes_only_where_a_credential_stands() -> None:
    sound = '{"b": 1,  "a": "as it  was"}'
    texts = [
        sound,
        orjson.dumps({"k": TOKEN}).decode(),
        f"broken {{ {TOKEN}",
        None,
        '{"k": "gh\\u0070_' + TOKEN[4:] + '"}',
    ]
    shown = masked_column(pl.Series("plan", texts, dtype=pl.String)).to_list()
    assert shown[0] == sound
    assert shown[3] is None
    assert all(TOKEN[5:] not in text for text in shown if text)
    assert shown[2].startswith("broken {")
