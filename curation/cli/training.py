"""The commands that train: a model from a published release."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curation import terminal
from curation.cli.options import WAREHOUSE, AsJson, Warehouse, app, open_store
from curation.errors import InputError

if TYPE_CHECKING:
    from trainers.presets import Preset
    from trainers.release import Release

train = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Train a model from a release.")
app.add_typer(train, name="train")

ReleaseName = Annotated[
    str, typer.Option("--release", help="A release's folder, NAME@VERSION, or hf://owner/name@v1.0.0.")
]
PresetName = Annotated[str, typer.Option("--preset", "-p", help="A .toml file, or the name of a bundled preset.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", help="Change a setting of the preset, such as sft.epochs=1.")
]
Seed = Annotated[int, typer.Option("--seed", help="Of random weights and of the order of the rows.")]
RunFolder = Annotated[
    Path | None, typer.Option("--out", "-o", help="The run's folder; else runs/<preset>-<release>-seed<seed>.")
]
Submit = Annotated[bool, typer.Option("--submit", help="Have the Prefect server start it, and say where it is seen.")]
Pool = Annotated[str, typer.Option("--pool", help="The work pool that --submit means.")]
Wait = Annotated[bool, typer.Option("--wait", help="With --submit: follow the run to its end.")]


@train.command("sft", epilog="Example: curation train sft --release plans@1.0.0 --preset gemma4-e2b")
def sft(
    release: ReleaseName,
    preset: PresetName,
    out: RunFolder = None,
    model: Annotated[
        str | None, typer.Option("--model", help="What to start from: a folder or a Hub id; else the preset's.")
    ] = None,
    thinking: Annotated[
        str | None, typer.Option("--thinking", help="text (<think>), or native: the family's own channel.")
    ] = None,
    changes: Changes = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run in this folder was killed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and train nothing.")] = False,
    gpu: Annotated[str | None, typer.Option("--gpu", help="The GPU that --dry-run reckons with, such as h100.")] = None,
    push_to: Annotated[
        str | None, typer.Option("--push-to", help="Put the model in this repository: hf://owner/name.")
    ] = None,
    push_every: Annotated[
        int | None, typer.Option("--push-every", min=1, help="Also push every so many steps.")
    ] = None,
    report_to: Annotated[
        str | None, typer.Option("--report-to", help="A tracker that TRL knows, such as wandb or tensorboard.")
    ] = None,
    submit: Submit = False,
    pool: Pool = "gpu",
    wait: Wait = False,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a model on the requests and plans of a release."""
    if push_every is not None and push_to is None:
        raise typer.BadParameter("says how often, and --push-to hf://owner/name where", param_hint="--push-every")
    chosen = preset_of(preset, model, thinking, changes)
    opened = release_of(release, warehouse)
    if submit:
        show_submitted("sft", opened, release, preset, model, pool, wait, as_json)
        return
    if dry_run:
        show_estimate(opened, chosen, gpu, as_json)
        return
    require_trainers()
    from trainers.sft import Job, Push
    from trainers.sft import train as run

    folder = out or Path("runs") / f"{chosen.name}-{opened.name}-v{opened.version}-seed{seed}"
    push = None if push_to is None else Push(push_to, push_every)
    job = Job(opened, release, chosen, folder, seed, resume, push, report_to)
    try:
        with terminal.progress() as told:
            done = run(job, terminal.say, told)
    except KeyboardInterrupt:
        terminal.say("stopped by Ctrl-C; the same command with --resume goes on from the last checkpoint")
        raise typer.Exit(130) from None
    if as_json:
        terminal.show_json({"out": str(folder), **done})
        return
    figures = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in done["metrics"].items() if value)
    terminal.show(f"trained {done['steps']:,} steps ({figures}): {folder}")
    terminal.say(f"next: read {folder / 'README.md'}")


