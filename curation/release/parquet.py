"""The data files of a release: the same samples give the same bytes, and no more than one shard of each configuration is held."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from curation.release.digest import COLUMNS, digest_of
from curation.release.rows import CONFIGS, TOLD, shown

SHARD_ROWS = (
    10_000  # about 100 MB as rows of the samples that we have seen: small enough to hold, large enough to be few
)
SHARD_BYTES = 64 * 2**20  # of sample text, for sets whose samples are larger
GROUP_ROWS = 1_000  # rows of a row group: what a reader must take in to see one row
BATCH_ROWS = 1_000  # rows that are rendered at a time


@dataclass(frozen=True)
class DataFile:
    """One file of a release, as the manifest lists it; `rows` is None for a file that holds no rows.

    `size` is how many bytes its columns take before compression: about what a reader has to hold.
    """

    path: str
    sha256: str
    bytes: int
    rows: int | None = None
    size: int = 0


@dataclass(frozen=True)
class Written:
    """A split of a configuration on disk: its files, and a digest of its rows (see curation.release.digest)."""

    files: tuple[DataFile, ...]
    digest: str


def write_split(
    folder: Path,
    configs: Sequence[str],
    split: str,
    samples: pl.DataFrame,
    at: pl.Series,
    candidates_per_prompt: int | None,
) -> dict[str, Written]:
    """Writes `data/<config>/<split>-<sha8>-00000-of-0000N.parquet` under `folder`, for each of the configurations.

    `samples`: a sample frame with `overall`; `at`: the positions in it of those in the split, at least one. Rows are
    sorted by sample_id; sha8 is taken over the contents of the split's shards, so that a name never stands for two
    contents. A sample is rendered once for all configurations.
    """
    writing = [_Writing(folder, config, split) for config in configs]
    order, told = _sorted(samples, at), samples.select(TOLD)
    for start, stop in _shards(order["size"].to_list()):
        for first in range(start, stop, BATCH_ROWS):
            batch = shown(told[order["at"][first : min(stop, first + BATCH_ROWS)]], candidates_per_prompt)
            for each in writing:
                each.add(batch)
        for each in writing:
            each.end_shard()
    digest = digest_of(told.select(COLUMNS)[order["at"]], candidates_per_prompt)
    return {each.config: each.written(digest) for each in writing}


def describe(folder: Path, path: Path, rows: int | None = None) -> DataFile:
    """What the manifest says of the file at `path`, which lies under `folder`."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return DataFile(path.relative_to(folder).as_posix(), sha256, path.stat().st_size, rows)


def pattern(file: DataFile) -> str:
    """A glob that matches the file and the other shards of its split, and nothing else."""
    return file.path.rsplit("-", 3)[0] + "-*.parquet"


class _Writing:
    """A split of a configuration on its way to disk: its shards so far."""

    def __init__(self, folder: Path, config: str, split: str) -> None:
        self.config, self._layout = config, CONFIGS[config]
        self._folder, self._split = folder, split
        self._place = folder / "data" / config
        self._place.mkdir(parents=True, exist_ok=True)
        self._frames: list[pl.DataFrame] = []
        self._shards: list[DataFile] = []

    def add(self, samples: pl.DataFrame) -> None:
        """Further rows of the shard, in order, from samples as `shown` gives them."""
        rows = self._layout.rows(samples).select(list(self._layout.schema))
        self._frames.append(rows.cast(self._layout.schema))  # type: ignore[arg-type]

    def end_shard(self) -> None:
        """Writes the shard."""
        path = self._place / f"{self._split}-{len(self._shards):05d}.writing"
        frame = pl.concat(self._frames)
        frame.write_parquet(path, compression="zstd", compression_level=3, row_group_size=GROUP_ROWS)
        self._shards.append(replace(describe(self._folder, path, frame.height), size=unpacked(path)))
        self._frames = []

    def written(self, digest: str) -> Written:
        """The split once all its shards are there, under their names."""
        return Written(_named(self._folder, self._place, self._split, self._shards), digest)


def unpacked(path: Path) -> int:
    """How many bytes the columns of a Parquet file take before compression."""
    about = pq.read_metadata(path)
    return sum(about.row_group(group).total_byte_size for group in range(about.num_row_groups))


def _sorted(samples: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
    """The order in which samples are written: their positions (`at`), and how much text each holds (`size`)."""
    text = ("messages", "candidates", "thinking", "plan")
    size = pl.sum_horizontal(pl.col(name).str.len_bytes().fill_null(0) for name in text)
    return samples.select("sample_id", size.alias("size")).with_row_index("at")[at].sort("sample_id")


def _shards(sizes: list[int]) -> Iterator[tuple[int, int]]:
    """Where to cut rows of these sizes into shards, as half-open ranges; every shard holds at least one row."""
    start = held = 0
    for position, size in enumerate(sizes):
        if position > start and (position - start == SHARD_ROWS or held + size > SHARD_BYTES):
            yield start, position
            start, held = position, 0
        held += size
    yield start, len(sizes)


def _named(folder: Path, place: Path, split: str, shards: list[DataFile]) -> tuple[DataFile, ...]:
    sha8 = hashlib.sha256("".join(shard.sha256 for shard in shards).encode()).hexdigest()[:8]
    named = []
    for number, shard in enumerate(shards):
        path = place / f"{split}-{sha8}-{number:05d}-of-{len(shards):05d}.parquet"
        (folder / shard.path).rename(path)
        named.append(replace(shard, path=path.relative_to(folder).as_posix()))
    return tuple(named)
