"""The data files of a release: the same samples give the same bytes, and what is held is bounded, however many they are."""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from curation.release.digest import COLUMNS, LAYOUT, digest_of, prompts
from curation.release.rows import CONFIGS, TOLD, shown
from curation.release.shelf import Shelf
from curation.release.splits import in_order

# A shard ends before a row whose id says so (one in SHARD_EVERY) once it holds SHARD_LEAST rows: where rows come or go,
# the shards before and after them stay as they are. 1,000 rows are about 10 MB of the samples that we have seen.
SHARD_LEAST, SHARD_EVERY = 500, 512
SHARD_ROWS = 10_000  # that no shard exceeds
SHARD_BYTES = 64 * 2**20  # of sample text, for sets whose samples are larger
GROUP_ROWS = 1_000  # rows of a row group: what a reader must take in to see one row
BATCH_ROWS = 1_000  # rows that are rendered at a time
BLOCK_BYTES = 128 * 2**20  # of sample text read at a time: few readings, because each looks through all samples
WRITING: dict[str, Any] = {"compression": "zstd", "compression_level": 3, "row_group_size": GROUP_ROWS}

TEXTS = ("messages", "candidates", "thinking", "plan")  # what a sample's size is counted of

Load = Callable[[pl.Series], pl.DataFrame]  # given sample_ids, a sample frame of them


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


@dataclass(frozen=True)
class Shard:
    """Some rows of a split, in order: what is told of them beside their text (`digest.COLUMNS`), and `size`."""

    split: str
    number: int
    rows: pl.DataFrame
    digest: str

    def path(self, folder: Path, config: str) -> Path:
        """Where it is written before the split has its name."""
        return folder / "data" / config / f"{self.split}-{self.number:05d}.writing"


def write_splits(
    folder: Path,
    configs: Sequence[str],
    samples: pl.DataFrame,
    at: Mapping[str, pl.Series],
    candidates_per_prompt: int | None,
    load: Load | None = None,
    shelf: Shelf | None = None,
) -> dict[str, dict[str, Written]]:
    """Writes `data/<config>/<split>-<sha8>-00000-of-0000N.parquet` under `folder` for each configuration and split.

    `samples`: a sample frame with `overall`; `at`: the positions in it of those in each split, at least one. Where `load`
    gives the samples' text, `samples` may be without it and then has `size`. Rows are sorted by `released_in` (the first
    version that held them; null or absent: this one), then by time, then by sample_id, so that what is new comes last.
    sha8 is taken over the contents of the split's shards, so that a name never stands for two contents. A sample is
    rendered once for all configurations, or not at all where the `shelf` has it.
    """
    for config in configs:
        (folder / "data" / config).mkdir(parents=True, exist_ok=True)
    ordered = {split: _sorted(samples, positions) for split, positions in at.items()}
    shards = {split: list(_cut(split, rows, candidates_per_prompt)) for split, rows in ordered.items()}
    if shelf is not None:
        shelf.begin(f"{LAYOUT} {prompts()} {candidates_per_prompt} {WRITING} {pl.__version__}")
    missing = [
        shard
        for own in shards.values()
        for shard in own
        if shelf is None or not all(shelf.take(config, shard.digest, shard.path(folder, config)) for config in configs)
    ]
    for block in _blocks(missing):
        _write(folder, configs, samples, block, candidates_per_prompt, load, shelf)
    if shelf is not None:
        shelf.tidy()
    digests = {  # in the order of ids: which release held a row first does not change what a release says
        split: digest_of(rows.sort("sample_id").select(COLUMNS), candidates_per_prompt)
        for split, rows in ordered.items()
    }
    return {
        config: {
            split: Written(_named(folder, split, [_file(folder, config, shard) for shard in own]), digests[split])
            for split, own in shards.items()
        }
        for config in configs
    }


