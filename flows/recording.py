"""Records training runs and their evaluations in the warehouse, and says where a model is worse than the last."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from curation.errors import InputError
from curation.release.targets.models import ModelRepository
from warehouse import Store

RUN, EVALUATION = "run.json", "evaluation.json"
OWN = "own"  # the pool whose figures stand for an evaluation: the candidates that the sample had
REFRESHES = 20  # of the history: the last weeks of one recipe


@dataclass(frozen=True)
class Recorded:
    """What was recorded of one run; `new` is false where it was known already."""

    kind: str
    name: str
    version: str
    preset: str
    address: str
    evaluations: int
    new: bool
    regressions: tuple[str, ...]


def add(store: Store, address: str, ended: bool = False) -> Recorded:
    """Records the run whose files lie at a folder or at hf://owner/name, with every evaluation below it.

    A run is one by what it was made of: the same release, preset, starting model and seed are one row, which the last
    one recorded fills. `ended`: its process has; where its files still say that it runs, it was killed and is recorded as
    crashed. Raises InputError where there is no run.
    """
    folder = files_at(address)
    run, evaluations = read_run(folder, address), list(read_evaluations(folder))
    row = row_of(run, address)
    if ended and row["state"] == "running":
        row["state"] = "crashed"
    scored = [evaluation_of(told, row["run_id"]) for told in evaluations]
    with store.write() as transaction:
        known = transaction.run("delete_training_run", run_id=row["run_id"])
        transaction.run("insert_training_run", **row)
        for evaluation in scored:
            transaction.run("insert_evaluation", **evaluation)
    regressions = tuple(sentence for evaluation in scored for sentence in regression(store, evaluation))
    about = {key: row[key] for key in ("kind", "name", "version", "preset", "address")}
    return Recorded(**about, evaluations=len(scored), new=not known, regressions=regressions)


def finished(store: Store, kind: str, name: str, version: str, preset: str, model: str) -> str | None:
    """Where the finished run of this release and preset lies, as far as the warehouse knows; None where there is none.

    `preset` is its name; `model` what it started from, empty for the preset's own.
    """
    if not store.exists():
        return None
    found = store.read("finished_runs", kind=kind, name=name, version=version, preset=preset, model=model or None)
    return None if found.is_empty() else str(found["address"][0])


def files_at(address: str) -> Path:
    """The folder with a run's files: the one named, or this machine's copy of what the Hub has of it."""
    if address.startswith("hf://"):
        return ModelRepository.of(address).fetched((RUN, f"*{EVALUATION}"))
    return Path(address).expanduser()


def read_run(folder: Path, address: str) -> dict[str, Any]:
    """What run.json says. Raises InputError where there is none, it is broken, or it says too little."""
    try:
        told: dict[str, Any] = orjson.loads((folder / RUN).read_bytes())
        row_of(told, address)
    except FileNotFoundError:
        raise InputError(f"{address} holds no {RUN}; give the folder that `curation train` made") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{address}/{RUN} cannot be read ({type(error).__name__}: {error})") from error
    return told


def read_evaluations(folder: Path) -> Iterator[dict[str, Any]]:
    """Every finished evaluation in a run's folder or below it."""
    for path in sorted(folder.rglob(EVALUATION)):
        try:
            yield orjson.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read ({error}); `curation evaluate` writes it anew") from error


def row_of(run: dict[str, Any], address: str) -> dict[str, Any]:
    """A row of `training_run`."""
    release = run["release"]
    identity = [run["kind"], release["digest"], run["preset"], run["model"], run["seed"]]
    local = address if address.startswith("hf://") else str(Path(address).expanduser().absolute())
    return {
        "run_id": digest(identity),
        "kind": run["kind"],
        "name": release["name"],
        "version": release["version"],
        "digest": release["digest"],
        "preset": run["preset"]["name"],
        "model": run["model"],
        "seed": run["seed"],
        "state": run["state"],
        "address": local,
        "metrics": orjson.dumps(run.get("metrics")).decode(),
        "run": orjson.dumps(run).decode(),
        "started_at": datetime.fromisoformat(run["started_at"]),
        "finished_at": datetime.fromisoformat(run["finished_at"]) if run.get("finished_at") else None,
        "recorded_at": datetime.now(UTC),
    }


def evaluation_of(told: dict[str, Any], run_id: str) -> dict[str, Any]:
    """A row of `evaluation`."""
    pools = told["pools"]
    score = pools[OWN if OWN in pools else next(iter(pools))]["mean"]
    release = told["release"]
    return {
        "evaluation_id": digest(told),
        "run_id": run_id,
        "model": told["model"],
        "preset": told["preset"],
        "name": release["name"],
        "version": release["version"],
        "split": release["split"],
        "score": score["mean"],
        "low": score["low"],
        "high": score["high"],
        "summary": orjson.dumps(told).decode(),
        "recorded_at": datetime.now(UTC),
    }


def digest(value: Any) -> str:
    """128 bits over a JSON value."""
    return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def regression(store: Store, evaluation: dict[str, Any]) -> Iterator[str]:
    """A sentence where the whole interval of a score lies below the score of the last other model on this dataset."""
    before = store.read(
        "last_evaluation",
        **{key: evaluation[key] for key in ("name", "split", "preset", "run_id")},
    )
    if before.is_empty() or evaluation["high"] is None:
        return
    last = before.row(0, named=True)
    if evaluation["high"] < last["score"]:
        yield (
            f"{evaluation['model']} scores {evaluation['score']:.3f} (at most {evaluation['high']:.3f}) on "
            f"{evaluation['name']} {evaluation['version']}, and the last model of {evaluation['preset']}, trained from "
            f"{last['version']}, scored {last['score']:.3f}: do not put it to work before somebody has looked"
        )


def history(store: Store, name: str | None) -> dict[str, Any]:
    """What `curation runs --json` prints: the last refreshes, and all training runs, each newest first."""
    with store.reading():
        refreshes = store.read("refreshes", recipe=name, most=REFRESHES)
        trained = store.read("training_runs", name=name)
    return {
        "refreshes": [plain(row) for row in refreshes.iter_rows(named=True)],
        "runs": [plain(row) for row in trained.iter_rows(named=True)],
    }


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON values; of the funnel only how many are accepted."""
    told = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
    if "funnel" in told:
        funnel = told.pop("funnel")
        told["accepted"] = None if funnel is None else orjson.loads(funnel)["accepted"]
    return told
