"""Alarms come of moves that matter and of nothing else: chance alone, however often one looks, hardly ever."""

from dataclasses import replace

import numpy as np
import pytest

from engine.release import Baselines
from tests.training.monitor.conftest import drawn, watched
from training.evaluation import psi
from training.monitor import Rows, evidence

RESAMPLES = 20
VOLUMES = [(4, 150, "month"), (30, 120, "month"), (200, 42, "week")]


@pytest.mark.parametrize(("per_day", "days", "by"), VOLUMES)
def test_a_resample_of_training_is_quiet(pool: Rows, trained: Baselines, per_day: int, days: int, by: str) -> None:
    """Drawn anew from the very market of training, looked at every day over 100 series, hardly one alarms.

    Five families of series have a chance of 1 % each, so of 20 draws one is expected at the most. The seeds are fixed.
    """
    alarms = [watched(drawn(pool, seed, per_day, days), trained, by).alarms for seed in range(RESAMPLES)]
    assert sum(map(bool, alarms)) <= 1, [alarm.sentence for found in alarms for alarm in found]


@pytest.mark.parametrize(("per_day", "days", "by"), VOLUMES)
def test_a_planted_shift_fires(pool: Rows, trained: Baselines, per_day: int, days: int, by: str) -> None:
    """When every second applicant suddenly comes from the riskiest third, the score alarms; not before that day."""
    for seed in range(5):
        found = watched(drawn(pool, seed, per_day, days, moved_from=days // 2), trained, by).alarms
        score = [alarm for alarm in found if alarm.kind == "score"]
        assert [alarm.standing for alarm in score] == [True]
        late = (np.datetime64(score[0].fired) - np.datetime64("2025-01-01")).astype(int) - days // 2
        assert 0 <= late <= max(400 // per_day, 7)


def test_one_small_window_never_alarms(pool: Rows, trained: Baselines) -> None:
    """Ten applicants of the riskiest kind over five days, or eighty on one day: the PSI is huge, and no alarm yet."""
    for many, days in ((10, 5), (80, 1)):
        risky = pool.where(np.argsort(-pool.pd)[:many])
        time = np.datetime64("2025-01-01") + np.arange(many) % days
        found = watched(replace(risky.where(np.argsort(time)), time=np.sort(time)), trained)
        assert found.periods[0].score.psi > 1
        assert found.alarms == ()


def test_an_alarm_passes_once_a_later_period_is_steady(pool: Rows, trained: Baselines) -> None:
    """A shift of one month stays on record as passed."""
    rows = drawn(pool, 1, 30, 150)
    moved = drawn(pool, 1, 30, 150, moved_from=0)
    april = (rows.time >= np.datetime64("2025-04-01")) & (rows.time < np.datetime64("2025-05-01"))
    x, pd = np.where(april[:, None], moved.x, rows.x), np.where(april, moved.pd, rows.pd)
    [score] = [alarm for alarm in watched(replace(rows, x=x, pd=pd), trained).alarms if alarm.kind == "score"]
    assert not score.standing
    assert score.fired.month == 4
    assert score.sentence.endswith("It is steady again.")


def test_noise_is_what_no_change_stays_below() -> None:
    """In 99 of 100 samples the PSI of no change stays below `noise`, and its mean is `usual`, at several sizes."""
    generator = np.random.default_rng(3)
    expected = np.full(11, 1 / 11)
    for rows, base in ((200, 5_000), (1_000, 1_000)):
        found = np.array([
            psi(generator.multinomial(base, expected) / base, generator.multinomial(rows, expected) / rows)
            for _ in range(4_000)
        ])  # fmt: skip
        assert 0.98 < (found < evidence.noise(11, rows, base)).mean() < 0.997
        assert found.mean() == pytest.approx(float(evidence.usual(11, rows, base)), rel=0.06)


def test_evidence_is_paid_for_by_looks() -> None:
    """Under no change the evidence of shares passes 1/alpha in fewer than alpha of all paths, looked at daily."""
    generator = np.random.default_rng(8)
    passed = 0
    for _ in range(1_000):
        truth = generator.dirichlet(np.full(10, 5.0))
        base = generator.multinomial(3_000, truth) / 3_000
        totals = np.cumsum(generator.multinomial(25, truth, size=200), axis=0).astype(float)
        passed += bool((evidence.of_shares(totals, base, 3_000, 36.0) > np.log(1 / evidence.ALPHA)).any())
    assert passed <= 10


def test_more_bads_than_said_alarm_and_fewer_do_not(pool: Rows, trained: Baselines) -> None:
    """Outcomes as the PDs say are quiet, twice as many fire, half as many do not; nor do very few."""
    rows = drawn(pool, 4, 40, 180)
    chance = np.random.default_rng(5).random(len(rows.time))
    for times, many, kinds in ((1.0, None, []), (2.0, None, ["calibration"]), (0.5, None, []), (2.0, 60, [])):
        y = np.where(np.arange(len(chance)) < (many or len(chance)), (chance < times * rows.pd).astype(float), np.nan)
        found = watched(replace(rows, y=y, pd_settled=rows.pd, windows="made up"), trained)
        assert [alarm.kind for alarm in found.alarms] == kinds
        assert (found.calibration is None) == (many is not None)  # of so few a ratio would be chance
