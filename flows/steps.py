"""Single steps as flows of their own: those of a refresh, and the recording of a run that another box has made."""

from dataclasses import asdict
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Failed

from curation.errors import CurationError
from curation.recipes import load_recipe
from flows import recording
from flows.publishing import publish
from flows.refresh import TURN, judge_survivors
from flows.training import outcome
from warehouse import Store, StoreError


@flow(name="judge", flow_run_name="judge {recipe}")
def judge_flow(recipe: str, warehouse: str) -> None:
    """Has the recipe's survivors judged that have no score yet."""
    judge_survivors(warehouse, recipe, scheduled=False)


@flow(name="publish", flow_run_name="publish {recipe}")
def publish_flow(recipe: str, warehouse: str) -> dict[str, Any]:
    """Publishes what the recipe accepts, or holds it for a person."""
    return asdict(publish(Store(warehouse), load_recipe(recipe), wait=TURN))


@flow(name="record", flow_run_name="record {address}")
def record_flow(address: str, warehouse: str) -> dict[str, Any] | State[Any]:
    """Records the training run at a folder or at hf://owner/name, and says loudly where its model is worse than the last."""
    try:
        done = recording.add(Store(warehouse), address)
    except (CurationError, StoreError) as error:
        return Failed(message=str(error), data=error)
    told: dict[str, Any] | State[Any] = outcome(done.name, asdict(done), done.regressions)
    return told
