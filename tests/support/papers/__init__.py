"""Made-up documents for tests and measurements: drawn from a seed, each with the truth of what it says."""

from tests.support.papers.generator import WRITERS, paper, papers, possible
from tests.support.papers.paper import ELECTRONIC, MARK, SCANNED, Paper, Variant

__all__ = ["ELECTRONIC", "MARK", "SCANNED", "WRITERS", "Paper", "Variant", "paper", "papers", "possible"]
