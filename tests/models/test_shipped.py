"""What the shipped release must be: loadable, honest about itself, monotone, profitable at the reference line."""

from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

import models
from engine.features import FEATURES
from engine.pricing import break_even_report, check_reference_line
from engine.release import Release
from engine.values import is_synthetic_abn
from models.folder import read_folder
from models.golden import read_golden

MOST_ROWS = 60


@pytest.fixture(scope="module")
def champion() -> Release:
    """The shipped champion."""
    return models.champion()


@pytest.fixture(scope="module")
def rows(champion: Release) -> NDArray[np.float64]:
    """Rows that between them take every turn of every tree: the release's own golden rows, thinned."""
    golden = read_golden(read_folder(champion.name, models.ROOT)["golden.jsonl"], len(FEATURES))
    every = max(len(golden) // MOST_ROWS, 1)
    return np.array([row.row for row in golden[::every]])


def test_raw_score_follows_every_declared_direction(champion: Release) -> None:
    """Every direction of the catalogue is proved for every row, each tree alone; turned about, none that is used is."""
    model, directions = champion.scorer.ensemble, models.engine_contract().directions
    held = models.certify(model, directions)
    assert {finding.by for finding in held} <= {"trees", "unused"}
    assert len(held) == sum(map(abs, directions))
    turned = models.certify(model, [-direction for direction in directions])
    assert {finding.by for finding in turned if finding.cuts} == {"broken"}


def test_the_shipped_manifest_claims_no_more_than_it_did(champion: Release) -> None:
    """It was made before certificates, signatures and validation records: it has none, and its bytes say nothing."""
    data = read_folder(champion.name, models.ROOT)["manifest.json"]
    assert champion.manifest.to_bytes() == data
    assert not any(word in data for word in (b'"certificate"', b'"validation"', b"null"))
    assert (champion.manifest.signed, champion.manifest.synthetic, champion.signers) == (False, True, ())


def model_text(champion: Release) -> str:
    """The shipped model's text."""
    return read_folder(champion.name, models.ROOT)["model.txt"].decode()


def test_every_policy_version_covers_its_break_even_at_the_reference_line(champion: Release) -> None:
    """No cell of the price grid is below break-even at the reference line, and every cell is reported."""
    starts = [champion.policy.effective_from, *(a.effective_from for a in champion.policy.amendments)]
    for start in starts:
        policy = champion.policy.on(start)
        worst = [(g.name, Decimal(g.pd_most_bps) / 10_000) for g in policy.grades]
        assert check_reference_line(policy.pricing, worst, policy.pricing.economics) == ()
        report = break_even_report(policy.pricing, worst, policy.pricing.economics, policy.pricing.fees)
        assert len(report) == len(policy.grades) * len(policy.pricing.bands_cents)


def test_the_card_says_that_it_is_synthetic(champion: Release) -> None:
    """Manifest and card both say so, and the card says that it must be retrained before it lends."""
    card = read_folder(champion.name, models.ROOT)["card.md"].decode()
    assert champion.manifest.synthetic
    assert "**Synthetic.**" in card
    assert "must be retrained" in " ".join(card.split())


def test_its_figures_are_those_of_a_hard_problem(champion: Release) -> None:
    """Out of time AUC lies in the stated target, 0.75 to 0.80: more would mean that the simulator gives it away."""
    assert 0.75 <= champion.manifest.training.metrics["test.auc"] <= 0.80


def test_synthetic_numbers_are_recognised() -> None:
    """A body of 900 000 000 or above is synthetic, a published one is not."""
    assert is_synthetic_abn("37955501005")
    assert not is_synthetic_abn("51824753556")
