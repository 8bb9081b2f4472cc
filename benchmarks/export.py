"""What an export costs and gives: the size of Qwen3.5-0.8B by quantisation, and how fast this machine then plans.

    python benchmarks/export.py                  # full size, random weights: sizes, export time, tokens/s of llama.cpp
    python benchmarks/export.py --quants q4_0    # only that one
    python benchmarks/export.py --quality        # besides: what quantisation costs a tiny model that was trained here

Weights are random, so sizes and speeds are those of the real model and answers are noise; the vocabulary has the real
number of rows, but a small tokenizer names them. Tokens/s need the extra `llama`. Quality is measured on a tiny trained
model, since random weights have none to lose: it says that the path loses nothing, not what a large model loses. Prints
a table (or `--json`). Exits 1 where a goal is missed.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from trainers.export.exporting import export_gguf  # noqa: E402
from trainers.export.writing import quants  # noqa: E402
from trainers.families import FAMILIES  # noqa: E402
from trainers.models import dress, full_size_config, save_model, train_tokenizer  # noqa: E402
from trainers.presets import load_preset  # noqa: E402

SIZE = 450e6  # bytes that the smallest may take: what fits beside other apps on a phone
PROMPT, PLAN = 700, 300  # tokens of a prompt with six candidates, and of a plan
PRESET = "qwen3.5-0.8b-published"


def random_model(folder: Path) -> int:
    """Writes a full-size Qwen3.5-0.8B with random weights in bf16; returns its number of parameters."""
    import torch
    from transformers import Qwen3_5ForCausalLM

    family, preset = FAMILIES["qwen3.5"], load_preset(PRESET)
    tokenizer = train_tokenizer((ROOT / "README.md").read_text(encoding="utf-8").splitlines(), family, preset.random)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    model = Qwen3_5ForCausalLM(full_size_config("qwen3.5"))
    torch.set_default_dtype(torch.float32)
    dress(model, tokenizer, preset)
    save_model(model, tokenizer, folder)
    return sum(parameter.numel() for parameter in model.parameters())


def measured(model: Path, quant: str, threads: int) -> dict[str, Any]:
    """One export: its size, how long it took, and how fast llama.cpp runs it."""
    out = model.parent / f"{quant}.gguf"
    began = time.monotonic()
    done = export_gguf(str(model), quant, out, None, lambda *told: None)
    row = {"quant": quant, "bytes": done.size, "wider": done.wider, "export_s": time.monotonic() - began}
    row |= speed(out, threads)
    out.unlink()
    return row


def speed(file: Path, threads: int) -> dict[str, Any]:
    """Seconds to load, tokens/s of the prompt and of the plan, seconds to a whole plan; empty without llama.cpp."""
    try:
        import llama_cpp
    except ImportError:
        return {}
    began = time.monotonic()
    runtime = llama_cpp.Llama(str(file), n_ctx=2048, n_threads=threads, n_threads_batch=threads, verbose=False)
    loaded = time.monotonic()
    runtime.eval([(i * 7919) % 500 for i in range(PROMPT)])
    read = time.monotonic()
    for _ in range(PLAN):
        runtime.eval([runtime.sample(temp=0.0)])
    wrote = time.monotonic()
    runtime.close()
    return {
        "load_s": loaded - began,
        "prompt_tokens_s": PROMPT / (read - loaded),
        "plan_tokens_s": PLAN / (wrote - read),
        "plan_s": wrote - loaded,
    }


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The rows for a person."""
    yield "| quantisation | size | export | reads | writes | a plan of 300 tokens |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        runs = ("not measured: no llama.cpp",) * 3
        if "plan_s" in row:
            runs = (
                f"{row['prompt_tokens_s']:.0f} tokens/s",
                f"{row['plan_tokens_s']:.1f} tokens/s",
                f"{row['plan_s']:.0f} s",
            )
        yield f"| {row['quant']} | {row['bytes'] / 1e6:,.0f} MB | {row['export_s']:.0f} s | {' | '.join(runs)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quants", nargs="+", choices=list(quants()), default=list(quants()))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="curation-export-") as scratch:
        model = Path(scratch) / "qwen3.5-0.8b"
        parameters = random_model(model)
        rows = [measured(model, quant, asked.threads) for quant in asked.quants]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    told = {"parameters": parameters, "threads": asked.threads, "peak_bytes": peak, "exports": rows}
    print(json.dumps(told, indent=2) if asked.json else "\n".join(table(rows)))
    smallest = min(row["bytes"] for row in rows)
    print(f"{parameters / 1e6:.0f} M parameters, random; goal: the smallest under {SIZE / 1e6:.0f} MB", file=sys.stderr)
    return int(smallest > SIZE)


if __name__ == "__main__":
    sys.exit(main())
