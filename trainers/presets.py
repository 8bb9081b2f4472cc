"""A preset is one TOML file that says how a model is trained and asked; the bundled ones go by name."""

import difflib
import json
import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from curation.errors import InputError
from trainers.families import FAMILIES
from trainers.rewards.table import REWARDS


class PresetError(InputError):
    """The preset's owner must act: an unknown key, a wrong type, a value out of range."""


@dataclass(frozen=True)
class Decoding:
    """How the model is asked for an answer."""

    temperature: float = 0.0  # 0: always the likeliest token, so that a plan can be had again
    top_p: float = 1.0  # 1: no token is ruled out; of no effect at temperature 0
    max_new_tokens: int = 1024  # what the published orchestrator was given; the longest plans seen take about 800


@dataclass(frozen=True)
class Sft:
    """How it is fine-tuned."""

    epochs: float = 3.0  # both published systems: three
    max_steps: int | None = None  # None: as many as the epochs take
    max_length: int = 4096  # tokens; a longer row is left out, since a cut one would teach plans without an end
    pack: bool = True  # rows share a sequence of max_length: 0.99 of it filled, against 0.61 with padding
    learn: str = "answer"  # the prompt is given, not to be learnt; "all" for random weights, which cannot read yet
    rows: int = 1  # sequences in memory at a time; packed ones are full, so that one is enough
    accumulate: int = 8  # such batches a step: with packing some 32,000 tokens, where gradients are no longer noise
    optimizer: str = "adamw"  # the field's usual one; adafactor keeps less in memory, muon suits random weights
    learning_rate: float = 1e-4  # the published 2e-5, scaled by the square root of the larger step
    beta2: float = 0.999  # AdamW's usual memory of a thousand steps; a run of a few thousand from nothing wants less
    schedule: str = "cosine"  # ends near 0, so that the last step is no worse than the one before
    warmup: float = 0.03  # share of the steps: the first gradients of a new task are large
    weight_decay: float = 0.0  # a fine-tune starts from good weights; they need not shrink
    clip: float | None = 1.0  # length that a step's gradient is cut to, so that one odd row cannot undo the rest
    weights: str = "fp32"  # of what is trained: steps below 1/256 of a weight are lost in bf16
    compute: str = "bf16"  # on a GPU; fp32 is several times faster on a CPU
    checkpointing: bool = False  # trades a third of the speed for the memory of activations
    freeze_table: bool = False  # the per-layer embeddings of Gemma 4: half of E2B's parameters, a lookup table
    save_every: int = 500  # steps between checkpoints: what a crash may cost
    keep: int = 2  # checkpoints at one time: the last, and one before it should it be broken
    log_every: int = 10  # steps between two lines of metrics.jsonl
    evaluate_every: int | None = None  # steps between losses on validation; None: at the end of training only


@dataclass(frozen=True)
class Grpo:
    """How it learns from rewards (GRPO). Weights, arithmetic, optimizer and clipping are as in `sft`."""

    reward: str = "plan"  # ours; the published ones pay for empty plans and for wrong values
    max_steps: int = 500  # the published run was best at step 500
    generations: int = 8  # completions of a prompt, which are compared with each other
    prompts: int = 8  # prompts a step
    rows: int = 8  # completions in memory at a time while the gradient is made
    max_prompt: int = 3072  # tokens; a row with a longer prompt is left out
    max_new_tokens: int = 1024  # tokens; what is longer is cut off and earns what it then is worth
    temperature: float = 1.0  # of what is tried: without variety there is nothing to compare
    top_p: float = 1.0  # 1: what is trained is what was drawn
    learning_rate: float = 1e-6  # as the published orchestrator
    schedule: str = "constant"  # where training is stopped is decided by the held-out measure
    warmup: float = 0.0  # share of the steps
    loss: str = "dapo"  # each token weighs the same, so that long answers are not favoured
    scale: str = "group"  # what a reward's distance from its group's mean is divided by
    beta: float = 0.001  # weight of the distance (KL) from the model at the start: small, so that it is seen; 0: none
    iterations: int = 1  # steps on the same completions
    sampling: str = "variance"  # prompts whose completions all earn the same teach nothing and are drawn anew
    refills: int = 3  # times that is done a step at most
    noise: float = 0.0  # standard deviation added to rewards of a group without variance: a random walk, so none
    curriculum: str = "measured"  # a stage is left when it is learned, not when its time is up
    advance: float = 0.8  # share of completions that must pass a stage before the next one begins
    window: int = 20  # steps over which that share is taken
    evaluate_every: int = 25  # steps between measurements on the validation split
    evaluate_rows: int = 128  # of its rows, those with the smallest hash of their ids
    patience: int | None = 6  # measurements without a new best after which training stops; none: never
    save_every: int = 25  # steps between checkpoints: what a crash may cost
    samples: int = 8  # completions a step that are kept to be read
    vllm: str = "off"  # who generates: transformers, or vLLM in this process (colocate) or at a server


