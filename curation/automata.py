"""An automaton looks for many patterns in a text at once and says which of them occur."""

from collections.abc import Iterable
from typing import Any

import re2

MEMORY = 256 << 20  # bytes that it may use: with less it gives up on large tables, and then finds nothing


def automaton(patterns: Iterable[str]) -> Any:
    """A compiled set of google-re2 patterns: `.Match(text)` gives the places of those that occur anywhere in it.

    Raises ValueError for what is no pattern there.
    """
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    found = re2.Set.SearchSet(options)
    for pattern in patterns:
        try:
            found.Add(pattern)
        except re2.error as error:
            raise ValueError(f"google-re2 cannot read the pattern: {error}") from None
    found.Compile()
    return found
