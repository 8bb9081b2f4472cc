"""`curation refresh` as one Prefect flow: ingest, check, judge, publish; the warehouse alone knows what is done.

Every task may run again at any time: what is done already is found in the warehouse and not done twice. Parameters are
plain text, so that a deployment can pass them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from curation.errors import InputError
from curation.recipes import load_recipe
from flows import asking, checking, completing, ingesting, judging, publishing
from warehouse import Store


@dataclass(frozen=True)
class Refreshed:
    """What one refresh came to: the funnel as `status --json` tells it, and the release."""

    warnings: tuple[str, ...]
    new_traces: int
    funnel: dict[str, Any]
    release: publishing.Published


@task(task_run_name="ingest {path}", cache_policy=NO_CACHE)
def ingest_source(warehouse: str, path: str, format: str, name: str) -> ingesting.Ingestion:  # noqa: A002 - the recipe's word
    """Brings in what is new of one source."""
    done = ingesting.ingest(Store(warehouse), [path], format, name)
    done.require_whole()
    return done


@task(cache_policy=NO_CACHE)
def check_samples(warehouse: str, recipe: str) -> list[str]:
    """Decides what no row stage has decided yet and chooses among copies; returns what differs from the registry."""
    checking.check(Store(warehouse), load_recipe(recipe))
    return completing.warnings(Store(warehouse), load_recipe(recipe))


@task(cache_policy=NO_CACHE)
def judge_survivors(warehouse: str, recipe: str) -> None:
    """Has the survivors judged that have no score yet, until the choice among copies asks for no more."""
    judging.judge(Store(warehouse), load_recipe(recipe))


@task(cache_policy=NO_CACHE)
def publish_accepted(warehouse: str, recipe: str) -> publishing.Published:
    """Publishes the accepted samples, unless the last release holds just these."""
    return publishing.publish(Store(warehouse), load_recipe(recipe))


@flow(name="refresh", flow_run_name="refresh {recipe}")
def refresh_flow(recipe: str, warehouse: str) -> Refreshed:
    """The whole path for one recipe."""
    sources = [source for source in load_recipe(recipe).sources if source.path]
    ingested = [ingest_source(warehouse, source.path or "", source.format, source.name) for source in sources]
    conflicts = check_samples(warehouse, recipe)
    judge_survivors(warehouse, recipe)
    release = publish_accepted(warehouse, recipe)
    funnel = asking.status(Store(warehouse), load_recipe(recipe))
    create_table_artifact(key="funnel", table=funnel["fell"], description=f"{release.name} {release.version}")
    warnings = [*(warning for done in ingested for warning in done.warnings), *conflicts]
    return Refreshed(tuple(warnings), sum(done.new_traces for done in ingested), funnel, release)


def refresh(recipe: str, warehouse: Path) -> Refreshed:
    """Runs the flow here and now: on the server that PREFECT_API_URL names, else on Prefect's own temporary one.

    Raises InputError for a recipe that has nothing to refresh from, and whatever a stage raises.
    """
    if not any(source.path for source in load_recipe(recipe).sources) and not warehouse.exists():
        raise InputError(
            f"the recipe {recipe} names no [[source]] with a path, and there is no warehouse at {warehouse}; "
            "add a source, or `curation ingest` first"
        )
    return refresh_flow(recipe, str(warehouse))
