"""An expert scorecard as a release: points by feature bins in a TOML file, for a lender without history.

It does: read and check the file, set its level, write it as a model of single-feature trees in LightGBM's text form.
It does not: learn. The rule it keeps: what is published is scored, explained, proved and replayed by the very code that
serves fitted models, so a scorecard needs none of its own.
"""

from training.scorecard.compiling import NEUTRAL_ROWS, model_text
from training.scorecard.description import Band, Scorecard, read_scorecard
from training.scorecard.drafting import Level, level_of, scorecard_card, write_scorecard_draft
from training.scorecard.low_default import portfolio_pd, upper_pd

__all__ = [
    "NEUTRAL_ROWS",
    "Band",
    "Level",
    "Scorecard",
    "level_of",
    "model_text",
    "portfolio_pd",
    "read_scorecard",
    "scorecard_card",
    "upper_pd",
    "write_scorecard_draft",
]
