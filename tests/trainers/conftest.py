"""What tests of trainers share: a real small release, made once, and models that take seconds."""

import os
from pathlib import Path
from typing import Any

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
candidates_per_prompt = {offered}
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

# What lets a model of that size write plans after some ten seconds.
LEARNING = (
    *SMALL, "sft.rows=4", "sft.max_steps=150", "sft.optimizer=muon", "sft.learning_rate=8e-3", "random.vocabulary=900",
    "random.hidden=48", "random.intermediate=96", "decoding.max_new_tokens=100",
)  # fmt: skip


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release of synthetic plans with their thinking, published through the whole path."""
    return published(tmp_path_factory.mktemp("release"), "1_step=0.8,2_step=0.2", True, 2)


@pytest.fixture(scope="session")
def plain_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of plans of one step without thinking: what a tiny model learns in seconds."""
    return published(tmp_path_factory.mktemp("plain"), "1_step=1", False, 1)


def published(home: Path, mix: str, thinking: bool, offered: int, plugins: list[dict[str, Any]] | None = None) -> Path:
    """Makes traces over the few plugins here, or those given, and takes them from file to release, as the commands do."""
    from curation.recipes import load_recipe
    from curation.registry import read_plugins
    from curation.synthesis import Catalogue, parse_mix, synthesize
    from flows.checking import check
    from flows.ingesting import ingest
    from flows.judging import judge
    from flows.publishing import publish
    from flows.registering import SOURCE, write_traces
    from warehouse import Store

    traces = list(synthesize(Catalogue.of(plugins or read_plugins(PLUGINS).plugins), COUNT, 0, parse_mix(mix)))
    for trace in traces if not thinking else ():
        answer = trace["messages"][-1]
        answer["content"] = answer["content"].split("</think>\n", 1)[1]
    write_traces(traces, home / "traces.jsonl")
    store = Store(home / "w.duckdb")
    ingest(store, [str(home / "traces.jsonl")], "ondemand", SOURCE)
    (home / "plans.toml").write_text(RECIPE.format(to=home, offered=offered))
    recipe = load_recipe(home / "plans.toml")
    check(store, recipe)
    judge(store, recipe)
    return Path(publish(store, recipe, None, None).path)


@pytest.fixture(scope="session")
def knowing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny trained model that knows one answer by heart."""
    from tests.trainers.knowing import knowing_model

    return knowing_model(tmp_path_factory.mktemp("knowing"))


@pytest.fixture(scope="session")
def planning(plain_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder of a tiny model that was fine-tuned on the plain release until it writes plans."""
    from trainers.presets import load_preset
    from trainers.release import open_release
    from trainers.sft import Job, train

    out = tmp_path_factory.mktemp("planning") / "run"
    train(Job(open_release(plain_release), str(plain_release), load_preset("tiny-gemma4", LEARNING), out))
    return out
