"""From a table to a release: reading, splitting, fitting, judging, publishing."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import models
from engine.features import FEATURE_NAMES, FEATURES
from engine.scoring import parse_model
from training.cli import main
from training.data import Dataset, checked
from training.evaluation import auc, calibration_line, evaluate, ks
from training.fitting import Split, fit
from training.publishing import publish_draft, write_draft

POLICY = Path(__file__).parents[2] / "training" / "policy.toml"
SPLIT = Split(train_to=date(2024, 8, 31), validate_to=date(2024, 10, 31))
DESCRIPTION = """
table = "loans.csv"
target = "bad"
time = "day"
[columns]
amount = { kind = "number", direction = 1 }
trade = { kind = "category", first = 2 }
late = { kind = "flag" }
"""


def made(rows: int = 1_500, seed: int = 3) -> Dataset:
    """Examples on the engine's features whose outcome follows two of them, in order of time over 2024."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, len(FEATURE_NAMES)))
    x[generator.random(x.shape) < 0.1] = np.nan
    pull = np.nan_to_num(x[:, FEATURE_NAMES.index("dishonours_90")] - x[:, FEATURE_NAMES.index("bureau_score")])
    y = (generator.random(rows) < 1 / (1 + np.exp(1.5 - pull))).astype(float)
    time = np.datetime64("2024-01-01") + np.sort(generator.integers(0, 366, rows))
    return Dataset(
        FEATURE_NAMES, x, y, np.ones(rows), time, tuple(f.direction for f in FEATURES), (), "made for a test", "0" * 64
    )


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A draft fitted on made examples."""
    folder = tmp_path_factory.mktemp("draft")
    data = made()
    write_draft(folder, fit(data, SPLIT, 5, num_threads=1, min_data_in_leaf=20), data, SPLIT)
    return folder


# -- figures -------------------------------------------------------------------------------------------------


def test_auc_and_ks_agree_with_counting_pairs() -> None:
    """The weighted AUC is the weighted share of pairs ranked right, ties half; KS is the largest gap."""
    generator = np.random.default_rng(1)
    y = (generator.random(120) < 0.4).astype(float)
    score = generator.integers(0, 12, 120).astype(float)  # many ties
    weight = generator.random(120)
    bad, good = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    pairs = [
        (weight[b] * weight[g], 1.0 if score[b] > score[g] else 0.5 if score[b] == score[g] else 0.0)
        for b in bad
        for g in good
    ]
    assert auc(y, score, weight) == pytest.approx(sum(w * v for w, v in pairs) / sum(w for w, _ in pairs))

    def below(rows: np.ndarray[tuple[int], np.dtype[np.int64]], cut: int) -> float:
        return float(weight[rows][score[rows] <= cut].sum() / weight[rows].sum())

    gaps = [abs(below(bad, cut) - below(good, cut)) for cut in range(12)]
    assert ks(y, score, weight) == pytest.approx(max(gaps))


def test_the_calibration_line_finds_a_line_that_is_there() -> None:
    """Outcomes drawn from log-odds 0.5 x - 1 give back slope and intercept."""
    generator = np.random.default_rng(2)
    raw = generator.normal(size=60_000)
    y = (generator.random(60_000) < 1 / (1 + np.exp(1 - 0.5 * raw))).astype(float)
    slope, intercept = calibration_line(y, raw, np.ones(60_000))
    assert slope == pytest.approx(0.5, abs=0.05)
    assert intercept == pytest.approx(-1.0, abs=0.05)


def test_a_constant_scores_half_and_the_base_rate_brier() -> None:
    """A PD equal to the base rate for all has AUC one half and a Brier score of p (1 - p)."""
    y = np.array([1.0] * 20 + [0.0] * 80)
    judged = evaluate(y, np.full(100, 0.2), np.ones(100), resamples=5)
    assert judged.auc == 0.5
    assert judged.brier == pytest.approx(0.16)
    assert judged.bad_rate == pytest.approx(0.2)


# -- examples -----------------------------------------------------------------------------------------------


def test_weights_must_make_sense() -> None:
    """A negative weight is refused."""
    data = made(200)
    spoiled = np.ones(200)
    spoiled[3] = -1
    with pytest.raises(ValueError, match="weights must be"):
        checked(
            Dataset(
                data.names,
                data.x,
                data.y,
                spoiled,
                data.time,
                data.directions,
                (),
                data.description,
                data.source_sha256,
            )
        )


# -- fitting -------------------------------------------------------------------------------------------------


def test_the_split_follows_time() -> None:
    """Every training example is older than every validation example, and those than every test example."""
    train, validation, test = SPLIT.parts(made())
    assert train.time.max() < validation.time.min()
    assert validation.time.max() < test.time.min()
    assert len(train.y) + len(validation.y) + len(test.y) == 1_500


def test_a_span_without_both_outcomes_is_refused() -> None:
    """An empty span is an error that says which."""
    with pytest.raises(ValueError, match="training span has 0 examples"):
        Split(train_to=date(2020, 1, 1), validate_to=date(2024, 10, 31)).parts(made())


def test_the_same_seed_gives_the_same_bytes(draft: Path) -> None:
    """Fitting again on the same examples gives the same model text."""
    again = fit(made(), SPLIT, 5, num_threads=1, min_data_in_leaf=20)
    assert (draft / "model.txt").read_text() == again.model_text


def test_the_model_has_learnt_and_keeps_directions(draft: Path) -> None:
    """Out of time it ranks well above chance, and its monotone signs are the catalogue's."""
    told = json.loads((draft / "draft.json").read_bytes())
    assert told["training"]["metrics"]["test.auc"] > 0.65
    ensemble = parse_model((draft / "model.txt").read_text())
    assert ensemble.monotone == tuple(f.direction for f in FEATURES)