@dataclass(frozen=True)
class Random:
    """The sizes of a model with random weights and a tokenizer trained on the release: for a CPU, for tests."""

    vocabulary: int = 2048  # tokens: a small release's own words, and a table that trains fast
    hidden: int = 64
    layers: int = 4
    heads: int = 4
    kv_heads: int = 1  # as E2B has it
    intermediate: int = 128
    shared: int = 0  # last layers that use the keys and values of earlier ones (20 of E2B's 35 do); Gemma 4 alone
    structured: bool = False  # True: JSON's punctuation and keys in few tokens, and a word the same wherever it stands


@dataclass(frozen=True)
class Preset:
    """One preset, validated; `load_preset` reads it."""

    name: str
    family: str
    model: str  # a Hub id, a folder, or "random"
    description: str = ""
    system: str | None = None  # None: the release's own system message
    thinking: str = "text"  # as the published systems write it; "native": the family's own channel
    device: str = "gpu"  # what it needs; "any" runs on a CPU too
    decoding: Decoding = field(default_factory=Decoding)
    sft: Sft = field(default_factory=Sft)
    grpo: Grpo = field(default_factory=Grpo)
    random: Random = field(default_factory=Random)


SftSettings = Sft  # the name by which trainers speak of it

LOSSES = ("grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo")  # those that TRL knows

# key -> what it may be, beyond its type
CHOICES: dict[str, Sequence[str]] = {
    "family": tuple(FAMILIES),
    "thinking": ("text", "native"),
    "device": ("gpu", "any"),
    "sft.learn": ("answer", "all"),
    "sft.optimizer": ("adamw", "adafactor", "muon"),
    "sft.schedule": ("cosine", "constant"),
    "sft.weights": ("bf16", "fp32"),
    "sft.compute": ("bf16", "fp32"),
    "grpo.reward": tuple(REWARDS),
    "grpo.schedule": ("cosine", "constant"),
    "grpo.loss": LOSSES,
    "grpo.scale": ("group", "batch", "none"),
    "grpo.sampling": ("all", "variance", "pass_rate"),
    "grpo.curriculum": ("measured", "steps", "none"),
    "grpo.vllm": ("off", "colocate", "server"),
}
LEAST: dict[str, float] = {
    "decoding.temperature": 0, "decoding.max_new_tokens": 1, "sft.max_length": 16, "sft.rows": 1, "sft.accumulate": 1,
    "sft.max_steps": 1, "sft.learning_rate": 0, "sft.beta2": 0, "sft.warmup": 0, "sft.weight_decay": 0, "sft.clip": 0, "sft.epochs": 0,
    "sft.save_every": 1, "sft.keep": 1, "sft.log_every": 1, "sft.evaluate_every": 1, "random.vocabulary": 300,
    "random.hidden": 8, "random.layers": 1, "random.heads": 1, "random.kv_heads": 1, "random.intermediate": 8,
    "random.shared": 0, "grpo.max_steps": 1, "grpo.generations": 2, "grpo.prompts": 1, "grpo.rows": 1,
    "grpo.max_prompt": 16, "grpo.max_new_tokens": 1, "grpo.temperature": 0.01, "grpo.top_p": 0.01, "grpo.warmup": 0,
    "grpo.learning_rate": 0, "grpo.beta": 0, "grpo.iterations": 1, "grpo.refills": 0, "grpo.noise": 0,
    "grpo.advance": 0, "grpo.window": 1, "grpo.evaluate_every": 1, "grpo.evaluate_rows": 1, "grpo.patience": 1,
    "grpo.save_every": 1, "grpo.samples": 0,
}  # fmt: skip
MOST: dict[str, float] = {
    "decoding.top_p": 1,
    "sft.beta2": 0.9999,
    "sft.warmup": 0.5,
    "grpo.top_p": 1,
    "grpo.warmup": 0.5,
    "grpo.advance": 1,
}


