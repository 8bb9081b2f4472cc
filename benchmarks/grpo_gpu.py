"""How fast the GRPO recipes learn, and where the time goes: `python benchmarks/grpo_gpu.py`.

For one H100 or H200, in some fifteen minutes: random weights of gemma-4-E2B's real dimensions in the project's own
trainer, no network. Each recipe runs in a process of its own, so that one that does not fit is a result. Beside each
stands what bounds it, measured in the same process: generation alone with weights in bf16, and rewards of whole plans.
`--tiny` runs the same on a CPU with small sizes, to see that it works; its figures mean nothing.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.plan_task import make_release
from benchmarks.sft_gpu import device_name, full_size_model, measured, require_gpu
from trainers.families import FAMILIES
from trainers.presets import Preset, load_preset
from trainers.release import Release, open_release

TASK = Path(__file__).parent / "tasks" / "grpo_gpu.toml"
RECIPES = ("gemma4-e2b-grpo-published", "gemma4-e2b-grpo")
NEW = 256  # tokens of a completion: random weights never end one by themselves
WARM, STEPS = 1, 4  # steps before the clock runs, and under it
TIMEOUT = 400  # seconds for a recipe
TIMES = 20  # a whole plan is scored so often, the fastest of which counts


def main() -> None:
    """Runs every recipe, prints its lines and the ratio, writes --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("grpo_gpu.json"))
    parser.add_argument("--recipe", nargs=3, help=argparse.SUPPRESS)  # one, from release and model: its own process
    parser.add_argument("--model", nargs=2, help=argparse.SUPPRESS)  # makes the model: a process that frees the GPU
    asked = parser.parse_args()
    if asked.model:
        print(json.dumps({"model": str(make_model(open_release(asked.model[0]), Path(asked.model[1]), asked.tiny))}))
        return
    if asked.recipe:
        name, release, model = asked.recipe
        print(json.dumps(recipe(name, open_release(release), Path(model), asked.tiny)))
        return
    require_gpu(asked.tiny)
    told: dict[str, Any] = {"tiny": asked.tiny, "device": device_name(asked.tiny), "recipes": {}}
    timeout = 3600 if asked.tiny else TIMEOUT
    with tempfile.TemporaryDirectory() as home:
        release, model = str(make_release(TASK, Path(home))), str(Path(home) / "model")
        made = measured(["--model", release, model], asked.tiny, timeout, __file__)
        if "failed" in made:
            raise SystemExit(f"the model could not be made: {made['failed']}")
        for name in RECIPES:
            told["recipes"][name] = measured(["--recipe", name, release, model], asked.tiny, timeout, __file__)
            print(said(name, told["recipes"][name]), flush=True)
    print(ratio(told["recipes"]))
    asked.out.write_text(json.dumps(told, indent=2) + "\n")


def make_model(release: Release, folder: Path, tiny: bool) -> Path:
    """A folder with random weights in bf16 and a tokenizer trained on the release: what each recipe starts from."""
    from trainers import models
    from trainers.sft import texts_of

    preset = sized(load_preset(RECIPES[-1]), tiny)
    tokenizer = models.train_tokenizer(texts_of(release), FAMILIES[preset.family], preset.random)
    if tiny:
        model = models.random_model(FAMILIES[preset.family], preset.random, tokenizer, 0)
    else:
        model = full_size_model(preset.family, "bf16")
    models.dress(model, tokenizer, preset)
    models.save_model(model, tokenizer, folder)
    return folder


def recipe(name: str, release: Release, model: Path, tiny: bool) -> dict[str, Any]:
    """What a preset's steps take in the trainer that `curation train grpo` runs, and what bounds them."""
    from trainers import grpo, models
    from trainers.sft import Job, silent

    preset = replace(sized(load_preset(name), tiny), model=str(model))
    loaded, tokenizer = models.load_model(model, "cpu" if tiny else "cuda", preset.sft.weights)
    models.dress(loaded, tokenizer, preset)
    if preset.sft.freeze_table:
        models.freeze_table(loaded, FAMILIES[preset.family])
    with tempfile.TemporaryDirectory() as folder:
        job = Job(release, release.name, preset, Path(folder))
        rows, _ = grpo.prompts_of(job, tokenizer, "train")
        trainer = grpo.trainer_of(job, loaded, tokenizer, rows, None, not tiny, silent)
        taken = timed(trainer, not tiny)
        trainer.train()
        peak = None if tiny else peak_gib()
        told = shares(trainer.state.log_history, taken, preset)
    told |= {"peak_gib": peak, "bare_seconds": bare(trainer, rows, preset, not tiny)}
    told["whole_plans_seconds"] = whole_plans(rows, preset) * preset.grpo.prompts * preset.grpo.generations
    return told


def sized(preset: Preset, tiny: bool) -> Preset:
    """The preset with few steps of completions of one length, each prompt tried once, and nothing saved."""
    settings = replace(
        preset.grpo, max_steps=WARM + STEPS, max_new_tokens=NEW, sampling="all", save_every=10**6, samples=0
    )
    if not tiny:
        return replace(preset, grpo=settings)
    few = replace(settings, prompts=2, generations=2, rows=2, max_new_tokens=8, max_steps=WARM + 2)
    small = replace(preset.random, vocabulary=1000, hidden=16, layers=2, heads=2, intermediate=16, shared=0)
    return replace(preset, grpo=few, random=small, sft=replace(preset.sft, weights="fp32", compute="fp32"))


