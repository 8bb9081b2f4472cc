"""A digest of rows: the same values give the same digest, whoever wrote them and in whatever batches they came."""

import hashlib
from collections import defaultdict
from typing import Any

import polars as pl


class Digest:
    """Of each column it takes the bytes of the values, one after the other, and how many bytes each value has (null: -1).

    So equal digests mean equal rows in equal order, and neither a file's layout nor a version of what writes it matters.
    """

    def __init__(self) -> None:
        self._parts: defaultdict[str, Any] = defaultdict(hashlib.sha256)

    def add(self, rows: pl.DataFrame) -> int:
        """Takes further rows of the same columns (text, numbers, structures and lists of these); returns the bytes of their values."""
        return sum(self._take(column.name, column) for column in rows)

    def hexdigest(self) -> str:
        """The digest of all rows so far, 64 hexadecimal digits."""
        told = "".join(f"{name} {part.hexdigest()}\n" for name, part in sorted(self._parts.items()))
        return hashlib.sha256(told.encode()).hexdigest()

    def _take(self, name: str, column: pl.Series) -> int:
        if isinstance(column.dtype, pl.List):
            sizes = column.list.len()
            return self._sizes(name, sizes) + self._take(f"{name}[]", column.filter(sizes > 0).explode())
        if isinstance(column.dtype, pl.Struct):
            fields = column.struct.fields
            return sum(self._take(f"{name}.{field}", column.struct.field(field)) for field in fields)
        if column.dtype == pl.String:
            self._sizes(name, column.str.len_bytes())
            values = column.drop_nulls().to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2]
            self._parts[name].update(values or b"")
            return values.size if values else 0
        self._sizes(name, column.is_null().cast(pl.Int64))
        values = column.fill_null(0).to_numpy()
        self._parts[name].update(values.tobytes())
        return int(values.nbytes)

    def _sizes(self, name: str, sizes: pl.Series) -> int:
        told = sizes.cast(pl.Int64).fill_null(-1).to_numpy()
        self._parts[f"{name} sizes"].update(told.tobytes())
        return 0
