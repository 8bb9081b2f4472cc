"""From a model to a file or folder that appears whole or not at all: what `curation export` does."""

from dataclasses import dataclass
from pathlib import Path

from curation.errors import ServiceError, TargetError
from curation.release.staging import scratch, settle
from trainers.export import merging, native
from trainers.export.source import Source, open_source
from trainers.export.writing import Told, Written, make_room, quants, write_gguf
from trainers.extras import needed
from trainers.models import load_tokenizer
from trainers.presets import load_preset

FETCHED = ("*.json", "*.safetensors", "*.jinja", "*.toml")  # of a model on the Hub: what an export reads


@dataclass(frozen=True)
class Exported:
    """What was made. `difference` is the largest one of a logit between an adapter and its merged weights."""

    path: str
    size: int  # bytes
    quant: str | None = None
    parameters: int | None = None
    wider: int = 0  # tensors kept wider than asked, since their rows do not divide into blocks
    difference: float | None = None


def export_gguf(model: str, quant: str, out: Path | None, base: str | None, told: Told) -> Exported:
    """Writes a model, or a LoRA adapter with its base, as one GGUF file; `quant` is a name of `quants()`.

    Raises InputError for a model that cannot be written so, TargetError where the file exists or does not fit.
    """
    needed("gguf", "export", "writing GGUF")
    if quants()[quant].native:
        native.require_llama()
    place = free(out or Path(f"{name_of(model)}-{quant}.gguf"))
    with scratch(place) as partial:
        source = open_source(plain(model, base, partial))
        done = write(source, partial / place.name, quant, told)
        refuse_existing(place)
        settle(partial / place.name, place)
    return Exported(str(place), done.size, quant, done.parameters, done.wider)


def write(source: Source, file: Path, quant: str, told: Told) -> Written:
    """The file itself; what only llama.cpp can quantise is first written as wide as it is."""
    kind, sampling = quants()[quant], sampling_of(source.folder)
    if not kind.native:
        return write_gguf(source, file, kind, sampling, told)
    whole = file.with_suffix(".whole")
    done = write_gguf(source, whole, None, sampling, told)
    make_room(file.parent, done.size // 2)
    wider = native.quantise(whole, file, kind)
    whole.unlink()
    return Written(file.stat().st_size, done.parameters, wider)


def export_merged(model: str, out: Path | None, base: str | None) -> Exported:
    """Writes the plain weights of a LoRA adapter as a model folder."""
    folder = Path(model)
    merging.base_of(folder)
    place = free(out or Path(f"{name_of(model)}-merged"))
    with scratch(place) as partial:
        difference = merging.merge(folder, partial, base)
        refuse_existing(place)
        settle(partial, place)
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    return Exported(str(place), size, difference=difference)


def plain(model: str, base: str | None, room: Path) -> Path:
    """The folder of a model's plain weights: its own, or one below `room` with the merged ones of an adapter."""
    folder = Path(model)
    if not folder.is_dir():
        return fetched(model)
    if not merging.is_adapter(folder):
        return folder
    merged = room / "merged" / folder.resolve().name
    merged.mkdir(parents=True)
    merging.merge(folder, merged, base)
    return merged


def fetched(model: str) -> Path:
    """The folder of a model of the Hub, once its files are here; those that were fetched before are not again."""
    from huggingface_hub import snapshot_download

    load_tokenizer(model)  # one sentence where there is no such model
    try:
        return Path(snapshot_download(model, allow_patterns=list(FETCHED)))
    except (OSError, ValueError) as error:
        raise ServiceError(
            f"the model {model} cannot be fetched from the Hub: {str(error).splitlines()[0][:200]}"
        ) from error


def sampling_of(folder: Path) -> dict[str, float]:
    """How the run's preset decodes, under GGUF's names; nothing where the folder has no preset."""
    file = folder / "preset.toml"
    if not file.is_file():
        return {}
    decoding = load_preset(file).decoding
    return {"temp": decoding.temperature, "top_p": decoding.top_p}


def name_of(model: str) -> str:
    """The last part of where a model is: what its exports are called after."""
    return Path(model).resolve().name if Path(model).is_dir() else model.rsplit("/", 1)[-1]


def free(out: Path) -> Path:
    """The place of an export, before any work is done; TargetError where something is there."""
    refuse_existing(out)
    return out


def refuse_existing(out: Path) -> None:
    """An export never replaces anything: what lies there may be what a phone was given."""
    if out.exists():
        raise TargetError(f"{out} exists already; remove it, or name another place with --out")