def bundled() -> list[str]:
    """The names under which presets come with the package."""
    return sorted(f.name.removesuffix(".toml") for f in _home().iterdir() if f.name.endswith(".toml"))


def load_preset(name: str | Path, changes: Sequence[str] = ()) -> Preset:
    """The preset in the file `name`, or the bundled one of that name, with `changes` such as `sft.epochs=1`.

    Raises PresetError with one sentence for a missing file, broken TOML, an unknown key, a wrong type or value.
    """
    path = Path(name)
    try:
        if path.suffix == ".toml" or path.is_file():
            text = path.read_text(encoding="utf-8")
        else:
            text = (_home() / f"{name}.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise PresetError(
            f"no preset is called {str(name)!r}; give a .toml file or one of: {', '.join(bundled())}"
        ) from None
    return parse_preset(text, str(name), changes)


def parse_preset(text: str, where: str, changes: Sequence[str] = ()) -> Preset:
    """The preset that `text` describes; `where` names it in errors."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PresetError(f"the preset {where} is not TOML: {error}") from error
    for change in changes:
        _change(document, change)
    made: Preset = _build(Preset, document, "", where)
    return made


def preset_toml(preset: Preset) -> str:
    """The preset, every value written out, as the TOML that `load_preset` reads back to the same."""
    values = asdict(preset)
    tables = {key: values.pop(key) for key in ("decoding", "sft", "grpo", "random")}
    lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def changed(preset: Preset, settings: Mapping[str, Any]) -> Preset:
    """The preset with other values of some keys, such as `sft.epochs`. Raises PresetError for what does not fit."""
    changes = [f"{key}={_toml(value)}" for key, value in settings.items()]
    return parse_preset(preset_toml(preset), preset.name, changes)


def _toml(value: Any) -> str:
    """A value as TOML writes it; TOML has no null, so that none is the word "none"."""
    value = "none" if value is None else value
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _home() -> Any:
    return files("trainers") / "presets"


def _change(document: dict[str, Any], change: str) -> None:
    """Applies `table.key=value`; the value is TOML, or text where it is none."""
    key, equals, text = change.partition("=")
    if not equals or not key.strip():
        raise PresetError(f"--set {change!r} is not key=value, such as sft.epochs=1")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    *tables, last = key.strip().split(".")
    for name in tables:
        document = document.setdefault(name, {})
        if not isinstance(document, dict):
            raise PresetError(f"--set {change!r}: {name} is no table of a preset")
    document[last] = value


def _build(kind: Any, document: Mapping[str, Any], place: str, where: str) -> Any:
    """An instance of the dataclass `kind`; PresetError for the first thing that does not fit."""
    known = [f.name for f in fields(kind)]
    hints = get_type_hints(kind)
    for key in document:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise PresetError(f"the preset {where} has no key {place + key!r}; {hint}it takes {', '.join(known)}")
    values = {key: _value(hints[key], value, place + key, where) for key, value in document.items()}
    missing = [key for key in ("name", "family", "model") if kind is Preset and key not in values]
    if missing:
        raise PresetError(f"the preset {where} misses the key {missing[0]!r}")
    return kind(**values)


def _value(hint: Any, value: Any, key: str, where: str) -> Any:
    if is_dataclass(hint):
        if not isinstance(value, dict):
            raise PresetError(f"the preset {where}: {key} = {value!r} must be a table, [{key}]")
        return _build(hint, value, f"{key}.", where)
    kinds = get_args(hint) if get_origin(hint) is types.UnionType else (hint,)
    if value == "none" and type(None) in kinds:
        value = None
    if float in kinds and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) not in kinds:
        names = " or ".join("none" if kind is type(None) else kind.__name__ for kind in kinds)
        raise PresetError(f"the preset {where}: {key} = {value!r} must be {names}")
    if key in CHOICES and value not in CHOICES[key]:
        raise PresetError(f"the preset {where}: {key} = {value!r} must be one of {', '.join(CHOICES[key])}")
    if key in LEAST and value is not None and not LEAST[key] <= value < float("inf"):
        raise PresetError(f"the preset {where}: {key} = {value!r} must be a number from {LEAST[key]} on")
    if key in MOST and value is not None and not value <= MOST[key]:
        raise PresetError(f"the preset {where}: {key} = {value!r} must be a number up to {MOST[key]}")
    return value
