"""What the next release of a dataset takes over from the last one: its shards, and the rows of those that have changed."""

import hashlib
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import polars as pl

CHUNKS = 24  # hexadecimal digits of a hash that a file's name holds


class Shelf:
    """A folder that keeps the data files of a dataset's last release: only a cache, which may be deleted at any time.

    A file's name tells its configuration, how samples are laid out in it, which rows it holds and the hash of its bytes:
    one that is damaged, or was written by other code, is not used. Who builds a release is alone with the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._layout = ""
        self._used: set[Path] = set()
        # of a configuration: its files, and which samples each holds
        self._known: dict[str, tuple[list[Path], pl.DataFrame]] = {}

    def begin(self, layout: str) -> None:
        """A release is built in which samples are laid out so; what was laid out otherwise, or half-written, goes."""
        self._layout, self._used, self._known = _hash(layout.encode())[:8], set(), {}
        self._drop(path for path in self._folder.glob("*") if not self._fits(path))

    def take(self, config: str, digest: str, to: Path) -> bool:
        """Copies the shard that holds just the rows of this digest to `to`; False where there is none."""
        for path in self._folder.glob(f"{config}-{self._layout}-{_hash(digest.encode())}-*.parquet"):
            if _whole(path):
                with suppress(OSError):
                    shutil.copyfile(path, to)
                    self._used.add(path)
                    return True
        return False

    def rows(self, config: str, sample_ids: pl.Series) -> pl.DataFrame:
        """The rows of these samples in shards that were not taken whole when this was first asked of the configuration.

        What is given beside a sample's text may be old in them.
        """
        if config not in self._known:
            self._known[config] = self._index(config)
        files, held = self._known[config]
        wanted = pl.DataFrame({"sample_id": sample_ids})
        hit = held.join(wanted, on="sample_id", how="semi")["file"].unique().sort()
        read = (_read(files[number]) for number in hit)
        found = [rows.join(wanted, on="sample_id", how="semi") for rows in read if rows is not None]
        return pl.concat(found).unique("sample_id", maintain_order=True) if found else wanted.clear()

    def _index(self, config: str) -> tuple[list[Path], pl.DataFrame]:
        """The configuration's files that nobody has taken, and (sample_id, file), the number of the file that holds a sample."""
        paths = sorted(self._folder.glob(f"{config}-{self._layout}-*.parquet"))
        files = [path for path in paths if path not in self._used and _whole(path)]
        ids = ((number, _read(path, ["sample_id"])) for number, path in enumerate(files))
        held = [own.with_columns(file=pl.lit(number, pl.UInt32)) for number, own in ids if own is not None]
        return files, pl.concat([pl.DataFrame(schema={"sample_id": pl.String, "file": pl.UInt32}), *held])

    def keep(self, config: str, digest: str, path: Path) -> None:
        """Keeps a copy of a shard that has just been written; where there is no room for it there is none."""
        with path.open("rb") as file:
            bytes_hash = hashlib.file_digest(file, "sha256").hexdigest()[:CHUNKS]
        kept = self._folder / f"{config}-{self._layout}-{_hash(digest.encode())}-{bytes_hash}.parquet"
        partial = kept.with_suffix(f".{os.getpid()}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(path, partial)
            partial.replace(kept)
            self._used.add(kept)
        except OSError:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Drops what the release that was built did not use."""
        self._drop(path for path in self._folder.glob("*") if path not in self._used)

    def _fits(self, path: Path) -> bool:
        return path.suffix == ".parquet" and path.name.split("-")[1:2] == [self._layout]

    @staticmethod
    def _drop(paths: Iterable[Path]) -> None:
        for path in list(paths):
            with suppress(OSError):
                path.unlink()


def _read(path: Path, columns: list[str] | None = None) -> pl.DataFrame | None:
    """A file's rows; None where it is gone or cannot be read."""
    try:
        with path.open("rb") as file:
            return pl.read_parquet(file, columns=columns)
    except (OSError, pl.exceptions.PolarsError):
        return None


def _whole(path: Path) -> bool:
    """Whether a file holds the bytes that its name tells; where not, it goes."""
    try:
        with path.open("rb") as file:
            whole = hashlib.file_digest(file, "sha256").hexdigest()[:CHUNKS] == path.stem.rsplit("-", 1)[1]
        if not whole:
            path.unlink(missing_ok=True)
    except OSError:
        return False
    return whole


def shelf_folder(warehouse: Path, name: str) -> Path:
    """Where the shards of a dataset's last release lie beside the warehouse."""
    return warehouse.with_name(f"{warehouse.name}.shards") / name


def _hash(told: bytes) -> str:
    return hashlib.sha256(told).hexdigest()[:CHUNKS]
