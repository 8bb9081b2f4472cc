"""`curation refresh` as one Prefect flow: ingest, check, judge, publish; the warehouse alone knows what is done.

Every task may run again at any time: what is done already is found in the warehouse and not done twice. Parameters are
plain text, so that a deployment can pass them.
"""

import atexit
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime, tags, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from curation.errors import CurationError, InputError, MachineError, ServiceError, Stopped
from curation.lock import only_one
from curation.process import be_quiet, spare_collections
from curation.recipe import Recipe, Source
from curation.recipes import load_recipe, require_budget
from flows import announcing, asking, checking, completing, history, ingesting, judging, morning, publishing, zombies
from flows.failing import by_itself, patient, plainly, told
from warehouse import Store, StoreError

TURN = 6 * 3600.0  # seconds that a recipe waits while another one is judged or published: the longest night seen


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
    with timed() as said:
        done = ingesting.ingest(Store(warehouse), [path], format, name)
        said.append(f"{done.new_traces:,} new traces in {len(done.reports):,} files, {done.unreadable:,} unreadable")
    return done


@task(cache_policy=NO_CACHE)
def check_samples(warehouse: str, recipe: str) -> list[str]:
    """Decides what no row stage has decided yet and chooses among copies; returns what differs from the registry."""
    with timed() as said:
        checking.check(Store(warehouse), load_recipe(recipe))
        conflicts = completing.warnings(Store(warehouse), load_recipe(recipe))
        said.append(f"checked; {len(conflicts):,} plugins differ from the registry")
    return conflicts


@task(cache_policy=NO_CACHE)
def judge_survivors(warehouse: str, recipe: str, scheduled: bool) -> list[str]:
    """Has the survivors judged that have no score yet, until the choice among copies asks for no more.

    In a `scheduled` run the sentinels are judged again. Returns what the judge's watch has found.
    """
    store, chosen = Store(warehouse), load_recipe(recipe)
    with timed() as said:
        tally = judging.judge(store, chosen, wait=TURN, scheduled=scheduled)
        said.append(f"judged {tally.done:,} samples, {tally.good:,} good enough, ${tally.usd:,.2f}")
    return asking.doubts(store, chosen)


@task(cache_policy=NO_CACHE)
def publish_accepted(warehouse: str, recipe: str) -> publishing.Published:
    """Publishes the accepted samples, unless the last release holds just these, or a guard holds them."""
    with timed() as said:
        done = publishing.publish(Store(warehouse), load_recipe(recipe), wait=TURN)
        word = done.state if done.new or done.state == "held" else "nothing new since"
        said.append(f"{word} {done.name} {done.version}, {sum(done.rows.values()):,} rows")
    return done


@contextmanager
def timed() -> Iterator[list[str]]:
    """Logs what a task says of its work (counts, never contents) with its duration; errors leave it in our words alone."""
    began, said = time.monotonic(), list[str]()
    with plainly():
        yield said
    get_run_logger().info("%s (%.1f s)", "; ".join(said), time.monotonic() - began)


def named() -> str:
    """A run's name in Prefect: the recipe's file without its folder."""
    return f"refresh {Path(runtime.flow_run.parameters['recipe']).stem}"


@flow(name="refresh", flow_run_name=named)
def refresh_flow(recipe: str, warehouse: str) -> Refreshed | State[Any]:
    """The whole path for one recipe: a Refreshed, or a state that says why there is none.

    Of two refreshes of one recipe the second ends as Skipped. What was stopped on purpose ends as Stopped, a release
    that a guard holds as Held, and as Waiting where just these rows were held before; none of them is a failure. A failure
    is one sentence.
    """
    log, flow_run = get_run_logger(), runtime.flow_run.id
    spare_collections()
    if by_itself():
        atexit.register(be_quiet)  # the worker's log is read by people
    try:
        chosen, store = load_recipe(recipe), Store(warehouse)
        if is_scheduled(chosen):
            require_budget(chosen)
        with only_one(store.path, "refresh", chosen.name):
            zombies.clear(history.killed(store, chosen.name))
            with history.written_down(store, chosen.name, flow_run) as row:
                done = refreshed(recipe, chosen, store, row)
        announcing.tell(store, log.warning)
        return done
    except Stopped as error:
        log.warning(str(error))
        skipped = "is already refreshing" in str(error)
        create_markdown_artifact(key=f"{morning.key_of(chosen.name)}-stopped", markdown=str(error))
        return Completed(name="Skipped" if skipped else "Stopped", message=str(error))
    except (CurationError, StoreError) as error:
        return Failed(message=str(error), data=error)
    except Exception as error:
        if not by_itself():
            raise
        return Failed(message=told(error))


