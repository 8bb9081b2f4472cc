"""The commands that put a trained model to use: as a file for a phone, as weights for a server, and asked for one plan."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curation import terminal
from curation.cli.options import AsJson, RecipeName, app, recipe_of

if TYPE_CHECKING:
    from trainers.generate import Generated

Model = Annotated[str, typer.Option("--model", "-m", help="A run's folder, a model folder, or a model of the Hub.")]


@app.command(epilog="Example: curation export --model runs/planner --to gguf --quant q4_0")
def export(
    model: Model,
    to: Annotated[
        str, typer.Option("--to", help="gguf: one file for llama.cpp. merged: plain weights of a LoRA.")
    ] = "gguf",
    quant: Annotated[
        str, typer.Option("--quant", help="Of gguf: f16, q8_0, q4_0, or q4_k_m (extra `llama`).")
    ] = "q4_0",
    base: Annotated[
        str | None, typer.Option("--base", help="Of a LoRA: its base, where it is not where the adapter says.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A new file (gguf) or folder (merged).")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a trained model as the one file that phones and laptops run, or a LoRA as plain weights."""
    from trainers.export.exporting import export_gguf, export_merged
    from trainers.export.writing import quants

    if to not in ("gguf", "merged"):
        raise typer.BadParameter(f"{to!r} is neither gguf nor merged", param_hint="--to")
    if quant not in quants():
        raise typer.BadParameter(f"{quant!r} is none of {', '.join(quants())}", param_hint="--quant")
    if to == "gguf":
        with terminal.progress() as told:
            done = export_gguf(model, quant, out, base, told)
    else:
        done = export_merged(model, out, base)
    if as_json:
        terminal.show_json(asdict(done))
        return
    terminal.show(f"wrote {done.path} ({done.size / 1e6:,.1f} MB)")
    if done.wider:
        terminal.say(f"{done.wider} tensors are kept wider, since their rows do not divide into blocks")
    if done.difference is not None:
        terminal.say(f"merged and adapted logits agree within {done.difference:.1e}")


@app.command(epilog='Example: curation generate --model runs/planner --candidates plugins.jsonl "Weather in Oslo?"')
def generate(
    request: Annotated[str, typer.Argument(help="What the user asks for.")],
    model: Model,
    candidates: Annotated[
        Path,
        typer.Option("--candidates", "-c", help="What is offered: OpenAPI, an MCP listing, candidates (JSON, JSONL)."),
    ],
    preset: Annotated[
        str | None, typer.Option("--preset", help="How the model is asked; without it, as its own folder says.")
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="transformers, vllm or openai.")] = "transformers",
    greedy: Annotated[
        bool, typer.Option("--greedy", help="The likeliest token each time, whatever the preset says.")
    ] = False,
    seed: Annotated[
        int, typer.Option("--seed", help="Of the draws, where the preset draws: another seed, another plan.")
    ] = 0,
    recipe: RecipeName = "default",
    as_json: AsJson = False,
) -> None:
    """Ask a model for one plan, and say what the row stages find in it; exit 1 where one fails it."""
    from trainers import generate as asking
    from trainers.engines import ENGINES, open_engine
    from trainers.evaluate import preset_of

    if engine not in ENGINES:
        raise typer.BadParameter(f"{engine!r} is none of {', '.join(ENGINES)}", param_hint="--engine")
    check = recipe_of(recipe).check
    offered, imported = asking.read_candidates(candidates)
    for refusal in imported.refusals:
        terminal.warn(f"{refusal.where}: not offered: {refusal.why}")
    chosen = preset_of(model, preset)
    decoding = asking.greedy(chosen.decoding) if greedy else chosen.decoding
    done = asking.generate_plan(open_engine(engine, model, chosen), chosen, decoding, offered, request, check, seed)
    if as_json:
        terminal.show_json({"request": request, "model": model, "preset": chosen.name, **asdict(done)})
    else:
        show_plan(done)
    if done.failed:
        raise typer.Exit(1)


def show_plan(done: "Generated") -> None:
    """The plan alone to stdout, so that it can be piped; what was thought and found to stderr."""
    if done.thinking:
        terminal.say(f"thinking: {done.thinking}")
    terminal.show(done.plan)
    for finding in done.findings:
        seen = "" if finding.seen is None else f": {finding.seen}"
        terminal.say(f"{finding.outcome} {finding.reason} at {finding.pointer or '/'}{seen}")
    if done.finish == "length":
        terminal.say(f"cut off after {done.tokens} tokens, the preset's decoding.max_new_tokens")
    from curation.decision import OUTCOMES

    counts = Counter(done.stages.values())
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome])
    terminal.say(f"{len(done.stages)} row stages: {told} ({done.seconds:.1f} s)")
