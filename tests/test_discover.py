"""Which files of what a user names are read, and the one sentence they get where none can be."""

import json
from pathlib import Path

import pytest

from curation.errors import InputError
from curation.formats import FORMATS
from curation.ingest import DataFile, discover, read

NATIVE = b'{"messages": [{"role": "user", "content": "hello"}], "candidates": []}\n'
LOG = b'{"request": {"messages": [{"role": "user", "content": "hello"}]}, "response": {"choices": []}}\n'


def put(folder: Path, **files: bytes) -> Path:
    """Writes files, `a__b` as a/b, all ending in .jsonl."""
    for name, content in files.items():
        path = folder / f"{name.replace('__', '/')}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def refused(*paths: Path | str, named: str = "auto") -> str:
    with pytest.raises(InputError) as error:
        discover([str(path) for path in paths], named)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_folder_is_walked_in_order_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, b=NATIVE, a__z=LOG, a__b=NATIVE, **{".hidden": NATIVE, ".git__c": NATIVE})
    (tmp_path / "notes.txt").write_bytes(NATIVE)
    found = discover([str(tmp_path)])
    assert found.files == [
        DataFile(tmp_path / "a/b.jsonl", "ondemand"),
        DataFile(tmp_path / "a/z.jsonl", "openai"),
        DataFile(tmp_path / "b.jsonl", "ondemand"),
    ]
    assert found.skipped == []


def test_what_a_folder_holds_besides_traces_is_left_out_with_its_reason(tmp_path: Path) -> None:
    put(tmp_path, traces=NATIVE, other=b'{"x": 1, "y": 2}\n', empty=b"\n", words=b"hello\n")
    found = discover([str(tmp_path)])
    assert [file.path.name for file in found.files] == ["traces.jsonl"]
    why = {skipped.path.stem: skipped.why for skipped in found.skipped}
    assert set(why) == {"other", "empty", "words"}
    assert "keys x, y" in why["other"]
    assert why["empty"] == "it is empty"
    assert "line 1: not JSON" in why["words"]


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    put(tmp_path, a=NATIVE)
    assert len(discover([str(tmp_path), str(tmp_path / "a.jsonl")]).files) == 1


@pytest.mark.parametrize(
    "name", ["field", "tool", "a-spec", "possible_answer__a", "multi_turn_func_doc__a", "format_sensitivity"]
)
def test_a_name_alone_makes_no_file_a_companion(name: str, tmp_path: Path) -> None:
    found = discover([str(put(tmp_path, **{name: NATIVE}))])
    assert [file.format for file in found.files] == ["ondemand"]
    assert found.companions == []


def test_an_explicit_file_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / "export.log"
    path.write_bytes(NATIVE)
    assert discover([str(path)]).files == [DataFile(path, "ondemand")]


def test_one_broken_line_among_good_ones_hides_no_format(tmp_path: Path) -> None:
    put(tmp_path, a=b"broken\n" + NATIVE, b=b'{"x": 1}\n' + NATIVE * 3)
    assert {file.format for file in discover([str(tmp_path)]).files} == {"ondemand"}


def test_a_file_of_which_nothing_can_be_read_needs_its_format_named(tmp_path: Path) -> None:
    path = put(tmp_path, a=b"broken\nbroken too\n") / "a.jsonl"
    assert "name its format with --format" in refused(path)
    (file,) = discover([str(path)], "ondemand").files
    (batch,) = read(file, None)
    assert batch.traces.height == 2
    assert [problem.line for problem in batch.problems] == [1, 2]


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.jsonl") == f"there is no file or folder {tmp_path / 'gone.jsonl'}; check the path"


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf", b"[]"])
def test_an_empty_file_is_refused(content: bytes, tmp_path: Path) -> None:
    assert "is empty" in refused(put(tmp_path, a=content) / "a.jsonl")


def test_a_folder_without_traces_is_refused(tmp_path: Path) -> None:
    assert "holds no traces in a known format" in refused(tmp_path)
    put(tmp_path, other=b'{"x": 1}\n')
    assert "; files looked at: 1 (" in refused(tmp_path)


def test_a_file_of_no_known_format_is_refused_with_the_formats_and_its_keys(tmp_path: Path) -> None:
    path = put(tmp_path, a=json.dumps({f"k{i}": i for i in range(30)}).encode()) / "a.jsonl"
    message = refused(path)
    assert ", ".join(FORMATS) in message
    assert "keys k0, k1, k2" in message
    assert "k20" not in message


def test_a_file_of_another_format_than_the_one_named_is_refused(tmp_path: Path) -> None:
    put(tmp_path, native=NATIVE, other=b'{"x": 1}\n')
    assert "is in the format ondemand, not openai" in refused(tmp_path / "native.jsonl", named="openai")
    assert "is not in the format openai" in refused(tmp_path / "other.jsonl", named="openai")
    assert "holds no traces in the format openai; files looked at: 2" in refused(tmp_path, named="openai")


def test_an_unknown_format_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    assert refused(tmp_path, named="opnai") == (
        f"there is no format 'opnai'; choose auto or one of {', '.join(FORMATS)}"
    )


def test_a_companion_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "toy-spec.json"
    path.write_bytes(b'[{"name": "a", "parameters": {}, "output_parameters": {}}]')
    assert "it only completes those of nestful" in refused(path)
