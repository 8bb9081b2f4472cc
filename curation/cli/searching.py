"""The command that looks for better settings of a preset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curation import terminal
from curation.cli.options import WAREHOUSE, AsJson, BudgetUsd, Warehouse, app
from curation.cli.training import Changes, PresetName, ReleaseName, preset_of, release_of, require_trainers
from curation.errors import InputError
from curation.recipe import Judge

if TYPE_CHECKING:
    from trainers.search.history import Proposer
    from trainers.search.searching import Job

BACKENDS = ("vertex", "anthropic", "offline")


@app.command(
    epilog="Example: curation search --release plans@1.0.0 --model runs/sft --preset gemma4-e2b-grpo --budget-usd 5"
)
def search(
    release: ReleaseName,
    preset: PresetName,
    space: Annotated[str, typer.Option("--space", help="A .toml file, or the name of a bundled space.")] = "grpo",
    model: Annotated[
        str | None,
        typer.Option("--model", help="What every trial starts from: a folder or a Hub id; else the preset's."),
    ] = None,
    backend: Annotated[
        str, typer.Option("--backend", help="Who proposes: vertex or anthropic, Claude; offline, Optuna's sampler.")
    ] = "vertex",
    proposer: Annotated[
        str | None, typer.Option("--proposer", help=f"Claude's model, as the backend knows it; else {Judge.model}.")
    ] = None,
    budget_usd: BudgetUsd = None,
    trials: Annotated[int, typer.Option("--trials", help="How many, beside the preset as it is.")] = 24,
    seeds: Annotated[int, typer.Option("--seeds", help="Models of each trial, the same seeds for all.")] = 3,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The search's folder; else runs/search-<space>-<preset>-<release>."),
    ] = None,
    changes: Changes = None,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Try settings of a preset, keep what is surely better, and confirm the best once on the split test."""
    if backend not in BACKENDS:
        raise typer.BadParameter(f"{backend!r} is none of {', '.join(BACKENDS)}", param_hint="--backend")
    if backend == "offline" and (proposer is not None or budget_usd is not None):
        raise InputError(
            "--proposer and --budget-usd are about Claude, and the backend offline asks no model; "
            "add --backend vertex or --backend anthropic"
        )
    chosen, opened = preset_of(preset, model, None, changes), release_of(release, warehouse)
    require_trainers()
    from trainers.search.searching import Job
    from trainers.search.searching import search as run
    from trainers.search.space import load_space
    from trainers.search.trial import has_gpu

    searched = load_space(space, chosen)
    name = proposer or Judge.model
    folder = out or Path("runs") / f"search-{searched.name}-{chosen.name}-{opened.name}-v{opened.version}"
    job = Job(
        opened, release, chosen, searched, folder, trials, seeds, "optuna" if backend == "offline" else name,
        has_gpu(),
    )  # fmt: skip
    try:
        told = run(job, proposer_of(job, backend, name, budget_usd), terminal.say)
    except KeyboardInterrupt:
        terminal.say("stopped by Ctrl-C; every trial is kept, and the same command goes on from here")
        raise typer.Exit(130) from None
    show(told, folder, as_json)


def proposer_of(job: "Job", backend: str, model: str, budget_usd: float | None) -> "Proposer":
    """Who proposes; raises InputError or ServiceError where it cannot be asked, before anything is trained."""
    from trainers.search.claude import Asked
    from trainers.search.drawing import Drawn

    if backend == "offline":
        return Drawn(job.space, job.preset)
    return Asked(backend, model, job.space, job.preset, job.trials, job.out, budget_usd)


def show(told: dict[str, Any], folder: Path, as_json: bool) -> None:
    """Prints the trials and what came of them."""
    from trainers.search import history
    from trainers.search.tables import table, verdict

    trials = history.read(folder)
    if as_json:
        from dataclasses import asdict

        terminal.show_json({"out": str(folder), **told, "all": [asdict(trial) for trial in trials]})
        return
    terminal.show(table(trials))
    terminal.show(verdict(told, trials))
    terminal.say(f"next: read {folder / 'README.md'}")
