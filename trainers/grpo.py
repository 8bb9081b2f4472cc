"""Learning from rewards: from a release, a trained model and a preset to a folder with a better model, or the same."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from curation.errors import InputError, MachineError
from trainers.curriculum import Curriculum
from trainers.families import FAMILIES
from trainers.machine import machine_told, require_machine
from trainers.presets import Preset, PresetError
from trainers.prompts import Row, encode_prompt, prompt_messages
from trainers.run import (
    CARD,
    CHECKPOINTS,
    METRICS,
    PRESET,
    Run,
    alone,
    card,
    failure_told,
    hardware,
    new_run,
    now,
    preset_of,
    put,
    read_run,
    write_preset,
    write_run,
)
from trainers.sft import Job, gone_on_with, quiet, silent

KIND = "grpo"
CONFIG = "grpo"  # the configuration of a release that it reads
SAMPLES = "completions.jsonl"
VLLM = ((0, 22), (0, 31))  # the first and the last version of vLLM that TRL 1.16 works with


def train(job: Job, say: Callable[[str], None] = silent) -> Run:
    """Trains, or goes on where a killed run stopped; returns the finished run as run.json has it.

    A run that is finished in `job.out` is not made again. Raises InputError, MachineError or NotFiniteError with one
    sentence; what was whole by then is gone on from.
    """
    require_settings(job.preset)
    job = replace(job, preset=as_fine_tuned(job.preset))
    run = new_run(KIND, job.release, job.reference, job.preset, job.model, job.seed)
    with alone(job.out):
        before = read_run(job.out)
        if before is not None:
            run = gone_on_with(job, before, run)
        if run["state"] == "finished":
            say(f"{job.out} holds this run, finished; nothing is trained again")
            return run
        with machine_told(job.out, job.preset):
            write_run(job.out, run)
            write_preset(job.out, job.preset)
        with failure_told(job.out, run):
            return _trained(job, run, say)


def require_settings(preset: Preset) -> None:
    """Raises PresetError, InputError or MachineError for what cannot be trained, before anything is loaded."""
    settings = preset.grpo
    completions = settings.prompts * settings.generations
    if completions % settings.rows:
        raise PresetError(
            f"the preset {preset.name}: grpo.rows = {settings.rows} does not divide the {completions} completions of a "
            "step (grpo.prompts times grpo.generations); choose one that does"
        )
    if settings.save_every % settings.iterations:
        raise PresetError(
            f"the preset {preset.name}: grpo.save_every = {settings.save_every} must be a multiple of grpo.iterations = "
            f"{settings.iterations}, since a checkpoint does not hold completions that are still to be used"
        )
    if preset.model == "random":
        raise InputError(
            "random weights earn no reward to learn from; name a model that `curation train sft` made, with --model"
        )
    if settings.vllm != "off":
        require_vllm(preset)


def require_vllm(preset: Preset) -> None:
    """Raises MachineError where vLLM is not installed, or in a version that TRL does not work with."""
    first, last = (".".join(map(str, numbers)) for numbers in VLLM)
    asked = f"the preset {preset.name} asks for grpo.vllm={preset.grpo.vllm}"
    remedy = f"install one from {first} to {last} that takes this transformers, or set grpo.vllm=off with --set"
    try:
        found = version("vllm")
    except PackageNotFoundError:
        raise MachineError(f"{asked}, and vLLM is not installed; {remedy}") from None
    numbers = tuple(int(part) for part in found.split(".")[:2])
    if not VLLM[0] <= numbers <= VLLM[1]:
        raise MachineError(f"{asked}, and vLLM {found} is installed, which TRL does not work with; {remedy}")


def as_fine_tuned(preset: Preset) -> Preset:
    """The preset, with the system message and the thinking of the model's own where it names no system message.

    A model that was fine-tuned to be asked in one way knows nothing of another.
    """
    if preset.system is not None or not (Path(preset.model) / PRESET).is_file():
        return preset
    own = preset_of(preset.model)
    return replace(preset, system=own.system, thinking=own.thinking)


def prompts_of(job: Job, tokenizer: Any, split: str) -> tuple[list[Row], dict[str, int]]:
    """(rows of a split that can be trained on, how many others there are for which reason)."""
    rows: list[Row] = []
    long = 0
    for row in job.release.rows(CONFIG, split):
        if len(encode_prompt(tokenizer, row, job.preset)) > job.preset.grpo.max_prompt:
            long += 1
        else:
            rows.append(row)
    return rows, {f"longer than grpo.max_prompt = {job.preset.grpo.max_prompt:,} tokens": long} if long else {}


def _trained(job: Job, run: Run, say: Callable[[str], None]) -> Run:
    began = time.monotonic()
    gpu = require_machine(replace(job.preset, sft=replace(job.preset.sft, pack=False)))  # no rows are packed here
    with machine_told(job.out, job.preset), quiet():
        trainer, held_out = _loop(job, run, gpu, say)
    with machine_told(job.out, job.preset, lambda: trainer.state.global_step), quiet():
        _fit(job, trainer, say)
        _finish(job, trainer, held_out)
    run |= {
        "state": "finished",
        "finished_at": now(),
        "seconds": round(time.monotonic() - began, 1),
        "steps": trainer.state.global_step,
        "kept_step": held_out.best.step if held_out else trainer.state.global_step,
        "stage": trainer.curriculum.stage,
        "tokens": int(trainer.state.num_input_tokens_seen),
        "metrics": _figures(trainer, held_out),
        "hardware": hardware(gpu),
    }
    put(job.out / CARD, card(run))
    write_run(job.out, run)
    if held_out:
        held_out.forget()
    return run


def _loop(job: Job, run: Run, gpu: bool, say: Callable[[str], None]) -> tuple[Any, Any]:
    """The trainer over the prompts, and who measures it."""
    from trainers import models
    from trainers.heldout import HeldOut

    preset = job.preset
    models.require_family(preset.model, preset)
    model, tokenizer = models.load_model(preset.model, "cuda" if gpu else "cpu", preset.sft.weights)
    models.dress(model, tokenizer, preset)
    if preset.sft.freeze_table:
        models.freeze_table(model, FAMILIES[preset.family])
    rows, left_out = prompts_of(job, tokenizer, "train")
    if len(rows) < preset.grpo.prompts:
        raise InputError(
            f"{job.release.name} {job.release.version} has {len(rows)} prompts to train on and a step takes "
            f"{preset.grpo.prompts}; set grpo.prompts or grpo.max_prompt with --set, or take a larger release"
        )
    run["data"] = {"train": {"rows": len(rows), "left_out": left_out}}
    held_out = None
    asked = prompts_of(job, tokenizer, "validation")[0] if "validation" in job.release.splits else []
    if asked:
        held_out = HeldOut(asked, tokenizer, preset, job.out, job.seed, say)
    else:
        say("the release has no split validation that could be asked: the last state is kept, be it the best or not")
    trainer = trainer_of(job, model, tokenizer, rows, held_out, gpu, say)
    if held_out:
        held_out.trainer = trainer
    return trainer, held_out


def trainer_of(
    job: Job, model: Any, tokenizer: Any, rows: list[Row], held_out: Any, gpu: bool, say: Callable[[str], None]
) -> Any:
    """TRL's trainer, ours, over the rows of a split; `held_out`: who measures it, None for nobody."""
    import datasets
    import transformers

    from trainers import rollouts

    preset = job.preset
    trainer = rollouts.Rollouts(
        model,
        args=rollouts.config(preset, job.out / CHECKPOINTS, job.seed, gpu, job.report_to),
        train_dataset=datasets.Dataset.from_list([{**row, "prompt": prompt_messages(row, preset)} for row in rows]),
        processing_class=tokenizer,
        callbacks=[rollouts.Learning(job.out / METRICS, job.out / SAMPLES, say), *([held_out] if held_out else [])],
        optimizers=rollouts.optimizers(model, preset),
        rows=rows,
        preset=preset,
        curriculum=Curriculum(preset.grpo),
        held_out=held_out,
        samples=job.out / SAMPLES,
        say=say,
    )
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer


