"""Lets llama.cpp itself quantise a file, for the kinds that only it can write (the optional extra `llama`)."""

import ctypes
import logging
from pathlib import Path
from typing import Any

from curation.errors import ServiceError
from trainers.export.writing import WHOLE, Quant
from trainers.extras import needed


def require_llama() -> Any:
    """llama.cpp as a library; InputError where it is not installed."""
    return needed("llama_cpp", "llama", "a kind of quantisation that llama.cpp alone can write")


def quantise(whole: Path, out: Path, quant: Quant) -> int:
    """Writes `out` from a file whose tensors are as wide as the model's own; raises ServiceError where llama.cpp fails.

    Returns how many tensors it kept wider than asked, since their rows do not divide into blocks.
    """
    llama = require_llama()
    logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL + 1)  # it tells of every tensor otherwise
    settings = llama.llama_model_quantize_default_params()
    settings.ftype = quant.file_type
    failed = llama.llama_model_quantize(str(whole).encode(), str(out).encode(), ctypes.byref(settings))
    if failed:
        raise ServiceError(
            f"llama.cpp could not quantise {whole.name} (code {failed}); export --quant q4_0 needs none of it"
        )
    tensors = needed("gguf", "export", "reading GGUF").GGUFReader(out).tensors
    matrices = (t for t in tensors if len(t.shape) > 1 and not t.name.endswith(WHOLE))
    return sum(bool(tensor.shape[0] % quant.rows_of) for tensor in matrices)
