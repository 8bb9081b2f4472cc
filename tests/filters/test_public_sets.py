"""The checks on real public plans: the faults that are known to be in them are found, and little else."""

from collections import Counter
from functools import cache

import polars as pl
import pytest

from curation.batch import Batch
from curation.recipe import Check
from curation.stages import ROW_STAGES
from tests.corpus.bases import data_folder, public_samples
from tests.labelled import faults

DATA = data_folder()
CHECK = Check(thinking="optional", empty_plan="allow")

pytestmark = pytest.mark.skipif(DATA is None, reason="the public data is not beside the repository (../shared/data)")


@cache
def found_in(folder: str) -> tuple[int, Counter[str]]:
    """How many single-turn plans a set has, and how many of them have each reason."""
    batch = Batch(public_samples(folder).filter(pl.col("parent_id").is_null()))
    counts: Counter[str] = Counter()
    for stage in ROW_STAGES:
        counts.update(
            reason for told in faults(stage.decide(batch, CHECK)) for reason in {reason for reason, _ in told}
        )
    return len(batch), counts


@pytest.mark.parametrize(
    ("folder", "reason", "count"),
    [
        ("seal_tools", "hydration.type_mismatch", 121),
        ("seal_tools", "plugin.unknown", 8),
        ("nestful", "hydration.missing_required", 20),
        ("nestful", "hydration.unknown_parameter", 33),
        ("nestful", "plugin.unknown", 10),
        ("bfcl_v4", "hydration.not_in_enum", 7),
    ],
)
def test_the_faults_known_of_a_public_set_are_found(folder: str, reason: str, count: int) -> None:
    assert found_in(folder)[1][reason] == count


@pytest.mark.parametrize("folder", ["seal_tools", "nestful", "bfcl_v4"])
@pytest.mark.parametrize("stage", ["schema", "placeholder", "dependency", "secret"])
def test_what_people_wrote_is_rarely_suspected(folder: str, stage: str) -> None:
    plans, counts = found_in(folder)
    assert sum(count for reason, count in counts.items() if reason.startswith(f"{stage}.")) <= 0.005 * plans
