"""Recorded decisions decided again: under another policy, another model, another release.

It does: read them (records, condensing), put what decides on trial (trials), decide in parallel (running), say what
moved (seen), why (causes), for whom and for how much (tally, money, referrals); and hold a release to a fixed set of
them before it is published (replay). It does not: change a policy or fit a model. The rule it keeps: the very function
that serves is the one that decides here.
"""

from training.backtest.outcomes import Outcomes, decide_market, summary
from training.backtest.records import Export, Market, source_of
from training.backtest.running import Plan, Span, Work, indexed, run
from training.backtest.tally import Tally
from training.backtest.trials import Wanted

__all__ = [
    "Export", "Market", "Outcomes", "Plan", "Span", "Tally", "Wanted", "Work", "decide_market", "indexed", "run",
    "source_of", "summary",
]  # fmt: skip
