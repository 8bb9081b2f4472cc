"""A command as a process: what it starts with, and how it ends: one sentence and an exit code, never a traceback."""

import atexit
import gc
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import typer
from rich.text import Text

import curation
from curation import terminal
from curation.errors import CurationError, InputError, Stopped


def run(app: typer.Typer) -> NoReturn:
    """Runs the command that the arguments name, and ends the process.

    0: success; 1: a fault of the input or of a service; 2: wrong usage; 3: stopped on purpose; 130: Ctrl-C.
    """
    atexit.register(be_quiet)
    try:
        refuse_foreign_packages()
        code = app(standalone_mode=False)
    except CurationError as error:
        end(str(error), error.exit_code, "stopped" if isinstance(error, Stopped) else "error")
    except KeyboardInterrupt:
        end("stopped by Ctrl-C; nothing is lost, the same command goes on from here", 130, "stopped")
    except typer.Abort:
        end("stopped", 130, "stopped")
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]  # every one that is raised here has it
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if not is_store_error(error):
            raise
        end(str(error), 1, "error")
    sys.exit(code if isinstance(code, int) else 0)


def end(sentence: str, code: int, word: str) -> NoReturn:
    """Ends the process with one sentence."""
    terminal.stderr().print(Text.assemble((f"{word}:", "red"), " ", terminal.visible(terminal.masked(sentence))))
    sys.exit(code)


def is_store_error(error: Exception) -> bool:
    """Whether the warehouse told us in its own words; it is not loaded before it is needed."""
    store = sys.modules.get("warehouse.errors")
    return store is not None and isinstance(error, store.StoreError)


def spare_collections() -> None:
    """For a run over many rows: the garbage collector leaves alone what is loaded by now, and looks less often at what comes.

    A sixth of a night's CPU was its walk through Prefect's objects, again and again, for each batch of rows.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def be_quiet() -> None:
    """Runs after every other exit handler: where a thread keeps DuckDB's types alive, their binding would list them."""
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def refuse_foreign_packages() -> None:
    """Raises InputError where one of our generic package names is somebody else's package."""
    home = Path(curation.__file__).resolve().parent.parent
    for name in ("schemas", "warehouse", "flows", "trainers"):
        spec = find_spec(name)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found is None or found.parent.parent != home:
            raise InputError(
                f"the package {name!r} is not curation's own but {found or 'missing'}; "
                "install curation into an environment of its own"
            )


def prepare_prefect(warehouse: Path) -> None:
    """Prefect's settings for a run here and now; what the environment already says is left as it is."""
    warehouse = warehouse.expanduser().absolute()
    defaults = {
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",  # the default of 20 is too short on a busy machine
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{quote(str(warehouse))}.prefect.db",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",  # what goes wrong is told once, by us
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    try:
        warehouse.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make the folder {warehouse.parent}: {error.strerror}; choose another with --warehouse"
        ) from error
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def prepare_service(state: Path, host: str, port: int) -> None:
    """Prefect's settings for a service of one's own: all that it keeps is in `state`, and it calls nobody."""
    state = state.expanduser().absolute()
    try:
        (state / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {state}: {error.strerror}; choose another with --state") from error
    os.environ |= {
        "PREFECT_HOME": str(state),
        "PREFECT_API_URL": f"http://{host}:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    os.environ.setdefault(
        "PREFECT_SERVER_DATABASE_CONNECTION_URL", f"sqlite+aiosqlite:///{quote(str(state))}/prefect.db"
    )
    os.environ.setdefault("PREFECT_CLI_PROMPT", "false")
    # In an editable install no path leads to our packages, and Prefect looks first where it stands: a warehouse's folder there
    # would be taken for the package of that name.
    root = str(Path(curation.__file__).parents[1])
    if root not in sys.path:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    for what in (
        "TIMEOUT",
        "CONNECTION_TIMEOUT",
    ):  # SQLite has one writer: 10 s and 5 s were too short on a busy machine
        os.environ.setdefault(f"PREFECT_SERVER_DATABASE_{what}", "60")
