"""The judgement's schema, its frame and what the judge writes are one and the same."""

import json

import jsonschema
import orjson

from curation.claude.journal import journal_folder, pending
from curation.claude.pool import run_errand
from curation.judge.backend import open_backend
from curation.judge.judgement import JUDGEMENT_FRAME, STATUSES
from curation.judge.ledger import judgements
from curation.judge.rubric import load_rubric
from curation.judge.specification import BACKENDS
from schemas import load_schema
from tests.claude.conftest import claude
from tests.judge.samples import SECRET, frame, numbered

SCHEMA = load_schema("judgement")


def test_the_schema_names_the_frames_columns_and_the_codes_values():
    assert list(SCHEMA["properties"]) == list(JUDGEMENT_FRAME) == SCHEMA["required"]
    assert SCHEMA["properties"]["status"]["enum"] == list(STATUSES)
    assert SCHEMA["properties"]["backend"]["enum"] == list(BACKENDS)


def test_judgements_of_every_kind_are_of_the_schema(serve, warehouse):
    serve(marked={"Case 00000": "refusal", "Case 00001": "too_long", "Case 00002": "undecided"})
    run_errand([frame(numbered(5))], claude(), journal_folder(warehouse), 5)
    run_errand(
        [frame(numbered(2))], open_backend("offline", "", load_rubric(), SECRET, 5), journal_folder(warehouse), 5
    )

    checker = jsonschema.FormatChecker()
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=checker)
    rows = [row for file in pending(journal_folder(warehouse)) for row in judgements(file).iter_rows(named=True)]
    assert {row["status"] for row in rows} == {"ok", "refused", "api_error", "cannot_judge"}
    for row in rows:
        written = json.loads(orjson.dumps(row))
        assert not list(validator.iter_errors(written))
        if row["scores"] is not None:
            contents = SCHEMA["properties"]["scores"]["contentSchema"]
            assert not list(jsonschema.Draft202012Validator(contents).iter_errors(json.loads(row["scores"])))
