"""Recipes that ask for it are made of samples without credentials and people; the originals stay as they were."""

from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from curation.recipes import load_recipe
from flows import asking
from flows.checking import check
from flows.ingesting import ingest
from flows.loading import load_samples, read_members
from tests import traces
from tests.corpus.bases import THOUGHT
from tests.corpus.handmade import call, objects, plugin
from warehouse import Store

TOKEN = "".join(("gh", "p_", "x9TqLw2ZrVb7NcKd4Ms8HyPf1GjEa6UoRi3Q"))
MAIL, PHONE = "mara.lind@northquay.com", "+49 151 23456789"
BOTH = 'secret = "redact"\npii = "pseudonymise"\n'


def leaky(number: int) -> dict[str, Any]:
    """A good trace with a credential, an address and a telephone number in request, thinking and plan."""
    schema = objects(
        {
            "token": {"type": "string"},
            "to": {"type": "string", "format": "email"},
            "phone": {"type": "string", "pattern": r"^\+[0-9]{8,15}$"},
            "text": {"type": "string"},
        }
    )
    values = {"token": TOKEN, "to": MAIL, "phone": PHONE.replace(" ", ""), "text": f"order {number}"}
    plan = {"plugins": [{**call("mail.send", values), "all_parameters_hydrated": True}]}
    said = f"Log in with {TOKEN}, write order {number} to {MAIL} and ring {PHONE}"
    answer = f"<think>{THOUGHT} {MAIL}</think>\n" + orjson.dumps(plan).decode()
    return {
        "trace_id": f"leak-{number}",
        "messages": [{"role": "user", "content": said}, {"role": "assistant", "content": answer}],
        "candidates": [plugin("mail.send", schema)],
    }


class House:
    """A warehouse with good traces and leaky ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / "w.duckdb")
        records = [*(traces.good(number) for number in range(3)), *(leaky(number) for number in range(3))]
        self.source = traces.write(folder / "t.jsonl", records)
        ingest(self.store, [str(self.source)], "ondemand", "production")

    def checked(self, settings: str, name: str = "t") -> pl.DataFrame:
        """The samples that every row stage lets pass and that nothing stands for, under these settings."""
        file = self.folder / f"{name}.toml"
        text = traces.recipe_text(self.source, self.folder / "out").replace('"t"', f'"{name}"', 1)
        file.write_text(f"{text}\n[check]\n{settings}")
        self.recipe = load_recipe(file)
        check(self.store, self.recipe)
        members = read_members(self.store, self.recipe)
        verdicts = self.store.read("verdicts", {"members": members}, recipe=name, accepted=None, reason=None)
        self.reasons = dict(verdicts.select("sample_id", "reason").iter_rows())
        return load_samples(self.store, verdicts.filter(pl.col("reason") == "undecided")["sample_id"])


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def texts(samples: pl.DataFrame) -> str:
    """All that the samples say."""
    return "".join(samples.select(pl.concat_str("messages", "thinking", "plan", separator=" "))["messages"])


def test_what_leaks_falls_unless_the_recipe_redacts(house: House) -> None:
    assert house.checked("").height == 3
    assert sum(reason == "secret.found" for reason in house.reasons.values()) == 3


def test_a_redacted_sample_stands_for_its_original_and_holds_no_credential(house: House) -> None:
    kept = house.checked('secret = "redact"\n')
    assert kept.height == 6
    assert TOKEN[5:] not in texts(kept)
    assert MAIL in texts(kept)
    assert sum(reason == "lineage.superseded" for reason in house.reasons.values()) == 3
    tokens = {step["api_request_parameters"]["token"] for step in steps(kept)}
    (token,) = tokens  # the same secret is the same token everywhere
    assert token.startswith("redacted-github-")
    assert texts(kept).count(token) == 6


def steps(samples: pl.DataFrame) -> list[dict[str, Any]]:
    """The calls that have a token."""
    every = [step for plan in samples["plan"] for step in orjson.loads(plan)["plugins"]]
    return [step for step in every if "token" in step["api_request_parameters"]]


def test_pseudonyms_stand_wherever_the_person_stood_and_still_fit_their_schemas(house: House) -> None:
    kept = house.checked(BOTH)
    assert kept.height == 6
    for hidden in (TOKEN, MAIL, PHONE, PHONE.replace(" ", "")):
        assert hidden not in texts(kept)
    for sample in kept.filter(pl.col("plan").str.contains("token")).iter_rows(named=True):
        values = orjson.loads(sample["plan"])["plugins"][0]["api_request_parameters"]
        assert values["to"] in sample["request"]
        assert values["to"] in sample["thinking"]
        assert values["phone"][-10:] in sample["request"].replace(" ", "")
    counts = {stage["stage"]: stage for stage in asking.status(house.store, house.recipe)["stages"]}
    assert counts["grounding"]["flag"] == 0


def test_hiding_again_makes_nothing_and_a_recipe_that_does_not_ask_is_as_before(house: House) -> None:
    first = house.checked(BOTH)["sample_id"].to_list()
    assert house.checked(BOTH)["sample_id"].to_list() == first
    assert house.checked("", "plain").height == 3


def test_no_decision_shows_what_was_hidden(house: House) -> None:
    house.checked(BOTH)
    told = orjson.dumps(asking.decisions(house.store, house.recipe).to_dicts()).decode()
    assert not any(hidden in told for hidden in (TOKEN[5:], MAIL, PHONE))
