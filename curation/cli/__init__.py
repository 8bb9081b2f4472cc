"""The command line: `curation …`; the one package here that reaches the warehouse and the flows, and only when asked to.

The order of the imports is the order in which `curation --help` lists the commands.
"""

from curation import process

from curation.cli import path, questions, making, writing, training, searching, evaluating, exporting  # isort: skip
from curation.cli.options import app

__all__ = ["app", "evaluating", "exporting", "main", "making", "path", "questions", "searching", "training", "writing"]


def main() -> None:
    """Runs the command that the arguments name."""
    process.run(app)
