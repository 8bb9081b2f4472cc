"""Supervised fine-tuning: from a release and a preset to a folder with a model and what there is to know of it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import InputError
from curation.release.targets.models import ModelRepository
from trainers.families import FAMILIES
from trainers.machine import machine_told, require_machine
from trainers.prepare import Prepared, Told, prepare
from trainers.presets import Preset
from trainers.release import Release
from trainers.run import (
    CARD,
    CHECKPOINTS,
    METRICS,
    Run,
    alone,
    card,
    failure_told,
    hardware,
    new_run,
    now,
    put,
    read_run,
    same_run,
    write_preset,
    write_run,
)

KIND = "sft"
CONFIG = "sft"  # the configuration of a release that it reads


@dataclass(frozen=True)
class Push:
    """Where checkpoints go, and how often; `every` None: the finished model alone."""

    to: str
    every: int | None = None


@dataclass(frozen=True)
class Job:
    """What is to be trained."""

    release: Release
    reference: str  # the release as it was named
    preset: Preset
    out: Path
    seed: int = 0
    resume: bool = False
    push: Push | None = None
    report_to: str | None = None

    @property
    def model(self) -> str:
        """What the training starts from."""
        return self.preset.model


def silent(*_: Any) -> None:
    """Says nothing."""


def train(job: Job, say: Callable[[str], None] = silent, told: Told = silent) -> Run:
    """Trains, or goes on where a killed run stopped; returns the finished run as run.json has it.

    A run that is finished in `job.out` is not made again. `say`: sentences for the person watching; `told`: progress.
    Raises InputError, MachineError or NotFiniteError with one sentence; what was whole by then is gone on from.
    """
    run = new_run(KIND, job.release, job.reference, job.preset, job.model, job.seed)
    if job.push is not None:
        ModelRepository.of(job.push.to).check()
    with alone(job.out):
        before = read_run(job.out)
        if before is not None:
            run = gone_on_with(job, before, run)
        if run["state"] == "finished":
            say(f"{job.out} holds this run, finished; nothing is trained again")
            return _published(job, run, say)
        with machine_told(job.out, job.preset):
            write_run(job.out, run)
            write_preset(job.out, job.preset)
        with failure_told(job.out, run):
            run = _trained(job, run, say, told)
        return _published(job, run, say)


def gone_on_with(job: Job, before: Run, run: Run) -> Run:
    """The run in the folder, where it is this one and may be gone on with; `run` itself where nothing was kept of it.

    Raises InputError where the folder holds another run, or this one and it is not to be gone on with.
    """
    if before["state"] != "finished" and not any((job.out / CHECKPOINTS).glob("checkpoint-*")):
        return run
    differs = same_run(before, run)
    if differs:
        raise InputError(f"{job.out} holds another run: {differs}; choose another folder with --out")
    if before["state"] == "finished":
        return before
    if not job.resume:
        raise InputError(
            f"{job.out} holds this run, unfinished; go on with it with --resume, or choose another folder with --out"
        )
    return {**run, "started_at": before["started_at"]}


def _trained(job: Job, run: Run, say: Callable[[str], None], told: Told) -> Run:
    began = time.monotonic()
    gpu = require_machine(job.preset)
    with machine_told(job.out, job.preset), quiet():
        model, tokenizer = start(job, gpu)
        splits = sequences(job, tokenizer, say, told)
        run["data"] = {split: made.counts() for split, made in splits.items()}
    trainer, watch = _loop(job, model, tokenizer, splits, gpu, say)
    with machine_told(job.out, job.preset, lambda: trainer.state.global_step), quiet():
        _fit(job, trainer, say)
        metrics = _measured(trainer, splits)
        finish(job, model, tokenizer)
    speed = watch.tokens_per_second
    run |= {
        "state": "finished",
        "finished_at": now(),
        "seconds": round(time.monotonic() - began, 1),
        "steps": trainer.state.global_step,
        "tokens": round(splits["train"].tokens * float(trainer.state.epoch or 0.0)),
        "tokens_per_second": None if speed is None else round(speed, 1),
        "mfu": None if speed is None else watch.mfu(speed),
        "metrics": metrics,
        "hardware": hardware(gpu),
    }
    put(job.out / CARD, card(run))
    write_run(job.out, run)
    return run


def start(job: Job, gpu: bool) -> tuple[Any, Any]:
    """The model as training finds it, and its tokenizer."""
    from trainers import models

    preset, family = job.preset, FAMILIES[job.preset.family]
    if preset.model == "random":
        texts = texts_of(job.release)
        tokenizer = models.train_tokenizer(texts, family, preset.random)
        model = models.random_model(family, preset.random, tokenizer, job.seed)
    else:
        models.require_family(preset.model, preset)
        model, tokenizer = models.load_model(preset.model, "cuda" if gpu else "cpu", preset.sft.weights)
    models.dress(model, tokenizer, preset)
    if preset.sft.freeze_table:
        models.freeze_table(model, family)
    return model.to("cuda" if gpu else "cpu"), tokenizer


def texts_of(release: Release) -> Iterator[str]:
    """The texts of the training split: what a tokenizer of one's own is trained on."""
    for row in release.rows(CONFIG, "train"):
        yield from (message["content"] for message in (*row["prompt"], *row["completion"]))


