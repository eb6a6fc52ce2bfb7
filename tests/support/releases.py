"""A small release made of arithmetic alone, for tests of everything but the model.

It does: carry the draft policy and a linear scorer over a few features by name. It does not: read models/ or load
LightGBM. The rule it keeps: a missing value moves nothing, and the same arguments give the same release.
"""

import math
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.canonical import digest
from engine.features import FEATURE_NAMES
from engine.policy import PolicyBook
from engine.scoring import Calibration, Row

POLICY_FILE = Path(__file__).resolve().parents[2] / "training" / "policy.toml"

# Log-odds a unit; the ordinary business of tests.support.businesses comes out at a PD near 2.5 %, grade B.
WEIGHTS: Mapping[str, float] = {
    "trading_age_months": -0.003,
    "industry_risk": 0.6,
    "overdue_tax_to_turnover": 4.0,
    "cancel_rate": 2.0,
    "days_late_mean": 0.03,
    "revenue_trend": -0.8,
    "negative_days_90": 0.03,
    "dishonours_90": 0.25,
    "debt_service_cover": -0.05,
    "lenders_seen": 0.3,
    "bureau_score": -3.0,
    "defaults_count": 0.9,
    "enquiries_6m": 0.1,
}
BASE = -1.68


@dataclass(frozen=True, slots=True)
class LinearScorer:
    """raw = base + the sum of weight times value; a missing value contributes nothing."""

    feature_names: tuple[str, ...]
    weights: tuple[float, ...]
    base: float

    def raw(self, row: Row) -> float:
        """The raw score, summed without rounding on the way."""
        return math.fsum(self.contributions(row).tolist())

    def raw_many(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The raw score of each row."""
        return np.array([self.raw(row) for row in rows])

    def contributions(self, row: Row) -> NDArray[np.float64]:
        """Each feature's part of the raw score, the base last."""
        moved = np.nan_to_num(np.asarray(row, dtype=np.float64) * np.array(self.weights), nan=0.0)
        return np.append(moved, self.base)


@dataclass(frozen=True, slots=True)
class FakeRelease:
    """What decide() needs of a release, and nothing more."""

    name: str
    digest: str
    policy: PolicyBook
    scorer: LinearScorer
    calibration: Calibration
    manifest: None = None  # it was never published, which only production asks about


@cache
def policy_text() -> str:
    """The draft policy as it is written."""
    return POLICY_FILE.read_text(encoding="utf-8")


def policy_table(changes: Mapping[str, Any] | None = None, *, guarded: bool = True) -> dict[str, Any]:
    """The draft policy as a table, single base values replaced by dotted path (grades by name).

    Without `guarded` its guards are off, and `changes` may turn single ones on.
    """
    table = deepcopy(tomllib.loads(policy_text()))
    if not guarded:
        table["base"]["guards"] = dict.fromkeys(table["base"]["guards"], 0)
    for path, value in (changes or {}).items():
        place, (*parents, leaf) = table["base"], path.split(".")
        for parent in parents:
            place = next(g for g in place if g["name"] == parent) if isinstance(place, list) else place[parent]
        if leaf not in place:
            raise KeyError(path)
        place[leaf] = value
    return table


@cache
def _draft_policy(guarded: bool) -> PolicyBook:
    return PolicyBook.model_validate(policy_table(guarded=guarded))


def fake_release(
    *,
    weights: Mapping[str, float] = WEIGHTS,
    base: float = BASE,
    policy: Mapping[str, Any] | None = None,
    guarded: bool = False,
) -> FakeRelease:
    """A release on the draft policy, or on it with some base values replaced by dotted path.

    Its guards against abuse are off unless `guarded`: most tests send one business many times, as an abuser would.
    """
    if unknown := set(weights) - set(FEATURE_NAMES):
        raise KeyError(f"no such features: {sorted(unknown)}")
    return FakeRelease(
        name="test-linear",
        digest=digest([sorted(weights.items()), base, sorted((policy or {}).items()), guarded]),
        policy=PolicyBook.model_validate(policy_table(policy, guarded=guarded)) if policy else _draft_policy(guarded),
        scorer=LinearScorer(FEATURE_NAMES, tuple(weights.get(name, 0.0) for name in FEATURE_NAMES), base),
        calibration=Calibration(slope=1.0, intercept=0.0),
    )
