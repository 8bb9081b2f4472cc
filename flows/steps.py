"""Single steps of a refresh as flows of their own, for whoever wants to start one from Prefect."""

from dataclasses import asdict
from typing import Any

from prefect import flow

from curation.recipes import load_recipe
from flows.publishing import publish
from flows.refresh import TURN, judge_survivors
from warehouse import Store


@flow(name="judge", flow_run_name="judge {recipe}")
def judge_flow(recipe: str, warehouse: str) -> None:
    """Has the recipe's survivors judged that have no score yet."""
    judge_survivors(warehouse, recipe, scheduled=False)


@flow(name="publish", flow_run_name="publish {recipe}")
def publish_flow(recipe: str, warehouse: str) -> dict[str, Any]:
    """Publishes what the recipe accepts, or holds it for a person."""
    return asdict(publish(Store(warehouse), load_recipe(recipe), wait=TURN))
