"""Whatever a user names is opened, or refused with one sentence that says what to do."""

import gzip
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.errors import InputError
from curation.formats.lines import Cursor, records
from curation.formats.opening import Place, find, may_hold_traces, state_of
from curation.ingest import DataFile, discover, read

NATIVE = {"messages": [{"role": "user", "content": "hello"}], "candidates": []}
LINE = json.dumps(NATIVE).encode()
TWO = LINE + b"\n" + LINE.replace(b"hello", b"again") + b"\n"


def packed(content: bytes, codec: str) -> bytes:
    """The content as gzip or zstd writes it."""
    if codec == "gzip":
        return gzip.compress(content)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(content)
    return bytes(sink.getvalue())


def names(given: str) -> list[str]:
    return [place.name for place in find(given).places]


def raws(file: DataFile) -> list[bytes]:
    return [raw for _, raw in records(file.place)]


def refused(given: str) -> str:
    with pytest.raises(InputError) as error:
        discover([given])
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def memory() -> Iterator[str]:
    """The URL of an empty folder in fsspec's own memory."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield "memory://bucket"
    system.store.clear()


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
@pytest.mark.parametrize("way", ["lines", "array", "objects"])
def test_a_packed_file_gives_the_records_of_the_plain_one(codec: str, way: str, tmp_path: Path) -> None:
    both = [json.loads(line) for line in TWO.splitlines()]
    content = {
        "lines": TWO,
        "array": json.dumps(both).encode(),
        "objects": "\n".join(json.dumps(one, indent=1) for one in both).encode(),
    }[way]
    plain, other = tmp_path / "plain.json", tmp_path / "whatever.bin"
    plain.write_bytes(content)
    other.write_bytes(packed(content, codec))
    cursor = Cursor()
    assert list(records(other, cursor)) == list(records(plain))
    assert not cursor.can_go_on


def test_gzip_written_in_several_goes_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(LINE + b"\n") + gzip.compress(LINE + b"\n"))
    assert len(list(records(path))) == 2


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_packed_data_that_breaks_off_is_named_after_what_came_before(codec: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = b"".join(b'{"n": %d, "x": "%s"}\n' % (n, os.urandom(200).hex().encode()) for n in range(20_000))
    whole = packed(lines, codec)
    path.write_bytes(whole[: len(whole) // 2])
    found: list[tuple[int, bytes]] = []
    with pytest.raises(InputError, match=r"cannot read .*a\.jsonl to its end: .*fetch it again"):
        found.extend(records(path))
    assert 0 < len(found) < 20_000


@pytest.mark.parametrize(
    ("head", "kind"), [(b"PK\x03\x04rest", "zip"), (b"BZh9rest", "bzip2"), (b"\xfd7zXZrest", "xz")]
)
def test_another_kind_of_archive_is_named_with_what_to_do(head: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(head)
    assert f"is a {kind} file" in refused(str(path))
    assert "gzip or zstd" in refused(str(path))


def test_rows_of_parquet_are_records(tmp_path: Path) -> None:
    rows = [
        {"messages": NATIVE["messages"], "tools": '[{"a": 1}]', "extra": None, "args": {"city": "Oslo", "day": None}},
        {"messages": [], "tools": None, "extra": 7, "args": {"city": None, "day": "today"}},
    ]
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    found = [(number, json.loads(raw)) for number, raw in records(path)]
    assert found == [
        (1, {"messages": NATIVE["messages"], "tools": '[{"a": 1}]', "args": {"city": "Oslo"}}),
        (2, {"messages": [], "extra": 7, "args": {"day": "today"}}),
    ]


def test_a_parquet_file_of_traces_is_discovered_and_read(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([{**NATIVE, "trace_id": f"t{n}"} for n in range(600)]), tmp_path / "t.parquet")
    (file,) = discover([str(tmp_path)]).files
    (batch,) = read(file, None)
    assert batch.problems == []
    assert batch.traces["trace_id"].to_list() == [f"t{n}" for n in range(600)]
    assert batch.traces["line"].to_list() == list(range(1, 601))


def test_parquet_that_is_cut_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_pylist([NATIVE]), path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "as Parquet" in refused(str(path))


def test_a_glob_names_files_of_any_name_and_the_files_of_folders(tmp_path: Path) -> None:
    for name in ("a/x.jsonl", "a/deep/y.jsonl.gz", "b/z.log", "b/.hidden.jsonl", "c/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(LINE)
    local = [str(Path(name).relative_to(tmp_path)) for name in names(f"{tmp_path}/**/*.jsonl*")]
    assert local == ["a/deep/y.jsonl.gz", "a/x.jsonl"]
    assert [Path(name).name for name in names(f"{tmp_path}/b/*")] == ["z.log"]
    assert [Path(name).name for name in names(f"{tmp_path}/[ac]")] == ["y.jsonl.gz", "x.jsonl"]
    assert "no file matches" in refused(f"{tmp_path}/*.csv")
    assert "quote it" in refused(f"{tmp_path}/*.csv")


def test_what_matches_a_glob_and_holds_no_traces_is_left_out_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(TWO)
    (tmp_path / "b.jsonl").write_bytes(b'{"x": 1}\n')
    found = discover([f"{tmp_path}/*.jsonl"])
    assert [file.path.name for file in found.files] == ["a.jsonl"]
    assert [skipped.path.name for skipped in found.skipped] == ["b.jsonl"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.jsonl", True),
        ("a.JSON.GZ", True),
        ("a.ndjson.zst", True),
        ("a.parquet", True),
        ("a.gz", False),
        ("a.csv.gz", True),
        ("a.tsv", False),
    ],
)
def test_the_files_of_a_folder_are_chosen_by_their_names(name: str, wanted: bool) -> None:
    assert may_hold_traces(name) is wanted


def test_stdin_is_read_as_often_as_needed_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Piped:
        buffer = io.BytesIO(TWO)

    monkeypatch.setattr(sys, "stdin", Piped)
    (file,) = discover(["-"]).files
    assert len(raws(file)) == len(raws(file)) == 2
    (batch,) = read(file, None)
    assert set(batch.traces["path"]) == {"stdin"}


def test_the_copy_of_stdin_is_gone_when_the_process_ends() -> None:
    code = "from curation.ingest import discover; print(discover(['-']).files[0].path)"
    done = subprocess.run([sys.executable, "-c", code], input=TWO, capture_output=True, check=True)
    assert not Path(done.stdout.decode().strip()).exists()


def test_a_pipe_given_as_a_path_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(TWO,))
    writer.start()
    (file,) = discover([str(path)]).files
    writer.join()
    assert len(raws(file)) == 2


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_a_url_that_fsspec_knows_is_a_source_and_its_traces_say_so(scheme: str, tmp_path: Path, memory: str) -> None:
    root = memory if scheme == "memory" else f"file://{tmp_path}"
    for name, content in (
        ("a.jsonl", TWO),
        ("deep/b.jsonl.gz", gzip.compress(TWO)),
        (".x/c.jsonl", TWO),
        ("d.txt", TWO),
    ):
        with fsspec.open(f"{root}/{name}", "wb", auto_mkdir=True) as file:
            file.write(content)
    files = discover([root]).files
    assert [file.path.name for file in files] == ["a.jsonl", "b.jsonl.gz"]
    assert [len(raws(file)) for file in files] == [2, 2]
    (batch,) = read(files[0], None)
    (path,) = set(batch.traces["path"])
    assert path.startswith(f"{scheme}://")
    assert path.endswith("/a.jsonl")
    assert len(discover([f"{root}/deep/b.jsonl.gz"]).files) == 1
    assert [file.path.name for file in discover([f"{root}/*.jsonl"]).files] == ["a.jsonl"]
    assert state_of(files[0].place).size == len(TWO)


def test_what_cannot_be_reached_is_one_sentence_with_its_remedy(memory: str, tmp_path: Path) -> None:
    assert "there is no file or folder memory://bucket/gone" in refused(f"{memory}/gone")
    assert "no file matches memory://bucket/*.jsonl" in refused(f"{memory}/*.jsonl")
    assert "nothing reads cobol://" in refused("cobol://a/b")
    assert "hf://datasets/owner/name" in refused("hf://owner/name")
    fsspec.filesystem("memory").pipe("/bucket/notes.txt", b"hello")
    assert "holds no file of traces; files there: 1" in refused(memory)


def test_s3_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    loaded = sys.modules["fsspec.registry"]._registry  # type: ignore[attr-defined]
    monkeypatch.delitem(loaded, "s3", raising=False)
    assert "pip install 'curation[s3]'" in refused("s3://bucket/traces.jsonl")


def test_a_format_that_other_files_complete_is_not_read_from_afar(memory: str) -> None:
    record = {"id": "simple_0", "question": [[{"role": "user", "content": "hi"}]], "function": [{"name": "f"}]}
    fsspec.filesystem("memory").pipe("/bucket/BFCL_v3_simple.json", json.dumps(record).encode())
    assert "copy its folder here" in refused(f"{memory}/BFCL_v3_simple.json")


def test_a_record_that_has_all_it_needs_is_read_from_afar_though_others_of_its_format_have_not(memory: str) -> None:
    record = {"sample_id": "1", "input": "Add 1 and 2.", "output": "[]", "tools": "[]", "gold_answer": "3"}
    fsspec.filesystem("memory").pipe("/bucket/nestful.jsonl", json.dumps(record).encode())
    (file,) = discover([f"{memory}/nestful.jsonl"]).files
    (batch,) = read(file, None)
    assert (file.format, batch.traces["trace_id"].to_list(), batch.problems) == ("nestful", ["1"], [])


def test_a_place_has_one_key_however_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(TWO)
    (tmp_path / "link.jsonl").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    assert {Place(name, Path(name)).key for name in ("a.jsonl", "link.jsonl", str(path))} == {os.path.realpath(path)}


@pytest.mark.parametrize("given", ["caf\udce9.jsonl", "d\udce9", "*.jsonl", "."])
def test_a_name_that_is_not_utf_8_is_read_and_told_in_letters_that_can_be_printed(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkdir(b"d\xe9")
    for name in (b"caf\xe9.jsonl", b"d\xe9/caf\xe9.jsonl"):
        Path(os.fsdecode(name)).write_bytes(TWO)
    for file in discover([given]).files:
        (batch,) = read(file, None)
        (path,) = set(batch.traces["path"])
        assert path.endswith("caf\\xe9.jsonl")
        assert file.place.name.encode().endswith(b"caf\\xe9.jsonl")


@pytest.mark.parametrize("given", ["gone\udce9", "gone\udce9/*.jsonl", "~nosuchuser/x", "~nosuchuser/*.jsonl"])
def test_a_name_that_names_nothing_is_one_printable_sentence(given: str) -> None:
    said = refused(given)
    assert "check the p" in said
    assert said.encode()
