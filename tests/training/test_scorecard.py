"""An expert scorecard: read by LightGBM, scored to the point, bounded, and published like any other release."""

import hashlib
import json
import re
import tomllib
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from click.testing import CliRunner
from scipy.special import ndtr, ndtri

import models
from engine.features import FEATURE_NAMES
from engine.scoring import Calibration, Scorer, parse_model, score, score_points
from models import NotProved
from training.cli import main
from training.publishing import publish_draft
from training.scorecard import Scorecard, level_of, model_text, portfolio_pd, upper_pd, write_scorecard_draft

HOUSE = Path(__file__).parents[2] / "training"
EXAMPLE, POLICY = HOUSE / "scorecards" / "example.toml", HOUSE / "policy.toml"
TABLE = tomllib.loads(EXAMPLE.read_text())


def changed(**changes: Any) -> Scorecard:
    """The example with some of its top-level values replaced."""
    return Scorecard.model_validate({**deepcopy(TABLE), **changes})


def by_hand(card: Scorecard, row: dict[str, float]) -> dict[str, int]:
    """Each feature's points looked up in the file's bands."""
    found = {}
    for feature in card.features:
        value = row.get(feature.name, float("nan"))
        band = next((band for band in feature.bands if band.upto is None or value <= band.upto), None)
        found[feature.name] = feature.missing.points if np.isnan(value) or band is None else band.points
    return found


def rows(card: Scorecard, count: int, seed: int) -> list[dict[str, float]]:
    """Random businesses: values around and exactly on every cut, and some missing."""
    rng, made = np.random.default_rng(seed), []
    for _ in range(count):
        row = {}
        for feature in card.features:
            cut = float(rng.choice(feature.cuts))
            row[feature.name] = float(rng.choice([cut, np.nextafter(cut, np.inf), cut - 0.01, 0.0, cut + 5, np.nan]))
        made.append(row)
    return made


def test_lightgbm_and_the_scorer_give_the_points_of_the_file() -> None:
    """On random rows, on the cuts themselves, and on missing values: raw scores to the bit, points to four decimals."""
    card = Scorecard.model_validate(TABLE)
    text, level = model_text(card), level_of(card)
    booster, scorer = lightgbm.Booster(model_str=text), Scorer(text, FEATURE_NAMES)
    made = rows(card, 400, seed=5)
    block = np.array([[row.get(name, np.nan) for name in FEATURE_NAMES] for row in made])
    raws = np.asarray(booster.predict(block, raw_score=True, num_threads=1))
    assert scorer.raw_many(block).tolist() == raws.tolist()
    shares = np.asarray(booster.predict(block, pred_contrib=True, num_threads=1))
    line = Calibration(slope=1.0, intercept=level.log_odds)
    for row, values, theirs in zip(made, block, shares, strict=True):
        assert np.allclose(scorer.contributions(values), theirs, rtol=0.0, atol=1e-12)
        told, expected = score(values, scorer, line, ()), by_hand(card, row)
        shown = {name: points for name, points in told.contributions if points}
        assert shown == {name: points for name, points in expected.items() if points}
        total = score_points(level.neutral_pd) + sum(expected.values())
        assert told.points == pytest.approx(total, abs=0.02)


def test_the_text_is_one_that_the_strict_parser_and_lightgbm_both_take() -> None:
    """One tree a feature; every direction that a scored feature declares is proved."""
    model = parse_model(model_text(Scorecard.model_validate(TABLE)))
    assert len(model.trees) == len(TABLE["features"])
    findings = models.certify(model, models.engine_contract().directions)
    assert {finding.by for finding in findings} == {"trees", "unused"}
    assert sum(finding.by == "trees" for finding in findings) == len(TABLE["features"])


