"""Evaluates a model on a release: asks it what has no completion yet, measures every answer, writes the folder."""

import hashlib
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson
import polars as pl

import curation
from curation.errors import InputError
from trainers.engines import WORKERS, Engine, generate, open_engine
from trainers.evaluation import results
from trainers.evaluation.gold import Gold, gold_of_row
from trainers.evaluation.metrics import count, measure
from trainers.evaluation.pools import POOLS, Catalogue, Row, pooled
from trainers.evaluation.summary import against, beside_published, main_pool, summarise
from trainers.families import FAMILIES
from trainers.plans import parse_answer
from trainers.presets import Preset, load_preset
from trainers.prompts import Message, prompt_messages
from trainers.release import Release

LIMIT = 1_000  # samples: a rate of 90 % then has an interval of 3.7 points, one of 100 samples one of 12
CONFIG = "grpo"  # the configuration whose columns hold what an answer is measured by
SEED = 0
PRESET_FILE = "preset.toml"
LIBRARIES = ("torch", "transformers", "vllm", "numpy", "polars")

Told = Callable[[str, int, int | None, str], None]


@dataclass(frozen=True)
class Job:
    """What is to be evaluated, and how. `out`: None makes a folder named after model, release and split."""

    model: str
    release: Release
    preset: Preset
    split: str = "test"
    engine: str = "transformers"
    limit: int = LIMIT
    pools: tuple[str, ...] = POOLS
    seed: int = SEED
    workers: int = WORKERS
    out: Path | None = None

    @property
    def folder(self) -> Path:
        """Where its results lie."""
        return self.out or folder_of(self.model, self.release.name, self.release.version, self.split)


@dataclass(frozen=True)
class Item:
    """One sample in one pool: what the model is shown, and what its answer is measured by."""

    row: Row
    pool: str
    messages: list[Message]
    prompt: str  # the digest of the messages
    gold: Gold


@dataclass
class Work:
    """All that is asked, and of each pool how many rows it left out, or could not fill."""

    items: list[Item] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)  # it is not known what was offered
    short: dict[str, int] = field(default_factory=dict)  # the release has too few plugins


def folder_of(model: str, name: str, version: str, split: str) -> Path:
    """The folder of an evaluation that has no --out: `evaluations/<model>/<release>-v<version>-<split>`."""
    called = Path(model).resolve().name if Path(model).is_dir() else model.replace("/", "--")
    return Path("evaluations") / called / f"{name}-v{version}-{split}"


def held_out(splits: Mapping[str, int]) -> str:
    """The split that a model is measured on where none is named: test, or validation where a release has no test."""
    return "validation" if "test" not in splits and "validation" in splits else "test"


def preset_of(model: str, given: str | None) -> Preset:
    """The preset named, else the one that lies in the model's folder."""
    if given is not None:
        return load_preset(given)
    own = Path(model) / PRESET_FILE
    if not own.is_file():
        raise InputError(f"the model {model} brings no {PRESET_FILE}; name how it is asked with --preset")
    return load_preset(own)


