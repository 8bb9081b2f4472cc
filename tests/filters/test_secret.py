"""Credentials are found by their form, and nothing else is taken for one."""

import json
import random
import string

import polars as pl
import pytest

from curation import credentials
from curation.batch import Batch
from curation.filters import secret
from curation.recipe import Check
from tests.corpus.leaks import FORMS as LEAKS
from tests.labelled import batch_of, faults, planned, step

KINDS = credentials.kinds()
LETTERS = string.ascii_letters + string.digits


@pytest.mark.parametrize(("kind", "text"), [(kind.id, text) for kind in KINDS for text in kind.catches])
def test_a_pattern_catches_its_examples(kind: str, text: str) -> None:
    assert kind in {found.kind for found in credentials.find(text)}


@pytest.mark.parametrize("text", [text for kind in KINDS for text in kind.spares])
def test_no_pattern_catches_what_one_of_them_spares(text: str) -> None:
    assert credentials.find(text) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)
def test_a_kind_has_a_name_of_its_own_both_examples_and_a_known_verifier(kind: credentials.Kind) -> None:
    assert [each.id for each in KINDS].count(kind.id) == 1
    assert kind.catches
    assert kind.spares
    assert kind.verify is None or kind.verify in credentials.VERIFIERS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)
def test_what_a_pattern_catches_is_looked_at_at_all(kind: credentials.Kind) -> None:
    texts = [text for example in kind.catches for text in (example, json.dumps(example), json.dumps([{"a": example}]))]
    assert credentials.possible(pl.Series(texts)).all()
    assert all(kind in credentials.suspected(text) for text in texts)


def test_every_form_of_credential_is_looked_at_at_all() -> None:
    chance = random.Random(8)
    texts = [make(chance) for make in LEAKS.values() for _ in range(20)]
    assert credentials.possible(pl.Series([*texts, *map(json.dumps, texts)])).all()


def test_the_table_holds_nothing_that_looks_like_a_credential() -> None:
    text = credentials.PATTERNS_FILE.read_text(encoding="utf-8")
    assert [credentials.find(line) for line in text.splitlines() if credentials.find(line)] == []


FORMS = {
    "aws_access_key_id": ("AK" + "IA{}", string.ascii_uppercase + string.digits, 16),
    "github_token": ("gh" + "p_{}", LETTERS, 36),
    "gitlab_token": ("gl" + "pat-{}", LETTERS + "-_", 20),
    "stripe_key": ("sk" + "_live_{}", LETTERS, 24),
    "google_api_key": ("AI" + "za{}", LETTERS + "-_", 35),
    "huggingface_token": ("h" + "f_{}", string.ascii_letters, 34),
    "sendgrid_key": ("S" + "G.abcDEF123456ghiJKL7890.{}", LETTERS, 43),
    "twilio_key": ("S" + "K{}", "0123456789abcdef", 32),
    "azure_storage_key": ("Account" + "Key={}==", LETTERS + "+/", 86),
    "password_in_url": ("postgres://app:{}@db.prod.internal:5432/x", LETTERS, 12),
}


@pytest.mark.parametrize("kind", FORMS)
def test_random_credentials_of_a_form_are_found_wherever_they_stand(kind: str) -> None:
    form, alphabet, length = FORMS[kind]
    chance = random.Random(8)
    made = [form.format("".join(chance.choices(alphabet, k=length))) for _ in range(300)]
    found = [[f.kind for f in credentials.find(f'Use "{text}", please.\nThen go.')] for text in made]
    assert sum(kind in kinds for kinds in found) >= 298