def test_points_against_a_declared_direction_are_refused(tmp_path: Path) -> None:
    """More defaults cannot earn points, and the message names the feature."""
    text = EXAMPLE.read_text().replace("points = -84, share_bps = 100", "points = 84, share_bps = 100")
    (tmp_path / "card.toml").write_text(text)
    with pytest.raises(NotProved, match="defaults_count: the score may only rise"):
        write_scorecard_draft(tmp_path / "draft", tmp_path / "card.toml")
    assert not (tmp_path / "draft").exists()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('name = "court_actions"', 'name = "court_dates"', "court_dates is no feature"),
        ("upto = 0.4, points = -30", "upto = 0.1, points = -30", "bureau_score: bands do not rise"),
        ("upto = 0.8, points = 20", "upto = 1.8, points = 20", "bureau_score: a band lies outside 0 to 1"),
        ("upto = 0.6, points = 0, share", "upto = 0.6, points = 1, share", "bureau_score: no band is neutral"),
        ("points = 35, share_bps = 1_000", "points = 35, share_bps = 999", "bureau_score: shares do not add up"),
        ("missing = { points = -15", "missing = { points = 5", "less than or equal to 0"),
        ("points = -73", "points = -730", "greater than or equal to -200"),
        ('name = "defaults_count"', 'name = "court_actions"', "A feature stands twice"),
        ("margin_bps = 2_500", "margin = 2_500", "Extra inputs"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, old: str, new: str, why: str) -> None:
    """Every fault of the file is an error that says where it is, and nothing is drafted."""
    text = EXAMPLE.read_text()
    assert old in text
    (tmp_path / "card.toml").write_text(text.replace(old, new, 1))
    done = CliRunner().invoke(main, ["scorecard", str(tmp_path / "card.toml"), "--out", str(tmp_path / "draft")])
    assert done.exit_code == 1
    assert why in done.output
    assert not (tmp_path / "draft").exists()


# -- the level -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("obligors", "bads", "confidence", "bound"),
    [(800, 0, 0.50, 0.000866), (800, 0, 0.90, 0.002874), (800, 0, 0.999, 0.008598), (100, 0, 0.75, 1 - 0.25**0.01)],
)
def test_the_bound_without_bads_is_its_closed_form(obligors: int, bads: int, confidence: float, bound: float) -> None:
    """Independent businesses and none bad: 1 - (1 - confidence)^(1/n), as in Pluto and Tasche's own tables."""
    assert upper_pd(obligors, bads, confidence) == pytest.approx(1 - (1 - confidence) ** (1 / obligors), rel=1e-6)
    assert upper_pd(obligors, bads, confidence) == pytest.approx(bound, rel=2e-3)


def test_the_page_shows_the_bounds_that_are_computed() -> None:
    """Each row of the table in docs/scorecard.md."""
    page = (HOUSE.parent / "docs" / "scorecard.md").read_text()
    found = re.findall(r"^\| (\d+) \| (\d+) \| ([\d.]+) % \| ([\d.]+) % \|$", page, re.MULTILINE)
    assert len(found) == 5
    for obligors, bads, *bounds in found:
        for bound, correlation in zip(bounds, (0.0, 0.12), strict=True):
            assert f"{upper_pd(int(obligors), int(bads), 0.75, correlation):.2%}" == f"{bound}%"


def test_the_bound_moves_as_it_must() -> None:
    """Higher with confidence, bads and correlation, lower with history; a simulation of the factor agrees."""
    base = upper_pd(200, 2, 0.75, 0.12)
    assert base < upper_pd(200, 2, 0.9, 0.12)
    assert base < upper_pd(200, 3, 0.75, 0.12)
    assert base < upper_pd(200, 2, 0.75, 0.2)
    assert base > upper_pd(400, 2, 0.75, 0.12)
    rng = np.random.default_rng(3)
    factor = rng.normal(size=200_000)
    given = ndtr((ndtri(base) - np.sqrt(0.12) * factor) / np.sqrt(0.88))
    assert (rng.binomial(200, given) <= 2).mean() == pytest.approx(0.25, abs=0.005)


