"""Every model input, declared once: the same definitions serve the live decision and training.

It does: turn an application and its facts into one row. It does not: scale, impute or select. The rule it
keeps: the order and declaration of features is a contract with a digest, and a release names the one it needs.
"""

import numpy as np
from numpy.typing import NDArray

from engine.application import Application
from engine.canonical import digest
from engine.facts import Facts
from engine.features.bank import bank
from engine.features.bureau import bureau
from engine.features.business import business
from engine.features.catalogue import Evidence, Feature
from engine.features.marketplace import marketplace
from engine.features.request import request
from engine.verified import as_verified

__all__ = ["FEATURES", "FEATURE_NAMES", "Evidence", "Feature", "contract_digest", "feature_row", "row_of"]

FEATURES: tuple[Feature, ...] = tuple(
    feature for group in (business, request, marketplace, bank, bureau) for feature in group.features
)
FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}


def row_of(evidence: Evidence) -> NDArray[np.float64]:
    """The feature row, shape (len(FEATURES),), NaN where missing."""
    return np.array([feature.value(evidence) for feature in FEATURES], dtype=np.float64)


def feature_row(application: Application, facts: Facts) -> NDArray[np.float64]:
    """The feature row of an application and its facts, verified figures in place, shape (len(FEATURES),)."""
    return row_of(Evidence.of(as_verified(application, facts), facts))


def contract_digest() -> str:
    """Digest of what a model relies on: order, names, units, ranges, directions and missing rules."""
    contract = [[f.name, f.group, f.unit, float(f.low), float(f.high), f.direction, f.missing] for f in FEATURES]
    return digest(contract)
