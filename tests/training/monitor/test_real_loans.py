"""The alarms on real loans: they fire on approvals of 2003-2004 after training on 1990-2001, and not on a resample."""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from engine.release import Baselines
from tests.training.monitor.conftest import watched
from training.commands.screen import POLICY, prices_of
from training.data import from_table, read_description
from training.fitting import Recipe, Split, fit
from training.fitting.stored import Stored
from training.monitor import Rows, fitted_baselines, from_watched_table

FOLDER = os.environ.get("CREDITLINE_CREDIT_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="CREDITLINE_CREDIT_DATA names no folder of real credit data")
DESCRIBED = Path(__file__).parents[3] / "training" / "tables" / "sba30k.toml"
SPLIT = Split(date(2001, 12, 31), date(2002, 12, 31), date(2004, 12, 31), train_from=date(1990, 1, 1))
RESAMPLES = 200


@pytest.fixture(scope="module")
def loans() -> tuple[Rows, Baselines]:
    """Every loan of the file scored by a model of 1990-2001, and what those years looked like."""
    table = next(Path(FOLDER or "", "sba30k").glob("*.parquet"))
    data = from_table(DESCRIBED, table)
    fitted = fit(data, SPLIT, 42, recipe=Recipe(resamples=0), num_threads=1)
    told = fitted_baselines(fitted, SPLIT.parts(data)[0], prices_of(POLICY))
    model = Stored(fitted.model_text, fitted.calibration)
    return from_watched_table(table, read_description(DESCRIBED), model, told), told


def test_the_years_after_training_fire(loans: tuple[Rows, Baselines]) -> None:
    """Score, features, approvals by the score and calibration all alarm within the first nine months, and stand."""
    rows, told = loans
    found = watched(rows.between(date(2003, 1, 1), date(2004, 12, 31)), told)
    standing = {alarm.kind: alarm for alarm in reversed(found.standing)}
    assert set(standing) >= {"score", "feature", "approval", "calibration"}
    assert max(alarm.fired for alarm in standing.values()) < date(2003, 10, 1)
    assert {"naics", "bank_state", "gr_appv"} <= {alarm.name for alarm in found.standing}


def test_a_resample_of_the_training_years_is_quiet(loans: tuple[Rows, Baselines]) -> None:
    """As many loans as 2003-2004 brought, drawn from the training years, outcomes and all: at most 1 % alarm."""
    rows, told = loans
    taught = rows.between(date(1990, 1, 1), date(2001, 12, 31))
    time = rows.between(date(2003, 1, 1), date(2004, 12, 31)).time
    false = 0
    for seed in range(RESAMPLES):
        picked = np.random.default_rng(seed).integers(0, len(taught.time), len(time))
        false += bool(watched(replace(taught.where(picked), time=time), told).alarms)
    assert false <= RESAMPLES // 100
