"""What a machine lacks, said in one sentence before or while a model is trained on it."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from curation.errors import CurationError, MachineError
from trainers.families import FAMILIES
from trainers.presets import Preset

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_WORDS = (
    "No space left",
    "os error 28",
    "os error 27",
    "File too large",
    "Disk quota",
    "PytorchStreamWriter failed",
)
MEMORY_WORDS = ("out of memory", "DefaultCPUAllocator", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
KERNELS = ("fla", "causal_conv1d")  # what keeps packed rows apart in linear attention


class TooLittleMemoryError(MachineError):
    """The owner of the preset must act: what it asks for does not fit into this machine's memory."""


def require_machine(preset: Preset) -> bool:
    """Whether a GPU will be used. Raises MachineError where the preset needs what this machine has not."""
    import torch

    gpu: bool = torch.cuda.is_available()
    if not gpu and preset.device == "gpu":
        raise MachineError(
            f"the preset {preset.name} needs a GPU, and torch finds none here; on a CPU train with "
            f"--preset tiny-{preset.family}, or see what it would take with --dry-run"
        )
    if gpu and torch.cuda.device_count() > 1 and "WORLD_SIZE" not in os.environ:
        raise MachineError(
            f"{torch.cuda.device_count()} GPUs are visible, and one process trains on one; set CUDA_VISIBLE_DEVICES=0"
        )
    if gpu and "bf16" in (preset.sft.compute, preset.sft.weights) and not torch.cuda.is_bf16_supported(False):
        raise MachineError(
            f"the GPU {torch.cuda.get_device_name()} has no bf16, which the preset {preset.name} asks for; set "
            "sft.compute=fp32 and sft.weights=fp32 with --set, or take a GPU from 2020 or later"
        )
    if preset.sft.pack and not FAMILIES[preset.family].packs_on_cpu:
        lacking = [name for name in KERNELS if find_spec(name) is None]
        if not gpu or lacking:
            why = "a GPU" if not gpu else f"the packages {' and '.join(lacking)}"
            raise MachineError(
                f"packed rows of {preset.family} would read each other without {why} (flash-linear-attention and "
                "causal-conv1d keep them apart); set sft.pack=false with --set"
            )
    return gpu


@contextmanager
def machine_told(folder: Path, preset: Preset, step: Any = None) -> Iterator[None]:
    """Turns what a full disk or too little memory raises in the block into a MachineError; `step()` says where it was."""
    try:
        yield
    except CurationError:
        raise
    except Exception as error:
        at = f" at step {step():,}" if step is not None else ""
        text = f"{type(error).__name__} {error}"
        if getattr(error, "errno", None) in FULL or any(word in text for word in FULL_WORDS):
            raise MachineError(
                f"the disk below {folder} is full{at}; make room there, or keep fewer checkpoints with "
                "--set sft.keep=1 and a new --out; what is whole is kept, and --resume goes on from it"
            ) from error
        if isinstance(error, MemoryError) or any(word in text for word in MEMORY_WORDS):
            settings = preset.sft
            raise TooLittleMemoryError(
                f"out of memory{at} with {settings.rows} x {settings.max_length:,} tokens in a batch; lower sft.rows or "
                "sft.max_length, or set sft.checkpointing=true or sft.freeze_table=true with --set and a new --out"
            ) from error
        raise
