"""The digest of a release tells any two sets of rows apart, and follows the layout that it names."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import orjson
import polars as pl
import pytest

from curation.recipe import Release
from curation.release import digest
from curation.release.digest import LAYOUT, digest_of
from curation.release.rows import CONFIGS, shown
from tests.release.samples import frame, many, release, sample
from tests.release.test_build import various

# What `various` samples become under each layout.
PINNED = {"1": "a05b2b53bcac3838ed4b3b398bfbecc18a89a4b7c2dc27cf06f37ea378c4213c"}


def test_what_samples_become_changes_only_with_the_layout() -> None:
    samples = shown(various().sort("sample_id"), None)
    rows = {name: config.rows(samples).select(list(config.schema)).to_dicts() for name, config in CONFIGS.items()}
    assert hashlib.sha256(orjson.dumps(rows)).hexdigest() == PINNED[LAYOUT], "raise LAYOUT, and pin the new rows"


CHANGES: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "one more": lambda samples: pl.concat([samples, frame([sample(100)])]),
    "one less": lambda samples: samples[1:],
    "another score": lambda samples: samples.with_columns(overall=pl.lit(1.0)),
    "no score": lambda samples: samples.with_columns(overall=pl.lit(None, pl.Float64)),
    "another source": lambda samples: samples.with_columns(source=pl.lit("else")),
    "another category": lambda samples: samples.with_columns(category=pl.lit("else")),
    "other steps": lambda samples: samples.with_columns(pl.col("n_steps") + 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_rows_that_differ_have_another_digest(change: str) -> None:
    samples = many(5).sort("sample_id")
    assert digest_of(CHANGES[change](samples), None) != digest_of(samples, None)


def test_another_layout_prompt_or_limit_is_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = many(20)
    first = release(tmp_path / "a", samples).digest
    assert release(tmp_path / "b", samples).digest == first
    limited = release(tmp_path / "c", samples, settings=Release(licence="mit", candidates_per_prompt=1)).digest
    fewer = release(tmp_path / "d", samples, settings=Release(licence="mit", configs=("sft",))).digest
    monkeypatch.setattr(digest, "LAYOUT", "other")
    laid_out = release(tmp_path / "e", samples).digest
    monkeypatch.undo()
    monkeypatch.setattr(digest, "prompts", lambda: "other")
    assert len({first, limited, fewer, laid_out, release(tmp_path / "f", samples).digest}) == 5