def describe(folder: Path, path: Path, rows: int | None = None) -> DataFile:
    """What the manifest says of the file at `path`, which lies under `folder`."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return DataFile(path.relative_to(folder).as_posix(), sha256, path.stat().st_size, rows)


def pattern(file: DataFile) -> str:
    """A glob that matches the file and the other shards of its split, and nothing else."""
    return file.path.rsplit("-", 3)[0] + "-*.parquet"


def _write(
    folder: Path,
    configs: Sequence[str],
    samples: pl.DataFrame,
    shards: Sequence[Shard],
    candidates_per_prompt: int | None,
    load: Load | None,
    shelf: Shelf | None,
) -> None:
    """Writes these shards of all configurations: with the rows that the shelf has, and those that it has not rendered anew."""
    ids = pl.concat([shard.rows["sample_id"] for shard in shards])
    known = {} if shelf is None else {config: shelf.rows(config, ids) for config in configs}
    taken = ids if known else ids.clear()  # what the shelf has in all configurations
    for frame in known.values():
        taken = taken.filter(taken.is_in(frame["sample_id"].implode()))
    rendered = _rendered(configs, samples, ids.filter(~ids.is_in(taken.implode())), candidates_per_prompt, load)
    for config in configs:
        layout = CONFIGS[config]
        frames = rendered[config]
        if taken.len():
            old = known[config].filter(pl.col("sample_id").is_in(taken.implode()))
            frames = [*frames, _laid_out(old, config)]
        rows = pl.concat(frames)
        if rows.height != ids.len():
            raise ValueError(f"{ids.len()} samples were to be written, and {rows.height} have rows")
        for shard in shards:
            given = shard.rows.select("sample_id", **layout.given)
            own = given.join(rows.drop(list(layout.given)), on="sample_id", how="left", maintain_order="left")
            path = shard.path(folder, config)
            _laid_out(own, config).write_parquet(path, **WRITING)
            if shelf is not None:
                shelf.keep(config, shard.digest, path)


def _rendered(
    configs: Sequence[str],
    samples: pl.DataFrame,
    ids: pl.Series,
    candidates_per_prompt: int | None,
    load: Load | None,
) -> dict[str, list[pl.DataFrame]]:
    """What these samples become in each configuration."""
    done: dict[str, list[pl.DataFrame]] = {config: [] for config in configs}
    if ids.is_empty():
        return done
    if load is None:
        told = samples.filter(pl.col("sample_id").is_in(ids.implode()))
    else:
        told = load(ids).join(samples.select("sample_id", "overall"), on="sample_id")
    for batch in told.select(TOLD).iter_slices(BATCH_ROWS):
        both = shown(batch, candidates_per_prompt)
        for config, frames in done.items():
            frames.append(_laid_out(CONFIGS[config].rows(both), config))
    return done


def _laid_out(rows: pl.DataFrame, config: str) -> pl.DataFrame:
    """The rows with the columns of their configuration, in order and of their types."""
    return rows.select([pl.col(name).cast(kind) for name, kind in CONFIGS[config].schema.items()])


def _file(folder: Path, config: str, shard: Shard) -> DataFile:
    """A shard as the manifest lists it, before it has its name."""
    path = shard.path(folder, config)
    return replace(describe(folder, path, shard.rows.height), size=unpacked(path))


def unpacked(path: Path) -> int:
    """How many bytes the columns of a Parquet file take before compression."""
    about = pq.read_metadata(path)
    return sum(about.row_group(group).total_byte_size for group in range(about.num_row_groups))


def _sorted(samples: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
    """The order in which samples are written: their ids, what is told beside the text, and how much text each holds (`size`)."""
    size = pl.col("size") if "size" in samples.columns else pl.sum_horizontal(_length(name) for name in TEXTS)
    released = pl.col("released_in") if "released_in" in samples.columns else pl.lit(None, pl.String)
    keys = {"released": in_order(released), "time": pl.col("timestamp")}
    told = samples.select(*COLUMNS, size.alias("size"), **keys)[at]
    return told.sort(*keys, "sample_id", nulls_last=True).drop(*keys)


def _length(name: str) -> pl.Expr:
    return pl.col(name).str.len_bytes().fill_null(0)


def _cut(split: str, rows: pl.DataFrame, candidates_per_prompt: int | None) -> Iterator[Shard]:
    """The shards of a split."""
    for number, (start, stop) in enumerate(_shards(rows["sample_id"].to_list(), rows["size"].to_list())):
        own = rows[start:stop]
        yield Shard(split, number, own, digest_of(own.select(COLUMNS), candidates_per_prompt))


def _shards(ids: list[str], sizes: list[int]) -> Iterator[tuple[int, int]]:
    """Where to cut rows of these ids and sizes into shards, as half-open ranges; every shard holds at least one row."""
    start = held = 0
    for position, (sample_id, size) in enumerate(zip(ids, sizes, strict=True)):
        rows = position - start
        full = rows == SHARD_ROWS or held + size > SHARD_BYTES
        if rows and (full or (rows >= SHARD_LEAST and zlib.crc32(sample_id.encode()) % SHARD_EVERY == 0)):
            yield start, position
            start, held = position, 0
        held += size
    yield start, len(sizes)


def _blocks(shards: Sequence[Shard]) -> Iterator[list[Shard]]:
    """Shards that are written together: as many as BLOCK_BYTES of sample text allow, at least one."""
    block: list[Shard] = []
    held = 0
    for shard in shards:
        size = int(shard.rows["size"].sum())
        if block and held + size > BLOCK_BYTES:
            yield block
            block, held = [], 0
        block.append(shard)
        held += size
    if block:
        yield block


def _named(folder: Path, split: str, shards: list[DataFile]) -> tuple[DataFile, ...]:
    sha8 = hashlib.sha256("".join(shard.sha256 for shard in shards).encode()).hexdigest()[:8]
    named = []
    for number, shard in enumerate(shards):
        unnamed = folder / shard.path
        path = unnamed.with_name(f"{split}-{sha8}-{number:05d}-of-{len(shards):05d}.parquet")
        unnamed.rename(path)
        named.append(replace(shard, path=path.relative_to(folder).as_posix()))
    return tuple(named)
