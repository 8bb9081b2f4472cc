"""Holds the judge against people: keeps their labels, measures the agreement, recommends a threshold."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import permutations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import orjson
import polars as pl

from curation.errors import InputError
from curation.judge.calibration import (
    FEWEST,
    Agreement,
    Bias,
    Point,
    agreement,
    bias,
    curve,
    kappa,
    recommended,
)
from curation.judge.features import FEATURES
from curation.judge.labels import read_labels, sheet
from curation.judge.specification import Specification
from curation.recipe import Recipe
from curation.stages import specification_of
from flows.loading import load_samples
from flows.outfile import whole_file
from warehouse import Store

OVERALL = "overall"
YES, NO = 10.0, 0.0  # what people think of a sample of which they said only whether it is to be accepted


@dataclass(frozen=True)
class Labelled:
    """One sample with what the judge and what people say: criterion -> score, `overall` among them where it is known.

    `accept` is people's word, or what their scores amount to; None: they scored too little to tell.
    """

    judge: dict[str, float]
    people: dict[str, float]
    accept: bool | None
    sample: dict[str, Any]

    @property
    def kinder(self) -> float | None:
        """How much more the judge gives than people; None: not known."""
        if OVERALL in self.people:
            return self.judge[OVERALL] - self.people[OVERALL]
        return None if self.accept is None else self.judge[OVERALL] - (YES if self.accept else NO)


@dataclass(frozen=True)
class Calibration:
    """How far the judge of a recipe can be believed, and from which score on.

    `samples` have labels and a score; `blank` lines of the file say nothing, `unjudged` labelled samples have no score
    by this judge. `precision` is what was asked for.
    """

    model: str
    spec: str
    samples: int
    labellers: int
    blank: int
    unjudged: int
    agreements: list[Agreement]
    curve: list[Point]
    biases: list[Bias]
    accept: float
    precision: float
    recommended: Point | None

    def told(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {**asdict(self), "biased": [found.feature for found in self.biases if found.is_real]}


def draw(store: Store, recipe: Recipe, out: Path, number: int) -> int:
    """Writes a blank sheet of so many judged samples, drawn at random; returns how many there were to draw.

    The ids decide, which are hashes: a larger sheet holds the smaller one. Raises InputError where `out` exists.
    """
    if out.exists():
        raise InputError(f"{out} exists already, and may hold somebody's labels; name another file")
    specification = specification_of(recipe)
    judged = store.read("judged_members", recipe=recipe.name, spec=specification.spec)
    if judged.is_empty():
        raise InputError(
            f"{specification.model} has judged no sample of {recipe.name} yet; `curation judge --limit 200` first"
        )
    chosen = load_samples(store, judged["sample_id"].sort().head(number))
    with whole_file(out) as path, path.open("wb") as file:
        file.writelines(sheet(chosen, tuple(specification.fold.weights)))
    return chosen.height


def calibrate(store: Store, recipe: Recipe, path: Path, precision: float) -> Calibration:
    """Keeps the file's labels, and holds the recipe's judge against all labels of these samples that are kept.

    Raises InputError for a file that is none, for labels of samples that are not here, and for fewer than FEWEST.
    """
    specification = specification_of(recipe)
    labels = read_labels(path, tuple(specification.fold.weights))
    ids = labels.frame.select("sample_id").unique(maintain_order=True)
    require_known(store, path, ids["sample_id"])
    with store.write() as transaction:
        transaction.run("insert_label", {"incoming": labels.frame})
    given = store.read("labels", {"members": ids})
    pairs = labelled(store, recipe, specification, given)
    if len(pairs) < FEWEST:
        raise InputError(
            f"{path} has labels of {ids.height} samples, and {specification.model} has scored {len(pairs)} of them; at "
            f"least {FEWEST} are needed to say anything: label more, or `curation judge` them first"
        )
    told = [(pair.judge[OVERALL], pair.accept) for pair in pairs if pair.accept is not None]
    points = curve(np.array([score for score, _ in told]), np.array([word for _, word in told], dtype=bool))
    return Calibration(
        model=specification.model,
        spec=specification.spec,
        samples=len(pairs),
        labellers=given["labeller"].n_unique(),
        blank=labels.blank,
        unjudged=ids.height - len(pairs),
        agreements=list(agreements(pairs, given, specification)),
        curve=points,
        biases=biases(pairs),
        accept=recipe.judge.accept,
        precision=precision,
        recommended=recommended(points, precision) if len(told) >= FEWEST else None,
    )


def require_known(store: Store, path: Path, ids: pl.Series) -> None:
    """Raises InputError for labels of samples that this warehouse does not have."""
    known = set(load_samples(store, ids)["sample_id"])
    if unknown := [identifier for identifier in ids if identifier not in known]:
        raise InputError(
            f"{path} has labels of {len(unknown)} samples that are not in {store.path} ({unknown[0]}, …); name the "
            "warehouse that they were drawn from with --warehouse"
        )


def labelled(store: Store, recipe: Recipe, specification: Specification, given: pl.DataFrame) -> list[Labelled]:
    """What the judge and people say of each labelled sample that has a score; `given` is of the query `labels`."""
    judged = store.read("last_judgements", spec=specification.spec).filter(pl.col("status") == "ok")
    scores = dict(judged.select("sample_id", "scores").iter_rows())
    samples = {row["sample_id"]: row for row in load_samples(store, given["sample_id"].unique()).iter_rows(named=True)}
    pairs = []
    for (sample_id,), said in given.group_by("sample_id", maintain_order=True):
        own = orjson.loads(scores.get(sample_id) or "{}")
        overall = specification.fold.overall(own) if own else None
        if overall is not None:
            judge = {name: float(score) for name, score in own.items() if score is not None}
            people, accept = opinion(said, specification, recipe.judge.accept)
            pairs.append(Labelled({**judge, OVERALL: overall}, people, accept, samples[str(sample_id)]))
    return pairs


def opinion(said: pl.DataFrame, specification: Specification, accept: float) -> tuple[dict[str, float], bool | None]:
    """What people say together of one sample: the mean of each criterion with the overall score, and the majority's word."""
    by_criterion: dict[str, list[float]] = {}
    words = []
    for scores, word in said.select("scores", "accept").iter_rows():
        own = orjson.loads(scores)
        for name, score in own.items():
            if score is not None:
                by_criterion.setdefault(name, []).append(score)
        overall = specification.fold.overall(own)
        if word is not None:
            words.append(word)
        elif overall is not None:
            words.append(overall >= accept)
    people = {name: fmean(own) for name, own in by_criterion.items()}
    together = specification.fold.overall(people)
    if together is not None:
        people[OVERALL] = together
    return people, sum(words) * 2 > len(words) if words else None


