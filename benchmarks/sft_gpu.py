"""How fast the recipes train a full-size model, and which optimizers bear its largest tensor: `python benchmarks/sft_gpu.py`.

For one H100 or H200, in under ten minutes: random weights of gemma-4-E2B's real dimensions, no network. Every
measurement is a process of its own, so that a crash is a result. `--tiny` runs the same on a CPU with small sizes, to
see that it works; its figures mean nothing.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))

LENGTH = 1024  # tokens of a row
STEPS = {"gemma4-e2b-published": 24, "gemma4-e2b": 8}  # some 30 s each, were they at a tenth of the goal
WARM = 2  # steps before the clock runs
REACHABLE = 790e12  # dense bf16 operations a second that matrices reach on an H100; the goal of 40% refers to this
ELEMENTS = 2_348_810_240  # of E2B's per-layer embeddings: more than 2^31
OPTIMIZERS = ("adamw fused", "adamw foreach", "adamw single", "adafactor")
CLIPPINGS = ("none", "foreach", "single", "default")
CELL_TIMEOUT = 90  # seconds


def main() -> None:
    """Runs every measurement, prints two tables, writes --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("sft_gpu.json"))
    parser.add_argument("--recipe", help=argparse.SUPPRESS)  # one measurement, in a process of its own
    parser.add_argument("--cell", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.recipe:
        print(json.dumps(recipe(asked.recipe, asked.tiny)))
        return
    if asked.cell:
        print(json.dumps(cell(*asked.cell, asked.tiny)))
        return
    require_gpu(asked.tiny)
    told: dict[str, Any] = {"tiny": asked.tiny, "device": device_name(asked.tiny), "recipes": {}, "cells": {}}
    for name in STEPS:
        told["recipes"][name] = measured(["--recipe", name], asked.tiny, 300)
        show_recipe(name, told["recipes"][name])
    show_ratio(told["recipes"])
    for optimizer in OPTIMIZERS:
        for clipping in CLIPPINGS:
            told["cells"][f"{optimizer}, {clipping}"] = measured(
                ["--cell", optimizer, clipping], asked.tiny, CELL_TIMEOUT
            )
            print(f"{optimizer:14} clipping {clipping:8} {said(told['cells'][f'{optimizer}, {clipping}'])}", flush=True)
    asked.out.write_text(json.dumps(told, indent=2) + "\n")


def require_gpu(tiny: bool) -> None:
    """Ends with one sentence where there is no GPU to measure."""
    import torch

    if not tiny and not torch.cuda.is_available():
        raise SystemExit("torch finds no GPU here, and this measures one; --tiny shows on a CPU that it runs")


def device_name(tiny: bool) -> str:
    """What is measured."""
    import torch

    return "cpu" if tiny else torch.cuda.get_device_name()


def measured(arguments: list[str], tiny: bool, timeout: int, program: str = __file__) -> dict[str, Any]:
    """What a measurement in a process of its own prints, or how it failed."""
    command = [sys.executable, program, *arguments, *(["--tiny"] if tiny else [])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"failed": f"no result after {timeout} s"}
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return {"failed": (lines[-1] if lines else f"exit code {done.returncode}")[:300]}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def recipe(name: str, tiny: bool) -> dict[str, Any]:
    """Samples a second, share of the GPU's arithmetic and peak memory of a preset's real training loop."""
    import tempfile
    from dataclasses import replace

    import torch
    import transformers

    from trainers import loop, models
    from trainers.estimate import gpu_of, size_of
    from trainers.families import FAMILIES
    from trainers.presets import load_preset

    preset = load_preset(name)
    length = 32 if tiny else LENGTH
    settings = replace(preset.sft, max_steps=4 if tiny else STEPS[name], save_every=10**9, log_every=1, warmup=0.0)
    settings = replace(settings, max_length=4 * length if settings.pack else length)
    settings = (
        replace(settings, compute="fp32", weights="fp32", accumulate=min(2, settings.accumulate)) if tiny else settings
    )
    family = FAMILIES[preset.family]
    tokenizer = models.train_tokenizer(["{}"], family, preset.random)
    if tiny:
        model = models.random_model(
            family, replace(preset.random, hidden=16, layers=2, heads=2, shared=0), tokenizer, 0
        )
    else:
        model = full_size_model(preset.family, settings.weights)
    if settings.freeze_table:
        models.freeze_table(model, family)
    prepared = random_rows(settings, length, len(tokenizer) if tiny else model.config.vocab_size)
    clock = Clock(torch, not tiny)
    with tempfile.TemporaryDirectory() as folder:
        trainer = loop.Loop(
            model,
            loop.config(settings, Path(folder), 0, not tiny, False, None),
            prepared=prepared,
            train_dataset=prepared.dataset(),
            processing_class=tokenizer,
            optimizer_cls_and_kwargs=loop.optimizer(model, settings),
            callbacks=[clock.callback(transformers)],
        )
        trainer.args.save_strategy = transformers.trainer_utils.SaveStrategy.NO
        trainer.train()
    rows = (settings.max_steps or 0) - WARM
    rows *= settings.rows * settings.accumulate * (4 if settings.pack else 1)
    samples = rows / clock.seconds
    size = size_of(preset.model, preset)
    flops = size.flops(length) if size else 0.0
    known = None if tiny else gpu_of(torch.cuda.get_device_name())
    return {
        "samples_per_second": round(samples, 3),
        "tokens_per_second": round(samples * length, 1),
        "mfu_of_data_sheet": None if known is None else round(samples * length * flops / known.tflops / 1e12, 4),
        "share_of_reachable": None if tiny else round(samples * length * flops / REACHABLE, 4),
        "peak_gib": None if tiny else round(torch.cuda.max_memory_allocated() / 2**30, 2),
        "loss": trainer.state.log_history[-2].get("loss"),
        "profile": None if tiny else clock.profile,
    }


def full_size_model(family: str, weights: str) -> Any:
    """A model of the real one's dimensions with random weights, on the GPU; `weights`: bf16 or fp32."""
    import torch
    import transformers

    from trainers import models
    from trainers.families import FAMILIES

    config = models.full_size_config(family)
    default = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, models.DTYPES[weights]))
    try:
        with torch.device("cuda"):
            return getattr(transformers, FAMILIES[family].architecture)(config)
    finally:
        torch.set_default_dtype(default)