def timed(trainer: Any, gpu: bool) -> list[float]:
    """The seconds of each step, filled while the trainer trains; it saves nothing."""
    import torch
    import transformers

    taken: list[float] = []

    class Steps(transformers.TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            taken.append(time.perf_counter())

        def on_step_end(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            if gpu:
                torch.cuda.synchronize()
            taken[-1] = time.perf_counter() - taken[-1]

    trainer.add_callback(Steps())
    trainer.args.save_strategy = transformers.trainer_utils.SaveStrategy.NO
    return taken


def shares(history: list[dict[str, Any]], taken: list[float], preset: Preset) -> dict[str, Any]:
    """Speed and shares over the steps after the warm ones, from what the trainer logs of each."""
    lines = [line for line in history if "seconds/generation" in line][WARM:]
    step = fmean(taken[WARM:])
    generation, reward = (fmean(line[f"seconds/{part}"] for line in lines) for part in ("generation", "reward"))
    completions = preset.grpo.prompts * preset.grpo.generations
    tokens = fmean(line["completions/mean_length"] for line in lines) * completions
    return {
        "completions_a_step": completions,
        "steps_per_second": 1 / step,
        "completions_per_second": completions / step,
        "tokens_per_second": tokens / step,
        "step_seconds": step,
        "generation_seconds": generation,
        "shares": {
            "generation": generation / step,
            "reward": reward / step,
            "update": 1 - (generation + reward) / step,
        },
    }


def bare(trainer: Any, rows: list[Any], preset: Preset, gpu: bool) -> float:
    """Seconds that a step's completions take where nothing but generation is done, on a GPU with weights in bf16."""
    import torch

    from trainers.prompts import encode_prompt

    settings, model = preset.grpo, trainer.accelerator.unwrap_model(trainer.model).eval()
    trainer.optimizer = trainer.lr_scheduler = trainer.ref_model = None  # room for the batch
    if gpu:
        model.to(torch.bfloat16)
        torch.cuda.empty_cache()
    ids = [encode_prompt(trainer.processing_class, row, preset) for row in rows[: settings.prompts]]
    width = max(map(len, ids))
    pad = trainer.processing_class.pad_token_id
    padded = torch.tensor([[pad] * (width - len(one)) + one for one in ids for _ in range(settings.generations)])
    padded = padded.to(model.device)
    taken = []
    for _ in range(2):  # the first warms up
        began = time.perf_counter()
        with torch.inference_mode():
            model.generate(
                input_ids=padded,
                attention_mask=(padded != pad).long(),
                do_sample=True,
                temperature=settings.temperature,
                top_p=settings.top_p,
                min_new_tokens=settings.max_new_tokens,
                max_new_tokens=settings.max_new_tokens,
            )
        if gpu:
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return taken[-1]


def whole_plans(rows: list[Any], preset: Preset) -> float:
    """Seconds that the reward of one completion takes where each is a whole plan: what random weights write is none."""
    from trainers.evaluation.gold import gold_of_row
    from trainers.rewards.reading import read
    from trainers.rewards.table import reward

    least = []
    for row in rows[:20]:
        gold, text, taken = gold_of_row(row), row["plan"], []
        for _ in range(TIMES):
            began = time.perf_counter()
            reward(preset.grpo.reward, read(text), gold)
            taken.append(time.perf_counter() - began)
        least.append(min(taken))
    return fmean(least)


def peak_gib() -> float:
    """The most memory that the GPU held."""
    import torch

    return round(torch.cuda.max_memory_allocated() / 2**30, 2)


def said(name: str, told: dict[str, Any]) -> str:
    """A recipe's lines: its speed, where its time goes, and how near it is to what bounds it."""
    if "failed" in told:
        return f"{name}\n    failed: {told['failed']}"
    peak = "" if told["peak_gib"] is None else f", peak {told['peak_gib']} GiB"
    parts = ", ".join(f"{part} {share:.1%}" for part, share in told["shares"].items())
    return (
        f"{name}\n"
        f"    {told['steps_per_second']:.3f} steps/s of {told['completions_a_step']} completions, "
        f"{told['tokens_per_second']:,.0f} tokens/s{peak}\n"
        f"    {parts}\n"
        f"    generation takes {told['generation_seconds'] / told['bare_seconds']:.2f} of what it takes alone in bf16; "
        f"rewards of whole plans would take {told['whole_plans_seconds'] / told['step_seconds']:.2%} of a step"
    )


def ratio(recipes: dict[str, Any]) -> str:
    """How many times as many completions a second ours learns from."""
    speeds = [told.get("completions_per_second") for told in recipes.values()]
    if not all(speeds):
        return "ours / published       not measured: a recipe failed"
    return f"ours / published       {speeds[1] / speeds[0]:.2f} times as many completions a second"


if __name__ == "__main__":
    main()
