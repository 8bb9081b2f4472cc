"""What tests of trainers share: a real small release, made once, and models that take seconds."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two cores are shared; tiny matrices gain nothing from more threads

RECIPE = """
name = "plans"
[[source]]
name = "synthetic"
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
COUNT = 240  # traces: enough for some rows in every split


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release of synthetic plans, published through the whole path."""
    from curation.recipes import load_recipe
    from flows.checking import check
    from flows.judging import judge
    from flows.publishing import publish
    from flows.registering import ingest_plans, make_plans
    from warehouse import Store

    home = tmp_path_factory.mktemp("release")
    store = Store(home / "w.duckdb")
    _, traces = make_plans(store, COUNT, 0, "1_step=0.6,2_step=0.2,multi_turn=0.2")
    ingest_plans(store, traces)
    (home / "plans.toml").write_text(RECIPE.format(to=home))
    recipe = load_recipe(home / "plans.toml")
    check(store, recipe)
    judge(store, recipe)
    return Path(publish(store, recipe, None, None).path)


@pytest.fixture(scope="session")
def knowing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny trained model that knows one answer by heart."""
    from tests.trainers.knowing import knowing_model

    return knowing_model(tmp_path_factory.mktemp("knowing"))
