"""The command that says how good a model's plans are."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curation import terminal
from curation.cli.options import AsJson, app

if TYPE_CHECKING:
    from trainers.evaluate import Job

SHOWN = 10  # answers that --show worst prints unless --limit says otherwise
WORST = "worst"


@app.command(epilog="Example: curation evaluate --model runs/sft --release plans@1.0.0 --against google/gemma-4-E2B")
def evaluate(
    model: Annotated[
        str | None, typer.Option("--model", help="A run's folder, a model's folder, or owner/name.")
    ] = None,
    release: Annotated[
        str | None, typer.Option("--release", help="A release: its folder, NAME@VERSION or hf://owner/name@tag.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Which split is asked; else test, or validation where there is none.")
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", help="transformers, vllm, or openai: a server that speaks it.")
    ] = "transformers",
    preset: Annotated[
        str | None, typer.Option("--preset", help="How the model is asked, where its folder does not say.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Another model, or the folder of its evaluation, to compare with.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most so many samples (1,000), or answers to show (10).")
    ] = None,
    pool: Annotated[
        str, typer.Option("--pool", help="Numbers of candidates to choose from; own: the sample's.")
    ] = "6,own,12",
    seed: Annotated[int, typer.Option("--seed", help="Of what is drawn: tokens above temperature 0, resamples.")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Requests in flight, for --engine openai.")] = 16,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The folder for the results.")] = None,
    show: Annotated[
        str | None, typer.Option("--show", help="worst: print the worst answers of a finished evaluation.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a model for the plans of a release's split, and measure them, with error bars."""
    if show not in (None, WORST):
        raise typer.BadParameter(f"{show!r} is not known; it takes {WORST}", param_hint="--show")
    if show and out is not None:
        show_worst(out, limit or SHOWN)
        return
    for name, given in (("--model", model), ("--release", release)):
        if given is None:
            raise typer.BadParameter("name it, or with --show worst the folder with --out", param_hint=name)
    from trainers.engines import ENGINES
    from trainers.evaluate import LIMIT, Job, held_out, preset_of
    from trainers.evaluation.pools import parse_pools
    from trainers.release import open_release

    if engine not in ENGINES:
        raise typer.BadParameter(f"{engine!r} is none of {', '.join(ENGINES)}", param_hint="--engine")
    model, opened = str(model), open_release(str(release))
    chosen, asked = preset_of(model, preset), split or held_out(opened.splits)
    job = Job(model, opened, chosen, asked, engine, limit or LIMIT, parse_pools(pool), seed, workers, out)
    if show:
        show_worst(job.folder, limit or SHOWN)
        return
    summary = run(job, against, preset)
    if as_json:
        terminal.show_json(summary)
        return
    from trainers.evaluation.tables import tables

    terminal.show(tables(summary))
    terminal.say(f"next: `curation evaluate --show worst --out {job.folder}`; everything is in {job.folder}")


def run(job: "Job", against: str | None, preset: str | None) -> dict[str, Any]:
    """The evaluation, compared where asked, with its card and picture beside it."""
    from trainers.evaluate import compare, evaluate
    from trainers.evaluation.card import write_card
    from trainers.evaluation.picture import name_of, write_picture

    with terminal.progress() as told:
        table, summary = evaluate(job, told)
    summaries, names = [summary], [name_of(job.model)]
    if against is not None:
        other, other_summary = other_of(job, against, preset)
        named = name_of(other_summary["model"])
        names.append(named if named not in names else name_of(against))
        summary = compare(job, table, summary, other, names[1])
        summaries = [summary, other_summary]
    write_card(job.folder, summary)
    write_picture(job.folder, summaries, names)
    return summary


def other_of(job: "Job", against: str, preset: str | None) -> Any:
    """The table and summary of what is compared with: an evaluation's folder, or a model, evaluated the same way."""
    from dataclasses import replace

    from trainers.evaluate import PRESET_FILE, evaluate, preset_of
    from trainers.evaluation.results import TABLE, read

    if (Path(against) / TABLE).is_file():
        return read(Path(against))
    folder = job.out / f"against-{Path(against).name}" if job.out else None
    own = preset is None and (Path(against) / PRESET_FILE).is_file()
    other = replace(job, model=against, preset=preset_of(against, None) if own else job.preset, out=folder)
    with terminal.progress() as told:
        return evaluate(other, told)


def show_worst(folder: Path, limit: int) -> None:
    """Prints the worst answers of a finished evaluation."""
    from trainers.evaluation.results import read
    from trainers.evaluation.tables import worst

    terminal.show(worst(read(folder)[0], limit))
