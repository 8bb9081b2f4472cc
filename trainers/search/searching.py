"""A search: trial after trial, the better one kept where it is sure to be better, the last one confirmed once on test."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import curation
from curation.errors import InputError
from trainers.evaluate import fingerprint
from trainers.evaluation.statistics import Column
from trainers.presets import Preset, preset_toml
from trainers.release import Release
from trainers.run import alone, now, put, read_run
from trainers.search import history
from trainers.search.deciding import MOST_TRIALS, Gain, gain
from trainers.search.halves import halves
from trainers.search.history import FAILED, MEASURED, START, Proposer, Trial, best, folder_of
from trainers.search.space import Space
from trainers.search.trial import ANSWERS, MEASURES, MODEL, FailedError, Order, Say, scores, trained, without_weights

SEARCH, HALVES, BEST, CONFIRMATION = "search.json", "releases", "best.toml", "confirmation"
LEAST_SEEDS = 2  # of one seed, luck cannot be told from a gain


@dataclass(frozen=True)
class Job:
    """What is searched. `trials`: beside the preset as it is; `apart`: each model is made in a process of its own."""

    release: Release
    reference: str  # the release as it was named
    preset: Preset
    space: Space
    out: Path
    trials: int = 24  # as many as the published search
    seeds: int = 3  # models of each trial: two would hide half of what seeds differ by, more cost as much again
    proposer: str = "offline"
    apart: bool = False

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two searches the same: with anything else than this, decisions would not hang together."""
        told = {
            "release": {"name": self.release.name, "version": self.release.version, "digest": self.release.digest},
            "model": fingerprint(self.preset.model),
            "preset": asdict(self.preset),
            "space": asdict(self.space),
            "trials": self.trials,
            "seeds": self.seeds,
            "proposer": self.proposer,
        }
        found: dict[str, Any] = json.loads(json.dumps(told))  # as search.json has it: lists, no tuples
        return found


def search(job: Job, proposer: Proposer, say: Say) -> dict[str, Any]:
    """Searches, or goes on where it was stopped; returns search.json as it then is.

    Raises InputError where `job.out` holds another search, and whatever ends a trial that its settings did not.
    """
    _require_sizes(job)
    with alone(job.out):
        told = _begun(job)
        if told["state"] == "finished":
            say(f"{job.out} holds this search, finished; nothing is tried again")
            return told
        learned, asked = halves(job.release, job.out / HALVES)
        say(
            f"{job.trials} trials beside the preset as it is, of {job.seeds} models each, measured on "
            f"{asked.splits['validation']:,} plans of validation: {(job.trials + 1) * job.seeds} models to train, and "
            f"{2 * job.seeds} more to confirm one that is kept"
        )
        for trial in _trials(job, proposer, learned, asked, say):
            say(sentence(trial))
            _show(job.out, told)
        told["confirmation"] = _confirmation(job, learned, say)
        told |= {"state": "finished", "finished_at": now(), "best": best(history.read(job.out)).number}
        _write(job.out, told)
        _show(job.out, told)
    return told


def _require_sizes(job: Job) -> None:
    if not 1 <= job.trials <= MOST_TRIALS:
        raise InputError(f"a search of {job.trials} trials cannot be decided; choose --trials from 1 to {MOST_TRIALS}")
    if job.seeds < LEAST_SEEDS:
        raise InputError(
            f"with {job.seeds} seed a trial that is lucky looks like one that is better; choose --seeds {LEAST_SEEDS} or more"
        )


def _begun(job: Job) -> dict[str, Any]:
    """search.json of this search, written where there is none. Raises InputError where it is another's."""
    path = job.out / SEARCH
    if not path.exists():
        libraries = {"code": curation.__version__, "started_at": now(), "reference": job.reference}
        told = {"state": "running", **job.identity, **libraries, "finished_at": None, "best": None}
        _write(job.out, told)
        return told
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    wanted = job.identity
    differing = [key for key in wanted if found.get(key) != wanted[key]]
    if differing:
        raise InputError(
            f"{job.out} holds a search with another {' and another '.join(differing)}; choose another folder with --out"
        )
    return found


