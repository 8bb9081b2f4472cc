"""The page on rewards shows what degenerate plans earn, and ours pays for none of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from trainers.rewards.degenerate import SIZES, completions, no_more_than_empty, paid, table_text
from trainers.rewards.table import REWARDS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "rewards.md").read_text(encoding="utf-8")


def test_the_page_shows_the_table_as_the_command_prints_it() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "trainers.rewards.degenerate"], capture_output=True, text=True, cwd=ROOT
    )
    assert table_text() in told.stdout
    assert table_text() in PAGE


def test_the_page_names_every_reward_and_how_many_plans_earn_no_more_than_an_empty_one() -> None:
    assert [name for name in REWARDS if f"`{name}`" not in PAGE] == []
    share = no_more_than_empty("plugin_selection_published")
    assert f"{share:.0%} earn no more under A than an empty one" in PAGE
    assert no_more_than_empty("plan") == 0


@pytest.mark.parametrize("n", SIZES)
def test_ours_pays_for_nothing_as_for_the_plan_itself(n: int) -> None:
    itself, *others = completions(n)
    texts = completions(n)
    table = paid()
    heading = f"ours, {n} wanted"
    assert table[itself][heading] == 1
    assert [case for case in others if texts[case] != texts[itself] and table[case][heading] >= 0.95] == []


def test_what_was_found_of_the_published_reward_is_so() -> None:
    table = paid()
    assert {row["A, 4 wanted"] for case, row in table.items() if case == "the plan that is wanted"} == {0.95}
    for case in ("right picks, wrong values", "right picks, no dependencies", "right picks in a loop"):
        assert table[case]["A, 2 wanted"] == pytest.approx(0.95)
    assert table["an empty plan"]["A, 2 wanted"] == pytest.approx(0.60)
