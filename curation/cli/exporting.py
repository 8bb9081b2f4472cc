"""The commands that put a trained model to use: as a file for a phone, as weights for a server."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from curation import terminal
from curation.cli.options import AsJson, app
from curation.errors import InputError

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

    if to == "gguf":
        with terminal.progress() as told:
            done = export_gguf(model, quant, out, base, told)
    elif to == "merged":
        done = export_merged(model, out, base)
    else:
        raise InputError(f"--to {to!r} is neither gguf nor merged")
    if as_json:
        terminal.show_json(asdict(done))
        return
    terminal.show(f"wrote {done.path} ({done.size / 1e6:,.1f} MB)")
    if done.wider:
        terminal.say(f"{done.wider} tensors are kept wider, since their rows do not divide into blocks")
    if done.difference is not None:
        terminal.say(f"merged and adapted logits agree within {done.difference:.1e}")
