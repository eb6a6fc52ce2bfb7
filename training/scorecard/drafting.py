"""From a scorecard to a draft folder, which `publish` makes a release of like any other.

It does: set the level, compile, let LightGBM score the golden rows, write the card. It does not: publish. The rule it
keeps: LightGBM reads the text and is the arbiter of its scores, as it is of a fitted model's.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import lightgbm
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

import models
from engine.canonical import canonical_bytes
from engine.features import BY_NAME, FEATURE_NAMES
from engine.release import ReleaseFacts, TrainingFacts
from engine.scoring import Calibration, parse_model
from training.folder import DRAFT_FILE
from training.scorecard.compiling import model_text
from training.scorecard.description import Scorecard, ScoredFeature, read_scorecard
from training.scorecard.low_default import anchor_pds, log_odds_for, portfolio_pd, upper_pd

_CANDIDATES: Final = 400


@dataclass(frozen=True, slots=True)
class Level:
    """Where the scorecard stands: the neutral business's log-odds and PD, the expected applicants' mean PD.

    `bound` is the low-default upper bound of that mean, None without history; `raised` says that it set the level.
    """

    log_odds: float
    neutral_pd: float
    portfolio_pd: float
    bound: float | None
    raised: bool


def level_of(scorecard: Scorecard) -> Level:
    """The anchor with its margin, raised to the low-default bound where that is higher; never lowered."""
    wanted, bound = scorecard.anchored_pd, None
    if seen := scorecard.observed:
        bound = upper_pd(seen.obligors, seen.bads, seen.confidence_bps / 10_000, seen.correlation_bps / 10_000)
    raised = bound is not None and bound > wanted
    log_odds = round(log_odds_for(scorecard, max(wanted, bound or 0.0)), 6)
    return Level(log_odds, float(expit(log_odds)), portfolio_pd(scorecard, log_odds), bound, raised)


def write_scorecard_draft(folder: Path, path: Path) -> tuple[Scorecard, Level]:
    """Make a draft of the scorecard in a file; ValueError says why not, NotProved where points go the wrong way."""
    scorecard = read_scorecard(path)
    text, level = model_text(scorecard), level_of(scorecard)
    ensemble = parse_model(text)
    models.prove(ensemble, models.engine_contract().directions)
    golden = models.choose_rows(ensemble, _rows(scorecard))
    arbiter = lightgbm.Booster(model_str=text)
    raws = np.asarray(arbiter.predict(golden, raw_score=True, num_threads=1))
    shares = np.asarray(arbiter.predict(golden, pred_contrib=True, num_threads=1))
    facts = TrainingFacts(
        data_description=f"expert scorecard, no examples: {scorecard.title}",
        data_sha256=sha256(path.read_bytes()).hexdigest(),
        seed=0,
        rows=scorecard.observed.obligors if scorecard.observed else 0,
        bads=scorecard.observed.bads if scorecard.observed else 0,
        metrics=_metrics(level),
    )
    told = {
        "calibration": Calibration(slope=1.0, intercept=level.log_odds).model_dump(),
        "training": facts.model_dump(mode="json"),
        "features": list(FEATURE_NAMES),
        "trees": len(ensemble.trees),
        "scorecard": scorecard.model_dump(mode="json"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.txt").write_text(text)
    (folder / "golden.jsonl").write_bytes(models.golden_bytes(golden, raws, shares))
    (folder / DRAFT_FILE).write_bytes(canonical_bytes(told) + b"\n")
    return scorecard, level


def _metrics(level: Level) -> dict[str, float]:
    figures = {
        "scorecard.neutral_pd": round(level.neutral_pd, 4),
        "scorecard.portfolio_pd": round(level.portfolio_pd, 4),
    }
    return figures if level.bound is None else figures | {"low_default.upper_pd": round(level.bound, 4)}


def _rows(scorecard: Scorecard) -> NDArray[np.float64]:
    """Rows that between them show every band and every missing value; what is not scored is missing."""
    rng = np.random.default_rng(0)
    rows = np.full((_CANDIDATES, len(FEATURE_NAMES)), np.nan)
    for feature in scorecard.features:
        values = np.array([*_inside(feature), np.nan])
        rows[:, FEATURE_NAMES.index(feature.name)] = values[rng.integers(0, len(values), _CANDIDATES)]
    return rows


def _inside(feature: ScoredFeature) -> list[float]:
    """One value of each band."""
    return [*feature.cuts, min(feature.cuts[-1] + 1.0, BY_NAME[feature.name].high)]


def scorecard_card(facts: ReleaseFacts, told: dict[str, Any]) -> str:
    """The card of a release that is a scorecard: what it rests on, and every point of it."""
    scorecard = Scorecard.model_validate_json(json.dumps(told["scorecard"]))
    level, anchor = level_of(scorecard), scorecard.anchor
    pds = anchor_pds(scorecard, level.log_odds)
    tables = "".join(_points_table(each, pds if each.name == anchor.feature else []) for each in scorecard.features)
    warning = (
        "**An example.** These points are an illustration and no lender's own judgement; the service refuses this "
        "release outside development.\n\n"
    )
    return (
        f"# {facts.name}\n\n{warning if scorecard.example else ''}"
        f"An expert scorecard, {scorecard.title}: {len(scorecard.features)} features, points on the scale of the score "
        "(20 double the odds). It learnt from no data; figures of how well it ranks do not exist before performance "
        f"does.\n\nMade {facts.created_on}. The expected applicants' mean PD is {level.portfolio_pd:.2%}, that of a "
        f"business neutral in everything {level.neutral_pd:.2%}. The anchor is {anchor.pd_bps / 100:g} %, its odds "
        f"raised by a margin of {anchor.margin_bps / 100:g} % to {scorecard.anchored_pd:.2%}.\n\n"
        f"- The level: {anchor.why}\n- The margin: {anchor.why_margin}\n- Low default: {_bound(scorecard, level)}\n\n"
        f"{tables}Not for: consumers, businesses outside Australia, lines above AU$300,000, or any use but this one.\n"
    )


def _bound(scorecard: Scorecard, level: Level) -> str:
    seen = scorecard.observed
    if seen is None or level.bound is None:
        return "there is no history to bound it with."
    return (
        f"{seen.bads} of {seen.obligors:,} observed businesses went bad; at {seen.confidence_bps / 100:g} % confidence "
        f"and a correlation of {seen.correlation_bps / 100:g} % the mean PD is at most {level.bound:.2%}, "
        f"{'which sets the level' if level.raised else 'which the level already exceeds'}."
    )


def _points_table(feature: ScoredFeature, pds: list[float]) -> str:
    """One feature's bands; the anchor's with the mean PD in each, to be held against the bureau's own rates."""
    edges = [*(f"up to {cut:g}" for cut in feature.cuts), f"above {feature.cuts[-1]:g}", "missing"]
    head = ["value", "points", "expected", *(["mean PD"] if pds else [])]
    rows = [
        [edge, f"{worth.points:+d}" if worth.points else "0", f"{worth.share_bps / 100:g} %", *pd]
        for edge, worth, pd in zip(
            edges, feature.worths, [[f"{pd:.1%}"] for pd in pds] or [[]] * len(edges), strict=True
        )
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])
    return f"## {feature.name}\n\n{BY_NAME[feature.name].meaning} {feature.why}\n\n{table}\n\n"
