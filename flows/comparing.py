"""What a release has that its parent had not, and the other way round, counted by split and by category."""

from typing import Any

from warehouse import Store


def changes(store: Store, name: str, version: str, parent: str | None) -> dict[str, Any] | None:
    """How a version differs from its parent: {name, version, parent, added, removed, moved, by: [{by, what, rows, …}]}.

    `moved` rows are in another split than before. None for a first version, which differs from nothing.
    """
    if parent is None:
        return None
    found = store.read("release_changes", name=name, version=version, parent=parent)
    by_split = found.filter(by="split")
    counts = {key: int(by_split[key].sum()) for key in ("added", "removed", "moved")}
    return {"name": name, "version": version, "parent": parent, **counts, "by": list(found.iter_rows(named=True))}


def said(told: dict[str, Any]) -> str:
    """The changes in a few words."""
    moved = f", {told['moved']:,} in another split" if told["moved"] else ""
    return f"+{told['added']:,} −{told['removed']:,} rows against {told['parent']}{moved}"
