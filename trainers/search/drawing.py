"""Proposals without a model: Optuna's sampler learns from the trials so far which values are worth another look."""

from collections.abc import Sequence
from typing import Any

from trainers.extras import needed
from trainers.presets import Preset
from trainers.search.history import Proposal, Trial
from trainers.search.space import Range, Settings, Space, UnfitError

BY = "optuna"
STARTUP = 5  # trials drawn at random before the sampler leans on what it has seen
DRAWS = 50  # until one is new and makes a preset


class Drawn:
    """The sampler as who proposes. What it draws depends on the trials so far and on nothing else.

    So a search that was killed draws the same again.
    """

    def __init__(self, space: Space, base: Preset) -> None:
        needed("optuna", "train", "a search without Claude")
        self._space, self._base = space, base

    def propose(self, trials: Sequence[Trial]) -> Proposal:
        """Values of every setting. Raises UnfitError where the space has none left that are new."""
        tried = [trial.settings for trial in trials]
        for attempt in range(DRAWS):
            settings = self._draw(trials, attempt)
            if settings in tried:
                continue
            try:
                self._space.preset(self._base, settings)
            except UnfitError:
                continue
            return Proposal(settings, f"drawn by {BY} from {len(trials)} trials", BY)
        raise UnfitError(
            f"{DRAWS} draws from the space {self._space.name} gave nothing that is new and makes a preset; "
            "widen the space, or ask for fewer --trials"
        )

    def _draw(self, trials: Sequence[Trial], attempt: int) -> Settings:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(n_startup_trials=STARTUP, seed=1000 * len(trials) + attempt)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        distributions = {key: _distribution(setting) for key, setting in self._space.settings.items()}
        for trial in trials:
            if not all(self._space.settings[key].holds(value) for key, value in trial.settings.items()):
                continue  # the preset's own values may lie outside of the space
            failed = trial.plan is None
            study.add_trial(
                optuna.trial.create_trial(
                    params=trial.settings,
                    distributions=distributions,
                    value=trial.plan,
                    state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
                )
            )
        drawn: Settings = study.ask(distributions).params
        return {key: _rounded(value) for key, value in drawn.items()}


def _distribution(setting: Any) -> Any:
    import optuna

    if not isinstance(setting, Range):
        return optuna.distributions.CategoricalDistribution(setting.among)
    kind: Any = optuna.distributions.IntDistribution if setting.whole else optuna.distributions.FloatDistribution
    return kind(setting.low, setting.high, log=setting.scale == "log")


def _rounded(value: Any) -> Any:
    """Three significant digits: a person should be able to read and repeat it."""
    return float(f"{value:.3g}") if isinstance(value, float) else value
