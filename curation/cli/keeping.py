"""The commands that keep the warehouse itself: how large it is, backups, and a smaller file with the same rows."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from curation import terminal
from curation.cli.options import WAREHOUSE, AsJson, Warehouse, app, open_store

warehouse_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keep the warehouse: size, backups.")
app.add_typer(warehouse_app, name="warehouse", epilog="Example: curation warehouse size")

BackupFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The backup's own folder.")]


@warehouse_app.command("size", epilog="Example: curation warehouse size")
def size(warehouse: Warehouse = WAREHOUSE, as_json: AsJson = False) -> None:
    """Say how large the warehouse is, and which tables make it so."""
    from flows.keeping import size as ask

    told = ask(open_store(warehouse))
    if as_json:
        terminal.show_json(told)
        return
    from curation.show.sizes import sizes

    terminal.show(sizes(told))


@warehouse_app.command("backup", epilog="Example: curation warehouse backup /backups/2026-10-01")
def backup(folder: BackupFolder, warehouse: Warehouse = WAREHOUSE, as_json: AsJson = False) -> None:
    """Copy the warehouse, and the replies that wait beside it, into a new folder; others may work meanwhile."""
    from flows.keeping import backup as run

    made = run(open_store(warehouse), folder)
    if as_json:
        terminal.show_json({"folder": str(folder), **asdict(made)})
    else:
        terminal.show(f"backed up {made.bytes:,} bytes, and {len(made.journals):,} files of replies: {folder}")


@warehouse_app.command("restore", epilog="Example: curation warehouse restore /backups/2026-10-01")
def restore(folder: BackupFolder, warehouse: Warehouse = WAREHOUSE, as_json: AsJson = False) -> None:
    """Put a backup where there is no warehouse; one that is there is never overwritten."""
    from flows.keeping import restore as run

    made = run(open_store(warehouse), folder)
    if as_json:
        terminal.show_json({"warehouse": str(warehouse), **asdict(made)})
    else:
        terminal.show(f"restored the backup of {made.made_at}: {warehouse}")


@warehouse_app.command("compact", epilog="Example: curation warehouse compact")
def compact(warehouse: Warehouse = WAREHOUSE, as_json: AsJson = False) -> None:
    """Write every row into a new file, so that the space of deleted rows is free again; everybody else waits."""
    from flows.keeping import compact as run

    told = run(open_store(warehouse))
    if as_json:
        terminal.show_json({"warehouse": str(warehouse), **told})
    else:
        terminal.show(f"{warehouse}: {told['before']:,} bytes are {told['after']:,} now")
