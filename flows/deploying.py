"""Tells a Prefect server what there is to run: a refresh and a trainer for each recipe, with schedules and triggers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.exceptions import ObjectAlreadyExists
from prefect.schedules import Cron
from prefect.states import Cancelled, Crashed
from prefect.types.entrypoint import EntrypointType
from prefect.workers.process import ProcessWorker

from curation.recipe import Recipe
from curation.recipes import load_recipe
from flows.announcing import APPROVED, PUBLISHED
from flows.refresh import refresh_flow
from flows.training import train_grpo, train_sft

CURATION, GPU = "curation", "gpu"  # work pools: the box that owns the warehouse, and the one with the GPU
TAG = "curation-serve"  # on what `curation serve` made, so that it can take away what is served no more
TRAINERS = {"sft": train_sft, "grpo": train_grpo}
WHEN = {"always": PUBLISHED, "after approval": APPROVED}
FRESH = timedelta(minutes=10)  # a run that is being started has no process yet: minutes, on a machine with much to do


@dataclass(frozen=True)
class Served:
    """What is served, and from where: relative paths of recipes and runs start at `folder`."""

    recipes: tuple[str, ...]
    warehouse: Path
    folder: Path
    runs: Path


def pools(served: Served) -> list[str]:
    """The work pools that need a worker."""
    trains = any(load_recipe(name).train.when != "never" for name in served.recipes)
    return [CURATION, GPU] if trains else [CURATION]


def deploy(served: Served) -> list[str]:
    """Makes or renews all deployments, takes away those of recipes that are served no more; returns their names."""
    with get_client(sync_client=True) as client:
        for name in (CURATION, GPU):
            template = ProcessWorker.get_default_base_job_template()
            try:
                client.create_work_pool(WorkPoolCreate(name=name, type="process", base_job_template=template))
            except ObjectAlreadyExists:
                continue
    wanted = {}
    for name in served.recipes:
        recipe = load_recipe(name)
        for deployment, pool in deployments(name, recipe, served):
            identifier: Any = deployment.apply(work_pool_name=pool)
            wanted[identifier] = f"{deployment.flow_name}/{deployment.name}"
    with get_client(sync_client=True) as client:
        tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
        for known in client.read_deployments(deployment_filter=tagged):
            if known.id not in wanted:
                client.delete_deployment(known.id)
    return list(wanted.values())


def deployments(name: str, recipe: Recipe, served: Served) -> list[tuple[RunnerDeployment, str]]:
    """(deployment, work pool) of a recipe: its refresh, and its trainer if it wants one."""
    given = str(recipe.origin) if Path(name).is_file() else name
    common: dict[str, Any] = {
        "name": recipe.name,
        "tags": [TAG],
        "job_variables": {"working_dir": str(served.folder)},
        "entrypoint_type": EntrypointType.MODULE_PATH,
    }
    schedule = Cron(recipe.schedule.cron, timezone=recipe.schedule.timezone) if recipe.schedule.cron else None
    warehouse = str(served.warehouse)
    made: Any = refresh_flow.to_deployment(
        parameters={"recipe": given, "warehouse": warehouse}, schedules=[schedule] if schedule else [], **common
    )
    found = [(made, CURATION)]
    if recipe.train.when != "never":
        told = {key: f"{{{{ event.payload.{key} }}}}" for key in ("name", "version", "reference")}
        fixed = {"preset": recipe.train.preset, "model": recipe.train.model or "", "runs": str(served.runs)}
        trigger = DeploymentEventTrigger(
            name=f"{recipe.train.kind} from {recipe.name}",
            expect={WHEN[recipe.train.when]},
            match={"prefect.resource.id": f"curation.dataset.{recipe.name}"},
            parameters=told,
        )
        trainer: Any = TRAINERS[recipe.train.kind].to_deployment(
            parameters=fixed | {"warehouse": warehouse}, triggers=[trigger], **common
        )
        found.append((trainer, GPU))
    return found


def sweep(mine: list[str]) -> list[str]:
    """Marks runs of these work pools as crashed whose process on this machine is gone; returns their names."""
    gone = []
    with get_client(sync_client=True) as client:
        running = FlowRunFilter.model_validate({"state": {"type": {"any_": ["RUNNING", "PENDING"]}}})
        for run in client.read_flow_runs(flow_run_filter=running):
            if run.work_pool_name in mine and not lives(run):
                client.set_flow_run_state(run.id, Crashed(message="its process was killed"), force=True)
                gone.append(run.name)
    return gone


def lives(run: FlowRun) -> bool:
    """Whether the run's process is there, or may still be on its way."""
    if run.infrastructure_pid is None:
        since = run.state.timestamp if run.state else run.created
        return since is None or datetime.now(UTC) - since < FRESH
    try:
        return str(run.id).encode() in Path(f"/proc/{run.infrastructure_pid}/environ").read_bytes()
    except OSError:
        return False


def drop_late() -> int:
    """Of the runs that were missed while nobody served, keeps each deployment's last one; returns how many it cancelled."""
    dropped = 0
    with get_client(sync_client=True) as client:
        scheduled = FlowRunFilter.model_validate({"state": {"type": {"any_": [StateType.SCHEDULED.value]}}})
        now = datetime.now(UTC)
        late = [
            run
            for run in client.read_flow_runs(flow_run_filter=scheduled)
            if run.auto_scheduled and run.next_scheduled_start_time and run.next_scheduled_start_time < now
        ]
        last = {run.deployment_id: run.id for run in sorted(late, key=lambda run: str(run.next_scheduled_start_time))}
        for run in late:
            if run.id != last[run.deployment_id]:
                client.set_flow_run_state(run.id, Cancelled(message="missed while nothing was served"), force=True)
                dropped += 1
    return dropped
