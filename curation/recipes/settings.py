"""Changes single settings of a recipe, the way a command line gives them: `section.key=value`."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from curation.errors import RecipeError
from curation.recipe import Recipe
from curation.recipes import of_document

SETTING = re.compile(r"(?P<path>[A-Za-z_]\w*(?:\.\w+)+)=(?P<value>.+)", re.DOTALL)
CHECKED = ("check", "dedup", "placeholder", "samples")  # the sections that a check reads


def with_settings(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """The recipe with these settings in the place of its own: each `section.key=value`, such as `check.thinking=optional`.

    A value is written as in TOML; quotation marks around a text may be left out. Raises RecipeError for what is no
    setting, for a section that a check does not read, and for whatever a recipe may not say.
    """
    document: dict[str, Any] = tomllib.loads(recipe.text)
    for setting in settings:
        path, value = parse(setting)
        holder = document
        for name in path[:-1]:
            inner = holder.setdefault(name, {})
            if not isinstance(inner, dict):  # `placeholder.x = "off"`, and now one of its fields is set
                inner = holder[name] = {}
            holder = inner
        holder[path[-1]] = value
    return of_document(document, recipe.text, recipe.origin or Path(recipe.name))


def parse(setting: str) -> tuple[list[str], Any]:
    """A setting's path and value. Raises RecipeError where it is none that a check reads."""
    form = SETTING.fullmatch(setting.strip())
    if form is None:
        raise RecipeError(f"--set {setting!r} is not SECTION.KEY=VALUE, such as check.thinking=optional")
    path = form["path"].split(".")
    if path[0] not in CHECKED:
        raise RecipeError(f"--set {setting!r}: a check reads nothing of [{path[0]}], only of {', '.join(CHECKED)}")
    return path, value_of(form["value"].strip())


def value_of(text: str) -> Any:
    """A value as TOML has it; what is none there is the text that it is."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return text
