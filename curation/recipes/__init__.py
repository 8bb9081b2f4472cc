"""Reads a recipe from its TOML file; the bundled ones beside this module go by name."""

import difflib
import math
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from glob import has_magic, iglob
from pathlib import Path
from typing import Any

from curation.errors import RecipeError
from curation.membership import parse_condition
from curation.recipe import (
    Allow,
    Check,
    Dedup,
    Guard,
    Judge,
    Recipe,
    Release,
    RuleChange,
    Samples,
    Schedule,
    Source,
    Train,
)
from schemas import load_schema

BUNDLED = Path(__file__).parent
SECTIONS = ("samples", "check", "placeholder", "dedup", "judge", "release", "guard", "schedule", "train")


def bundled() -> list[str]:
    """The names under which recipes come with the package."""
    return sorted(file.stem for file in BUNDLED.glob("*.toml"))


def load_recipe(name: str | Path = "default") -> Recipe:
    """The recipe in the file `name`, or the bundled one of that name.

    Raises RecipeError with one sentence for a missing file, broken TOML, an unknown key, a wrong type or a value out
    of range.
    """
    path = Path(name)
    if not (path.suffix == ".toml" or path.is_file()):
        path = BUNDLED / f"{name}.toml"
        if not path.exists():
            raise RecipeError(f"no recipe is called {str(name)!r}; give a .toml file or one of: {', '.join(bundled())}")
    return parse_recipe(read(path), path)


def read(path: Path) -> str:
    """The file's text."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError(f"there is no recipe at {path}; `curation init PATH` writes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the recipe {path} cannot be read: {error}") from error


def parse_recipe(text: str, path: Path) -> Recipe:
    """The recipe that `text`, the contents of `path`, describes."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"the recipe {path} is not TOML: {error}") from error
    return of_document(document, text, path)


def of_document(document: dict[str, Any], text: str, path: Path) -> Recipe:
    """The recipe that a parsed document describes; `text` is what is kept of it, `path` where it came from."""
    for problem in problems(document):
        raise RecipeError(f"the recipe {path}: {problem}")
    for source in document.get("source", []):
        parse_condition(source.get("where"))
    recipe = build(document)
    if recipe.check.placeholder:
        from curation.stand_ins import require_rules  # compiles patterns: only where a recipe has some

        require_rules(recipe.check.placeholder)
    if recipe.release.validation + recipe.release.test >= 1:
        raise RecipeError(
            f"the recipe {path}: [release] validation and test leave nothing to train on; their sum must stay below 1"
        )
    if recipe.train.when != "never" and recipe.train.preset is None:
        raise RecipeError(f'the recipe {path}: [train] when = "{recipe.train.when}" needs a preset; name one beside it')
    if recipe.train.kind == "grpo" and recipe.train.model is None:
        raise RecipeError(
            f'the recipe {path}: [train] kind = "grpo" needs the model that it goes on from; name one beside it'
        )
    require_criteria(recipe, path)
    if recipe.schedule.cron is not None:
        require_budget(recipe, path)
    return replace(recipe, origin=path.resolve(), text=text, sources=tuple(located(s, path) for s in recipe.sources))


def require_criteria(recipe: Recipe, path: Path) -> None:
    """Raises RecipeError for weights of criteria that the rubric does not have, or that leave nothing to weigh."""
    if not recipe.judge.weights:
        return
    from curation.judge.rubric import load_rubric  # reads the prompt

    known = load_rubric().fold.weights
    for name in recipe.judge.weights.keys() - known.keys():
        raise RecipeError(f"the recipe {path}: [judge] weights has no key {name!r}; it takes {', '.join(known)}")
    if not any({**known, **recipe.judge.weights}.values()):
        raise RecipeError(f"the recipe {path}: [judge] weights are all 0, so no plan has a score; give one a weight")


def require_budget(recipe: Recipe, path: Path | None = None) -> None:
    """Raises RecipeError for a recipe that nobody watches while it spends money without an end."""
    from curation.claude.doors import PAID

    if recipe.judge.backend in PAID and recipe.judge.budget_usd is None:
        raise RecipeError(
            f"the recipe {path or recipe.origin}: it runs on a schedule and its judge {recipe.judge.backend} is paid for, so one "
            "run needs an end: add budget_usd = … (US dollars) under [judge]"
        )


def build(document: dict[str, Any]) -> Recipe:
    """The typed recipe of a document that fits the schema."""
    samples = dict(document.get("samples", {}))
    if "from" in samples:
        samples["kinds"] = tuple(samples.pop("from"))
    if "backfill" in samples:
        samples["backfill"] = tuple(samples["backfill"])
    release = dict(document.get("release", {}))
    if "configs" in release:
        release["configs"] = tuple(release["configs"])
    check = dict(document.get("check", {}))
    check["allow"] = tuple(Allow(**entry) for entry in check.get("allow", ()))
    rules = document.get("placeholder", {})
    check["placeholder"] = tuple(
        RuleChange(name, off=True) if change == "off" else RuleChange(name, **change)
        for name, change in sorted(rules.items())
    )
    return Recipe(
        name=document["name"],
        description=document.get("description", ""),
        sources=tuple(Source(**source) for source in document.get("source", [])),
        samples=Samples(**samples),
        check=Check(**check),
        dedup=Dedup(**document.get("dedup", {})),
        judge=Judge(**document.get("judge", {})),
        release=Release(**release),
        guard=Guard(**document.get("guard", {})),
        schedule=Schedule(**document.get("schedule", {})),
        train=Train(**document.get("train", {})),
    )


def located(source: Source, recipe: Path) -> Source:
    """The source with its relative path resolved: beside the recipe where it exists there, else as it was written."""
    if source.path is None or Path(source.path).is_absolute() or "://" in source.path:
        return source
    beside = recipe.resolve().parent / source.path
    there = beside.exists() or (has_magic(source.path) and any(iglob(str(beside), recursive=True)))
    return replace(source, path=str(beside.resolve())) if there else source


def problems(document: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the document, most telling first, each as one sentence."""
    import jsonschema  # heavy: `curation --help` must not wait for it

    for path, value in numbers(document):
        if not math.isfinite(value):
            yield f"{written(path)} = {value!r} is not a finite number"
    validator = jsonschema.Draft202012Validator(load_schema("recipe"))
    for error in sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.absolute_path))):
        place = written(list(error.absolute_path))
        if error.validator == "additionalProperties":
            known = sorted(error.schema["properties"])
            for key in sorted(set(error.instance) - set(known)):
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                yield f"{place or 'the top level'} has no key {key!r}; {hint}it takes {', '.join(known)}"
        elif error.validator == "required":
            yield f"{place or 'the top level'} misses a key: {error.message}"
        else:
            yield f"{place} = {error.instance!r} is refused: {error.message.removeprefix(repr(error.instance)).strip()}"


def numbers(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[list[str | int], float]]:
    """Every floating-point number of the document with its place; TOML can say nan and inf, JSON Schema cannot see them."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from numbers(member, (*path, key))
    if isinstance(value, float):
        yield list(path), value


def written(path: list[str | int]) -> str:
    """A place in the document as its author wrote it: `[judge] accept`, `[[source]] number 2, path`."""
    if not path:
        return ""
    if len(path) == 1:
        return f"[{path[0]}]" if path[0] in SECTIONS else str(path[0])
    if isinstance(path[1], int):
        return f"[[{path[0]}]] number {path[1] + 1}" + "".join(f", {key}" for key in path[2:])
    return f"[{path[0]}] " + ".".join(map(str, path[1:]))
