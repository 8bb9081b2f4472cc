"""What goes wrong while nobody watches is said in one sentence without contents, and tried again where that may help."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect import Task, runtime
from prefect.client.schemas.objects import State

from curation.errors import CurationError, ServiceError
from warehouse import StoreError

RETRIES = [60, 300]  # seconds before a scheduled run tries again what an outage or a busy warehouse stopped


class UnexpectedError(CurationError):
    """Whoever keeps this code must act: something went wrong that no sentence was written for."""


def told(error: BaseException) -> str:
    """What went wrong in one sentence without contents: our own errors say so, of others kind and place are told."""
    if isinstance(error, CurationError | StoreError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    at = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"it ended with {type(error).__name__}{at}; the same command on a terminal says more"


def by_itself() -> bool:
    """Whether a server has started this run; else somebody typed it, and watches."""
    return runtime.deployment.id is not None


@contextmanager
def plainly() -> Iterator[None]:
    """What is raised in the block leaves it without the errors behind it: Prefect keeps those, and they may quote records."""
    try:
        yield
    except (CurationError, StoreError) as error:
        raise error from None
    except Exception as error:
        if not by_itself():
            raise
        raise UnexpectedError(told(error)) from None


def patient(step: Task[Any, Any]) -> Callable[..., Any]:
    """The task, tried again after outages where nobody waits for it: a run that somebody typed ends at once."""
    if not by_itself():
        return step
    return step.with_options(
        retries=len(RETRIES),
        retry_delay_seconds=list(RETRIES),
        retry_condition_fn=lambda task, run, state: passes(state),
    )


def passes(state: State[Any]) -> bool:
    """Whether what stopped a task may be over soon: a service that failed, a warehouse that somebody held."""
    try:
        state.result()
    except (ServiceError, StoreError) as error:
        return error.again
    except BaseException:
        return False
    return False