class Clock:
    """Measures the steps after the warm ones, and profiles one warm step: which kernels take the time."""

    def __init__(self, torch: Any, gpu: bool) -> None:
        self.torch, self.gpu = torch, gpu
        self.began = self.seconds = 0.0
        self.profiler: Any = None
        self.profile: list[dict[str, Any]] = []

    def callback(self, transformers: Any) -> Any:
        """For the trainer."""
        clock = self

        class Steps(transformers.TrainerCallback):  # type: ignore[misc]
            def on_step_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
                if clock.gpu and state.global_step == WARM - 1:
                    clock.profiler = clock.torch.profiler.profile()
                    clock.profiler.start()

            def on_step_end(self, args: Any, state: Any, control: Any, **named: Any) -> None:
                if clock.gpu:
                    clock.torch.cuda.synchronize()
                if clock.profiler is not None:
                    clock.profiler.stop()
                    clock.profile, clock.profiler = top_kernels(clock.profiler), None
                if state.global_step == WARM:
                    clock.began = time.perf_counter()
                clock.seconds = time.perf_counter() - clock.began

        return Steps()


def top_kernels(profiler: Any) -> list[dict[str, Any]]:
    """The operations of a step that take most of the GPU's time, with their share of it."""
    found = [(event.key, event.self_device_time_total) for event in profiler.key_averages()]
    whole = sum(took for _, took in found) or 1
    return [
        {"what": key[:80], "share": round(took / whole, 3)} for key, took in sorted(found, key=lambda f: -f[1])[:12]
    ]


