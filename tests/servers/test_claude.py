"""The service that the judge is tested against refuses what the real one refuses."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest

from curation.judge.backend import form_of
from curation.judge.rubric import load_rubric
from curation.judge.specification import specify
from tests.servers.claude import KEY, VERTEX_VERSION, Claude

VERTEX = "/v1/projects/p/locations/global/publishers/anthropic/models/claude-opus-4-6:rawPredict"
DIRECT = "/v1/messages"
HEADERS = {"Authorization": f"Bearer {KEY}", "anthropic-version": "2023-06-01", "content-type": "application/json"}


@pytest.fixture(scope="module")
def service():
    with Claude() as running:
        yield running


def body(**changed: Any) -> dict[str, Any]:
    """A request as the judge makes it; None takes a field out."""
    rubric = load_rubric()
    form = form_of(specify("anthropic", "claude-opus-4-6", rubric), rubric)
    return {k: v for k, v in {**form.body("Hello", by_tool=False), **changed}.items() if v is not None}


def post(url: str, sent: dict[str, Any], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, json.dumps(sent).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_right_request_is_answered_on_both_paths(service):
    vertex = body(model=None, anthropic_version=VERTEX_VERSION)
    for path, sent in ((DIRECT, body()), (VERTEX, vertex)):
        status, reply = post(service.url + path, sent, HEADERS)
        assert status == 200, reply
        assert reply["stop_reason"] == "end_turn"
        assert set(json.loads(reply["content"][0]["text"])["criteria"]) == set(load_rubric().criteria)


WRONG = {
    "no key": (DIRECT, {}, {"Authorization": ""}, 401),
    "no version header": (DIRECT, {}, {"anthropic-version": ""}, 400),
    "no max_tokens": (DIRECT, {"max_tokens": None}, {}, 400),
    "too many tokens": (DIRECT, {"max_tokens": 64_000}, {}, 400),
    "an unknown model": (DIRECT, {"model": "gpt"}, {}, 404),
    "an assistant first": (DIRECT, {"messages": [{"role": "assistant", "content": "x"}]}, {}, 400),
    "a field that is not there any more": (DIRECT, {"temperature": 0}, {}, 400),
    "a schema with bounds": (
        DIRECT,
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "integer", "minimum": 0}}}},
        {},
        400,
    ),
    "an open object": (
        DIRECT,
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        {},
        400,
    ),
    "no version in Vertex's body": (VERTEX, {"model": None}, {}, 400),
    "the SDK's own version": (VERTEX, {"model": None, "anthropic_version": "2026-10-21"}, {}, 400),
    "a model in Vertex's body": (VERTEX, {"anthropic_version": VERTEX_VERSION}, {}, 400),
    "no token": (VERTEX, {"model": None, "anthropic_version": VERTEX_VERSION}, {"Authorization": ""}, 401),
}


@pytest.mark.parametrize(("path", "changed", "headers", "status"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_request_is_refused(path, changed, headers, status, service):
    assert post(service.url + path, body(**changed), {**HEADERS, **headers})[0] == status


def test_it_runs_by_itself():
    arguments = [sys.executable, "-m", "tests.servers.claude", "--port", "0", "--fault", "overloaded", "--every", "1"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        assert post(url + DIRECT, body(), HEADERS)[0] == 529
        with urllib.request.urlopen(f"{url}/stats", timeout=20) as response:
            assert json.load(response)["statuses"] == {"529": 1}
        process.kill()