def evaluate(job: Job, told: Told | None = None) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The table of results and its summary, both in the job's folder too; asks only what has no completion there."""
    work = prepare(job)
    if not work.items:
        raise InputError(f"no sample of {job.release.name} {job.release.version} fits the pools {', '.join(job.pools)}")
    results.begin(job.folder, settings_of(job))
    engine_version = _answer(job, work, told)
    completions = results.known(job.folder)
    form = FAMILIES[job.preset.family].thinking[job.preset.thinking]
    rows = []
    for item in work.items:
        completion = completions[item.prompt]
        answer = parse_answer(completion.text, form)
        rows.append(
            {
                **{key: item.row[key] for key in ("sample_id", "category", "n_steps", "request", "plan")},
                "pool": item.pool,
                "candidates": len(item.gold.offer.plugins) if item.gold.offer else None,
                "prompt": item.prompt,
                "completion": completion.text,
                "finish": completion.finish,
                "tokens": completion.tokens,
                "problem": answer.problem,
                **measure(answer, item.gold),
                **count(answer, item.gold),
            }
        )
    table = results.framed(rows)
    summary = summary_of(job, work, table, engine_version)
    results.write_table(job.folder, table)
    results.write(job.folder / results.SUMMARY, orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    return table, summary


def prepare(job: Job) -> Work:
    """What the model is shown, sample by sample and pool by pool."""
    rows = chosen(pl.read_parquet(job.release.files(CONFIG, job.split)).iter_rows(named=True), job.limit)
    catalogue = Catalogue(_offered(job.release))
    production = frozenset(catalogue.plugins)
    work = Work()
    for pool in job.pools:
        work.unknown[pool] = work.short[pool] = 0
        for row in rows:
            shown, is_short = pooled(row, pool, catalogue)
            work.short[pool] += is_short
            if shown is None:
                work.unknown[pool] += 1
                continue
            messages = prompt_messages(shown, job.preset)
            work.items.append(Item(shown, pool, messages, digest(messages), gold_of_row(shown, production)))
    return work


def chosen(rows: Iterable[Mapping[str, Any]], limit: int) -> list[Row]:
    """At most `limit` rows, in the order of a hash of their ids: no order of the release biases them, more include fewer."""
    ordered = sorted(rows, key=lambda row: hashlib.blake2b(row["sample_id"].encode()).digest())
    return [dict(row) for row in ordered[:limit]]


def _offered(release: Release) -> Iterator[str | None]:
    """The candidates of every row of the release, all splits."""
    for split in release.splits:
        for path in release.files(CONFIG, split):
            yield from pl.read_parquet(path, columns=["candidates"])["candidates"]


def digest(messages: Sequence[Message]) -> str:
    """The identity of what a model is shown."""
    return hashlib.blake2b(orjson.dumps(list(messages)), digest_size=16).hexdigest()


def _answer(job: Job, work: Work, told: Told | None) -> str | None:
    """Has the engine answer each prompt that has no completion, once; what it is, None where nothing was asked."""
    there = results.known(job.folder)
    missing = list({item.prompt: item for item in work.items if item.prompt not in there}.values())
    if not missing:
        return None
    engine: Engine = open_engine(job.engine, job.model, job.preset, job.workers)
    total = len(there) + len(missing)
    with results.journal(job.folder) as journal:
        done = generate(engine, [item.messages for item in missing], job.preset.decoding, job.seed)
        for number, (i, completion) in enumerate(done, len(there) + 1):
            journal.add(missing[i].prompt, completion)
            if told:
                told("evaluate", number, total, "")
    return engine.version


def settings_of(job: Job) -> dict[str, Any]:
    """What decides a completion beside its prompt: a folder holds answers under one such setting."""
    return {
        "model": fingerprint(job.model),
        "engine": job.engine,
        "preset": {"family": job.preset.family, "thinking": job.preset.thinking, "system": job.preset.system},
        "decoding": asdict(job.preset.decoding),
        "seed": job.seed,
        "release": {"name": job.release.name, "version": job.release.version, "digest": job.release.digest},
        "split": job.split,
    }


def fingerprint(model: str) -> str:
    """A model's name and, of a folder, a hash of its configuration and of its weights' sizes and times."""
    folder = Path(model)
    if not folder.is_dir():
        return model
    files = sorted(path for path in folder.iterdir() if path.suffix in (".safetensors", ".bin", ".json"))
    listed = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return f"{folder.resolve().name}:{hashlib.blake2b(orjson.dumps(listed), digest_size=16).hexdigest()}"


def summary_of(job: Job, work: Work, table: pl.DataFrame, engine_version: str | None) -> dict[str, Any]:
    """What is written to evaluation.json."""
    pools = summarise(table, job.seed)
    release = job.release
    previous = _previous(job.folder)
    return {
        "model": job.model,
        "release": {
            "name": release.name,
            "version": release.version,
            "commit": release.commit,
            "digest": release.digest,
            "split": job.split,
        },
        "preset": job.preset.name,
        "decoding": asdict(job.preset.decoding),
        "engine": {"name": job.engine, "version": engine_version or previous},
        "seed": job.seed,
        "versions": {"curation": curation.__version__, "python": platform.python_version()} | _versions(),
        "unknown": work.unknown,
        "short": work.short,
        "pools": pools,
        "published": beside_published(pools[main_pool(pools)]),
    }


def _previous(folder: Path) -> str | None:
    """The engine's version of an earlier run, where this one asked nothing."""
    try:
        told = orjson.loads((folder / results.SUMMARY).read_bytes())["engine"]["version"]
    except (OSError, ValueError, KeyError):
        return None
    return None if told is None else str(told)


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def compare(job: Job, table: pl.DataFrame, summary: dict[str, Any], other: pl.DataFrame, name: str) -> dict[str, Any]:
    """Adds to the summary what the job's model has more than another on the same rows, and writes it again."""
    found = against(table, other, job.seed)
    if not found:
        raise InputError(
            f"the evaluation of {name} shares no sample and pool with that of {job.model}; evaluate both alike"
        )
    summary = summary | {"against": {"model": name, "pools": found}}
    results.write(job.folder / results.SUMMARY, orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    return summary