def refreshed(recipe: str, chosen: Recipe, store: Store, row: history.Row) -> Refreshed | State[Any]:
    """The path itself, told to `row` as far as it came."""
    warehouse, log = str(store.path), get_run_logger()
    before = history.last_funnel(store, chosen.name)
    ingested, sentences = ingest_sources(warehouse, [source for source in chosen.sources if source.path])
    trouble = history.keep_trouble(store, chosen.name, sentences)
    row.new_traces = sum(done.new_traces for done in ingested)
    log.info("%d new traces from %d sources", row.new_traces, len(ingested))
    for source in trouble:
        log.warning(history.in_trouble(source))
    conflicts: list[str] = patient(check_samples)(warehouse, recipe)
    try:
        doubts: list[str] = patient(judge_survivors)(warehouse, recipe, is_scheduled(chosen))
        for doubt in doubts:
            log.warning(doubt)
        release: publishing.Published = patient(publish_accepted)(warehouse, recipe)
    except Stopped:
        row.funnel = asking.status(store, chosen)
        morning.show(recipe, row.funnel, before, None, trouble)
        raise
    row.funnel = asking.status(store, chosen, release.counts)
    morning.show(recipe, row.funnel, before, release, trouble)
    row.version, row.state = release.version, "held" if release.state == "held" else "finished"
    row.detail = "; ".join(release.guards) or None
    warnings = (
        *(warning for done in ingested for warning in done.warnings),
        *(history.in_trouble(source) for source in trouble),
        *conflicts,
        *doubts,
    )
    return outcome(Refreshed(warnings, row.new_traces, row.funnel, release))


def outcome(done: Refreshed) -> Refreshed | State[Any]:
    """What the flow ends with: a release that a guard holds makes a state of its own, another one where a person was told before."""
    if done.release.state != "held":
        return done
    name = "Held" if done.release.new else "Waiting"
    return Completed(name=name, message="; ".join(done.release.guards), data=done)


def is_scheduled(recipe: Recipe) -> bool:
    """Whether this is a night's run: one of a deployment, or of a recipe that has a schedule, whoever starts it."""
    return runtime.deployment.id is not None or recipe.schedule.cron is not None


def ingest_sources(warehouse: str, sources: list[Source]) -> tuple[list[ingesting.Ingestion], dict[str, str]]:
    """What came of each source, and why (path -> sentence) some could not be read, wholly or in part.

    Raises what stopped the only source, or the first of all: without any there is nothing to go on with.
    """
    done: list[ingesting.Ingestion] = []
    sentences: dict[str, str] = {}
    first: InputError | ServiceError | None = None
    for source in sources:
        path = source.path or ""
        try:
            came: ingesting.Ingestion = patient(ingest_source)(warehouse, path, source.format, source.name)
            done.append(came)
            came.require_whole()
        except (InputError, ServiceError) as error:
            sentences[path] = str(error)
            first = first or error
    if first is not None and len(sentences) == len(sources):
        raise first
    return done, sentences


def refresh(recipe: str, warehouse: Path) -> Refreshed:
    """Runs the flow here and now: on the server that PREFECT_API_URL names, else on Prefect's own temporary one.

    Raises InputError for a recipe that has nothing to refresh from, Stopped where it was stopped on purpose or is
    running already, MachineError where Prefect's temporary server does not start, and whatever a stage raises.
    """
    if not any(source.path for source in load_recipe(recipe).sources) and not warehouse.exists():
        raise InputError(
            f"the recipe {recipe} names no [[source]] with a path, and there is no warehouse at {warehouse}; "
            "add a source, or `curation ingest` first"
        )
    try:
        with tags(zombies.own_tag()):
            state: Any = refresh_flow(recipe, str(warehouse), return_state=True)
    except RuntimeError as error:
        if "ephemeral" not in str(error):
            raise
        raise MachineError(
            "Prefect's own server did not come up in time, most likely because this machine is busy; run the same again, "
            "or name a server that runs already in PREFECT_API_URL"
        ) from error
    if state.name in ("Skipped", "Stopped"):
        raise Stopped(state.message or "it was stopped")
    done: Refreshed = state.result()
    return done
