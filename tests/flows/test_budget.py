"""A budget for the judge, by option or recipe: a run that it ends loses nothing, and says how to go on."""

from pathlib import Path

import pytest

from tests import traces
from tests.conftest import Cli
from tests.servers.claude import Claude
from tests.test_cli import claude, refused

SAMPLES = 60


@pytest.fixture
def recipe(cli: Cli) -> Path:
    source = traces.write(cli.folder / "t.jsonl", [traces.good(number) for number in range(SAMPLES)])
    path = cli.folder / "r.toml"
    text = traces.recipe_text(source, cli.folder / "out").replace('"offline"', '"anthropic"')
    path.write_text(text)
    cli.ok("ingest", source)
    cli.ok("check", "--recipe", path)
    return path


@pytest.mark.parametrize("place", ["option", "recipe"])
def test_the_judge_stops_at_its_budget_with_everything_kept(cli: Cli, recipe: Path, place: str) -> None:
    given = ["--budget-usd", "0.4"] if place == "option" else []
    if place == "recipe":
        recipe.write_text(recipe.read_text().replace("[judge]", "[judge]\nbudget_usd = 0.4"))
    before = cli.json("status", "--recipe", recipe)
    members = before["samples"]
    with Claude() as service:
        done = cli("judge", "--recipe", recipe, *given, **claude(service.url))
        judged = service.requests
        refused(done, "$0.40", "spent $0.", "left", f"{standing(before) - judged} samples remain", code=3)
        told = cli.json("status", "--recipe", recipe)
        assert 0 < judged < standing(before)
        assert told["accepted"] == judged
        assert 0 < told["usd"] <= 0.4
        last = cli.json("judge", "--recipe", recipe, "--budget-usd", 50, **claude(service.url))
        assert set(service.answered.values()) == {1}
        assert last["accepted"] + sum(row["samples"] for row in last["fell"]) == members


def standing(told: dict[str, object]) -> int:
    """How many samples wait for the judge."""
    return sum(row["samples"] for row in told["fell"] if row["stage"] == "judge")  # type: ignore[attr-defined, misc]


def test_a_model_without_a_price_has_no_budget(cli: Cli, recipe: Path) -> None:
    with Claude() as service:
        model = ("--model", "claude-nonesuch-9")
        done = cli("judge", "--recipe", recipe, *model, "--budget-usd", 5, **claude(service.url))
        refused(done, "claude-nonesuch-9", "prices.toml")
        assert service.requests == 0
        recipe.write_text(recipe.read_text().replace("[judge]", '[judge]\nbudget_usd = 5\nmodel = "claude-nonesuch-9"'))
        examined = cli("doctor", "--recipe", recipe, **claude(service.url))
        assert examined.returncode == 1
        assert "prices.toml" in examined.stdout


@pytest.mark.parametrize("usd", ["0", "-1", "nan", '"much"'])
def test_a_recipes_budget_is_a_number_above_0(cli: Cli, recipe: Path, usd: str) -> None:
    recipe.write_text(recipe.read_text().replace("[judge]", f"[judge]\nbudget_usd = {usd}"))
    refused(cli("judge", "--recipe", recipe), "budget_usd")
