"""What a made market looks like, as short tables for a terminal.

It does: put a summary into rows. It does not: compute anything that the summary does not hold.
"""

from rich.table import Table

from training.simulate.market import Summary

_PERCENTILES = (1, 5, 25, 50, 75, 95, 99, 100)


def tables(summary: Summary) -> list[Table]:
    """The market at large, by industry, and the spread of transactions and orders."""
    return [_whole(summary), _divisions(summary), _spread(summary)]


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _whole(summary: Summary) -> Table:
    table = Table("", "", title="market (synthetic)", title_justify="left", show_header=False)
    every = summary.all
    table.add_row("businesses", f"{every.count:,}")
    table.add_row("with a closed performance window", f"{every.closed:,}")
    table.add_row("bad rate before policy", _percent(every.bads, every.closed))
    table.add_row("bank not connected", _percent(summary.without_bank, every.count))
    table.add_row("bureau file without a score", _percent(summary.without_score, every.count))
    table.add_row("fraud", _percent(summary.fraud, every.count))
    return table


def _divisions(summary: Summary) -> Table:
    table = Table("division", "businesses", "bad rate", title="by ANZSIC division", title_justify="left")
    for division, tally in sorted(summary.by_division.items()):
        table.add_row(division, f"{tally.count:,}", _percent(tally.bads, tally.closed))
    return table


def _spread(summary: Summary) -> Table:
    headings = [f"p{p}" if p < max(_PERCENTILES) else "most" for p in _PERCENTILES]
    table = Table("a business", "mean", *headings, title="rows", title_justify="left")
    for name, counts in (
        ("transactions in 180 days", summary.transactions),
        ("orders in a year", summary.orders),
    ):
        ordered = sorted(counts)
        if ordered:
            spread = [f"{ordered[min(len(ordered) * p // 100, len(ordered) - 1)]:,}" for p in _PERCENTILES]
            table.add_row(name, f"{sum(ordered) / len(ordered):,.0f}", *spread)
    return table
