"""A recipe is read whole or refused with one sentence that names the key, the value and the remedy."""

from pathlib import Path

import pytest

from curation.errors import RecipeError
from curation.recipes import bundled, load_recipe, parse_recipe

HERE = Path("r.toml")


@pytest.mark.parametrize("name", bundled())
def test_a_bundled_recipe_goes_by_its_name(name: str) -> None:
    assert load_recipe(name).name == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "misses a key: 'name'"),
        ("name =", "is not TOML"),
        ('name = "No"', "name = 'No' is refused"),
        ('name = "a"\n[judge]\nacept = 3', "[judge] has no key 'acept'; did you mean 'accept'?"),
        ('name = "a"\n[jugde]\naccept = 3', "the top level has no key 'jugde'; did you mean 'judge'?"),
        ('name = "a"\n[judge]\naccept = 11', "[judge] accept = 11 is refused"),
        ('name = "a"\n[judge]\naccept = nan', "[judge] accept = nan is not a finite number"),
        ('name = "a"\n[judge]\nworkers = "many"', "[judge] workers = 'many' is refused"),
        ('name = "a"\n[judge]\nbackend = "claude"', "[judge] backend = 'claude' is refused"),
        ('name = "a"\n[[check.allow]]\nplugin = "p"', "misses a key: 'value'"),
        ('name = "a"\n[[check.allow]]\nvalue = "x"\nparam = "y"', "has no key 'param'; did you mean 'parameter'?"),
        ('name = "a"\n[dedup]\nthreshold = 0', "[dedup] threshold = 0 is refused"),
        ('name = "a"\n[dedup]\nthreshold = true', "[dedup] threshold = True is refused"),
        ('name = "a"\n[[source]]\npat = "x"', "[[source]] number 1 has no key 'pat'; did you mean 'path'?"),
        ('name = "a"\n[[source]]\nwhere = "x"', "where = 'x' is not understood"),
        ('name = "a"\n[release]\nvalidation = 0.5\ntest = 0.5', "leave nothing to train on"),
        ('name = "a"\n[release]\nconfigs = []', "[release] configs = [] is refused"),
    ],
)
def test_a_wrong_recipe_is_refused_with_one_sentence(text: str, says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, HERE)
    assert says in str(caught.value)
    assert "r.toml" in str(caught.value) or "where" in says
    assert "\n" not in str(caught.value)


def test_a_missing_recipe_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="curation init"):
        load_recipe(tmp_path / "none.toml")
    with pytest.raises(RecipeError, match="default"):
        load_recipe("no-such-recipe")


def test_a_relative_source_starts_at_the_recipes_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "traces.jsonl").write_text("{}\n")
    (tmp_path / "sub" / "r.toml").write_text(
        'name = "a"\n[[source]]\npath = "traces.jsonl"\n[[source]]\npath = "else.jsonl"\n'
    )
    monkeypatch.chdir(tmp_path)
    here, elsewhere = load_recipe("sub/r.toml").sources
    assert here.path == str(tmp_path / "sub" / "traces.jsonl")
    assert elsewhere.path == "else.jsonl"


@pytest.mark.parametrize("backend", ["vertex", "anthropic"])
def test_a_schedule_with_a_judge_that_is_paid_needs_a_budget(tmp_path, backend):
    text = f'name = "t"\n[schedule]\ncron = "0 2 * * *"\n[judge]\nbackend = "{backend}"\n'
    with pytest.raises(RecipeError, match=r"budget_usd = … \(US dollars\) under \[judge\]"):
        parse_recipe(text, tmp_path / "r.toml")
    assert parse_recipe(f"{text}budget_usd = 40\n", tmp_path / "r.toml").judge.budget_usd == 40
    for free in ("offline", "openai"):
        assert parse_recipe(text.replace(backend, free), tmp_path / "r.toml").schedule.cron


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ("{ beauty = 1.0 }", r"weights has no key 'beauty'; it takes selection, order"),
        ("{ selection = 0, order = 0, parameters = 0, reasoning = 0, form = 0 }", "all 0"),
        ("{ order = -1 }", "order"),
    ],
)
def test_weights_are_of_the_rubrics_criteria_and_weigh_something(weights, says):
    with pytest.raises(RecipeError, match=says):
        parse_recipe(f'name = "t"\n[judge]\nweights = {weights}\n', HERE)


def test_a_recipes_weights_stand_beside_those_of_the_rubric():
    recipe = parse_recipe('name = "t"\n[judge]\nlift = 1\nweights = { form = 2.5 }\n', HERE)
    assert (recipe.judge.weights, recipe.judge.lift) == ({"form": 2.5}, 1)
