"""What an export costs and gives: the size of Qwen3.5-0.8B by quantisation, how fast it then plans, what it forgets.

    python benchmarks/export.py                                  # full size, random weights: sizes and speed
    python benchmarks/export.py --quants q4_0 --threads 2
    python benchmarks/export.py --quality RUN --release RELEASE  # what quantisation costs the tiny model of a run

Weights are random, so sizes and speeds are those of the real model and answers are noise; the vocabulary has the real
number of rows, but a small tokenizer names them (the real one adds some 10 MB). Tokens/s need the extra `llama`; beside
the seconds stand the CPU seconds, which other work on the machine does not change as long as there is one thread.
Quality is measured on a tiny model that was trained here, since random weights have none to lose: it says what the bits
cost that model. Prints a table (or `--json`). Exits 1 where a goal is missed.
"""

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
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
LOSS = 0.01  # of a metric that quantisation may cost
METRICS = ("json_valid", "plugin_match", "no_hallucinate", "hydrated", "deps_chain")
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
    """Seconds and CPU seconds in which llama.cpp reads a prompt, then writes a plan; empty without llama.cpp."""
    try:
        import llama_cpp
    except ImportError:
        return {}
    runtime = llama_cpp.Llama(str(file), n_ctx=2048, n_threads=threads, n_threads_batch=threads, verbose=False)
    runtime.eval([1, 2, 3])  # the first tokens wait for the file
    runtime.reset()
    marks = [(time.monotonic(), time.process_time())]
    runtime.eval([(i * 7919) % 500 for i in range(PROMPT)])
    marks.append((time.monotonic(), time.process_time()))
    for _ in range(PLAN):
        runtime.eval([runtime.sample(temp=0.0)])
    marks.append((time.monotonic(), time.process_time()))
    runtime.close()
    (prompt_s, prompt_cpu_s), (plan_s, plan_cpu_s) = (
        (after[0] - before[0], after[1] - before[1]) for before, after in pairwise(marks)
    )
    return {"prompt_s": prompt_s, "prompt_cpu_s": prompt_cpu_s, "plan_s": plan_s, "plan_cpu_s": plan_cpu_s}


def forgotten(asked: argparse.Namespace, quant: str, scratch: Path) -> dict[str, float | None]:
    """Each metric's mean over the split, of a run's model once quantised (`whole`: as it is)."""
    from trainers.evaluate import Job, evaluate
    from trainers.evaluation.pools import OWN
    from trainers.export.reading import read_gguf
    from trainers.models import load_tokenizer
    from trainers.release import open_release

    run = model = asked.quality
    if quant != "whole":
        model = scratch / quant
        export_gguf(str(plainly_cut(run, scratch)), quant, scratch / f"{quant}.gguf", None, lambda *told: None)
        save_model(read_gguf(scratch / f"{quant}.gguf", run), load_tokenizer(run), model)
    preset = load_preset(run / "preset.toml")
    job = Job(str(model), open_release(asked.release), preset, asked.split, limit=asked.limit, pools=(OWN,))
    table, _ = evaluate(replace(job, out=scratch / f"of-{quant}"))
    return {"n": float(table.height), **{name: table[name].mean() for name in METRICS}}


def plainly_cut(run: Path, scratch: Path) -> Path:
    """The run's folder; of a structured tokenizer, which llama.cpp cannot read, a copy with one that cuts as it knows.

    The weights are what is measured; answers are read and written with the run's own tokenizer in any case.
    """
    if not load_preset(run / "preset.toml").random.structured:
        return run
    folder = scratch / "plainly-cut"
    if not folder.exists():
        shutil.copytree(run, folder, ignore=shutil.ignore_patterns("checkpoints"))
        told = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        told["pre_tokenizer"] = {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            ],
        }
        (folder / "tokenizer.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def size_table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Sizes and speeds for a person."""
    yield f"| quantisation | size | export | {PROMPT} tokens read | {PLAN} tokens written |"
    yield "|---|---|---|---|---|"
    for row in rows:
        runs = ["not measured: no llama.cpp"] * 2
        if "plan_s" in row:
            runs = [
                f"{row[f'{what}_s']:.0f} s, {row[f'{what}_cpu_s']:.0f} CPU s ({n / row[f'{what}_cpu_s']:.1f} tokens/CPU s)"
                for what, n in (("prompt", PROMPT), ("plan", PLAN))
            ]
        yield f"| {row['quant']} | {row['bytes'] / 1e6:,.0f} MB | {row['export_s']:.0f} s | {' | '.join(runs)} |"


def quality_table(rows: dict[str, dict[str, float | None]]) -> Iterator[str]:
    """Metrics in percent for a person."""
    yield f"| quantisation | {' | '.join(METRICS)} |"
    yield "|---" * (1 + len(METRICS)) + "|"
    for quant, row in rows.items():
        yield f"| {quant} | {' | '.join('-' if row[m] is None else f'{100 * row[m]:.1f}' for m in METRICS)} |"


def sizes(asked: argparse.Namespace) -> int:
    """Sizes and speeds at full size; 1 where the smallest is too large."""
    with tempfile.TemporaryDirectory(prefix="curation-export-") as scratch:
        model = Path(scratch) / "qwen3.5-0.8b"
        parameters = random_model(model)
        rows = [measured(model, quant, asked.threads) for quant in asked.quants]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    told = {"parameters": parameters, "threads": asked.threads, "load": os.getloadavg()[0], "peak_bytes": peak}
    print(json.dumps({**told, "exports": rows}, indent=2) if asked.json else "\n".join(size_table(rows)))
    smallest = min(row["bytes"] for row in rows)
    print(f"{parameters / 1e6:.0f} M parameters, random; goal: the smallest under {SIZE / 1e6:.0f} MB", file=sys.stderr)
    return int(smallest > SIZE)


def quality(asked: argparse.Namespace) -> int:
    """What each quantisation costs the model of a run; 1 where one costs more than a point."""
    with tempfile.TemporaryDirectory(prefix="curation-export-") as scratch:
        rows = {quant: forgotten(asked, quant, Path(scratch)) for quant in ("whole", *asked.quants)}
    print(json.dumps(rows, indent=2) if asked.json else "\n".join(quality_table(rows)))
    gaps = [(rows["whole"][m] or 0) - (row[m] or 0) for row in rows.values() for m in METRICS]
    print(f"the largest loss is {100 * max(gaps):.1f} points; goal: at most {100 * LOSS:.0f}", file=sys.stderr)
    return int(max(gaps) > LOSS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quants", nargs="+", choices=list(quants()), default=list(quants()))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quality", type=Path, metavar="RUN")
    parser.add_argument("--release")
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.quality and not asked.release:
        parser.error("--quality asks a model for the plans of a release; name it with --release")
    return quality(asked) if asked.quality else sizes(asked)


if __name__ == "__main__":
    sys.exit(main())
