"""Everything known of a sample is told: its plan as a graph, every fault at its place, no credential."""

import io
import re
from typing import Any

import orjson
import pytest
from rich.console import Console

from curation.recipes import load_recipe
from curation.show.explain import explain as render
from flows import asking
from flows.checking import check
from flows.ingesting import ingest
from tests import traces
from tests.corpus.bases import THOUGHT
from tests.corpus.handmade import HANDMADE, call, plugin
from tests.flows.test_hiding import MAIL, TOKEN, leaky
from warehouse import Store


def diamond() -> dict[str, Any]:
    """A plan of four steps with a fault of several kinds in each."""
    request, candidates, steps = orjson.loads(orjson.dumps(HANDMADE["diamond"]))
    steps[0]["api_request_parameters"] = {"query": "<harbour>", "limit": "three", "depth": 2}
    steps[1]["api_request_parameters"] = {}
    steps[2]["dependencies"] = ["mail"]
    steps[3]["all_parameters_hydrated"] = False
    for step in steps[:3]:
        step["all_parameters_hydrated"] = True
    return told("diamond", request, candidates, steps)


def told(name: str, request: str, candidates: list[Any], steps: list[Any]) -> dict[str, Any]:
    """A trace."""
    answer = f"<think>{THOUGHT}</think>\n" + orjson.dumps({"plugins": steps}).decode()
    messages = [{"role": "user", "content": request}, {"role": "assistant", "content": answer}]
    return {"trace_id": name, "messages": messages, "candidates": candidates}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A warehouse with a faulty diamond, a leaky trace and broken ones, checked under two recipes."""
    tmp_path = tmp_path_factory.mktemp("explained")
    store = Store(tmp_path / "w.duckdb")
    broken = {**traces.good(1), "trace_id": "broken"}
    broken["messages"][-1]["content"] = "{'plugins': ["
    loose = told("loose", "Send north along.", [plugin("a", {})], [call("a", {"where": "\x1b[31mnorth"})])
    invented = told("invented", "Send north along.", [plugin("a", {})], [call("a", {"where": "Zugspitze"})])
    leaking = {**leaky(1), "metadata": {"key": TOKEN}}
    odd = told("odd", "Send north along.", [plugin("a", {})], [{**call("a", {}), "api_request_parameters": 3}])
    source = traces.write(tmp_path / "t.jsonl", [diamond(), leaking, broken, loose, invented, odd])
    ingest(store, [str(source)], "ondemand", "production")
    for name, settings in (("t", ""), ("strict", 'grounding = "drop"\n')):
        file = tmp_path / f"{name}.toml"
        text = traces.recipe_text(source, tmp_path / "out").replace('"t"', f'"{name}"', 1)
        file.write_text(f"{text}\n[check]\n{settings}")
        check(store, load_recipe(file))
    return store


def shown(told: dict[str, Any], **options: Any) -> str:
    """What is printed of it."""
    out = io.StringIO()
    Console(file=out, width=300, highlight=False, markup=False, soft_wrap=True, **options).print(render(told))
    return out.getvalue()


def test_every_fault_stands_under_the_line_that_it_is_about(store: Store) -> None:
    told = asking.explain(store, "diamond")
    lines = shown(told).splitlines()
    place = {"": ""}
    step = before = ""
    for line in lines:
        bare = re.sub(r"^[\s│]*", "", line)
        if head := re.match(r"[\s├└┴┼┤┘─│]*○[\s─┴┘┤│]*(\d)", line):
            step, before = f"/plugins/{int(head[1]) - 1}", ""
        elif fault := re.match(r"[✗!] (\S+) at (\S+):", bare):
            place[fault[2]] = f"{step}{before}"
        elif value := re.match(r"([\w.]+): ", bare):
            before = f"/api_request_parameters/{value[1]}" if step and value[1] != "wanted" else before
    at = "/plugins/0/api_request_parameters"
    assert place[f"{at}/query"] == f"{at}/query"
    assert place[f"{at}/limit"] == f"{at}/limit"
    assert place["/plugins/2/dependencies/0"] == "/plugins/2"
    assert place["/plugins/3/all_parameters_hydrated"] == "/plugins/3"
    pointers = {fault["pointer"] for fault in told["samples"][0]["findings"] if fault["stage"] != "lineage"}
    assert pointers <= place.keys()
    assert any(line.endswith('wanted: {"type":"integer"}') for line in lines)


def test_the_graph_and_the_faults_are_data_too(store: Store) -> None:
    (sample,) = asking.explain(store, "diamond")["samples"]
    assert [(node["needs"], node["round"]) for node in sample["graph"]] == [([], 1), ([0], 2), ([], 1), ([0, 1, 2], 3)]
    told = {(fault["reason"], fault["pointer"]): fault for fault in sample["findings"]}
    fault = told["hydration.type_mismatch", "/plugins/0/api_request_parameters/limit"]
    assert fault["seen"] == "three"
    assert fault["wanted"] == '{"type":"integer"}'
    assert fault["recipes"] == ["strict", "t"]
    unknown = told["hydration.unknown_parameter", "/plugins/0/api_request_parameters/depth"]
    assert unknown["wanted"] == "one of query, limit"
    assert all(fault["reason"] in shown(asking.explain(store, "diamond")) for fault in sample["findings"])


def test_a_fault_of_some_recipes_names_them(store: Store) -> None:
    lines = shown(asking.explain(store, "invented")).splitlines()
    told = [line.strip() for line in lines if "grounding.invented" in line and " at " in line]
    at = "/plugins/0/api_request_parameters/where"
    assert told == [
        f'✗ grounding.invented at {at}: "Zugspitze" (recipe strict)',
        f'! grounding.invented at {at}: "Zugspitze" (recipe t)',
    ]


def test_colours_are_for_terminals_and_for_those_who_want_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told = asking.explain(store, "diamond")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in shown(told)
    assert "\x1b[1;31m✗ placeholder.value" in shown(told, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert re.search(r"\x1b\[[\d;]*3\dm", shown(told, force_terminal=True, color_system="standard")) is None


def test_what_a_sample_says_is_shown_without_credentials_and_without_commands_to_the_terminal(store: Store) -> None:
    told = asking.explain(store, "leak-1")
    text = shown(told) + orjson.dumps(told).decode()
    assert TOKEN[5:] not in text
    assert MAIL in text
    assert "[github" in text
    assert "\x1b" not in shown(asking.explain(store, "loose"), force_terminal=False)


def test_a_plan_that_is_no_json_is_shown_as_it_stands(store: Store) -> None:
    lines = shown(asking.explain(store, "broken")).splitlines()
    place = next(i for i, line in enumerate(lines) if "{'plugins': [" in line)
    assert "✗ schema.not_json" in lines[place + 1]


def test_parameters_that_are_no_object_stand_under_their_own_name(store: Store) -> None:
    lines = shown(asking.explain(store, "odd")).splitlines()
    place = next(i for i, line in enumerate(lines) if line.strip() == "api_request_parameters: 3")
    assert "schema.invalid at /plugins/0/api_request_parameters: 3" in lines[place + 1]
