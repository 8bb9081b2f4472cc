"""The command that holds the judge against people."""

from pathlib import Path
from typing import Annotated

import typer

from curation import terminal
from curation.cli.options import WAREHOUSE, AsJson, RecipeName, Warehouse, app, open_store, recipe_of


@app.command(epilog="Example: curation calibrate labels.jsonl --recipe plans.toml --draw 100")
def calibrate(
    labels: Annotated[Path, typer.Argument(help="A file of labels, one JSON object a line.")],
    recipe: RecipeName = "default",
    draw: Annotated[
        int | None, typer.Option("--draw", min=1, help="Write a blank sheet of so many judged samples there instead.")
    ] = None,
    precision: Annotated[
        float, typer.Option("--precision", min=0.5, max=0.99, help="What the threshold must surely reach.")
    ] = 0.8,
    warehouse: Warehouse = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Measure the judge by people's labels, and recommend a threshold."""
    from curation.show.calibration import calibration
    from flows import calibrating

    store, chosen = open_store(warehouse), recipe_of(recipe)
    if draw is not None:
        drawn = calibrating.draw(store, chosen, labels, draw)
        if as_json:
            terminal.show_json({"labels": str(labels), "samples": drawn})
        else:
            terminal.show(f"wrote {drawn:,} blank labels to {labels}")
            terminal.say(
                f"next: fill in scores (0 to 10) or accept, then `curation calibrate {labels}` with the same recipe"
            )
        return
    told = calibrating.calibrate(store, chosen, labels, precision).told()
    if as_json:
        terminal.show_json(told)
    else:
        terminal.show(calibration(told))
