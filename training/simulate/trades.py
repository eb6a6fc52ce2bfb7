"""Industries of the made-up market: how many there are, how often they apply, and how their money moves.

It does: hold one row an ANZSIC 2006 division. It does not: hold divisions that hardly apply (B, D, O).
Counts are of June 2019 or the later year given by the Australian Bureau of Statistics' counts of businesses
(https://abs.gov.au/statistics/economy/business-indicators/counts-australian-businesses-including-entries-
and-exits); appetite, risk and cost shares are this market's own assumptions. The rule it keeps: shares sum
to one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trade:
    """One division: shares are of turnover; `peak` is the best day of the year, `swing` its height."""

    businesses: int
    appetite: float
    risk: float
    goods: float
    payroll: float
    cards: float
    peak: int
    swing: float
    classes: tuple[str, ...]


TRADES: dict[str, Trade] = {
    "A": Trade(174_471, 0.25, 0.6, 0.35, 0.14, 0.02, 60, 0.30, ("0141", "0123", "0131", "0160")),
    "C": Trade(86_428, 4.0, 1.0, 0.50, 0.20, 0.06, 300, 0.08, ("1174", "1199", "1411", "2229", "2511", "2299")),
    "E": Trade(452_820, 1.1, 1.35, 0.42, 0.22, 0.04, 320, 0.12, ("3011", "3231", "3232", "3244", "3299", "3019")),
    "F": Trade(81_627, 7.0, 0.9, 0.68, 0.10, 0.08, 310, 0.10, ("3491", "3601", "3712", "3739", "3339", "3606")),
    "G": Trade(155_755, 4.5, 1.15, 0.58, 0.14, 0.62, 345, 0.22, ("4110", "4129", "4231", "4251", "4279", "4310")),
    "H": Trade(110_175, 3.0, 1.8, 0.34, 0.30, 0.82, 350, 0.14, ("4511", "4512", "4513", "4520", "4400")),
    "I": Trade(218_662, 1.1, 1.2, 0.30, 0.24, 0.06, 330, 0.08, ("4610", "5102", "4622", "5301")),
    "J": Trade(23_249, 0.6, 0.9, 0.22, 0.28, 0.15, 300, 0.04, ("5511", "5910", "5413")),
    "K": Trade(120_000, 0.05, 1.0, 0.10, 0.30, 0.05, 180, 0.04, ("6411", "6419")),
    "L": Trade(259_290, 0.15, 0.75, 0.20, 0.20, 0.10, 330, 0.05, ("6611", "6631", "6720")),
    "M": Trade(336_214, 0.2, 0.75, 0.15, 0.32, 0.08, 170, 0.05, ("6923", "6962", "7000", "6940")),
    "N": Trade(122_344, 0.5, 1.1, 0.20, 0.36, 0.08, 300, 0.06, ("7311", "7313", "7299")),
    "P": Trade(33_055, 0.4, 0.8, 0.15, 0.36, 0.25, 60, 0.10, ("8219", "8211", "8212")),
    "Q": Trade(185_260, 0.25, 0.5, 0.16, 0.38, 0.45, 200, 0.05, ("8511", "8531", "8533", "8539")),
    "R": Trade(37_078, 0.6, 1.2, 0.25, 0.26, 0.50, 350, 0.18, ("9111", "9001", "9139")),
    "S": Trade(129_049, 0.8, 1.1, 0.32, 0.26, 0.35, 330, 0.06, ("9411", "9511", "9412", "9532")),
}
_WEIGHT = sum(trade.businesses * trade.appetite for trade in TRADES.values())
SHARES = tuple((letter, trade.businesses * trade.appetite / _WEIGHT) for letter, trade in TRADES.items())