def _fit(job: Job, trainer: Any, say: Callable[[str], None]) -> None:
    from trainers.loop import last_checkpoint
    from trainers.rollouts import STATE

    at = last_checkpoint(job.out / CHECKPOINTS)
    if at is not None:
        say(f"going on from {at.name}")
        state = json.loads((at / STATE).read_text())
        trainer.curriculum.restore(state["curriculum"])
        if trainer.held_out:
            trainer.held_out.restore(state["held_out"])
            if trainer.held_out.drifted:
                trainer.state = type(trainer.state).load_from_json(str(at / "trainer_state.json"))
                return
    trainer.train(resume_from_checkpoint=None if at is None else str(at))


def _finish(job: Job, trainer: Any, held_out: Any) -> None:
    """The best state, or without a held-out split the last, at the top of the folder."""
    from trainers.models import save_model

    if held_out is None:
        trainer.model.to("cpu")
        save_model(trainer.model, trainer.processing_class, job.out)
        return
    for path in held_out.folder.iterdir():
        shutil.copy2(path, job.out / path.name)


def _figures(trainer: Any, held_out: Any) -> dict[str, float]:
    """What the card shows: the reward in training at first and at last, the held-out measures at first and at best."""
    logged = [line["reward"] for line in trainer.state.log_history if line.get("reward") is not None]
    figures = {"reward at first": logged[0], "reward at last": logged[-1]} if logged else {}
    if held_out:
        start, best = held_out.measured[0], held_out.best
        figures |= {"plan at first": start.plan, "plan kept": best.plan}
        figures |= {"exactly right at first": start.plan_exact, "exactly right kept": best.plan_exact}
    return figures
