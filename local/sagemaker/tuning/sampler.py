"""What a tuning job tries next: optuna behind SageMaker's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from local.sagemaker import refuse
from local.sagemaker.errors import invalid

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

STRATEGIES = ("Bayesian", "Random")
_SCALES = ("Auto", "Linear", "Logarithmic")
_RANDOM_AT_FIRST = 10
"""As many trials at most, and no more than half of them, are drawn at random before anything is learned."""


class Sampler:
    """Asks for the next trial, and is told how the earlier ones did.

    `Bayesian` is optuna's tree-structured Parzen estimator, which models which parameters did
    well; AWS's own is a Gaussian process. The same configuration, and the same values told in
    the same order, give the same trials.
    """

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        import optuna  # a quarter of a second that only a cloud with a search pays

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space = space(configuration.get("ParameterRanges", {}))
        seed = configuration.get("RandomSeed")
        trials = configuration["ResourceLimits"]["MaxNumberOfTrainingJobs"]
        sampler: optuna.samplers.BaseSampler
        if configuration["Strategy"] == "Random":
            sampler = optuna.samplers.RandomSampler(seed=seed)
        else:
            sampler = optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=min(_RANDOM_AT_FIRST, trials // 2), constant_liar=True
            )
        objective = configuration["HyperParameterTuningJobObjective"]["Type"]
        self._study = optuna.create_study(sampler=sampler, direction=objective.lower())

    def ask(self) -> tuple[Trial, dict[str, str]]:
        """A trial to make, and its parameters as SageMaker hands them to a container."""
        trial = self._study.ask(self.space)
        return trial, {name: text(value) for name, value in trial.params.items()}

    def tell(self, trial: Trial, value: float | None) -> None:
        """What a trial's objective came to; None if it has none."""
        from optuna.trial import TrialState

        self._study.tell(trial, value, state=TrialState.COMPLETE if value is not None else TrialState.FAIL)

    def learn(self, earlier: Iterable[tuple[Mapping[str, str], float]]) -> int:
        """Begin from trials of earlier tuning jobs; how many could be used.

        A trial is used if it has each of this job's parameters, within its range.
        """
        from optuna.trial import create_trial

        used = 0
        for texts, value in earlier:
            parameters = self._parameters(texts)
            if parameters is not None:
                self._study.add_trial(
                    create_trial(params=parameters, distributions=dict(self.space), value=value)
                )
                used += 1
        return used

    def _parameters(self, texts: Mapping[str, str]) -> dict[str, Any] | None:
        if not self.space.keys() <= texts.keys():
            return None
        try:
            values = {name: _value(texts[name], known) for name, known in self.space.items()}
            within = all(
                known._contains(known.to_internal_repr(values[name])) for name, known in self.space.items()
            )
        except ValueError:
            return None
        return values if within else None


def space(ranges: Mapping[str, Any]) -> dict[str, BaseDistribution]:
    """The parameters of a tuning job as optuna's distributions, in the order of the request.

    Raises:
        ServiceError: 501 for a scale that is not implemented, ValidationException for a range that is none.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    kinds: tuple[tuple[str, Callable[[Mapping[str, Any]], BaseDistribution]], ...] = (
        ("Integer", lambda one: IntDistribution(int(one["MinValue"]), int(one["MaxValue"]), _log(one))),
        (
            "Continuous",
            lambda one: FloatDistribution(float(one["MinValue"]), float(one["MaxValue"]), _log(one)),
        ),
        ("Categorical", lambda one: CategoricalDistribution(one["Values"])),
    )
    for kind, distribution in kinds:
        for one in ranges.get(f"{kind}ParameterRanges", []):
            try:
                found[one["Name"]] = distribution(one)
            except ValueError as error:
                raise invalid(f"The range of the hyperparameter {one['Name']} is invalid: {error}") from error
    return found


def text(value: Any) -> str:
    """A parameter as SageMaker carries it."""
    return value if isinstance(value, str) else json.dumps(value)


def _value(given: str, known: BaseDistribution) -> Any:
    from optuna.distributions import FloatDistribution, IntDistribution

    if isinstance(known, IntDistribution):
        return int(given)
    return float(given) if isinstance(known, FloatDistribution) else given


def _log(one: Mapping[str, Any]) -> bool:
    """`Auto`, by which AWS chooses a scale, is linear here."""
    refuse.unless(one.get("ScalingType"), "ScalingType", *_SCALES)
    return one.get("ScalingType") == "Logarithmic"
