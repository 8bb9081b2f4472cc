"""Who proposes names new settings of the space: Claude within its budget, from its ledger first, or a sampler."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from curation.errors import InputError, ServiceError, Stopped
from tests.claude.conftest import HASTY, MODEL
from tests.servers.claude import Claude
from trainers.presets import Preset, load_preset
from trainers.search import ledger
from trainers.search.claude import ATTEMPTS, Asked, render, reply_schema, settings_of
from trainers.search.deciding import Gain
from trainers.search.drawing import Drawn
from trainers.search.history import FAILED, MEASURED, Trial
from trainers.search.space import Space, UnfitError, load_space, parse_space

BASE: Preset = load_preset("tiny-gemma4-grpo")
LOSSES: Space = parse_space(
    'name = "s"\ntrain = "grpo"\n[settings]\n"grpo.loss" = { among = ["grpo", "cispo", "dapo"] }\n'
    '"grpo.learning_rate" = { from = 1e-6, to = 1e-3, scale = "log" }\n',
    "s",
)
START = Trial(0, LOSSES.values(BASE), "start", "preset", MEASURED, plan=0.4, exact=0.1, kept=True, tokens=10)
SECOND = replace(
    START, number=1, settings={**START.settings, "grpo.loss": "grpo"}, hypothesis="shorter", against=0, plan=0.41,
    gain=Gain(0.01, -0.02, 0.04, 0.3, 100, 3), kept=False,
)  # fmt: skip
BROKEN = replace(
    SECOND, number=2, settings={**START.settings, "grpo.loss": "cispo"}, state=FAILED, plan=None, why="NaN"
)


def asking(out: Path, backend: str = "anthropic", usd: float | None = 5.0, space: Space = LOSSES) -> Asked:
    return Asked(backend, MODEL, space, BASE, 9, out, usd, HASTY)


@pytest.mark.parametrize("backend", ["anthropic", "vertex"])
def test_claude_sees_the_space_and_what_became_of_every_trial(
    backend: str, serve: Callable[..., Claude], tmp_path: Path
) -> None:
    service = serve()
    made = asking(tmp_path, backend).propose([START, SECOND])
    assert made.settings == {"grpo.loss": "cispo", "grpo.learning_rate": 1e-4}
    message = service.bodies[-1]["messages"][0]["content"]
    assert "- grpo.loss: one of grpo, cispo, dapo" in message
    assert "- grpo.learning_rate: a number from 1e-06 to 0.001" in message
    assert '"changes": {"grpo.loss": "grpo"}, "plan": 0.41, "gain": [0.01, -0.02, 0.04], "kept": false' in message
    assert "The best so far is trial 0" in message


def test_a_reply_that_is_no_new_proposal_is_told_so_and_asked_again_and_all_are_kept(
    serve: Callable[..., Claude], tmp_path: Path
) -> None:
    """The service names the preset's own loss for the second trial, which was tried, until it is asked for another."""
    service = serve(faults=("refusal", "truncated", "prose"), every=1)
    with pytest.raises(ServiceError, match=rf"{ATTEMPTS} replies of {MODEL} in a row gave no new proposal for trial 1"):
        asking(tmp_path).propose([START])
    assert service.requests == ATTEMPTS == len(ledger.records(tmp_path))
    assert (
        "Your last proposal was not taken: refused: the model declined" in service.bodies[1]["messages"][0]["content"]
    )
    service.faults = ()
    assert asking(tmp_path).propose([START]).settings["grpo.loss"] == "grpo"


def test_a_reply_that_was_kept_is_not_asked_for_again(serve: Callable[..., Claude], tmp_path: Path) -> None:
    service = serve()
    first = asking(tmp_path).propose([START])
    assert asking(tmp_path).propose([START]) == first
    assert service.requests == 1