def random_rows(settings: Any, length: int, vocabulary: int) -> Any:
    """Rows of random tokens, half of each learnt, enough for all steps."""
    import numpy as np

    from trainers.prepare import Prepared, pack
    from trainers.prompts import IGNORED

    draws = np.random.default_rng(0)
    number = settings.max_steps * settings.rows * settings.accumulate * (4 if settings.pack else 1)
    prepared = Prepared(settings.max_length)
    for row in range(number):
        ids = draws.integers(vocabulary // 2, vocabulary, length, dtype=np.int32)
        prepared.rows.append((ids, np.where(np.arange(length) < length // 2, IGNORED, ids).astype(np.int32)))
        prepared.sample_ids.append(str(row))
    lengths = [length] * number
    prepared.sequences = pack(lengths, settings.max_length) if settings.pack else [[i] for i in range(number)]
    return prepared


def cell(optimizer: str, clipping: str, tiny: bool) -> dict[str, Any]:
    """One step of an optimizer, after a clipping, on one tensor of E2B's size; checked at both ends and beyond 2^31."""
    import torch

    elements, device, kind = (4096, "cpu", torch.float32) if tiny else (ELEMENTS, "cuda", torch.bfloat16)
    weight = torch.nn.Parameter(torch.zeros(elements // 256, 256, device=device, dtype=kind))
    weight.grad = torch.full_like(weight, 2.0**-10)
    norm_wanted = 2.0**-10 * elements**0.5
    norm = None
    started = time.perf_counter()
    if clipping != "none":
        foreach = {"foreach": True, "single": False, "default": None}[clipping]
        norm = torch.nn.utils.clip_grad_norm_([weight], 1.0, foreach=foreach).item()
    opened(optimizer, weight).step()
    if not tiny:
        torch.cuda.synchronize()
    took = time.perf_counter() - started
    flat = weight.detach().flatten()
    places = [0, elements // 2, elements - 1, *([2**31 - 1, 2**31, 2**31 + 1] if elements > 2**31 else [])]
    moved = [flat[place].item() for place in places]
    wrong = [place for place, value in zip(places, moved, strict=True) if not -1.1 <= value / 1e-3 <= -0.9]
    return {
        "right": not wrong and (norm is None or abs(norm / norm_wanted - 1) < 0.05),
        "norm": norm,
        "norm_wanted": norm_wanted,
        "wrong_at": wrong,
        "seconds": round(took, 3),
        "peak_gib": None if tiny else round(torch.cuda.max_memory_allocated() / 2**30, 2),
    }


def opened(name: str, weight: Any) -> Any:
    """An optimizer of OPTIMIZERS over one tensor; each moves every weight by about its learning rate, 0.001."""
    import torch
    from transformers.optimization import Adafactor

    if name == "adafactor":
        return Adafactor([weight], lr=1e-3, scale_parameter=False, relative_step=False)
    kernel = {"fused": {"fused": True}, "foreach": {"foreach": True}, "single": {"foreach": False, "fused": False}}
    return torch.optim.AdamW([weight], lr=1e-3, weight_decay=0.0, **kernel[name.split()[1]])


def show_recipe(name: str, told: dict[str, Any]) -> None:
    """One recipe's line, and where its time goes."""
    if "failed" in told:
        print(f"{name:22} failed: {told['failed']}", flush=True)
        return
    mfu, share = told["mfu_of_data_sheet"], told["share_of_reachable"]
    figures = (
        ""
        if share is None
        else f", {share:.1%} of 790 TFLOPS" + ("" if mfu is None else f" ({mfu:.1%} of the data sheet)")
    )
    peak = "" if told["peak_gib"] is None else f", peak {told['peak_gib']} GiB"
    print(f"{name:22} {told['samples_per_second']:.2f} samples/s of {LENGTH} tokens{figures}{peak}", flush=True)
    for kernel in (told["profile"] or [])[:6]:
        print(f"    {kernel['share']:6.1%}  {kernel['what']}")


def show_ratio(recipes: dict[str, Any]) -> None:
    """How many times as fast ours is; the goal is 21.7 samples a second."""
    speeds = [told.get("samples_per_second") for told in recipes.values()]
    if all(speeds):
        print(f"ours / published       {speeds[1] / speeds[0]:.2f}  (goal: 21.7 samples/s)", flush=True)


def said(told: dict[str, Any]) -> str:
    """A cell in words."""
    if "failed" in told:
        return f"FAILED  {told['failed']}"
    return f"{'right' if told['right'] else 'WRONG'}   {told['seconds']:.2f} s" + (
        "" if told["peak_gib"] is None else f", peak {told['peak_gib']} GiB"
    )


if __name__ == "__main__":
    main()
