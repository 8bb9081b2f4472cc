"""Shows a document without its credentials: whatever a person or a log is told passes through here or `mask`."""

from typing import Any

import polars as pl

from curation.credentials import mask, possible
from curation.depth import too_deep
from curation.sample import dumps


def masked(document: Any, key: str = "") -> Any:
    """A JSON value in whose texts and keys each credential is replaced by its kind.

    `key` is the name that the value stands under, which may be what makes it a credential.
    """
    if isinstance(document, str):
        return mask(document, key)
    if isinstance(document, dict):
        return {mask(str(name)): masked(member, str(name)) for name, member in document.items()}
    if isinstance(document, list):
        return [masked(member, key) for member in document]
    return document


def masked_column(texts: pl.Series) -> pl.Series:
    """A column of texts, JSON or not, without credentials; what holds none stays as it is, byte for byte."""
    suspects = possible(texts)
    if not suspects.any():
        return texts
    shown = [masked_json(text) if suspect else text for text, suspect in zip(texts, suspects, strict=True)]
    return pl.Series(texts.name, shown, dtype=pl.String)


def masked_json(text: str) -> str:
    """JSON text without credentials in what it says; text that is no JSON as it stands."""
    from curation.hiding import parsed

    document = text if too_deep(text) else parsed(text)
    if isinstance(document, str):
        return mask(text)
    shown = masked(document)
    return text if shown == document else dumps(shown)
