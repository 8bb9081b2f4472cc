"""TRL's GRPOTrainer with what it lacks: prompts that teach, a curriculum, parts of the reward, samples to read."""

import json
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from trl import GRPOConfig, GRPOTrainer

from trainers.curriculum import Curriculum
from trainers.evaluation.gold import Gold, gold_of_row
from trainers.families import FAMILIES
from trainers.head import LearntAlone
from trainers.heldout import HeldOut
from trainers.loop import Careful, Watch, duration, optimizer, read_metrics, shared
from trainers.presets import Preset
from trainers.prompts import Row, decode, encode_prompt
from trainers.rewards.plan import Parts, passes
from trainers.rewards.reading import read
from trainers.rewards.table import REWARDS

STATE = "grpo.json"  # beside a checkpoint's weights: where the curriculum and the held-out measure are
ALIKE = 1e-6  # rewards that differ by less are the same
UNSPENT = {"generation": 0.0, "reward": 0.0}  # seconds of a step before it is made
SERVER = "http://127.0.0.1:8000"  # where `vllm serve` listens unless told otherwise
# What a loss needs beside its name. CISPO cuts each token's weight at epsilon_high, which TRL leaves at the 0.2 of the
# clipped losses: every weight, being near 1, would be cut. LUSPO weighs whole completions.
LOSS: dict[str, dict[str, Any]] = {
    "cispo": {"epsilon_high": 5.0},
    "luspo": {"importance_sampling_level": "sequence"},
}


@dataclass
class Group:
    """The completions of one prompt. `logprobs`: vLLM's, None from transformers; `passed`: which pass the stage."""

    row: Row
    prompt: list[int]
    completions: list[list[int]]
    logprobs: list[list[float]] | None
    texts: list[str]
    parts: list[Parts]
    passed: list[bool]

    @property
    def rewards(self) -> list[float]:
        """What each completion earns."""
        return [sum(parts.values()) for parts in self.parts]

    @property
    def varies(self) -> bool:
        """Whether its completions earn different rewards, without which none is better than another."""
        return max(self.rewards) - min(self.rewards) > ALIKE

    def tells(self, sampling: str) -> bool:
        """Whether there is something to learn from it, as the preset's `sampling` has it."""
        if sampling == "pass_rate":
            return self.varies and 0 < sum(self.passed) < len(self.passed)
        return sampling == "all" or self.varies


class Rollouts(Careful, GRPOTrainer):  # type: ignore[misc]
    """One training run; of the configuration `grpo` it reads the columns and nothing else."""

    def __init__(
        self,
        *arguments: Any,
        rows: Sequence[Row],
        preset: Preset,
        curriculum: Curriculum,
        held_out: HeldOut | None,
        samples: Path,
        say: Callable[[str], None],
        **named: Any,
    ) -> None:
        self._pool, self._preset, self._settings = rows, preset, preset.grpo
        self.curriculum, self.held_out, self._samples, self._say = curriculum, held_out, samples, say
        self._given: list[Any] = []
        self._totals: list[float] = []
        self._golds: dict[str, Gold] = {}
        self._spent = dict(UNSPENT)
        super().__init__(*arguments, reward_funcs=[self.earned], rollout_func=self._rollout, **named)
        LearntAlone(self.model)

    def earned(self, **columns: Any) -> list[float]:
        """What the completions just made earn; they were scored when it was decided which prompts to keep."""
        return self._totals

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self._given = inputs
        made: dict[str, Any] = super()._generate_and_score_completions(inputs)
        return made

    def _rollout(self, prompts: list[Any], trainer: Any) -> dict[str, Any]:
        """The completions of a step, of other prompts than those given where these teach nothing."""
        step = self.state.global_step
        self._spent = dict(UNSPENT)
        given = self._given[:: self.num_generations]
        first = self._tried(given, step)
        groups = self._refilled(first, step)
        self._note(first, groups, step)
        self._totals = [reward for group in groups for reward in self._noised(group)]
        logprobs = None if groups[0].logprobs is None else [one for group in groups for one in group.logprobs or ()]
        return {
            "prompt_ids": [group.prompt for group in groups for _ in group.completions],
            "completion_ids": [ids for group in groups for ids in group.completions],
            "logprobs": logprobs,
        }

    def _tried(self, rows: Sequence[Row], step: int) -> list[Group]:
        """A group of scored completions for each row."""
        each, at = self.num_generations, self.curriculum.at(step)
        prompts = [encode_prompt(self.processing_class, row, self._preset) for row in rows]
        began = time.perf_counter()
        ids, logprobs = self._generate_single_turn([p for p in prompts for _ in range(each)], None, {}, each)
        generated = time.perf_counter()
        groups = []
        for i, (row, prompt) in enumerate(zip(rows, prompts, strict=True)):
            part = slice(i * each, (i + 1) * each)
            texts = [decode(self.processing_class, one, self._preset.family) for one in ids[part]]
            gold = self._gold(row)
            form = FAMILIES[self._preset.family].thinking[self._preset.thinking]
            written = [read(text, form) for text in texts]
            groups.append(
                Group(
                    row,
                    prompt,
                    ids[part],
                    None if logprobs is None else logprobs[part],
                    texts,
                    [REWARDS[self._settings.reward](one, gold, at) for one in written],
                    [passes(one, gold, at.stage) for one in written],
                )
            )
        self._spent["generation"] += generated - began
        self._spent["reward"] += time.perf_counter() - generated
        return groups

    def _gold(self, row: Row) -> Gold:
        if row["sample_id"] not in self._golds:
            self._golds[row["sample_id"]] = gold_of_row(row)
        return self._golds[row["sample_id"]]

    def _refilled(self, first: list[Group], step: int) -> list[Group]:
        """The groups, those that tell nothing replaced by those of other prompts that do, as far as some are found.

        Which prompts are drawn depends on seed, step and round alone, so that a resumed run draws the same.
        """
        groups = list(first)
        for attempt in range(self._settings.refills):
            dull = [i for i, group in enumerate(groups) if not group.tells(self._settings.sampling)]
            there = {group.row["sample_id"] for group in (*first, *groups)}
            others = [row for row in self._pool if row["sample_id"] not in there]
            if not dull or len(others) < len(dull):
                break
            dice = random.Random(f"{self.args.seed} {step} {attempt}")
            for i, group in zip(dull, self._tried(dice.sample(others, len(dull)), step), strict=True):
                groups[i] = group if group.tells(self._settings.sampling) else groups[i]
        return groups

    def _noised(self, group: Group) -> list[float]:
        """The rewards; those of a group without variance with noise, where the preset asks for it."""
        if group.varies or not self._settings.noise:
            return group.rewards
        drawn: list[float] = (torch.randn(len(group.rewards)) * self._settings.noise).tolist()
        return [reward + noise for reward, noise in zip(group.rewards, drawn, strict=True)]

    def _note(self, first: list[Group], groups: list[Group], step: int) -> None:
        """Into the step's metrics: parts of the reward, where the curriculum is, what sampling did; and its samples."""
        parts = [one for group in groups for one in group.parts]
        passed = fmean(one for group in first for one in group.passed)
        told = {f"part/{name}": fmean(one[name] for one in parts) for name in parts[0]}
        told |= {
            "stage": float(self.curriculum.at(step).stage),
            "pass_rate": passed,
            "zero_variance/drawn": fmean(not group.varies for group in first),
            "zero_variance/trained": fmean(not group.varies for group in groups),
            **{f"seconds/{part}": spent for part, spent in self._spent.items()},
        }
        for name, value in told.items():
            self._metrics["train"][name].append(value)
        self._keep(groups, step)
        said = self.curriculum.record(passed)
        if said:
            self._say(f"step {step + 1:,}: {said}")

    def _keep(self, groups: list[Group], step: int) -> None:
        """Some completions of each step, to be read: those of the first prompts."""
        flat = [(g.row["sample_id"], *one) for g in groups for one in zip(g.texts, g.rewards, g.parts, strict=True)]
        with self._samples.open("a", encoding="utf-8") as file:
            for sample, text, reward, parts in flat[: self._settings.samples]:
                line = {"step": step + 1, "sample_id": sample, "reward": reward, "parts": parts, "text": text}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def _save_more(self, folder: Path) -> None:
        state = {"curriculum": self.curriculum.state, "held_out": self.held_out.state if self.held_out else None}
        (folder / STATE).write_text(json.dumps(state))


