"""A backend is who is asked to judge: Claude through Vertex or directly, or the offline rubric."""

import asyncio
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

from curation.claude.asking import Claude, Form, Patience
from curation.claude.errand import Errand, Reply
from curation.errors import InputError
from curation.judge import offline
from curation.judge.judgement import KINDS
from curation.judge.ledger import once_more, record, row
from curation.judge.message import render
from curation.judge.reply import TOOL
from curation.judge.rubric import Rubric
from curation.judge.specification import Specification, specify


class Offline:
    """The offline rubric as a service: it is asked with the sample itself, answers at once and costs nothing."""

    def __init__(self, criteria: tuple[str, ...]) -> None:
        self._criteria = criteria

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def most(self, message: dict[str, Any]) -> float:
        """Nothing."""
        return 0.0

    async def ask(self, message: dict[str, Any], stopping: asyncio.Event, again: Callable[[], bool]) -> Reply:
        """The offline rubric's reply, in the form of a message."""
        return Reply(offline.reply(message, self._criteria))


def open_backend(
    backend: str, model: str, rubric: Rubric, secret: bytes, workers: int, patience: Patience | None = None
) -> Errand:
    """Judging as an errand for `workers` at a time; `secret` is the key of the data's fences.

    Raises InputError or ServiceError with one sentence where its credentials are missing or refused: before
    anything is asked.
    """
    specification = specify(backend, model, rubric)
    kept = partial(record, specification=specification)
    if backend == "offline":
        return Errand(Offline(tuple(specification.fold.weights)), judged_kind, kept, row)
    service = Claude(form_of(specification, rubric), workers, patience)
    return Errand(service, lambda sample: render(judged_kind(sample), rubric, secret), kept, row, once_more)


def form_of(specification: Specification, rubric: Rubric) -> Form:
    """What every request for a judgement has in common."""
    return Form(
        backend=specification.backend,
        model=specification.model,
        max_tokens=rubric.max_tokens,
        system=rubric.system,
        schema=rubric.sent_schema,
        tool=TOOL,
        purpose="Hands in the evidence and score of every criterion.",
    )


def judged_kind(sample: dict[str, Any]) -> dict[str, Any]:
    """The sample itself; raises InputError where there is no rubric for its kind."""
    if sample["kind"] not in KINDS:
        raise InputError(f"sample {sample['sample_id']} is a {sample['kind']}; the judge reads {KINDS} only")
    return sample
