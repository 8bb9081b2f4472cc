"""The docs say what is: commands, options, files, variables and the example filter are looked up in the code."""

import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer

from curation import stages
from curation.batch import Batch
from curation.cli import app
from curation.recipe import Check
from curation.recipes import bundled
from curation.sample import SAMPLE_FRAME

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(
        ROOT / "docs" / f"{page}.md"
        for page in (
            "architecture",
            "checks",
            "deploy",
            "evaluation",
            "export",
            "formats",
            "grpo",
            "judging",
            "plugins",
            "releases",
            "rewards",
            "search",
            "synthesis",
            "training",
        )
    ),
]
COMMANDS = typer.main.get_group(app).commands
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:^|[\s`/])curation ((?!\.)[a-z]+)((?: +[^\s`#]+)*)", re.MULTILINE)
VARIABLE = re.compile(r"\b(?:ANTHROPIC|CURATION|HF|CLOUD|OPENAI)_[A-Z_]+\b")


def page_id(page: Path) -> str:
    return page.name


def commands_in(page: Path) -> Iterator[tuple[str, list[str]]]:
    """(name, words after it) of every command line in a page's code."""
    text = page.read_text(encoding="utf-8")
    code = re.findall(r"```\n(.*?)```", text, re.DOTALL) + re.findall(
        r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    )
    for part in code:
        for name, rest in COMMAND.findall(part):
            yield name, rest.split()


def parameters(command: Any) -> list[Any]:
    """A command's parameters; of a group, those of all its commands."""
    return [*command.params, *(p for inner in getattr(command, "commands", {}).values() for p in inner.params)]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_command_and_option_in_the_docs_exists(page: Path) -> None:
    for name, words in commands_in(page):
        assert name in COMMANDS, f"{page.name} names the command {name}"
        known = {option for parameter in parameters(COMMANDS[name]) for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, f"{page.name}: curation {name} {words}"


def test_the_docs_show_commands_at_all() -> None:
    shown = {name for page in PAGES for name, _ in commands_in(page)}
    assert shown == COMMANDS.keys()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_in_the_docs_leads_to_a_file(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "//" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_environment_variable_in_the_docs_is_read_somewhere(page: Path) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "curation").rglob("*.py"))
    by_library = {"HF_TOKEN", "HF_ENDPOINT"}  # huggingface_hub reads these
    named = set(VARIABLE.findall(page.read_text(encoding="utf-8")))
    assert {name for name in named - by_library if name not in code} == set()


def test_the_make_targets_in_the_docs_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        name
        for page in PAGES
        for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named
    assert named <= targets


def test_the_readme_names_every_bundled_recipe_and_a_trace_that_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in bundled() if name not in text] == []
    labels = (ROOT / "tests" / "data" / "examples_labels.jsonl").read_text(encoding="utf-8")
    traces = re.findall(r"\btr-[0-9a-f]{12}\b", text)
    assert traces
    assert [trace for trace in traces if trace not in labels] == []


def example_filter() -> types.ModuleType:
    """The filter that docs/architecture.md shows, as a module."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    shown = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    module = types.ModuleType("brevity")
    exec(compile(shown[0], "docs/architecture.md", "exec"), module.__dict__)
    return module


def test_the_example_filter_in_the_docs_is_a_complete_stage() -> None:
    brevity = example_filter()
    wanted = set(stages.RowStage.__annotations__)
    assert wanted <= set(vars(brevity))
    rows = [
        {"sample_id": name, "kind": "plan", "messages": "[]", "candidates": None, "thinking": thinking, "plan": None}
        for name, thinking in (("short", "The user asks for the weather."), ("long", "so " * 5_000), ("none", None))
    ]
    decided = brevity.decide(Batch(pl.DataFrame(rows, schema_overrides=SAMPLE_FRAME)), Check())
    assert dict(decided.select("sample_id", "outcome").iter_rows()) == {"short": "pass", "long": "fail", "none": "pass"}
    assert decided.filter(sample_id="long")["reason"].to_list() == list(brevity.REASONS)
