"""What a run will take: steps, tokens, memory and hours on a named GPU, said before anything heavy is loaded."""

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from curation.errors import InputError
from trainers.presets import Preset, Random, Sft

BYTES = {"bf16": 2, "fp32": 4}
GIB = 2**30
TABLE = "embed_tokens_per_layer."
# Shares of a GPU's arithmetic that hours are reckoned with. One row a step: as the published run had it (2.7 samples of
# 1,024 tokens a second on an H100). Packed: our goal, 21.7 such samples a second. See docs/training.md.
REACHED = {False: 0.04, True: 0.32}
ACTIVATIONS = 60  # bytes that a layer keeps for each token and hidden unit in bf16: a gated MLP of six times the width
CHECKPOINTED = 4  # the same where only what enters a layer is kept


@dataclass(frozen=True)
class Size:
    """How large a model is. `table`: parameters that are looked up; `attention`: (layers, width, window) of each kind."""

    family: str
    parameters: int
    table: int
    layers: int
    hidden: int
    vocabulary: int
    attention: tuple[tuple[int, int, int], ...]

    def flops(self, length: float) -> float:
        """Floating-point operations of one token of training, forward and backward, in rows of `length` tokens.

        Six for each parameter that is multiplied; for each attention layer twelve times its width for every token
        looked at, of which there are half the row's, or the window's.
        """
        looked = sum(
            layers * width * (min(window, length / 2) if window else length / 2)
            for layers, width, window in self.attention
        )
        return 6 * (self.parameters - self.table) + 12 * looked


@dataclass(frozen=True)
class Gpu:
    """A row of gpus.toml; `tflops` are dense bf16."""

    name: str
    tflops: float
    memory: float
    match: tuple[str, ...]


@cache
def gpus() -> Mapping[str, Gpu]:
    """The GPUs that hours can be told for, by the word for `--gpu`."""
    return {key: Gpu(**{**row, "match": tuple(row["match"])}) for key, row in _table("gpus.toml").items()}


def gpu_named(word: str) -> Gpu:
    """The GPU of that word. Raises InputError for one that is not in the table."""
    try:
        return gpus()[word.lower()]
    except KeyError:
        raise InputError(f"no GPU is called {word!r}; --gpu takes {', '.join(gpus())}") from None


def gpu_of(device_name: str) -> Gpu | None:
    """The GPU of the table that a driver's name means; None for one that is not there."""
    return next((gpu for gpu in gpus().values() if any(part in device_name for part in gpu.match)), None)


def size_of(model: str, preset: Preset, vocabulary: int | None = None) -> Size | None:
    """The size of a model that the table knows, or of one with random weights (about); None for any other."""
    known = _table("sizes.toml").get(model)
    if known is not None:
        return Size(**{**known, "attention": tuple(tuple(row) for row in known["attention"])})
    return _random_size(preset, vocabulary) if model == "random" else None


def size_of_folder(folder: Path, preset: Preset) -> Size | None:
    """The size of the model in a folder, from its config.json and the headers of its weights; None without weights."""
    parameters = table = 0
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        for name, tensor in header.items():
            if name != "__metadata__":
                number = math.prod(tensor["shape"])
                parameters += number
                table += number if TABLE in name else 0
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = config.get("text_config") or config
    if not parameters or "hidden_size" not in config:
        return None
    layers, hidden = config["num_hidden_layers"], config["hidden_size"]
    kinds = config.get("layer_types") or ["full_attention"] * layers
    looking = sum(kind != "linear_attention" for kind in kinds)
    return Size(preset.family, parameters, table, layers, hidden, config["vocab_size"], ((looking, hidden, 0),))