def test_what_a_kill_left_in_the_journal_or_tore_in_the_ledger_is_one_reply(
    serve: Callable[..., Claude], tmp_path: Path
) -> None:
    serve()
    asking(tmp_path).propose([START])
    line = (tmp_path / ledger.LEDGER).read_bytes()
    journal = tmp_path / ledger.JOURNAL
    journal.mkdir(exist_ok=True)
    for torn in (line, line[:-40]):  # killed before the journal was emptied, and while the ledger was written
        (tmp_path / ledger.LEDGER).write_bytes(torn)
        (journal / "1-1-1.jsonl").write_bytes(line)
        assert ledger.records(tmp_path) == [orjson.loads(line)]
    assert asking(tmp_path).propose([START]).settings["grpo.loss"] == "grpo"


def test_the_budget_is_a_hard_stop_over_all_runs(serve: Callable[..., Claude], tmp_path: Path) -> None:
    service = serve()
    one = asking(tmp_path)
    one.propose([START])
    most = one._form.most(render(LOSSES, [START, SECOND], 9))
    assert most is not None
    with pytest.raises(Stopped, match=r"the budget of \$\d\.\d\d is used up: all runs .* with a larger --budget-usd"):
        asking(tmp_path, usd=most).propose([START, SECOND])
    assert service.requests == 1
    with pytest.raises(InputError, match="a budget of 0 dollars is none"):
        asking(tmp_path, usd=0)


def test_a_service_that_takes_no_schema_replies_by_tool_call(serve: Callable[..., Claude], tmp_path: Path) -> None:
    service = serve(structured=False)
    assert asking(tmp_path).propose([START]).by == MODEL
    assert service.bodies[-1]["tools"][0]["name"] == "submit_proposal"


def test_without_credentials_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(InputError, match="set ANTHROPIC_API_KEY"):
        asking(tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"key": "grpo.loss", "value": "ppo"}, r"grpo\.loss = 'ppo' is not one of grpo, cispo, dapo"),
        ({"key": "candidates", "value": "4"}, r"'candidates' is not a setting of the space s"),
        ({"key": "grpo.learning_rate", "value": "1"}, r"is not a number from 1e-06 to 0\.001"),
        ({"key": "grpo.loss", "value": '"dapo"'}, r"trial 0 had these settings"),
    ],
)
def test_what_is_not_of_the_space_is_no_proposal(change: dict[str, str], told: str, tmp_path: Path, serve: Any) -> None:
    serve()
    reply = orjson.dumps({"hypothesis": "h", "changes": [change]}).decode()
    body = {"type": "message", "stop_reason": "end_turn", "content": [{"type": "text", "text": reply}]}
    with pytest.raises(UnfitError, match=told):
        asking(tmp_path)._read({"raw": orjson.dumps(body).decode(), "model": MODEL}, [START])


def test_values_are_json_or_words_and_no_setting_is_named_twice() -> None:
    changes = [{"key": "a", "value": "1e-5"}, {"key": "b", "value": "cosine"}, {"key": "c", "value": '"none"'}]
    assert settings_of({"changes": changes}) == {"a": 1e-5, "b": "cosine", "c": "none"}
    with pytest.raises(UnfitError, match="a is changed twice"):
        settings_of({"changes": [*changes, changes[0]]})
    assert reply_schema()["additionalProperties"] is False


def test_the_sampler_draws_new_settings_of_the_space_and_the_same_for_the_same_trials() -> None:
    space = load_space("grpo", BASE)
    start = replace(START, settings=space.values(BASE))
    trials = [start]
    for number in range(1, 12):
        made = Drawn(space, BASE).propose(trials)
        assert made == Drawn(space, BASE).propose(trials)
        assert made.settings not in [trial.settings for trial in trials]
        assert space.preset(BASE, made.settings) is not None
        rate = float(made.settings["grpo.learning_rate"])
        failed = number % 5 == 4
        trials.append(replace(start, number=number, settings=made.settings, plan=None if failed else rate, kept=False))


def test_a_space_that_is_used_up_is_told() -> None:
    space = parse_space('name="s"\ntrain="grpo"\n[settings]\n"grpo.loss" = { among = ["grpo", "dapo"] }', "s")
    start = replace(START, settings=space.values(BASE))
    other = replace(start, number=1, settings=Drawn(space, BASE).propose([start]).settings)
    with pytest.raises(UnfitError, match="nothing that is new and makes a preset; widen the space"):
        Drawn(space, BASE).propose([start, other])
