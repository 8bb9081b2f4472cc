"""A run's folder says what was trained, from what, by what, and how it went: run.json, preset.toml, README.md."""

import fcntl
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import curation
from curation.errors import CurationError, InputError, Stopped
from trainers.presets import Preset, load_preset, preset_toml
from trainers.release import Release

RUN, PRESET, CARD, METRICS, CHECKPOINTS = "run.json", "preset.toml", "README.md", "metrics.jsonl", "checkpoints"
IDENTITY = ("kind", "release", "preset", "model", "seed")  # what makes two runs the same
LIBRARIES = ("torch", "transformers", "trl", "accelerate", "tokenizers", "datasets")

# what the card says of the figures, by what was trained
ABOUT = {
    "sft": "Losses over the tokens of the answers alone. `curation evaluate` measures the plans.",
    "grpo": "Measured on validation: what our reward pays in its last stage, and the share of plans that are exactly right, "
    "at the start and at the step that was kept. `curation evaluate` measures the plans of the test split.",
}

Run = dict[str, Any]


def new_run(kind: str, release: Release, reference: str, preset: Preset, model: str, seed: int) -> Run:
    """What is known of a run before it begins."""
    return {
        "kind": kind,
        "state": "running",
        "release": {
            "name": release.name,
            "version": release.version,
            "commit": release.commit,
            "digest": release.digest,
            "reference": reference,
        },
        "preset": asdict(preset),
        "model": model,
        "seed": seed,
        "code": curation.__version__,
        "libraries": {name: _version(name) for name in LIBRARIES},
        "started_at": now(),
        "finished_at": None,
    }


def same_run(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """The first thing in which two runs differ, in words; None where they are one."""
    for key in IDENTITY:
        if key == "release":
            if one[key]["digest"] != other[key]["digest"]:
                return f"its release is {one[key]['name']} {one[key]['version']}"
        elif key == "preset":
            changed = _differences(one[key], other[key])
            if changed:
                return f"its preset says {changed}"
        elif one[key] != other[key]:
            return f"its {key} is {one[key]!r}"
    return None


def _differences(one: Any, other: Any, place: str = "") -> str | None:
    if isinstance(one, dict) and isinstance(other, dict):
        found = (_differences(one.get(k), other.get(k), f"{place}.{k}" if place else k) for k in {**one, **other})
        return next((text for text in found if text), None)
    return None if one == other else f"{place} = {one!r}"


def read_run(folder: Path) -> Run | None:
    """The run in a folder; None where there is none. Raises InputError where run.json is broken."""
    try:
        found: Run = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / RUN} cannot be read ({error}); choose another folder with --out") from error
    return found


def write_run(folder: Path, run: Mapping[str, Any]) -> None:
    """Puts run.json in place, whole or not at all."""
    put(folder / RUN, json.dumps(run, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def failure_told(folder: Path, run: Run) -> Iterator[None]:
    """Where the block fails with a sentence of ours, run.json says so: `state` is failed, `detail` the sentence."""
    try:
        yield
    except Stopped:
        raise
    except CurationError as error:
        with suppress(OSError):  # what failed may be the disk itself, and is what must be told
            write_run(folder, {**run, "state": "failed", "detail": str(error), "finished_at": now()})
        raise


def put(path: Path, text: str) -> None:
    """A file's text, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def write_preset(folder: Path, preset: Preset) -> None:
    """The preset as it was used, every value written out."""
    put(folder / PRESET, preset_toml(preset))


def preset_of(folder: str | Path, named: str | None = None) -> Preset:
    """The preset that goes with a model: the one `named`, else the one in its folder.

    Raises InputError where there is neither.
    """
    if named is not None:
        return load_preset(named)
    path = Path(folder) / PRESET
    if not path.is_file():
        raise InputError(f"{folder} has no {PRESET}, which says how its model is asked; name one with --preset")
    return load_preset(path)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Makes the folder and holds it; Stopped while another process trains there, InputError where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}; choose another folder with --out") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stopped(
                f"another process is training in {folder}; wait for it, or choose another folder with --out"
            ) from None
        yield
    finally:
        os.close(descriptor)


def hardware(gpu: bool) -> dict[str, Any]:
    """What it ran on."""
    import torch

    told: dict[str, Any] = {"machine": platform.machine(), "cpus": os.cpu_count(), "threads": torch.get_num_threads()}
    if gpu:
        told |= {"gpu": torch.cuda.get_device_name(), "gpus": 1, "cuda": torch.version.cuda}
        told["peak_memory_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
    return told


def card(run: Run) -> str:
    """The model card of a finished run. Results of an evaluation are added where they are made."""
    release, preset, data = run["release"], run["preset"], run["data"]
    values = {
        "name": f"{preset['name']}-{release['name']}-v{release['version']}",
        "base": f"base_model: {run['model']}\n" if is_hub_id(run["model"]) else "",
        "model": "random weights" if run["model"] == "random" else run["model"],
        "preset": preset["name"],
        "family": preset["family"],
        "release": f"{release['name']} {release['version']}",
        "commit": f" (commit `{release['commit']}`)" if release["commit"] else "",
        "digest": release["digest"],
        "rows": f"{data['train']['rows']:,}",
        "left_out": f"{sum(data['train']['left_out'].values()):,}",
        "tokens": f"{run['tokens']:,}",
        "steps": f"{run['steps']:,}",
        "seed": run["seed"],
        "code": run["code"],
        "hardware": run["hardware"].get("gpu") or f"{run['hardware']['cpus']} CPU cores",
        "metrics": "\n".join(f"| {key} | {value:.4f} |" for key, value in run["metrics"].items() if value is not None),
        "about": ABOUT[run["kind"]],
        "decoding": ", ".join(f"{key} {value}" for key, value in preset["decoding"].items()),
    }
    return Template((files("trainers") / "card.md").read_text(encoding="utf-8")).substitute(values)


def is_hub_id(model: str) -> bool:
    """Whether a model is named as the Hub names it: owner/name, and no folder here."""
    return model.count("/") == 1 and not model.startswith((".", "/", "~")) and not Path(model).exists()


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