def sequences(job: Job, tokenizer: Any, say: Callable[[str], None], told: Told) -> dict[str, Prepared]:
    """What is trained on and, where the release has one, the validation split."""
    made = {}
    for split in ("train", "validation"):
        what = f"the split {split} of {job.release.name} {job.release.version}"
        if split == "validation" and split not in job.release.splits:
            say(f"{job.release.name} {job.release.version} has no validation split: no loss is measured on one")
            continue
        learn = job.preset.sft.learn if split == "train" else "answer"  # so that validation means the same everywhere
        made[split] = prepare(job.release.rows(CONFIG, split), tokenizer, job.preset, what, told, learn)
        say(_said(split, made[split]))
    return made


def _said(split: str, made: Prepared) -> str:
    left = "".join(f"; {number:,} left out: {reason}" for reason, number in made.left_out.items())
    packed = f", packed into {len(made.sequences):,} ({made.filled:.0%} full)" if made.filled < 1 else ""
    return f"{split}: {len(made.rows):,} rows, {made.tokens:,} tokens{packed}{left}"


def _loop(
    job: Job, model: Any, tokenizer: Any, splits: dict[str, Prepared], gpu: bool, say: Callable[[str], None]
) -> tuple[Any, Any]:
    """The trainer over the sequences, and who watches it."""
    import transformers

    from trainers import loop

    transformers.logging.disable_progress_bar()
    train_set, held_out = splits["train"], splits.get("validation")
    flops, peak = _arithmetic(job, model, train_set, gpu)
    watch = loop.Watch(job.out / METRICS, flops, peak, say)
    callbacks: list[Any] = [watch]
    if job.push is not None and job.push.every is not None:
        from trainers.pushing import Pusher

        callbacks.append(Pusher(job.push.to, job.push.every, job.out, say))
    with quiet(), tracker_told(job.report_to):
        trainer = loop.Loop(
            model,
            loop.config(job.preset.sft, job.out / CHECKPOINTS, job.seed, gpu, held_out is not None, job.report_to),
            prepared=train_set,
            train_dataset=train_set.dataset(),
            eval_dataset=held_out.dataset() if held_out else None,
            processing_class=tokenizer,
            callbacks=callbacks,
            optimizer_cls_and_kwargs=loop.optimizer(model, job.preset.sft),
        )
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer, watch


def _arithmetic(job: Job, model: Any, made: Prepared, gpu: bool) -> tuple[float, float | None]:
    """(operations of one token, operations a second of this GPU or None)."""
    import torch

    from trainers.estimate import gpu_of, size_of

    size = size_of(job.model, job.preset)
    parameters = sum(p.numel() for n, p in model.named_parameters() if "embed_tokens_per_layer" not in n)
    flops = size.flops(made.tokens / len(made.rows)) if size and job.model != "random" else 6.0 * parameters
    known = gpu_of(torch.cuda.get_device_name()) if gpu else None
    return flops, None if known is None else known.tflops * 1e12


def _fit(job: Job, trainer: Any, say: Callable[[str], None]) -> None:
    from trainers.loop import last_checkpoint

    at = last_checkpoint(job.out / CHECKPOINTS)
    if at is not None:
        say(f"going on from {at.name}")
    trainer.train(resume_from_checkpoint=None if at is None else str(at))


def _measured(trainer: Any, splits: dict[str, Prepared]) -> dict[str, float | None]:
    """The losses of the finished model: over the last logged steps, and on validation."""
    logged = [line for line in trainer.state.log_history if "loss" in line]
    held_out = trainer.evaluate() if "validation" in splits else {}
    return {
        "train_loss": logged[-1]["loss"] if logged else None,
        "validation_loss": held_out.get("eval_loss"),
        "validation_token_accuracy": held_out.get("eval_mean_token_accuracy"),
    }


def finish(job: Job, model: Any, tokenizer: Any) -> None:
    """Saves the model at the top of the folder; half of it is never taken for all, since run.json comes last."""
    from trainers.models import save_model

    model.to("cpu")
    save_model(model, tokenizer, job.out)


def _published(job: Job, run: Run, say: Callable[[str], None]) -> Run:
    """Puts the finished model on the Hub, where it is asked for and not there yet."""
    if job.push is None or (run.get("pushed") or {}).get("to") == job.push.to:
        return run
    from trainers.pushing import push_finished

    commit = push_finished(job.push.to, job.out)
    say(f"pushed to {job.push.to} at {commit}")
    run = {**run, "pushed": {"to": job.push.to, "commit": commit}}
    write_run(job.out, run)
    return run


@contextmanager
def tracker_told(report_to: str | None) -> Iterator[None]:
    """Turns what a tracker that is unknown or not installed raises in the block into an InputError."""
    try:
        yield
    except (ValueError, RuntimeError, ImportError) as error:
        if report_to is None or not any(word in str(error) for word in ("is not supported", "requires", "install")):
            raise
        first = str(error).splitlines()[0][:200]
        raise InputError(f"--report-to {report_to} cannot be used: {first}; leave it out, or install it") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Libraries print nothing to stdout, which holds results alone, and only errors to stderr."""
    import logging
    import warnings

    loggers = [logging.getLogger(name) for name in ("transformers", "trl", "accelerate", "torch", "datasets")]
    levels = [logger.level for logger in loggers]
    out = sys.stdout
    try:
        sys.stdout = sys.stderr
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.stdout = out
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