class Learning(Watch):
    """Writes metrics.jsonl and says how far it is; forgets samples made after the checkpoint that is gone on from."""

    def __init__(self, metrics: Path, samples: Path, say: Callable[[str], None]) -> None:
        super().__init__(metrics, 0.0, None, say)
        self.samples = samples

    def on_train_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """Forgets what came after the checkpoint."""
        super().on_train_begin(args, state, control, **named)
        kept = [line for line in read_metrics(self.samples) if line["step"] <= state.global_step]
        self.samples.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept), encoding="utf-8")

    def sentence(self, state: Any, line: dict[str, Any], now: float) -> str:
        """Where the run is, for the person watching."""
        rate = (now - self.began) / max(1, state.global_step - self.steps)
        return (
            f"step {state.global_step:,} of {state.max_steps:,}: reward {line['reward']:.3f}, stage "
            f"{line['stage']:.0f}, {line['pass_rate']:.0%} pass it, "
            f"{duration(rate * (state.max_steps - state.global_step))} left"
        )


def optimizers(model: Any, preset: Preset) -> tuple[Any, None]:
    """The optimizer that fine-tuning takes too, at this trainer's rate; None: TRL's Adafactor."""
    chosen = optimizer(model, replace(preset.sft, learning_rate=preset.grpo.learning_rate))
    if chosen is None:
        return None, None
    kind, named = chosen
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return kind(trained, weight_decay=preset.sft.weight_decay, **named), None


def config(preset: Preset, folder: Path, seed: int, gpu: bool, report_to: str | None) -> GRPOConfig:
    """The preset's settings in TRL's words: a step is made of `prompts` times `generations` completions."""
    settings = preset.grpo
    return GRPOConfig(
        output_dir=str(folder),
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.rows,
        gradient_accumulation_steps=settings.prompts * settings.generations // settings.rows,
        num_generations=settings.generations,
        num_iterations=settings.iterations,
        max_completion_length=settings.max_new_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,
        loss_type=settings.loss,
        scale_rewards=settings.scale,
        beta=settings.beta,
        use_vllm=settings.vllm != "off",
        vllm_mode="colocate" if settings.vllm == "off" else settings.vllm,
        vllm_server_base_url=os.environ.get("VLLM_BASE_URL", SERVER),
        vllm_max_model_length=settings.max_prompt + settings.max_new_tokens,  # else memory for the model's longest
        save_steps=settings.save_every,
        logging_steps=1,
        **LOSS.get(settings.loss, {}),
        **shared(preset.sft, seed, gpu, report_to),
    )
