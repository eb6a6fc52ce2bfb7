"""Comparisons and their power, drift, fairness, segments and the whole record."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from engine.policy import PolicyBook
from training.data import Dataset, TableDescription
from training.evaluation import Beside, Judgement, Prices, contest, fairness, judge
from training.evaluation.segments import labels, of_table
from training.evaluation.stability import cuts, drift, psi

Floats = NDArray[np.float64]
POLICY = Path(__file__).parents[3] / "training" / "policy.toml"


def scored(seed: int = 1, rows: int = 3_000, noise: float = 1.0) -> tuple[Floats, Floats, Floats]:
    """Outcomes, a PD that ranks, and one with noise added."""
    generator = np.random.default_rng(seed)
    risk = generator.normal(size=rows)
    y = (generator.random(rows) < 1 / (1 + np.exp(1.5 - risk))).astype(float)
    worse = 1 / (1 + np.exp(1.5 - risk - noise * generator.normal(size=rows)))
    return y, 1 / (1 + np.exp(1.5 - risk)), worse


# -- comparisons ---------------------------------------------------------------------------------------------


def test_a_clear_difference_is_told_with_its_power() -> None:
    """The better PD beats the noisy one, the other way round it is beaten, and the sentence states what could show."""
    y, good, noisy = scored()
    told = contest(y, good, noisy, np.ones(len(y)), "the other", resamples=200)
    assert told.verdict == "better"
    assert contest(y, noisy, good, np.ones(len(y)), "the other").verdict == "worse"
    assert told.detectable == pytest.approx(2.801585 * told.error)
    assert f"a true difference of {told.detectable:.4f} or more would show" in told.sentence
    assert told.bootstrap_low is not None
    assert told.bootstrap_low == pytest.approx(told.low, abs=0.01)


def test_few_bads_cannot_tell_apart() -> None:
    """The same two PDs on 150 examples are not told apart, since a difference that small could not show."""
    y, good, noisy = scored(rows=150, noise=0.3)
    told = contest(y, good, noisy, np.ones(150), "the other")
    assert told.verdict == "not told apart"
    assert abs(told.difference) < told.detectable


def test_the_power_is_what_repeated_samples_show() -> None:
    """Of many samples whose true difference is the detectable one, about four in five find it."""
    found, detectable = [], []
    for seed in range(200):
        y, good, noisy = scored(seed, 1_200, 0.45)
        told = contest(y, good, noisy, np.ones(1_200), "the other")
        found.append(told)
        detectable.append(told.detectable)
    true = float(np.mean([t.difference for t in found]))
    expected = float(np.mean(detectable))
    share = np.mean([t.verdict == "better" for t in found])
    assert true > expected * 0.8  # so the samples are near the mark at which the power is four in five
    assert share == pytest.approx(0.8, abs=0.17)


def test_a_comparison_needs_both_outcomes() -> None:
    """Without a bad there is nothing to compare, and the error says what to do."""
    with pytest.raises(ValueError, match="needs goods and bads: widen the span"):
        contest(np.zeros(10), np.arange(10.0), np.arange(10.0), np.ones(10), "x")


# -- drift ---------------------------------------------------------------------------------------------------


def test_psi_by_hand() -> None:
    """Shares of a half and a half that become a quarter and three quarters: 0.25 ln 3."""
    assert psi(np.array([0.5, 0.5]), np.array([0.25, 0.75])) == pytest.approx(0.25 * np.log(3))
    assert psi(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 0


def test_drift_is_found_and_a_resample_is_quiet() -> None:
    """A shifted column has moved, another draw has not; missing values are a bin, and codes are compared one by one."""
    generator = np.random.default_rng(1)
    before, again = generator.normal(size=5_000), generator.normal(size=5_000)
    ones = np.ones(5_000)
    assert drift("x", before, again, ones, ones).reading == "steady"
    assert drift("x", before, again + 1, ones, ones).reading == "moved"
    holes = np.where(generator.random(5_000) < 0.3, np.nan, again)
    told = drift("x", before, holes, ones, ones)
    assert told.reading == "moved"
    assert told.missing_after == pytest.approx(0.3, abs=0.03)
    codes = generator.integers(0, 30, 5_000).astype(float)
    assert len(cuts(codes, ones, category=True)) == 29
    assert drift("c", codes, np.where(codes == 7, 8, codes), ones, ones, category=True).psi > 0.1


# -- fairness ------------------------------------------------------------------------------------------------


def test_impact_ratios_by_hand() -> None:
    """North is approved 80 %, south 40 %: ratio one half and an alarm; a group of five raises none."""
    names = np.array(["north"] * 100 + ["south"] * 100 + ["isle"] * 5)
    approved = np.array([True] * 80 + [False] * 20 + [True] * 40 + [False] * 60 + [False] * 5)
    y, pd_ = np.zeros(205), np.full(205, 0.1)
    y[:20] = 1
    told = {g.group: g for g in fairness("region", names, y, pd_, np.ones(205), approved).groups}
    assert told["south"].impact_ratio == 0.5
    assert told["south"].alarm
    assert told["south"].impact_low is not None
    assert told["south"].impact_low < 0.5 < (told["south"].impact_high or 0)
    assert told["north"].impact_ratio == 1
    assert told["north"].observed_to_predicted == pytest.approx(2)
    assert (told["isle"].impact_ratio, told["isle"].alarm) == (0, False)


# -- segments ------------------------------------------------------------------------------------------------


def test_labels_keep_names_bands_and_gaps() -> None:
    """Texts stay, many numbers become five bands that sort by size, what is missing is a label."""
    assert labels(pl.Series(["NSW", None, "VIC"])).tolist() == ["NSW", "not known", "VIC"]
    bands = labels(pl.Series([*map(float, range(100)), None]))
    assert bands[0].startswith("1: to")
    assert bands[99].startswith("5: above")
    assert bands[100] == "not known"


def test_labels_out_of_order_are_refused(tmp_path: Path) -> None:
    """Labels are sorted by time like the examples; a file whose outcomes are others is refused, a column named."""
    frame = pl.DataFrame({"bad": [1, 0, 0, 1], "day": ["2024-01-04", "2024-01-03", "2024-01-02", "2024-01-01"],
        "state": ["d", "c", "b", "a"]})  # fmt: skip
    frame.write_csv(tmp_path / "t.csv")
    described = TableDescription.model_validate(
        {"table": "t.csv", "target": "bad", "time": "day", "columns": {"x": {"kind": "number"}}}
    )
    data = examples(np.array([1.0, 0, 0, 1]))
    assert of_table(tmp_path / "t.csv", described, ["state"], data)["state"].tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="not in the order"):
        of_table(tmp_path / "t.csv", described, ["state"], examples(np.array([1.0, 1, 0, 0])))
    with pytest.raises(ValueError, match="region"):
        of_table(tmp_path / "t.csv", described, ["region"], data)


def examples(y: Floats) -> Dataset:
    """Examples of one input, a day each."""
    time = np.datetime64("2022-01-01") + np.arange(len(y))
    x = np.random.default_rng(1).normal(size=(len(y), 1))
    return Dataset(("x",), x, y, np.ones(len(y)), time, (0,), (), "made for a test", "0" * 64)


# -- the whole record ----------------------------------------------------------------------------------------


def test_the_record_is_json_both_ways() -> None:
    """Everything that is asked for is in the record, and it reads back equal from its own JSON."""
    y, good, noisy = scored(rows=1_000)
    data = examples(y)
    prices = Prices.of(PolicyBook.parse(POLICY.read_text()).on(date(2026, 1, 1)))
    region = np.array(["north", "south"])[np.arange(1_000) % 2]
    beside = Beside(
        rivals={"plain": noisy}, segments={"region": region}, prices=prices, before=data, before_pd=good
    )  # fmt: skip
    told = judge(data, good, "ours", beside, seed=3, resamples=30)
    assert Judgement.model_validate_json(told.model_dump_json()) == told
    assert told == judge(data, good, "ours", beside, seed=3, resamples=30)
    assert {s.value for s in told.segments} == {"north", "south"}
    assert [s.value for s in told.vintages][:2] == ["2022Q1", "2022Q2"]
    assert sum(s.rows for s in told.vintages) == 1_000
    assert told.score_drift is not None
    assert told.score_drift.psi == pytest.approx(0, abs=1e-12)
    assert told.profit is not None
    assert told.rivals[0].contest.verdict == "better"
    assert told.rivals[0].swap is not None
    assert told.verdicts[0].startswith("ours beats plain")


def test_a_record_without_prices_or_rivals_is_plain() -> None:
    """What a model is not judged beside is empty, not made up."""
    y, good, _ = scored(rows=300)
    told = judge(examples(y), good, "ours", Beside(), resamples=5)
    assert told.profit is None
    assert not any((told.rivals, told.segments, told.fairness, told.feature_drift, told.score_drift))
