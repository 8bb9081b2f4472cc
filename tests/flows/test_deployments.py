"""prefect.yaml names flows that there are, with parameters that they take, in the pools that workers serve."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]


def flow_of(deployment: dict[str, Any]) -> Any:
    path, name = deployment["entrypoint"].split(":")
    return getattr(importlib.import_module(path.removesuffix(".py").replace("/", ".")), name)


def test_there_is_a_deployment_for_each_flow() -> None:
    found = {flow_of(deployment).name: deployment["work_pool"]["name"] for deployment in DEPLOYMENTS}
    assert found == {
        "refresh": "curation",
        "judge": "curation",
        "publish": "curation",
        "train-sft": "gpu",
        "train-grpo": "gpu",
        "record": "curation",
    }


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["entrypoint"])
def test_every_parameter_is_one_of_the_flow(deployment: dict[str, Any]) -> None:
    known = set(flow_of(deployment).parameters.properties)
    triggered = [trigger["parameters"] for trigger in deployment.get("triggers", [])]
    assert all(set(given) <= known for given in [deployment["parameters"], *triggered])
