"""The command line: `curation …`; the one package here that reaches the warehouse and the flows, and only when asked to.

The order of the imports is the order in which `curation --help` lists the commands.
"""

from curation import process

# fmt: off
from curation.cli import (  # isort: skip
    path, judging, releasing, questions, reviewing, making, writing, training, searching, evaluating, exporting, keeping, serving,
)
# fmt: on
from curation.cli.options import app

__all__ = [
    "app",
    "evaluating",
    "exporting",
    "judging",
    "keeping",
    "main",
    "making",
    "path",
    "questions",
    "releasing",
    "reviewing",
    "searching",
    "serving",
    "training",
    "writing",
]


def main() -> None:
    """Runs the command that the arguments name."""
    process.run(app)
