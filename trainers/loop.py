"""TRL's SFTTrainer with what it lacks: clipping that no large tensor breaks, a name for a bad batch, whole checkpoints."""

import json
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from trl import SFTConfig, SFTTrainer

from curation.errors import CurationError
from trainers.head import LearntAlone
from trainers.muon import MuonAdamW
from trainers.prepare import Prepared
from trainers.presets import Sft

WHOLE = "whole.json"  # written last: a checkpoint without it, or with other sizes than it says, is none
TOO_LARGE = 2**31  # elements from which on the multi-tensor kernels of CUDA count wrongly


class NotFiniteError(CurationError):
    """The owner of the data or the preset must act: loss or gradient is no number."""


class Careful:
    """What every trainer here does its own way: clipping, what is no number, checkpoints. Comes before TRL's class."""

    args: Any
    state: Any

    def _clip_grad_norm(self, model: Any) -> torch.Tensor:
        """Clips tensor by tensor: the grouped kernels fail beyond 2^31 elements, which one table of Gemma 4 has."""
        norm: torch.Tensor = torch.nn.utils.clip_grad_norm_(model.parameters(), self.args.max_grad_norm, foreach=False)
        if not torch.isfinite(norm):
            raise self._not_finite("gradient", norm.item())
        return norm

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> float | None:
        """The norm that clipping measured. Without clipping none: measuring it would run the same kernels."""
        return None if grad_norm is None else float(grad_norm)

    def _not_finite(self, what: str, value: float) -> NotFiniteError:
        return NotFiniteError(
            f"the {what} became {value} at step {self.state.global_step + 1}; lower the learning rate, or set sft.clip"
        )

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """A checkpoint that counts once all of it is there."""
        transformers.Trainer._save_checkpoint(self, model, trial)  # TRL's own writes a model card of its own beside it
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        self._save_more(folder)
        sizes = {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*") if p.is_file()}
        (folder / WHOLE).write_text(json.dumps(sizes))

    def _save_more(self, folder: Path) -> None:
        """What else a checkpoint must hold; nothing here."""


class Loop(Careful, SFTTrainer):  # type: ignore[misc]
    """One training run over prepared sequences."""

    def __init__(self, *arguments: Any, prepared: Prepared, **named: Any) -> None:
        super().__init__(*arguments, **named)
        LearntAlone(self.model)
        self._prepared = prepared
        self._numbers: list[int] = []  # of the sequences in the step that is being made
        self.data_collator: Any = _Numbered(self.data_collator)

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = ["input_ids", "labels", "seq_lengths", "number"]

    def training_step(self, model: Any, inputs: dict[str, Any], *arguments: Any, **named: Any) -> torch.Tensor:
        """A forward and backward pass; NotFiniteError names the samples where the loss is no number."""
        self._numbers += inputs.pop("number").tolist()
        loss: torch.Tensor = super().training_step(model, inputs, *arguments, **named)
        if not torch.isfinite(loss):
            raise self._not_finite("loss", loss.item())
        return loss

    def prediction_step(self, model: Any, inputs: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        """A forward pass on validation."""
        inputs.pop("number", None)
        return super().prediction_step(model, inputs, *arguments, **named)

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> float | None:
        """The norm that clipping measured. Without clipping none: measuring it would run the same kernels."""
        self._numbers = []
        return super()._get_grad_norm(model, grad_norm)

    def _not_finite(self, what: str, value: float) -> NotFiniteError:
        names = self._prepared.named(self._numbers)
        shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        return NotFiniteError(
            f"the {what} became {value} at step {self.state.global_step + 1}, in the batch of the samples {shown}; look "
            "at them with `curation explain`, lower sft.learning_rate, or set sft.clip, then go on with --resume"
        )


class _Numbered:
    """A collator that keeps the numbers of the sequences beside the batch."""

    def __init__(self, inner: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> None:
        self.inner = inner

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        numbers = torch.tensor([example["number"] for example in examples])
        return {**self.inner(examples), "number": numbers}


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in a folder, after removing what a kill left half-written; None where there is none."""
    found: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        if _whole(path):
            found.append((int(path.name.rpartition("-")[2]), path))
        else:
            shutil.rmtree(path, ignore_errors=True)
    return max(found)[1] if found else None


def _whole(folder: Path) -> bool:
    try:
        sizes = json.loads((folder / WHOLE).read_text())
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


class Watch(transformers.TrainerCallback):  # type: ignore[misc]
    """Writes metrics.jsonl, says how far it is, and logs where a checkpoint is made, so that a resumed curve is the same.

    `flops`: of one token, forward and backward; `peak`: what the GPU can do in a second, None where that is not known.
    """

    def __init__(self, metrics: Path, flops: float, peak: float | None, say: Callable[[str], None]) -> None:
        self.metrics, self.flops, self.peak, self.say = metrics, flops, peak, say
        self.began = self.last = self.said = time.monotonic()
        self.seen, self.steps = 0.0, 0
        self.tokens, self.busy = 0.0, 0.0  # of this process, from its second log on: the first holds the warm-up

    def on_train_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """Forgets what was logged after the checkpoint that is gone on from."""
        kept = [line for line in read_metrics(self.metrics) if line["step"] <= state.global_step]
        self.metrics.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self.began = self.last = self.said = time.monotonic()
        self.steps = state.global_step

    def on_step_end(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """No step is averaged across a checkpoint."""
        if control.should_save:
            control.should_log = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **named: Any) -> None:
        """One line of metrics.jsonl, and a sentence every ten seconds."""
        logs = logs or {}
        if "train_runtime" in logs:
            return
        now = time.monotonic()
        line = {"step": state.global_step, "epoch": round(state.epoch or 0.0, 4)}
        line |= {key: value for key, value in logs.items() if key not in ("epoch", "num_tokens")}
        if "loss" in logs:
            tokens, took = logs.get("num_tokens", 0.0) - self.seen, now - self.last
            if self.seen:
                self.tokens, self.busy = self.tokens + tokens, self.busy + took
            self.seen, self.last = logs.get("num_tokens", 0.0), now
            line["tokens_per_second"] = round(tokens / took, 1) if took else None
            line["mfu"] = self.mfu(tokens / took) if took else None
        with self.metrics.open("a") as file:
            file.write(json.dumps(line) + "\n")
        if "loss" in logs and (now - self.said >= 10 or state.global_step == state.max_steps):
            self.said = now
            self.say(self.sentence(state, line, now))

    def on_evaluate(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """What validation takes is no training time."""
        self.last = time.monotonic()

    on_save = on_evaluate

    def mfu(self, tokens_per_second: float) -> float | None:
        """The share of the GPU's arithmetic that went into the model."""
        return None if self.peak is None else round(tokens_per_second * self.flops / self.peak, 4)

    @property
    def tokens_per_second(self) -> float | None:
        """Over the whole of this process' training."""
        return self.tokens / self.busy if self.busy else None

    def sentence(self, state: Any, line: dict[str, Any], now: float) -> str:
        """Where the run is, for the person watching."""
        rate = (now - self.began) / max(1, state.global_step - self.steps)
        left = rate * (state.max_steps - state.global_step)
        speed = f", {line['tokens_per_second']:,.0f} tokens/s" if line.get("tokens_per_second") else ""
        mfu = f", {line['mfu']:.0%} MFU" if line.get("mfu") else ""
        return (
            f"step {state.global_step:,} of {state.max_steps:,}: loss {line['loss']:.4f}{speed}{mfu}, "
            f"{duration(left)} left"
        )


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl; a last one that a kill cut short is left out."""
    lines: list[dict[str, Any]] = []
    for text in path.read_text().splitlines() if path.exists() else ():
        try:
            lines.append(json.loads(text))
        except ValueError:
            break
    return lines


def duration(seconds: float) -> str:
    """Seconds in words: 45 s, 12 min, 3 h 20 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def config(settings: Sft, folder: Path, seed: int, gpu: bool, evaluates: bool, report_to: str | None) -> SFTConfig:
    """The preset's settings in TRL's words."""
    return SFTConfig(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=settings.rows,
        per_device_eval_batch_size=settings.rows,
        gradient_accumulation_steps=settings.accumulate,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,
        max_length=None,  # prepare() has left out what is longer
        padding_free=settings.pack,
        dataset_kwargs={"skip_prepare_dataset": True},
        train_sampling_strategy="random" if settings.pack or settings.rows == 1 else "group_by_length",
        save_steps=settings.save_every,
        eval_strategy="steps" if evaluates and settings.evaluate_every else "no",
        eval_steps=settings.evaluate_every,
        logging_steps=settings.log_every,
        **shared(settings, seed, gpu, report_to),
    )


def shared(settings: Sft, seed: int, gpu: bool, report_to: str | None) -> dict[str, Any]:
    """What is the same in TRL's words whatever is trained: numbers, optimizer, clipping, checkpoints, logs, seeds."""
    return {
        "max_grad_norm": settings.clip or 0.0,
        "weight_decay": settings.weight_decay,
        "optim": "adafactor" if settings.optimizer == "adafactor" else "adamw_torch",
        "bf16": settings.compute == "bf16",
        "use_cpu": not gpu,
        "activation_checkpointing": settings.checkpointing,
        "save_strategy": "steps",
        "save_total_limit": settings.keep,
        "logging_nan_inf_filter": False,
        "disable_tqdm": True,
        "dataloader_pin_memory": gpu,
        "report_to": report_to or "none",
        "seed": seed,
        "data_seed": seed,
    }


def optimizer(model: Any, settings: Sft) -> tuple[Any, dict[str, Any]] | None:
    """AdamW by its fused kernel, or tensor by tensor where a trained one is too large for that; None: TRL's Adafactor.

    With Muon, the same AdamW for what is no matrix.
    """
    if settings.optimizer == "adafactor":
        return None
    largest = max(p.numel() for p in model.parameters() if p.requires_grad)
    kernel = {"fused": True} if largest < TOO_LARGE else {"foreach": False, "fused": False}
    named = {"lr": settings.learning_rate, "betas": (0.9, settings.beta2), "eps": 1e-8, **kernel}
    if settings.optimizer == "adamw":
        return torch.optim.AdamW, named
    tables = [m.weight for m in model.modules() if isinstance(m, torch.nn.Embedding)]
    return MuonAdamW, {"tables": frozenset(map(id, tables)), **named}
