"""Proposals by Claude: it is shown the space and every trial so far, and says what to change next."""

import json
from collections.abc import Sequence
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import jsonschema
import polars as pl

from curation.claude.asking import Claude, Form, Patience
from curation.claude.budget import Budget, budget_of
from curation.claude.errand import Errand, Record, Row
from curation.claude.pool import run_errand
from curation.claude.reply import Opened, UnreadableError, open_reply, strict_json
from curation.claude.schema import NOT_ENFORCED, without
from curation.errors import ServiceError, Stopped
from trainers.presets import Preset
from trainers.search import ledger
from trainers.search.history import Proposal, Trial, best, changes
from trainers.search.space import Settings, Space, UnfitError

TOOL = "submit_proposal"
MAX_TOKENS = 4_000  # a proposal takes some 200; what a model thinks before it writes counts too
ATTEMPTS = 4  # replies to one trial in one run that are no new proposal, before a person should look at them


class Asked:
    """Claude as who proposes. Every reply is in the search's ledger before it is read, and none is paid for twice.

    Raises InputError or ServiceError at once where there are no credentials, or no price to keep the budget by.
    """

    def __init__(
        self,
        backend: str,
        model: str,
        space: Space,
        base: Preset,
        trials: int,
        out: Path,
        budget_usd: float | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._space, self._base, self._last, self._out, self._patience = space, base, trials, out, patience
        schema = without(reply_schema(), NOT_ENFORCED)
        purpose = "Hands in what to try next."
        self._form = Form(backend, model, MAX_TOKENS, _prompt("system.md"), schema, TOOL, purpose)
        self._limit = budget_of(budget_usd, model).limit
        Claude(self._form, 1, patience)  # missing credentials end the search here, before anything is trained

    def propose(self, trials: Sequence[Trial]) -> Proposal:
        """What Claude says to try next, from the ledger where it has said so already.

        Raises Stopped where the budget is used up, KeyboardInterrupt on Ctrl-C, ServiceError where no reply comes or
        none is a new proposal.
        """
        number, refused = len(trials), ""
        before = [kept for kept in ledger.records(self._out) if kept["trial"] == number and not kept["failed"]]
        for attempt in range(len(before) + ATTEMPTS):
            kept = before[attempt] if attempt < len(before) else self._ask(trials, refused)
            try:
                return self._read(kept, trials)
            except UnfitError as error:
                refused = f"Your last proposal was not taken: {error}. Propose another one."
        raise ServiceError(
            f"{ATTEMPTS} replies of {self._form.model} in a row gave no new proposal for trial {number} ({refused}); "
            f"read them in {self._out / ledger.LEDGER}, or go on with the same command"
        )

    @property
    def spent(self) -> float:
        """US dollars that the search has cost so far, all runs together."""
        return sum(counted(kept)["usd"] or 0.0 for kept in ledger.records(self._out))

    def _ask(self, trials: Sequence[Trial], refused: str) -> Record:
        message = render(self._space, trials, self._last, refused)
        work = pl.DataFrame({"trial": [len(trials)], "message": [message]})
        budget = Budget(self._limit, self.spent)
        errand = Errand(
            Claude(self._form, 1, self._patience),
            _message,
            partial(ledger.record, form=self._form, spec=self._form.spec("search")),
            counted,
        )
        tally = run_errand([work], errand, self._out / ledger.JOURNAL, 1, budget=budget)
        kept = ledger.records(self._out)
        if tally.interrupted:
            raise KeyboardInterrupt
        if not tally.done:
            raise Stopped(used_up(budget, self._last + 1 - len(trials)))
        if kept[-1]["failed"]:
            raise ServiceError(f"{counted(kept[-1])['why']}; the same command goes on from here")
        return kept[-1]

    def _read(self, kept: Record, trials: Sequence[Trial]) -> Proposal:
        """The proposal in a reply; raises UnfitError for what is none, or was tried."""
        found = opened(kept)
        if found.status != "ok":
            raise UnfitError(f"{found.status}: {found.detail}")
        settings = dict(best(trials).settings)
        for key, value in settings_of(found.answer).items():
            settings[key] = self._space.settings[key].own(value) if key in self._space.settings else value
        self._space.preset(self._base, settings)
        same = next((trial.number for trial in trials if trial.settings == settings), None)
        if same is not None:
            raise UnfitError(f"trial {same} had these settings")
        return Proposal(settings, found.answer["hypothesis"].strip(), kept["model"])


def used_up(budget: Budget, waiting: int) -> str:
    """The sentence for a search that its budget ended while so many trials were `waiting`."""
    return (
        f"the budget of ${budget.limit:,.2f} is used up: all runs of this search together spent ${budget.spent:,.2f}, and "
        f"what is left may not pay for the next proposal; {waiting:,} trials remain: every trial is kept, and the same "
        "command goes on from here with a larger --budget-usd"
    )


def settings_of(answer: dict[str, Any]) -> Settings:
    """What a reply changes; raises UnfitError for a value that is no JSON, or a setting that is named twice."""
    found: Settings = {}
    for change in answer["changes"]:
        try:
            value = strict_json(change["value"])
        except UnreadableError:
            value = change["value"]  # a word without its quotation marks
        if change["key"] in found:
            raise UnfitError(f"{change['key']} is changed twice")
        found[change["key"]] = value
    return found


def render(space: Space, trials: Sequence[Trial], last: int, refused: str = "") -> str:
    """The message: space, every trial so far, the best one's settings, and why the last reply was not taken."""
    leading = best(trials)
    shown = {
        "space": "\n".join(f"- {key}: {setting}" for key, setting in space.settings.items()),
        "trials": "\n".join(json.dumps(told(trial, trials), ensure_ascii=False) for trial in trials),
        "settings": json.dumps(leading.settings),
    }
    numbers = {"best": leading.number, "number": len(trials), "last": last}
    return Template(_prompt("message.md")).substitute(shown, **numbers, refused=refused).rstrip() + "\n"


def told(trial: Trial, trials: Sequence[Trial]) -> dict[str, Any]:
    """What Claude is told of a trial."""
    shown: dict[str, Any] = {"trial": trial.number, "hypothesis": trial.hypothesis}
    if trial.against is not None:
        shown |= {"changed_from": trial.against, "changes": changes(trial, trials[trial.against])}
    if trial.plan is None:
        return {**shown, "failed": trial.why}
    shown["plan"] = round(trial.plan, 4)
    if trial.gain is not None:
        shown["gain"] = [round(value, 4) for value in (trial.gain.mean, trial.gain.low, trial.gain.high)]
    return {**shown, "kept": trial.kept}


def opened(kept: Record) -> Opened:
    """A record's reply as it is read."""
    return open_reply(kept["raw"], TOOL, _validator())


def counted(kept: Record) -> Row:
    """What a record counts as."""
    return ledger.row(kept, None if kept["failed"] else opened(kept))


@cache
def reply_schema() -> dict[str, Any]:
    """The form of a reply."""
    found: dict[str, Any] = json.loads(_prompt("reply.schema.json"))
    return found


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(reply_schema())


def _message(row: Row) -> str:
    return str(row["message"])


def _prompt(name: str) -> str:
    return (files("trainers.search") / "prompts" / name).read_text(encoding="utf-8")
