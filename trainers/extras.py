"""What only some users install: a package that is missing is one sentence with the command that brings it."""

from importlib import import_module
from typing import Any

from curation.errors import InputError


def needed(package: str, extra: str, doing: str) -> Any:
    """The imported package; InputError naming the optional extra of ours that brings it."""
    try:
        return import_module(package)
    except ImportError as error:
        raise InputError(
            f"{doing} needs the package {package}; install it with `pip install 'curation[{extra}]'`"
        ) from error
