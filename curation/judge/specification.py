"""A specification says who judges and by what: it decides whether a sample has been judged already."""

from dataclasses import dataclass

from curation.claude.doors import FAMILIES
from curation.errors import InputError
from curation.judge import offline
from curation.judge.rubric import Fold, Rubric

# Backend -> the family of its models: within one family the same model is asked the same thing by either name.
BACKENDS = {**FAMILIES, "offline": "offline"}


@dataclass(frozen=True, slots=True)
class Specification:
    """Who judges, and by what: `spec` is the hash that decides whether a sample has been judged already."""

    backend: str
    model: str
    spec: str
    fold: Fold


def specify(backend: str, model: str, rubric: Rubric) -> Specification:
    """The specification of a backend without opening it; the offline rubric has a model of its own."""
    if backend not in BACKENDS:
        raise InputError(f"the judge's backend is {backend!r}; choose one of {', '.join(BACKENDS)}")
    if backend == "offline":
        return Specification(backend, offline.MODEL, offline.spec(rubric), rubric.fold)
    return Specification(backend, model, rubric.spec(BACKENDS[backend], model), rubric.fold)