@train.command(
    "grpo", epilog="Example: curation train grpo --release plans@1.0.0 --model runs/sft --preset gemma4-e2b-grpo"
)
def grpo(
    release: ReleaseName,
    model: Annotated[str, typer.Option("--model", help="What `curation train sft` made: its folder, or a Hub id.")],
    preset: PresetName,
    out: RunFolder = None,
    changes: Changes = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run in this folder was killed.")] = False,
    report_to: Annotated[
        str | None, typer.Option("--report-to", help="A tracker that TRL knows, such as wandb or tensorboard.")
    ] = None,
    submit: Submit = False,
    pool: Pool = "gpu",
    wait: Wait = False,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Improve a fine-tuned model by rewards for the plans that it tries (GRPO)."""
    chosen = preset_of(preset, model, None, changes)
    opened = release_of(release, warehouse)
    if submit:
        show_submitted("grpo", opened, release, preset, model, pool, wait, as_json)
        return
    require_trainers()
    from trainers.grpo import train as run
    from trainers.sft import Job

    folder = out or Path("runs") / f"{chosen.name}-{opened.name}-v{opened.version}-seed{seed}"
    done = run(Job(opened, release, chosen, folder, seed, resume, None, report_to), terminal.say)
    if as_json:
        terminal.show_json({"out": str(folder), **done})
        return
    figures = ", ".join(f"{name} {value:.3f}" for name, value in done["metrics"].items())
    terminal.show(f"trained {done['steps']:,} steps, kept step {done['kept_step']:,} ({figures}): {folder}")
    terminal.say(f"next: curation evaluate --model {folder} --release {release} --against {model}")


def preset_of(name: str, model: str | None, thinking: str | None, changes: list[str] | None) -> "Preset":
    """The preset with what the options change in it."""
    from dataclasses import replace

    from trainers.presets import load_preset

    said = [*(changes or ()), *([f"thinking={thinking}"] if thinking else ())]
    preset = load_preset(name, said)
    return preset if model is None else replace(preset, model=model)


def release_of(reference: str, warehouse: Path) -> "Release":
    """The release; NAME@VERSION by where the warehouse, if there is one, says that it was placed."""
    from trainers.release import open_release

    placed = None
    if "@" in reference and "/" not in reference and not Path(reference).exists():
        placed = placed_at(warehouse, *reference.split("@", 1))
    return open_release(placed or reference)


def placed_at(warehouse: Path, name: str, version: str) -> str | None:
    """Where the warehouse has a release; None where it does not know it, or there is no warehouse."""
    from flows.asking import releases

    if not warehouse.exists():
        return None
    found = [row for row in releases(open_store(warehouse), name) if row["version"] == version.removeprefix("v")]
    return str(found[0]["path"]) if found and found[0].get("path") else None


def require_trainers() -> None:
    """Raises InputError where the packages that train are not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("torch", "transformers", "trl") if find_spec(name) is None]
    if missing:
        raise InputError(f"training needs {', '.join(missing)}; install them with pip install 'curation[train]'")


def show_estimate(release: "Release", preset: "Preset", gpu: str | None, as_json: bool) -> None:
    """Prints what a run would take."""
    from trainers.estimate import as_json as values
    from trainers.estimate import gpu_named, lines
    from trainers.reckoning import reckon

    told = reckon(release, preset, None if gpu is None else gpu_named(gpu))
    if as_json:
        shown: dict[str, Any] = values(told)
        terminal.show_json(shown)
        return
    for line in lines(told, preset):
        terminal.show(line)


def show_submitted(
    kind: str, release: "Release", reference: str, preset: str, model: str | None, pool: str, wait: bool, as_json: bool
) -> None:
    """Has the server start the trainer, says where its run is seen, and with `wait` follows it; 1 where it fails."""
    from flows.submitting import follow
    from flows.submitting import submit as run

    # the box that trains knows no warehouse: it is told the folder, or the repository at the very commit
    repo = reference.split("@", 1)[0]
    where = f"{repo}@{release.commit}" if release.commit else str(release.path)
    given = preset if not Path(preset).is_file() else str(Path(preset).resolve())
    told = run(kind, {"name": release.name, "version": release.version, "reference": where}, given, model, pool)
    if as_json and not wait:
        terminal.show_json(told)
        return
    terminal.say(f"submitted {told['name']}: {told['address']}")
    if not wait:
        terminal.show(told["address"])
        return
    state = follow(told["id"], terminal.say)
    if as_json:
        terminal.show_json(told | {"state": state})
    else:
        terminal.show(f"{state}: {told['address']}")
    if state != "Completed":
        raise typer.Exit(1)