# -- publishing ----------------------------------------------------------------------------------------------


def test_a_draft_becomes_a_release_that_loads_and_decides(draft: Path, tmp_path: Path) -> None:
    """Published, promoted and loaded; a second of the same name is refused; rollback brings the first back."""
    publish_draft(draft, POLICY, "first", date(2026, 1, 1), tmp_path, synthetic=True)
    publish_draft(draft, POLICY, "second", date(2026, 1, 2), tmp_path, synthetic=True)
    with pytest.raises(models.ReleaseRejected):
        publish_draft(draft, POLICY, "second", date(2026, 1, 3), tmp_path, synthetic=True)
    models.promote("first", tmp_path)
    models.promote("second", tmp_path)
    assert models.champion(tmp_path).manifest.sequence == 2
    assert models.rollback(tmp_path).name == "first"
    assert models.champion(tmp_path).name == "first"


def test_a_draft_on_other_inputs_cannot_decide(draft: Path, tmp_path: Path) -> None:
    """Only the engine's own features make a release."""
    told = json.loads((draft / "draft.json").read_bytes())
    other = tmp_path / "other"
    other.mkdir()
    for name in ("model.txt", "golden.jsonl"):
        (other / name).write_bytes((draft / name).read_bytes())
    (other / "draft.json").write_text(json.dumps({**told, "features": ["amount"]}))
    with pytest.raises(ValueError, match="other inputs"):
        publish_draft(other, POLICY, "x", date(2026, 1, 1), tmp_path / "root", synthetic=True)


def test_the_commands_go_from_table_to_draft(tmp_path: Path) -> None:
    """`fit` and `evaluate` on a described table print their figures; errors are one line."""
    generator = np.random.default_rng(4)
    rows = 1_200
    amount = generator.normal(size=rows)
    pl.DataFrame(
        {
            "bad": (generator.random(rows) < 1 / (1 + np.exp(1 - amount))).astype(int),
            "day": np.datetime64("2020-01-01") + np.arange(rows),
            "amount": amount,
            "trade": generator.choice(["aa", "bb", "cc"], rows),
            "late": generator.integers(0, 2, rows),
        }
    ).write_csv(tmp_path / "loans.csv")
    (tmp_path / "loans.toml").write_text(DESCRIPTION)
    described = ["--described-by", str(tmp_path / "loans.toml")]
    runner = CliRunner()
    out = str(tmp_path / "draft")
    dates = ["--train-to", "2021-12-31", "--validate-to", "2022-06-30"]
    result = runner.invoke(main, ["fit", *described, *dates, "--out", out])
    assert result.exit_code == 0, result.output
    assert "test, out of time" in result.output
    assert "AUC" in runner.invoke(main, ["evaluate", out, *described]).output
    refused = runner.invoke(
        main, ["publish", out, "--policy", str(POLICY), "--name", "x", "--root", str(tmp_path / "r")]
    )
    assert refused.exit_code == 1
    assert "other inputs" in refused.output


def test_a_policy_that_lends_at_a_loss_is_not_published(draft: Path, tmp_path: Path) -> None:
    """A rate below break-even at the reference line is refused, with the cell named."""
    cheap = tmp_path / "policy.toml"
    cheap.write_text(POLICY.read_text().replace("E = [245, 230, 215, 200]", "E = [210, 195, 180, 170]"))
    with pytest.raises(ValueError, match="Grade E up to"):
        publish_draft(draft, cheap, "cheap", date(2026, 1, 1), tmp_path, synthetic=True)
