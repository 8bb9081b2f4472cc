"""Every SQL file says what it is for, is used, and runs."""

from pathlib import Path

import pytest

from warehouse.migrate import migrations
from warehouse.queries import query

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "warehouse" / "queries").glob("*.sql"))
CODE = "\n".join(path.read_text() for package in ("warehouse", "flows") for path in (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_query_begins_with_what_it_is_for_and_is_used(name: str) -> None:
    assert query(name).startswith("-- ")
    assert f'"{name}"' in CODE


def test_every_migration_has_a_number_of_its_own() -> None:
    numbers = [number for number, _, _ in migrations()]
    assert numbers[0] == 1
    assert numbers == sorted(set(numbers))
