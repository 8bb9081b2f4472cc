"""Backs a warehouse up with the replies that wait beside it, and puts a backup back where there is none."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

import curation
from curation.claude.journal import journal_folder
from curation.errors import InputError
from curation.synthesis.ledger import JOURNAL
from warehouse import Store, keeping

FILE, ABOUT = "curation.duckdb", "backup.json"
JOURNALS = ("journal", JOURNAL)  # replies that were paid for and that the warehouse does not hold yet


@dataclass(frozen=True)
class Backup:
    """What a backup's `backup.json` says. `journals`: files of replies, path below the folder -> SHA-256."""

    made_at: str
    code: str
    sha256: str
    bytes: int
    journals: dict[str, str]


def size(store: Store) -> dict[str, Any]:
    """What `curation warehouse size --json` prints: bytes of the file and beside it, rows and bytes by table."""
    told = keeping.size(store)
    waiting = [file for name in JOURNALS for file in journal_folder(store.path, name).glob("*") if file.is_file()]
    return {
        "warehouse": str(store.path),
        "bytes": told.bytes,
        "free": told.free,
        "journals": sum(file.stat().st_size for file in waiting),
        "tables": [asdict(table) for table in told.tables],
    }


def backup(store: Store, folder: Path) -> Backup:
    """Copies the warehouse and its journals into a new folder; `backup.json` is written last, and makes it a backup.

    The journals are copied first: what is folded in meanwhile is then in both, and is known again by its id. Raises
    InputError where the folder holds anything, StoreError where there is no warehouse.
    """
    if not store.exists():
        raise InputError(f"there is no warehouse at {store.path} to back up; --warehouse names another")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}; choose another") from error
    if any(folder.iterdir()):
        raise InputError(f"{folder} is not empty; give each backup a folder of its own, such as {folder}/2026-10-01")
    journals = {}
    for name in JOURNALS:
        for file in sorted(journal_folder(store.path, name).glob("*")):
            (folder / name).mkdir(exist_ok=True)
            to = folder / name / file.name
            try:
                journals[f"{name}/{file.name}"] = keeping.place(file, to)
            except FileNotFoundError:
                to.unlink(missing_ok=True)  # folded in since it was listed: the copy of the warehouse has it
    digest = keeping.copy(store, folder / FILE)
    made = Backup(
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        curation.__version__,
        digest,
        (folder / FILE).stat().st_size,
        journals,
    )
    partial = folder / f".{ABOUT}.partial"
    partial.write_bytes(orjson.dumps(asdict(made), option=orjson.OPT_INDENT_2))
    partial.replace(folder / ABOUT)
    return made


def restore(store: Store, folder: Path) -> Backup:
    """Puts a backup where there is no warehouse, after comparing every file of it; an older one is brought up to date.

    Raises InputError where there is a warehouse already, and where the folder is no whole backup.
    """
    made = read(folder)
    there = [path for path in (store.path, *(journal_folder(store.path, name) for name in JOURNALS)) if holds(path)]
    if there:
        raise InputError(
            f"{there[0]} is there already, and is not overwritten; move it away, or restore to another place with --warehouse"
        )
    for path, digest in {FILE: made.sha256, **made.journals}.items():
        if not (folder / path).is_file() or keeping.digest_of(folder / path) != digest:
            raise InputError(f"{folder / path} is not what {ABOUT} says; restore another backup")
    for path in made.journals:
        name, file = path.split("/")
        to = journal_folder(store.path, name)
        to.mkdir(parents=True, exist_ok=True)
        keeping.place(folder / path, to / file)
    store.path.parent.mkdir(parents=True, exist_ok=True)
    keeping.place(folder / FILE, store.path)
    with store.closed():
        pass  # what an older version made is brought up to date now, not in the night
    return made


def holds(path: Path) -> bool:
    """Whether a file with bytes or a folder with files is there."""
    return any(path.iterdir()) if path.is_dir() else path.is_file() and path.stat().st_size > 0


def read(folder: Path) -> Backup:
    """What a backup says of itself. Raises InputError where the folder is none."""
    try:
        return Backup(**orjson.loads((folder / ABOUT).read_bytes()))
    except FileNotFoundError:
        raise InputError(
            f"{folder} is no backup: it has no {ABOUT}, which is written last; `curation warehouse backup DIR` makes one"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{folder / ABOUT} cannot be read ({error}); restore another backup") from error


def compact(store: Store) -> dict[str, int]:
    """The bytes before and after every row was written anew. Raises StoreError where there is no room for both."""
    before, after = keeping.compact(store)
    return {"before": before, "after": after}
