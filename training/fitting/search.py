"""Search LightGBM's parameters over time-ordered folds, within a time budget, in a study that survives a kill.

It does: keep every trial in an SQLite file (optuna), take up where a study stopped, and count the time already spent.
It does not: look at validation or test examples. The rule it keeps: a trial depends on those before it and the seed
alone, so a study that was killed and resumed holds the trials that an unbroken one would.
"""

import math
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState
from sqlalchemy.exc import DatabaseError

from engine.canonical import digest
from training.data import Dataset
from training.evaluation.ranking import auc
from training.fitting.boosting import Weighting, grow, parameters
from training.fitting.split import drawn_folds, time_folds

_STUDY = "fit"
_AT_RANDOM = 8  # trials before the sampler has seen enough to lean on
_BEGUN = "the examples and settings this study was begun with"
Told = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search, and when to end: seconds of trials in all (runs before included), or finished trials."""

    seed: int
    seconds: float = math.inf
    trials: int = 1_000
    weighting: Weighting = "sample"
    folds: int = 3
    embargo_days: int = 0
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Found:
    """The best parameters of a study, as changes to what would be used without a search."""

    changed: Mapping[str, Any]
    auc: float
    auc_unsearched: float
    trials: int
    resumed: int
    seconds: float


def search(data: Dataset, study_file: Path, plan: Plan, told: Told = lambda trial, best: None) -> Found:
    """Search on the training examples; ValueError where the study's file is of other examples or cannot be written.

    The figure is the mean weighted AUC over the folds: calibration is set afterwards, so only rank counts here.
    """
    try:
        study = _study(study_file, _identity(data, plan))
        resumed = len(_finished(study))
        while (done := len(_finished(study))) < plan.trials and (not done or _spent(study) < plan.seconds):
            study.sampler = optuna.samplers.TPESampler(seed=plan.seed + done, n_startup_trials=_AT_RANDOM)
            trial = study.ask()
            changed = _suggested(trial, data, plan.seed) if done else _as_it_is(trial)
            study.tell(trial, _value(data, changed, plan))
            told(done + 1, study.best_value)
        trials, best, spent = _finished(study), study.best_trial, _spent(study)
    except (optuna.exceptions.StorageInternalError, DatabaseError, sqlite3.Error, OSError) as error:
        raise ValueError(
            f"the study {study_file} cannot be kept ({_cause(error)}): free space or choose another place, then run "
            "the same command again; finished trials are taken up"
        ) from None
    return Found(
        changed=dict(best.user_attrs["changed"]), auc=best.value or 0.0, auc_unsearched=trials[0].value or 0.0,
        trials=len(trials), resumed=resumed, seconds=spent,
    )  # fmt: skip


def _identity(data: Dataset, plan: Plan) -> str:
    """What a study must have been begun with to be taken up: all but its budget and threads."""
    return digest([
        data.source_sha256, len(data.y), str(data.time.min()), str(data.time.max()), list(data.names),
        list(data.directions), plan.seed, plan.weighting, plan.folds, plan.embargo_days,
    ])  # fmt: skip


def _study(file: Path, begun_with: str) -> optuna.Study:
    """The study in a file, new or taken up; a trial that a kill cut off is closed as failed and drawn again."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=_STUDY, storage=f"sqlite:///{file}", direction="maximize", load_if_exists=True
    )  # fmt: skip
    known = study.user_attrs.get(_BEGUN)
    if known is None and not study.trials:
        study.set_user_attr(_BEGUN, begun_with)
    elif known != begun_with:
        raise ValueError(f"the study {file} was begun with other examples or settings: give another file, or remove it")
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
    return study


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _spent(study: optuna.Study) -> float:
    return sum(trial.duration.total_seconds() for trial in _finished(study) if trial.duration)


def _as_it_is(trial: optuna.Trial) -> dict[str, Any]:
    """The first trial changes nothing, so that a search never ends below what would be used without one."""
    trial.set_user_attr("changed", {})
    return {}


def _suggested(trial: optuna.Trial, data: Dataset, seed: int) -> dict[str, Any]:
    usual = parameters(data, seed)
    depth = trial.suggest_int("max_depth", 2, 8)
    most = max(4, int(usual["min_data_in_leaf"]) * 5)
    changed: dict[str, Any] = {
        "max_depth": depth,
        "num_leaves": trial.suggest_int("num_leaves", 3, min(2**depth, 48), log=True) if depth > 1 else 2,
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.15, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 5, most, log=True),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 50.0, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.3, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
    }
    if data.categorical:
        changed["cat_smooth"] = trial.suggest_float("cat_smooth", 1.0, 100.0, log=True)
        changed["cat_l2"] = trial.suggest_float("cat_l2", 1.0, 100.0, log=True)
    trial.set_user_attr("changed", changed)
    return changed


def _value(data: Dataset, changed: Mapping[str, Any], plan: Plan) -> float:
    areas = []
    for learn, held in _folds(data, plan):
        told = {**parameters(learn, plan.seed, changed), "num_threads": plan.threads}
        areas.append(auc(held.y, grow(learn, held, told, plan.weighting)[1], held.weight))
    return float(np.mean(areas))


def _folds(data: Dataset, plan: Plan) -> Iterable[tuple[Dataset, Dataset]]:
    """By time; by chance where the examples have none."""
    if data.time[0] != data.time[-1]:
        return time_folds(data, plan.folds, plan.embargo_days)
    drawn = drawn_folds(data, plan.folds, plan.seed)
    masks = (np.isin(np.arange(len(data.y)), learn) for learn, _ in drawn)
    return ((data.where(mask), data.where(~mask)) for mask in masks)


def _cause(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).split("\n", 1)[0]
