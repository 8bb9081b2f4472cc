"""What a search may change: settings of a preset with their values, in one TOML file, and never the task itself."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from curation.errors import InputError
from trainers.presets import Preset, PresetError, changed

TRAINERS = ("grpo", "sft")
SCALES = ("linear", "log")
Value = float | int | str | bool
Settings = dict[str, Value]  # key of a preset -> its value


class SpaceError(InputError):
    """The owner of the search space must act: it names what may not be searched, or values that a preset cannot have."""


class UnfitError(InputError):
    """A proposal is not of the space, or makes no preset; who proposed it is told so and may propose again."""


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, whole where both ends are; on the scale `log` each tenfold counts alike."""

    low: float
    high: float
    scale: str = "linear"

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple[Value, ...]:
        """The values that a preset must be able to take."""
        return (self.low, self.high)

    def holds(self, value: Any) -> bool:
        """Whether a value is in it."""
        kinds = (int,) if self.whole else (int, float)
        return type(value) in kinds and self.low <= value <= self.high

    def own(self, value: Value) -> Value:
        """The value in its own type: 1 is 1.0 where numbers need not be whole."""
        return float(value) if type(value) is int and not self.whole else value

    def __str__(self) -> str:
        return f"{'a whole number' if self.whole else 'a number'} from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    among: tuple[Value, ...]

    @property
    def ends(self) -> tuple[Value, ...]:
        """The values that a preset must be able to take."""
        return self.among

    def holds(self, value: Any) -> bool:
        """Whether a value is one of them; 1 is 1.0, and not true."""
        return any(_same(value, one) for one in self.among)

    def own(self, value: Value) -> Value:
        """The one of them that a value is."""
        return next((one for one in self.among if _same(value, one)), value)

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.among))}"


def _same(value: Any, one: Value) -> bool:
    return bool(value == one) and isinstance(value, bool) == isinstance(one, bool)


@dataclass(frozen=True)
class Space:
    """A search space, validated. `train`: whose settings it holds; a run of it is a trial's."""

    name: str
    train: str
    settings: Mapping[str, Range | Choice]

    def values(self, preset: Preset) -> Settings:
        """The preset's own values of the settings; none is the word "none", as TOML has no null."""
        found: Settings = {}
        for key in self.settings:
            value: Any = preset
            for name in key.split("."):
                value = getattr(value, name)
            found[key] = "none" if value is None else value
        return found

    def preset(self, base: Preset, settings: Mapping[str, Value]) -> Preset:
        """The preset with other values. Raises UnfitError for a key or value outside of the space."""
        for key, value in settings.items():
            if key not in self.settings:
                raise UnfitError(
                    f"{key!r} is not a setting of the space {self.name}; it has {', '.join(self.settings)}"
                )
            if not self.settings[key].holds(value) and value != self.values(base)[key]:
                raise UnfitError(f"{key} = {value!r} is not {self.settings[key]}, as the space {self.name} has it")
        try:
            return changed(base, settings)
        except PresetError as error:
            raise UnfitError(str(error)) from error


def bundled() -> list[str]:
    """The names under which spaces come with the package."""
    return sorted(f.name.removesuffix(".toml") for f in _home().iterdir() if f.name.endswith(".toml"))


def load_space(name: str | Path, base: Preset) -> Space:
    """The space in the file `name`, or the bundled one of that name, for a preset that it must fit.

    Raises SpaceError with one sentence for a missing file, broken TOML, a setting that is the task's or no preset's,
    a value that a preset cannot have.
    """
    space = parse_space(_text(Path(name), str(name)), str(name))
    for key, setting in space.settings.items():
        for value in setting.ends:
            try:
                changed(base, {key: value})
            except PresetError as error:
                raise SpaceError(f"the space {name} does not fit: {error}") from error
    return space


def parse_space(text: str, where: str) -> Space:
    """The space that `text` describes; `where` names it in errors."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpaceError(f"the space {where} is not TOML: {error}") from error
    unknown = document.keys() - {"name", "train", "settings"}
    if unknown:
        raise SpaceError(f"the space {where} has no key {sorted(unknown)[0]!r}; it takes name, train, settings")
    settings = document.get("settings")
    if not isinstance(document.get("name"), str) or not isinstance(settings, dict) or not settings:
        raise SpaceError(f"the space {where} needs a name, and a table [settings] with at least one setting")
    if document.get("train") not in TRAINERS:
        raise SpaceError(f"the space {where}: train = {document.get('train')!r} must be one of {', '.join(TRAINERS)}")
    for key in settings:
        require_allowed(key, where)
    return Space(document["name"], document["train"], {key: _setting(key, one, where) for key, one in settings.items()})


def require_allowed(key: str, where: str) -> None:
    """Raises SpaceError for a key that is the task's, or that no trainer reads."""
    for pattern, why in refused().items():
        if fnmatchcase(key.lower(), pattern):
            raise SpaceError(f"the space {where} may not hold {key!r}: {why}")
    if not key.startswith(tuple(f"{name}." for name in TRAINERS)):
        raise SpaceError(f"the space {where} may not hold {key!r}; it takes settings of grpo and sft, such as sft.clip")


@cache
def refused() -> dict[str, str]:
    """What no space may hold: pattern of a key -> why."""
    return tomllib.loads((files("trainers.search") / "refused.toml").read_text(encoding="utf-8"))


def _setting(key: str, one: Any, where: str) -> Range | Choice:
    told = f"the space {where}: {key}"
    if not isinstance(one, dict) or one.keys() not in ({"among"}, {"from", "to"}, {"from", "to", "scale"}):
        raise SpaceError(f"{told} must be {{ from = …, to = …, scale = … }} or {{ among = [ … ] }}")
    if "among" in one:
        values = one["among"]
        if not isinstance(values, list) or len(values) < 2 or not all(isinstance(v, Value) for v in values):
            raise SpaceError(f"{told}: among = {values!r} must list two values or more")
        return Choice(tuple(values))
    low, high, scale = one["from"], one["to"], one.get("scale", "linear")
    if not all(type(end) in (int, float) for end in (low, high)) or not low < high:
        raise SpaceError(f"{told}: from = {low!r} must be a number below to = {high!r}")
    if scale not in SCALES or (scale == "log" and low <= 0):
        raise SpaceError(f"{told}: scale = {scale!r} must be linear or log, and on log from must be above 0")
    return Range(low, high, scale)


def _text(path: Path, name: str) -> str:
    try:
        if path.suffix == ".toml" or path.is_file():
            return path.read_text(encoding="utf-8")
        return str((_home() / f"{name}.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise SpaceError(
            f"no search space is called {name!r}; give a .toml file or one of: {', '.join(bundled())}"
        ) from None


def _home() -> Any:
    return files("trainers.search") / "spaces"