def test_the_level_is_the_anchor_with_its_margin_or_the_bound_where_higher() -> None:
    """No history: 5.1 % with the odds raised by a quarter. Much bad history raises it; good history never lowers it."""
    free = level_of(changed())
    odds = 0.051 / 0.949 * 1.25
    assert free.portfolio_pd == pytest.approx(odds / (1 + odds), abs=1e-6)
    assert (free.bound, free.raised) == (None, False)
    seen = {"obligors": 200, "confidence_bps": 7_500, "correlation_bps": 0}
    good, bad = (level_of(changed(observed={**seen, "bads": bads})) for bads in (0, 30))
    assert good.bound == pytest.approx(upper_pd(200, 0, 0.75))
    assert (good.log_odds, good.raised) == (free.log_odds, False)
    assert bad.raised
    assert bad.portfolio_pd == pytest.approx(upper_pd(200, 30, 0.75), abs=1e-6)


def test_the_portfolios_pd_is_that_of_a_drawn_portfolio() -> None:
    """A hundred thousand businesses drawn by the stated shares have the PD that is told of them."""
    card, rng = changed(), np.random.default_rng(8)
    points = np.zeros(100_000)
    for feature in card.features:
        shares = np.array([worth.share_bps for worth in feature.worths]) / 10_000
        points += rng.choice([worth.points for worth in feature.worths], size=len(points), p=shares)
    log_odds = level_of(card).log_odds
    drawn = 1 / (1 + np.exp(-(log_odds - points * np.log(2) / 20)))
    assert portfolio_pd(card, log_odds) == pytest.approx(drawn.mean(), rel=0.02)


# -- a release -----------------------------------------------------------------------------------------------


def test_it_publishes_as_a_release_like_any_other(tmp_path: Path) -> None:
    """Drafted, published, promoted; the example is synthetic whatever it is told, and the card holds every point."""
    write_scorecard_draft(tmp_path / "draft", EXAMPLE)
    root = tmp_path / "releases"
    publish_draft(tmp_path / "draft", POLICY, "card-1", date(2026, 11, 29), root, synthetic=False)
    release = models.promote("card-1", root)
    assert release.manifest.synthetic
    assert release.manifest.training.rows == 0
    assert release.manifest.training.data_sha256 == hashlib.sha256(EXAMPLE.read_bytes()).hexdigest()
    assert release.manifest.certificate is not None
    card = (root / "card-1" / "card.md").read_text()
    assert "**An example.**" in card
    assert "| up to 0.2 | -73 | 4 % | 34.0% |" in card
    assert card.count("| missing |") == len(TABLE["features"])
    told = json.loads((tmp_path / "draft" / "draft.json").read_bytes())
    assert told["calibration"]["slope"] == 1


def test_a_lenders_own_scorecard_is_its_own_data(tmp_path: Path) -> None:
    """With `example = false` it is not synthetic; with history the card tells the bound and the manifest holds it."""
    own = EXAMPLE.read_text().replace("example = true", "example = false").replace("# [observed]", "[observed]")
    for line in ("obligors = 120", "bads = 1", "confidence_bps = 7_500", "correlation_bps = 1_200"):
        own = own.replace(f"# {line}", line)
    (tmp_path / "own.toml").write_text(own)
    write_scorecard_draft(tmp_path / "draft", tmp_path / "own.toml")
    publish_draft(tmp_path / "draft", POLICY, "own-1", date(2026, 11, 29), tmp_path / "root", synthetic=False)
    manifest = models.load("own-1", tmp_path / "root").manifest
    assert (manifest.synthetic, manifest.training.rows, manifest.training.bads) == (False, 120, 1)
    assert manifest.training.metrics["low_default.upper_pd"] == round(upper_pd(120, 1, 0.75, 0.12), 4)
    assert "1 of 120 observed businesses went bad" in (tmp_path / "root" / "own-1" / "card.md").read_text()


def test_a_draft_is_not_overwritten(tmp_path: Path) -> None:
    """The command leaves a folder that holds something alone."""
    (tmp_path / "draft").mkdir()
    (tmp_path / "draft" / "mine.txt").write_text("mine")
    done = CliRunner().invoke(main, ["scorecard", str(EXAMPLE), "--out", str(tmp_path / "draft")])
    assert (done.exit_code, [path.name for path in (tmp_path / "draft").iterdir()]) == (1, ["mine.txt"])