def _random_size(preset: Preset, vocabulary: int | None) -> Size:
    """A small model's size from its settings, about: norms and gates are not counted."""
    sizes: Random = preset.random
    vocabulary = vocabulary or sizes.vocabulary
    layer = 4 * sizes.hidden**2 + 3 * sizes.hidden * sizes.intermediate
    table = vocabulary * max(8, sizes.hidden // 6) * sizes.layers if preset.family == "gemma4" else 0
    whole = vocabulary * sizes.hidden + sizes.layers * layer + table
    return Size(preset.family, whole, table, sizes.layers, sizes.hidden, vocabulary, ((sizes.layers, sizes.hidden, 0),))


@dataclass(frozen=True)
class Estimate:
    """What `--dry-run` prints; `exact` says whether tokens were counted or reckoned from characters."""

    rows: int
    left_out: int
    sequences: int
    epochs: float
    steps: int
    tokens: int
    exact: bool
    memory: dict[str, float]  # GiB by what takes it
    hours: float | None
    gpu: str | None
    fits: bool | None


def steps(sequences: int, settings: Sft) -> int:
    """How many times the optimizer steps."""
    each = math.ceil(math.ceil(sequences / settings.rows) / settings.accumulate)
    return settings.max_steps or math.ceil(settings.epochs * each)


def memory(size: Size, settings: Sft) -> dict[str, float]:
    """GiB at the peak of a step, by what takes them.

    The head's logits are never whole: the loss takes them in pieces, which are small beside the rest.
    """
    frozen = size.table if settings.freeze_table else 0
    trained = size.parameters - frozen
    weights = BYTES[settings.weights]
    moments = (
        trained * 4 if settings.optimizer == "adafactor" else trained * 2 * weights
    )  # Adafactor: one update in fp32
    kept = CHECKPOINTED if settings.checkpointing else ACTIVATIONS
    compute = BYTES[settings.compute] / 2
    tokens = settings.rows * settings.max_length
    parts = {
        "weights": size.parameters * weights,
        "gradients": trained * weights,
        "optimizer": moments,
        "activations": tokens * size.layers * size.hidden * kept * compute,
    }
    return {name: round(value / GIB, 6) for name, value in parts.items()}


def estimate(
    size: Size | None, preset: Preset, lengths: tuple[int, int, int, int], exact: bool, gpu: Gpu | None
) -> Estimate:
    """The estimate for a run over (rows, rows left out, sequences, tokens of an epoch)."""
    rows, left_out, sequences, tokens = lengths
    settings = preset.sft
    number = steps(sequences, settings)
    each = math.ceil(math.ceil(sequences / settings.rows) / settings.accumulate)
    all_tokens = round(tokens * number / each) if each else 0
    parts = memory(size, settings) if size else {}
    hours = None
    if gpu is not None and size is not None:
        speed = gpu.tflops * 1e12 * REACHED[settings.pack or settings.rows > 1] / size.flops(tokens / max(1, rows))
        hours = round(all_tokens / speed / 3600, 3)
    fits = None if gpu is None or not parts else sum(parts.values()) < gpu.memory
    epochs = round(number / each, 3) if each else 0.0
    name = gpu.name if gpu else None
    return Estimate(rows, left_out, sequences, epochs, number, all_tokens, exact, parts, hours, name, fits)


def lines(told: Estimate, preset: Preset) -> list[str]:
    """The estimate as sentences for a person."""
    about = "" if told.exact else "about "
    out = [
        f"rows        {told.rows:,} ({told.left_out:,} left out), in {about}{told.sequences:,} sequences",
        f"steps       {about}{told.steps:,} ({told.epochs:g} epochs; "
        f"{preset.sft.rows * preset.sft.accumulate} sequences a step)",
        f"tokens      {about}{told.tokens:,}",
    ]
    if told.memory:
        parts = ", ".join(f"{name} {value:,.2f}" for name, value in told.memory.items())
        out.append(f"memory      about {sum(told.memory.values()):,.1f} GiB ({parts})")
    else:
        out.append("memory      not known: the model is not in the table of sizes")
    if told.gpu is None:
        out.append("hours       not known without --gpu")
    elif told.hours is None:
        out.append(f"hours       not known on a {told.gpu}: the model is not in the table of sizes")
    else:
        out.append(f"hours       about {told.hours:,.2f} on a {told.gpu}")
    if told.fits is False:
        out.append("it does not fit there: lower sft.rows or sft.max_length, or set sft.checkpointing=true")
    return out


def as_json(told: Estimate) -> dict[str, Any]:
    """The estimate for `--json`."""
    return asdict(told)


@cache
def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((files("trainers") / name).read_text(encoding="utf-8"))