def _write(out: Path, told: Mapping[str, Any]) -> None:
    put(out / SEARCH, json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def _trials(job: Job, proposer: Proposer, learned: Release, asked: Release, say: Say) -> Any:
    """Every trial that was not decided yet, as it is decided."""
    trials = history.read(job.out)
    if not trials:
        trials = [Trial(0, job.space.values(job.preset), START, "preset")]
        history.write(job.out, trials[0])
    while True:
        if trials[-1].state == history.PROPOSED:
            trials[-1] = _decided(job, trials, learned, asked, say)
            history.write(job.out, trials[-1])
            yield trials[-1]
        _tidy(job.out, trials)
        if len(trials) > job.trials:
            return
        proposal = proposer.propose(trials)
        against = best(trials).number
        trials.append(Trial(len(trials), proposal.settings, proposal.hypothesis, proposal.by, against=against))
        history.write(job.out, trials[-1])


def _decided(job: Job, trials: Sequence[Trial], learned: Release, asked: Release, say: Say) -> Trial:
    """The last trial, made and measured, and whether it is kept."""
    trial, folder = trials[-1], folder_of(job.out, trials[-1].number)
    try:
        table = _measured(job, trial, learned, asked, "validation", range(job.seeds), folder, say)
    except FailedError as error:
        if trial.number == 0:
            raise InputError(
                f"the preset as it is cannot be trained with, and is what trials start from: {error}"
            ) from error
        return replace(trial, state=FAILED, why=str(error))
    runs = [read_run(folder / MODEL.format(seed)) or {} for seed in range(job.seeds)]
    found = replace(
        trial,
        state=MEASURED,
        plan=float(_column(table, "plan").mean()),
        exact=float(_column(table, "plan_exact").mean()),
        tokens=sum(run.get("tokens") or 0 for run in runs),
        seconds=round(sum(run.get("seconds") or 0.0 for run in runs), 1),
    )
    if trial.against is None:
        return replace(found, kept=True)
    before = pl.read_parquet(folder_of(job.out, trial.against) / "scores.parquet")
    gained = gain(_column(table, "plan"), _column(before, "plan"), trial.number)
    return replace(found, gain=gained, kept=gained.convinces(job.trials))


def _measured(
    job: Job,
    trial: Trial,
    learned: Release,
    asked: Release,
    split: str,
    seeds: range,
    folder: Path,
    say: Say,
) -> pl.DataFrame:
    """The worth of every plan under every seed, by sample_id and seed; kept as scores.parquet in the folder."""
    if (folder / "scores.parquet").exists():
        return pl.read_parquet(folder / "scores.parquet")
    preset = job.space.preset(job.preset, trial.settings)
    tables = []
    for seed in seeds:
        began = time.monotonic()
        order = Order(job.space.train, preset, seed, learned, folder / MODEL.format(seed))
        model = trained(order, job.apart, _of(trial, seed, say))
        table = scores(model, asked, split, preset, folder / ANSWERS.format(split, seed))
        tables.append(table.with_columns(seed=pl.lit(seed)))
        worth = float(_column(tables[-1], "plan").mean())
        say(f"trial {trial.number}, seed {seed}: plan {worth:.3f}, {time.monotonic() - began:.0f} s")
    whole = pl.concat(tables)
    whole.write_parquet(folder / ".scores.partial")
    (folder / ".scores.partial").rename(folder / "scores.parquet")
    return whole


def _of(trial: Trial, seed: int, say: Say) -> Say:
    return lambda line: say(f"trial {trial.number}, seed {seed}: {line}")


def _column(table: pl.DataFrame, measure: str) -> Column:
    """A measure as (plans, seeds), plans by their id: the same order for every trial."""
    seeds = table["seed"].unique().sort()
    columns = [table.filter(pl.col("seed") == seed).sort("sample_id")[measure].to_numpy() for seed in seeds]
    return np.column_stack(columns).astype(np.float64)


def _tidy(out: Path, trials: Sequence[Trial]) -> None:
    """Keeps the weights of the best alone, since nothing asks the others again."""
    leading = best(trials).number
    for trial in trials:
        if trial.number != leading and trial.state != history.PROPOSED:
            without_weights(folder_of(out, trial.number))


def _confirmation(job: Job, learned: Release, say: Say) -> dict[str, Any] | None:
    """The best and the preset as it is, trained anew with seeds that no trial had, on the split test; None: nothing kept.

    Whoever looks often finds the lucky: neither the plans nor the seeds that chose the best are asked again.
    """
    trials = history.read(job.out)
    start, leading = trials[0], best(trials)
    if leading.number == 0:
        say(
            "no trial is sure to be better than the preset as it is: nothing to confirm, and the split test is not read"
        )
        return None
    put(job.out / BEST, preset_toml(job.space.preset(job.preset, leading.settings)))
    say(f"confirming trial {leading.number} on the split test, with {job.seeds} seeds that no trial had")
    fresh = range(job.seeds, 2 * job.seeds)
    tables = {}
    for trial in (start, leading):
        folder = job.out / CONFIRMATION / f"{trial.number:03d}"
        try:
            tables[trial.number] = _measured(job, trial, learned, job.release, "test", fresh, folder, say)
        except FailedError as error:
            return {
                "trial": leading.number,
                "seeds": list(fresh),
                "confirmed": False,
                "failed": trial.number,
                "why": str(error),
            }
        without_weights(folder) if trial is start else None
    found: dict[str, Any] = {"trial": leading.number, "seeds": list(fresh), "plans": tables[0].height // job.seeds}
    for measure in MEASURES:
        ours, before = (_column(tables[number], measure) for number in (leading.number, 0))
        found[measure] = {
            "preset": float(before.mean()),
            "best": float(ours.mean()),
            "gain": asdict(gain(ours, before)),
        }
    found["confirmed"] = Gain(**found["plan"]["gain"]).convinces(1)
    return found


def sentence(trial: Trial) -> str:
    """What came of a trial."""
    if trial.plan is None:
        return f"trial {trial.number} failed: {trial.why}"
    if trial.gain is None:
        return f"trial {trial.number}, {START}: plan {trial.plan:.3f}, exactly right {trial.exact:.1%}"
    found = trial.gain
    return (
        f"trial {trial.number} {'is kept' if trial.kept else 'is not kept'}: plan {trial.plan:.3f}, {found.mean:+.3f} "
        f"[{found.low:+.3f}, {found.high:+.3f}] over trial {trial.against} (p {found.p:.4f})"
    )


def _show(out: Path, told: Mapping[str, Any]) -> None:
    """The table and the picture of the trials so far."""
    from trainers.search.picture import write_picture
    from trainers.search.tables import write_page

    trials = history.read(out)
    write_page(out, told, trials)
    write_picture(out, trials)
