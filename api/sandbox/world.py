"""What the sandbox's sources know: the book of stories, and the businesses of a market file.

It does: give a made-up business's facts and application, dated today, the same on every day but for their dates. It
does not: know how a source writes. The rules it keeps: the book goes before the market, and an ABN that is not
synthetic has no facts, even where a market file holds some.
"""

from datetime import date
from functools import lru_cache

from stdnum.au import acn as stdnum_acn

from api.sandbox.stories import Story, by_number
from api.sources.market import MarketFile
from api.sources.standin import moved
from engine.application import Application
from engine.facts import Facts
from engine.values import is_synthetic_abn

_MOST_HELD = 512  # businesses; one with its statement takes some 100 kB
_ABN_DIGITS = 11


class MadeUpWorld:
    """The world on one day; a new day needs a new one. Safe to use from several threads."""

    def __init__(self, today: date, market: MarketFile | None = None) -> None:
        self.today = today
        self._market = market
        self._held = lru_cache(_MOST_HELD)(self._facts)

    def facts(self, abn: str) -> Facts | None:
        """Facts of a made-up business, dated today; None for an ABN nobody has heard of. Raises MarketFileError."""
        return self._held(abn) if _is_made_up(abn) else None

    def application(self, abn: str) -> Application | None:
        """What it applies for, dated today; None where it is not known."""
        if not _is_made_up(abn):
            return None
        if (story := _story(abn)) is not None:
            return story.application(self.today)
        facts = self._market.facts_for(abn) if self._market else None
        application = self._market.application_of(abn) if self._market else None
        if facts is None or application is None:
            return None
        return moved(application, (self.today - facts.as_of.date()).days)

    def abn_of_company(self, acn: str) -> str | None:
        """The ABN of a made-up company; None where no company of the world has this ACN."""
        if not stdnum_acn.is_valid(acn):
            return None
        abn = str(stdnum_acn.to_abn(acn))
        facts = self.facts(abn)
        record = facts.registry.value if facts else None
        return abn if record is not None and record.acn == acn else None

    def _facts(self, abn: str) -> Facts | None:
        if (story := _story(abn)) is not None:
            return story.facts(self.today)
        facts = self._market.facts_for(abn) if self._market else None
        return None if facts is None else moved(facts, (self.today - facts.as_of.date()).days)


def _is_made_up(abn: str) -> bool:
    return len(abn) == _ABN_DIGITS and abn.isascii() and abn.isdigit() and is_synthetic_abn(abn)


def _story(abn: str) -> Story | None:
    return by_number().get(abn)
