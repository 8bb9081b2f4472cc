"""What is installed is the whole of it and nothing else: every data file is in the wheel, no warehouse ever is."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("curation", "flows", "schemas", "trainers", "warehouse")
STRAY = ("warehouse/curation.duckdb", "warehouse/curation.duckdb.wal", "warehouse/curation.duckdb.journal/1.jsonl")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names in a wheel built from a copy of the tracked files, beside which a warehouse has been left lying about."""
    copy = tmp_path_factory.mktemp("source")
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in tracked.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    for name in STRAY:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(b"private")
    out = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        str(out),
        str(copy),
    ]
    subprocess.run(command, capture_output=True, check=True)
    (path,) = out.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_every_file_of_the_packages_is_in_the_wheel(wheel: list[str]) -> None:
    files = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".duckdb" not in str(path)
    ]
    assert len(files) > 150
    assert set(files) - set(wheel) == set()


def test_nothing_else_is_in_the_wheel(wheel: list[str]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel} == set(PACKAGES)
    assert not [name for name in wheel if "duckdb" in name]


def test_git_and_docker_leave_the_warehouse_out() -> None:
    for name in (
        *STRAY,
        "curation.duckdb.gate",
        "curation.duckdb.judge.lock",
        "curation.duckdb.prefect.db",
        "releases/a/b",
    ):
        done = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT)
        assert done.returncode == 0, name
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {"**/*.duckdb", "**/*.duckdb.*", ".venv"} <= set(ignored)


def test_every_dependency_is_pinned_in_the_constraints() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    pinned = {
        line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    names = {
        name.split("[")[0].split("<")[0].split(">")[0].split("=")[0].strip().lower().replace("_", "-")
        for name in wanted
    }
    assert names - pinned - {"curation"} == set()  # an extra may ask for another of our own


def test_what_is_installed_is_what_the_constraints_pin() -> None:
    from importlib.metadata import distributions

    pins = dict(
        line.lower().split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    )
    installed = {(d.metadata["Name"] or "").lower(): d.version for d in distributions()}
    critical = ("prefect", "fastapi", "sqlalchemy", "duckdb", "polars", "datasketch", "anthropic", "datasets")
    assert {name: installed[name] for name in critical} == {name: pins[name] for name in critical}