def agreements(pairs: list[Labelled], given: pl.DataFrame, specification: Specification) -> Iterable[Agreement]:
    """The agreement on each criterion and on the overall score, where anybody scored it."""
    for name in (*specification.fold.weights, OVERALL):
        both = [(pair.judge[name], pair.people[name]) for pair in pairs if name in pair.judge and name in pair.people]
        if both:
            judge, people = (np.array(side, dtype=float) for side in zip(*both, strict=True))
            yield agreement(name, judge, people, among_people(name, given, specification))


def among_people(name: str, given: pl.DataFrame, specification: Specification) -> float | None:
    """The agreement of people with each other on what at least FEWEST times two of them scored; None for less."""
    both: list[tuple[float, ...]] = []
    for _, said in given.group_by("sample_id", maintain_order=True):
        own = [orjson.loads(scores) for scores in said["scores"]]
        values = [specification.fold.overall(one) if name == OVERALL else one.get(name) for one in own]
        both += permutations([value for value in values if value is not None], 2)
    if len(both) < 2 * FEWEST:
        return None
    first, second = (np.array(side, dtype=float) for side in zip(*both, strict=True))
    found = float(kappa(first, second))
    return None if np.isnan(found) else found


def biases(pairs: list[Labelled]) -> list[Bias]:
    """What goes with a judge that is kinder than people."""
    known = [(pair.sample, pair.kinder) for pair in pairs if pair.kinder is not None]
    kinder = [more for _, more in known]
    return [bias(name, [measure(sample) for sample, _ in known], kinder) for name, measure in FEATURES.items()]