@pytest.mark.parametrize(
    "text",
    [
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "data:image/png;base64," + "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4" * 4,
        '{"type": "object", "properties": {"password": {"type": "string", "description": "The password of the account"}}}',
        "My password is secret123 and my username is anna",
        "token_count: 4096, max_tokens=1024",
        "https://user.corp.io:8443/path@v2",
        "The API key is required for authentication-with-the-service",
        "password: correct-horse-battery-staple",
        "the access token is eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    ],
)
def test_what_only_looks_like_a_credential_is_none(text: str) -> None:
    assert credentials.find(text) == []


def test_masking_leaves_the_text_and_takes_the_secret() -> None:
    token = "".join(("gh", "p_", "x9TqLw2ZrVb7NcKd4Ms8HyPf1GjEa6UoRi3Q"))
    assert credentials.mask(f"a {token} b {token}") == "a [github_token] b [github_token]"
    assert credentials.mask("nothing here") == "nothing here"


def test_a_secret_that_is_a_key_is_told_without_being_spelt_out() -> None:
    token = "".join(("gh", "p_", "x9TqLw2ZrVb7NcKd4Ms8HyPf1GjEa6UoRi3Q"))
    decisions = secret.decide(batch_of([planned(step(parameters={"m": {token: {"a": token}}}))]), Check())
    at = "/plugins/0/api_request_parameters/m"
    assert sorted(faults(decisions)[0]) == [("secret.found", at), ("secret.found", f"{at}/a")]
    assert token not in decisions["faults"][0]


def test_a_secret_behind_json_escapes_is_found() -> None:
    token = "".join(("gh", "p_", "x9TqLw2ZrVb7NcKd4Ms8HyPf1GjEa6UoRi3Q"))
    escaped = "".join(f"\\u{ord(char):04x}" for char in token)
    plan = '{"plugins": [{"pluginId": "p", "api_request_parameters": {"a": "\\n' + escaped + '"}, "dependencies": []}]}'
    decisions = secret.decide(batch_of([{"plan": plan, "request": "Line\n" + token}]), Check())
    assert [pointer for _, pointer in faults(decisions)[0]] == [
        "/plugins/0/api_request_parameters/a",
        "/messages/0/content",
    ]


TOKEN = "".join(("gh", "p_", "x9TqLw2ZrVb7NcKd4Ms8HyPf1GjEa6UoRi3Q"))
CALL = {"id": "c", "type": "function", "function": {"name": "p", "arguments": f'{{"{TOKEN}": 1}}'}}
OFFER = {"pluginId": "p", "parameters": {"type": "object", "properties": {TOKEN: {"type": "string"}}}}


@pytest.mark.parametrize(
    ("row", "pointer"),
    [
        (planned(step(parameters={TOKEN: 1})), "/plugins/0/api_request_parameters"),
        ({"plan": None, "candidates": [OFFER]}, "/candidates/0/parameters/properties"),
        (
            {"plan": None, "messages": [{"role": "assistant", "content": "", "tool_calls": [CALL]}]},
            "/messages/0/tool_calls/0/function/arguments",
        ),
    ],
    ids=["of a step", "of a candidate", "of a call"],
)
def test_a_secret_that_is_a_parameters_name_is_found(row: dict[str, object], pointer: str) -> None:
    assert faults(secret.decide(batch_of([row]), Check()))[0] == [("secret.found", pointer)]


def test_a_secret_in_the_name_of_the_source_is_found_for_it_is_released() -> None:
    batch = batch_of([planned(step()), planned(step("q"))])
    named = batch.samples.with_columns(source=pl.Series(["production", f"s3://logs?token={TOKEN}"]))
    assert faults(secret.decide(Batch(named), Check())) == [[], [("secret.found", "/source")]]


@pytest.mark.parametrize("joint", ["\n", "\r\n", "\\n", "\\\\n", '\\n"\n"', '",\n"', " "])
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_private_key_is_found_to_its_end_however_its_lines_are_parted(joint: str, encrypted: bool) -> None:
    if encrypted and joint == " ":
        pytest.skip("where its headers end cannot be seen")
    line = "kQ7fZr2XpL9vTeBn4Wy8sHcM1uJd6GaR3oViPxkQ7fZr2XpL9vTeBn4Wy8sHcM1u"
    about = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,9F2A", ""] if encrypted else []
    head, end = (f"-----{what} RSA PRIV" + "ATE KEY-----" for what in ("BEGIN", "END"))
    shown = credentials.mask("use " + joint.join([head, *about, *[line] * 50, "aB3=", end]) + " now")
    assert shown.startswith("use -----BEGIN")
    assert shown.endswith(" now")
    assert not any(part in shown for part in (line[:9], line[-9:], "aB3="))


@pytest.mark.parametrize("key", ["", "api_key", "password", "note"])
def test_what_a_key_says_hides_nothing_that_its_value_shows_alone(key: str) -> None:
    secret = "z7q9yjk3lGTKbw8FRQqLMBcBsWLIkTiJ607QxaMabX"
    value = "DJANGO_SECRET" + f"_KEY={secret}"
    assert secret[:8] not in credentials.mask(value, key)
    assert [value[start:end] for _, start, end in credentials.find_under(key, value)][-1].endswith(secret[-8:])
