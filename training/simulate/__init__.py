"""A make-believe market of Australian small businesses that apply for a line: seeded and all made up.

It does: draw businesses, what sources would report of them, what they apply for and what becomes of them,
and write them to a market file. It does not: describe any real business, nor stand in for a lender's own
data. The rule it keeps: business i of a seed is the same whatever the count and however many processes made
it.
"""

from training.simulate.market import GENERATOR_VERSION, Summary, market_digest, write_market
from training.simulate.outcome import PERFORMANCE_CUT_OFF
from training.simulate.story import Made, make

__all__ = [
    "GENERATOR_VERSION",
    "PERFORMANCE_CUT_OFF",
    "Made",
    "Summary",
    "make",
    "market_digest",
    "write_market",
]
