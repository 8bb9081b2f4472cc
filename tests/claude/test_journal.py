"""The journal loses nothing that was acknowledged and lets nothing count twice."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from curation.claude import journal as journal_module
from curation.claude.errand import Reply
from curation.claude.journal import Journal, count, discard, pending
from curation.judge.judgement import JUDGEMENT_FRAME
from curation.judge.ledger import judgements, record
from curation.judge.rubric import load_rubric
from curation.judge.specification import specify
from tests.judge.samples import sample

SPECIFICATION = specify("anthropic", "claude-opus-4-6", load_rubric())


def a_record(i: int, raw: str = "{}"):
    return record(sample(f"Request {i}"), Reply(raw), SPECIFICATION)


def write(folder: Path, n: int, start: int = 0) -> None:
    async def all_at_once() -> None:
        async with Journal(folder) as journal:
            await asyncio.gather(*(journal.append(a_record(i)) for i in range(start, start + n)))

    asyncio.run(all_at_once())


def ids(folder: Path) -> list[str]:
    return [row for file in pending(folder) for row in judgements(file)["judgement_id"]]


def test_every_record_comes_back_once_and_in_order(tmp_path):
    write(tmp_path, 50)
    write(tmp_path, 50, 50)
    assert ids(tmp_path) == [a_record(i)["judgement_id"] for i in range(100)]
    assert count(tmp_path) == 100
    assert len(pending(tmp_path)) == 2
    assert judgements(pending(tmp_path)[0]).schema == JUDGEMENT_FRAME


def test_a_record_is_on_disk_when_append_returns(tmp_path):
    async def one() -> int:
        async with Journal(tmp_path) as journal:
            await journal.append(a_record(1))
            return count(tmp_path)

    assert asyncio.run(one()) == 1


def test_records_that_come_together_share_a_write(tmp_path, monkeypatch):
    syncs = []
    monkeypatch.setattr(journal_module.os, "fdatasync", syncs.append)
    write(tmp_path, 100)
    assert len(ids(tmp_path)) == 100
    assert 1 <= len(syncs) < 100


def test_a_file_being_written_is_nobodys_to_take(tmp_path):
    async def look() -> tuple[list[object], int]:
        async with Journal(tmp_path) as journal:
            await journal.append(a_record(1))
            return pending(tmp_path), count(tmp_path)

    assert asyncio.run(look()) == ([], 1)
    assert len(pending(tmp_path)) == 1


def test_after_rotation_the_file_can_be_taken_and_writing_goes_on(tmp_path):
    async def rotate() -> int:
        async with Journal(tmp_path) as journal:
            await journal.append(a_record(1))
            await journal.rotate()
            taken = pending(tmp_path)
            for file in taken:
                discard(file)
            await journal.append(a_record(2))
            return len(taken)

    assert asyncio.run(rotate()) == 1
    assert ids(tmp_path) == [a_record(2)["judgement_id"]]


def test_a_large_journal_is_split(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "FILE_LIMIT", 2000)

    async def several() -> None:
        async with Journal(tmp_path) as journal:
            for i in range(10):
                await journal.append(a_record(i, "x" * 1000))

    asyncio.run(several())
    assert len(pending(tmp_path)) > 1
    assert len(ids(tmp_path)) == 10


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_torn_last_line_is_dropped_and_no_other(tmp_path, cut):
    write(tmp_path, 5)
    path = pending(tmp_path)[0].path
    path.write_bytes(path.read_bytes()[:-cut])
    whole = 5 if cut == 1 else 4  # only its line feed is missing: the record is there
    assert ids(tmp_path) == [a_record(i)["judgement_id"] for i in range(whole)]
    discard(pending(tmp_path)[0])
    assert not list(tmp_path.iterdir())


def test_a_file_damaged_within_is_read_as_far_as_can_be_and_never_deleted(tmp_path):
    write(tmp_path, 5)
    path = pending(tmp_path)[0].path
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"\0\0\0\n", *lines[2:]]))
    assert len(ids(tmp_path)) == 4
    discard(pending(tmp_path)[0])
    assert pending(tmp_path) == []
    assert [file.suffix for file in tmp_path.iterdir()] == [".damaged"]


def test_a_record_written_twice_is_one_judgement(tmp_path):
    write(tmp_path, 3)
    path = pending(tmp_path)[0].path
    path.write_bytes(path.read_bytes() * 2)
    assert judgements(pending(tmp_path)[0]).height == 3


def test_discarding_twice_is_fine_and_a_file_gone_meanwhile_is_empty(tmp_path):
    write(tmp_path, 3)
    file = pending(tmp_path)[0]
    discard(file)
    discard(file)
    assert judgements(file).height == 0


def test_no_folder_is_an_empty_journal(tmp_path):
    assert pending(tmp_path / "absent") == []
    assert count(tmp_path / "absent") == 0


def test_another_attempt_is_another_judgement_and_the_same_one_is_not():
    first, again, second = (
        record(sample(attempt=attempt), Reply("{}"), SPECIFICATION)["judgement_id"] for attempt in (0, 0, 1)
    )
    assert first == again != second


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from curation.claude.journal import Journal
from tests.claude.test_journal import a_record

async def main():
    journal = await Journal(Path(sys.argv[1])).__aenter__()
    for i in range(20):
        await journal.append(a_record(i))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_what_a_killed_process_wrote_is_there_to_be_taken(tmp_path):
    code = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False).returncode
    assert code == -9
    assert ids(tmp_path) == [a_record(i)["judgement_id"] for i in range(20)]
