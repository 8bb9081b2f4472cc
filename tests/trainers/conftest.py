"""What tests of trainers share: a real small release, made once, and models that take seconds."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two cores are shared; tiny matrices gain nothing from more threads

RECIPE = """
name = "plans"
[[source]]
name = "synthetic"
[check]
thinking = "optional"
[dedup]
threshold = 0.99
[judge]
backend = "offline"
accept = 0
[release]
to = "{to}"
licence = "apache-2.0"
candidates_per_prompt = 2
validation = 0.1
test = 0.1
"""
COUNT = 300  # traces: enough for some rows in every split
PLUGINS = Path(__file__).parent / "plugins.jsonl"  # few and small, so that a row is some 200 tokens

# Changes to a tiny preset that make a step take a fraction of a second.
SMALL = (
    'system="Plan."', "sft.max_length=512", "sft.pack=false", "random.vocabulary=1000", "random.hidden=32",
    "random.layers=2", "random.heads=2", "random.intermediate=48", "random.shared=0", "random.structured=true",
)  # fmt: skip


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release of synthetic plans, published through the whole path."""
    from curation.recipes import load_recipe
    from flows.checking import check
    from flows.judging import judge
    from flows.publishing import publish
    from flows.registering import import_plugins, ingest_plans, make_plans
    from warehouse import Store

    home = tmp_path_factory.mktemp("release")
    store = Store(home / "w.duckdb")
    import_plugins(store, [str(PLUGINS)])
    _, traces = make_plans(store, COUNT, 0, "1_step=0.8,2_step=0.2")
    ingest_plans(store, traces)
    (home / "plans.toml").write_text(RECIPE.format(to=home))
    recipe = load_recipe(home / "plans.toml")
    check(store, recipe)
    judge(store, recipe)
    return Path(publish(store, recipe, None, None).path)
