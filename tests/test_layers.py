"""The house stands as docs/architecture.md draws it: who may import whom, and where each heavy library lives."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# package -> the packages of ours that it may import
LAYERS = {
    "schemas": {"schemas"},
    "warehouse": {"warehouse", "schemas"},
    "curation": {"curation", "schemas"},
    "flows": {"flows", "curation", "warehouse", "schemas"},
    "trainers": {"trainers", "curation", "schemas"},
    "page": {"page", "warehouse", "curation", "schemas"},
}
OURS = set(LAYERS)
ANYWHERE = ("curation/cli/",)  # the one package of curation that reaches the others, lazily

# library -> the places, relative to the root, that may import it
HOMES = {
    "prefect": ("flows/",),
    "duckdb": ("warehouse/",),
    "anthropic": ("curation/claude/doors.py", "curation/claude/sdk.py"),
    "aiohttp": ("curation/claude/plain.py", "curation/claude/sdk.py", "trainers/chat_api.py"),
    "datasketch": ("curation/dedup/",),
    "huggingface_hub": ("curation/release/targets/", "curation/formats/", "trainers/"),
    "matplotlib": ("trainers/evaluation/picture.py", "trainers/search/picture.py"),
    "optuna": ("trainers/search/drawing.py",),
    "torch": ("trainers/",),
    "trl": ("trainers/",),
    "transformers": ("trainers/",),
    "gguf": ("trainers/export/",),
    "llama_cpp": ("trainers/export/native.py",),
    "peft": ("trainers/export/merging.py",),
}


def modules() -> list[Path]:
    """Every Python file of the packages."""
    return [path for package in LAYERS for path in sorted((ROOT / package).rglob("*.py"))]


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(top-level name, whether at the top of the module) of every absolute import in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0], id(node) in top


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_layer_may(path: Path) -> None:
    place = str(path.relative_to(ROOT))
    allowed = OURS if place.startswith(ANYWHERE) else LAYERS[place.split("/")[0]]
    wrong = {name for name, _ in imports(path) if name in OURS} - allowed
    assert not wrong, f"{place} imports {wrong}; its layer allows {sorted(allowed)}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_heavy_library_is_imported_only_at_home(path: Path) -> None:
    place = str(path.relative_to(ROOT))
    for name, _ in imports(path):
        homes = HOMES.get(name)
        assert homes is None or place.startswith(homes), f"{place} imports {name}, whose home is {homes}"


def test_the_cli_reaches_the_other_packages_lazily() -> None:
    commands = sorted((ROOT / "curation" / "cli").glob("*.py"))
    assert len(commands) > 3
    for path in commands:
        eager = {name for name, top in imports(path) if top and name in OURS - {"curation"}}
        assert not eager, f"{path.name} imports {eager} before any command needs it"


def test_the_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['curation', '--help']\n"
        "from curation.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(sorted({set(HOMES) | {'datasets', 'jsonschema'}!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_layers_test_can_see_a_wrong_import(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def f():\n    import duckdb\nfrom flows import judging\n")
    assert set(imports(tmp_path / "bad.py")) == {("duckdb", False), ("flows", True)}
