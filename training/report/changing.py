"""What changed since the champion: the fit, the policy in words, figures side by side, whom it swaps.

It does: tell each setting that differs, judge the champion on the same examples. It does not: say what a setting does.
The rule it keeps: both models are judged on the very same examples and prices.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.policy import PolicyBook
from training.data import Dataset, checked
from training.evaluation import Beside, Prices, judge, swap
from training.evaluation.swaps import known_under
from training.policies import policy_changes
from training.report.content import Change, Setting
from training.report.judging import Asked, Examples, Judged, score, seed_of, seen_by, training_of
from training.report.subject import Subject

EXAMPLES = "give the examples: --market, --described-by or --export"


def changed(
    subject: Subject, champion: Subject, policy: PolicyBook, examples: Examples | None, judged: Judged | None,
    prices: Prices, asked: Asked,
) -> tuple[Change, str | None]:  # fmt: skip
    """What changed since the champion, and why figures side by side are missing, if they are."""
    rival, known, why = None, None, None
    if examples is None or judged is None:
        why = EXAMPLES
    else:
        try:
            part = seen_by(champion, checked(_rows(examples.data, judged.part)))
        except ValueError as error:
            why = str(error)
        else:
            old, now = score(champion, part), judged.pd
            y, w, rate = part.y, part.weight, judged.judgement.approval_rate
            name = f"champion {champion.identity.name}"
            beside = Beside(rivals={name: old}, prices=prices, approval_rate=rate)
            rival = judge(part, now, subject.identity.name, beside, seed_of(subject, asked), asked.resamples).rivals[0]
            known = swap(known_under(y, old, w, rate), old, now, w, rate, prices)
    change = Change(
        champion=champion.identity,
        inputs_added=tuple(name for name in subject.features if name not in champion.features),
        inputs_removed=tuple(name for name in champion.features if name not in subject.features),
        fit=settings(_made(champion), _made(subject)),
        policy=tuple(policy_changes(champion.policy, policy)) if champion.policy else (),
        rival=rival, known=known,
    )  # fmt: skip
    return change, why


def _rows(data: Dataset, part: Dataset) -> Dataset:
    """The rows of a part with all the columns of the whole."""
    low = int(data.time.searchsorted(part.time[0], side="left"))
    return data.where((np.arange(len(data.y)) >= low) & (np.arange(len(data.y)) < low + len(part.y)))


def _made(subject: Subject) -> dict[str, Any]:
    told = training_of(subject)
    return {
        "trees": len(subject.scorer.ensemble.trees), "inputs": len(subject.features), **dict(subject.parameters),
        "seed": told["seed"],
        "calibration slope": subject.calibration.slope, "calibration intercept": subject.calibration.intercept,
        "trained on": told["data_description"], "training data SHA-256": told["data_sha256"],
        "training examples": told["rows"], "training bads": told["bads"],
    }  # fmt: skip


def settings(champion: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[Setting, ...]:
    """The settings that differ, in the champion's order, then those that only the model has."""
    return tuple(
        Setting(name=name, champion=str(champion.get(name, "")), model=str(model.get(name, "")))
        for name in dict.fromkeys((*champion, *model))
        if champion.get(name) != model.get(name)
    )
