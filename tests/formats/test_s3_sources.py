"""A bucket is a source like a folder: over S3's own protocol, an object once, and what goes wrong in one sentence."""

import gzip
import json
from collections.abc import Iterator

import pytest
import s3fs

from curation.errors import InputError
from curation.formats.lines import records
from curation.formats.opening import state_of
from curation.ingest import discover
from tests import traces
from tests.conftest import Cli
from tests.servers.s3 import S3, s3  # noqa: F401 - a fixture


def lines(*numbers: int) -> bytes:
    return b"".join(json.dumps(traces.good(number)).encode() + b"\n" for number in numbers)


@pytest.fixture
def here(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:  # noqa: F811
    """The store as this process sees it; no connection of another test is used again."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    yield s3
    s3fs.S3FileSystem.clear_instance_cache()


def refused(url: str) -> str:
    with pytest.raises(InputError) as error:
        discover([url])
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_pattern_over_a_bucket_is_read_once_and_a_grown_object_goes_on(s3: S3, cli: Cli) -> None:  # noqa: F811
    s3.put("2026/a.jsonl.gz", gzip.compress(lines(0, 1)))
    s3.put("2026/deep/b.jsonl.gz", gzip.compress(lines(2)))
    s3.put("2026/c.jsonl", lines(3, 4))
    first = cli.json("ingest", "s3://logs/2026/*.jsonl.gz", "s3://logs/2026/c.jsonl", **s3.environment)
    assert [(file["path"], file["new_traces"]) for file in first["files"]] == [
        ("s3://logs/2026/a.jsonl.gz", 2),
        ("s3://logs/2026/c.jsonl", 2),
    ]
    s3.put("2026/c.jsonl", lines(3, 4, 5))
    second = cli.json("ingest", "s3://logs/2026", **s3.environment)
    assert [
        (file["path"].removeprefix("s3://logs/2026/"), file["state"], file["read"]) for file in second["files"]
    ] == [
        ("a.jsonl.gz", "unchanged", 0),
        ("c.jsonl", "continued", 1),
        ("deep/b.jsonl.gz", "read", 1),
    ]
    assert cli.json("explain", "good-5")["traces"][0]["path"] == "s3://logs/2026/c.jsonl"


def test_another_object_of_the_same_size_has_another_mark(here: S3) -> None:
    here.put("a.jsonl", lines(0))
    (file,) = discover(["s3://logs/a.jsonl"]).files
    before = state_of(file.place)
    here.put("a.jsonl", lines(0).replace(b"good-0", b"good-9"))
    (file,) = discover(["s3://logs/a.jsonl"]).files
    assert before.modified is not None
    assert state_of(file.place)[0] == before.size
    assert state_of(file.place).modified != before.modified
    assert b"good-9" in next(records(file.place))[1]


def test_what_is_not_there_is_named(here: S3) -> None:
    here.put("2026/notes.txt", b"hello")
    assert "there is no file or folder s3://gone/a.jsonl" in refused("s3://gone/a.jsonl")
    assert "there is no bucket or folder s3://gone for s3://gone/*.jsonl" in refused("s3://gone/*.jsonl")
    assert "there is no file or folder s3://logs/a.jsonl" in refused("s3://logs/a.jsonl")
    assert "no file matches s3://logs/2026/*.jsonl; check the pattern" in refused("s3://logs/2026/*.jsonl")
    assert "holds no file of traces; files there: 1" in refused("s3://logs/2026")


@pytest.mark.parametrize("url", ["s3://logs/a.jsonl", "s3://logs/*.jsonl", "s3://logs"])
def test_credentials_that_the_store_does_not_know_are_one_sentence(url: str, here: S3) -> None:
    here.put("a.jsonl", lines(0))
    with here.guarded():
        assert f"{url} may not be read" in (said := refused(url))
        assert "check the credentials" in said


def test_no_credentials_and_no_server_are_one_sentence_each(here: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "Unable to locate credentials; check the URL, the credentials and the network" in refused(
        "s3://logs/a.jsonl"
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()
    assert "Could not connect to the endpoint URL" in refused("s3://logs/a.jsonl")
