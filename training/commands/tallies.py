"""A back-test in tables on the screen, and as a record.

It does: print and convert. It does not: count. The rule it keeps: what is not known is bounded, and a sum over part of
the lines says over how many.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import click

from training.backtest.causes import Cause
from training.backtest.referrals import load, settled
from training.commands.screen import whole_dollars

if TYPE_CHECKING:
    from training.backtest.referrals import Desk, Referrals
    from training.backtest.tally import Change, Group, Side, Tally

_OUTCOMES = ("approve", "decline", "refer")
_MOST_ROWS = 12


def tell(tally: "Tally", before: str, after: str) -> None:
    """What moved, why, for whom, and what it earns."""
    table(
        f"{tally.decisions:,} decisions decided again, {tally.changed:,} ({share(tally.changed, tally.decisions)}) "
        "otherwise",
        [(name, f"{count:,}", share(count, tally.decisions)) for name, count in tally.moved.most_common()],
        ("what moved", "decisions", "share"),
    )
    _shifts(tally)
    _causes(tally)
    _money(tally.whole, before, after)
    for by, groups in tally.segments.items():
        _segment(by, groups)
    if tally.examples:
        click.echo("\nexamples")
    for each in tally.examples[:_MOST_ROWS]:
        click.echo(f"  {each.decision_id}  {each.told}" + _by(each))
    if tally.synthetic:
        click.echo(f"\nsynthetic: {share(tally.synthetic, tally.decisions)} of the decisions are on made-up businesses")
    for what, count in tally.left_out.items():
        note = "counted as decisions, not as applications" if what == "followed by another" else "left out"
        click.echo(f"{count:,} {what}: {note}")


def table(title: str, rows: Sequence[Sequence[str]], head: Sequence[str] = ()) -> None:
    """Aligned columns under a title, the first to the left; never cut, whatever the width of the screen."""
    every = [*([head] if head else []), *rows]
    widths = [max(len(row[place]) for row in every) for place in range(len(every[0]))] if every else []
    click.echo(f"\n{title}")
    for row in every:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        click.echo("  " + "  ".join(cells).rstrip())


def _shifts(tally: "Tally") -> None:
    rows = [(turn, f"{count:,}", "") for turn, count in sorted(tally.turned.items())]
    for name, moved in (("limit", tally.limits), ("rate", tally.rates)):
        if count := moved.up + moved.down:
            by = moved.by / count
            mean = whole_dollars(round(by), sign=True) if name == "limit" else f"{by / 100:+.3f} % a month"
            rows.append((f"{name} up / down", f"{moved.up:,} / {moved.down:,}", f"{mean} on average"))
    if rows:
        table("how", rows)


def _by(change: "Change") -> str:
    return f"  ({', '.join(map(str, change.causes))})" if change.causes else ""


def _causes(tally: "Tally") -> None:
    if tally.causes:
        table(
            "by which rule, price or model, swapped one at a time",
            [(str(cause), f"{count:,}", f"{tally.alone[cause]:,}") for cause, count in tally.causes.most_common()],
            ("cause", "decisions", "alone"),
        )
    if tally.not_attributed:
        click.echo(
            f"{tally.not_attributed:,} changes have no cause named: the release that made those decisions is not here, "
            "or causes were not asked for"
        )


def _money(whole: "Group", before: str, after: str) -> None:
    old, new = whole.before, whole.after
    rows = [
        (name, share(old.outcomes[name], whole.applications), share(new.outcomes[name], whole.applications),
         f"{new.outcomes[name] - old.outcomes[name]:+,}")
        for name in _OUTCOMES
    ]  # fmt: skip
    told = {"approved_cents", "expected_cents"}
    told |= {"expected_by_new_cents"} if _differ(whole) else set()
    told |= {"realised_cents"} if old.known or new.known else set()
    rows += [_cents(name, old, new, value) for name, value in _MONEY if value in told]
    table(
        f"{whole.applications:,} applications, by the last decision on each; a year of the lines, before tax",
        rows, ("", before, after, "difference"),
    )  # fmt: skip
    for side, name in ((old, before), (new, after)):
        unknown = side.outcomes["approve"] - side.known
        if side.known and unknown:  # where nothing is known of anybody, bounds say nothing
            click.echo(
                f"  {name}: the outcome of {unknown:,} approved is not known, and adds "
                f"{whole_dollars(side.unknown_if_bad_cents)} if all go bad to "
                f"{whole_dollars(side.unknown_if_good_cents)} if all are paid"
            )


_MONEY = (
    ("approved", "approved_cents"), ("expected, by the old PD", "expected_cents"),
    ("expected, by the new PD", "expected_by_new_cents"), ("realised", "realised_cents"),
)  # fmt: skip


def _differ(whole: "Group") -> bool:
    return any(side.expected_cents != side.expected_by_new_cents for side in (whole.before, whole.after))


def _cents(name: str, old: "Side", new: "Side", value: str) -> tuple[str, str, str, str]:
    one, other = getattr(old, value), getattr(new, value)
    if value == "realised_cents":
        name = f"{name}, where known ({old.known:,}; {new.known:,} lines)"
    return name, whole_dollars(one), whole_dollars(other), whole_dollars(other - one, sign=True)


def _segment(by: str, groups: "dict[str, Group]") -> None:
    shown = sorted(groups.items())
    if len(shown) > _MOST_ROWS:
        shown = sorted(sorted(shown, key=lambda item: -item[1].applications)[:_MOST_ROWS])
    table(
        f"by {by}" + (f", the {_MOST_ROWS} largest of {len(groups)}" if len(groups) > _MOST_ROWS else ""),
        [
            (value, f"{g.applications:,}", share(g.changed, g.applications),
             share(g.before.outcomes["approve"], g.applications), share(g.after.outcomes["approve"], g.applications),
             whole_dollars(g.after.approved_cents - g.before.approved_cents, sign=True),
             whole_dollars(g.after.expected_cents - g.before.expected_cents, sign=True))
            for value, g in shown
        ],
        ("", "applications", "changed", "approved, old", "new", "approved $", "expected $"),
    )  # fmt: skip


def tell_referrals(referrals: "Referrals", budget: int | None) -> None:
    """Referrals by rule with overlap and overturn rate, and how many a day against a budget."""
    people = settled(referrals.trail)
    old, new = referrals.before, referrals.after
    rows = []
    for rule in sorted(old.by_rule.keys() | new.by_rule.keys(), key=lambda r: (-new.by_rule[r], r)):
        found = people.get(rule)
        overturned = f"{share(found.overturned, found.settled)} of {found.settled:,}" if found else "none settled"
        rows.append(
            (rule, f"{old.by_rule[rule]:,}", f"{new.by_rule[rule]:,}", f"{new.alone[rule]:,}",
             f"{new.by_rule[rule] - new.alone[rule]:,}", _partner(new, rule), overturned)
        )  # fmt: skip
    table(
        "referrals by rule; overturned: left aside by a person and approved",
        rows, ("rule", "old", "new", "alone", "with others", "most often with", "overturned"),
    )  # fmt: skip
    was, now = (load(desk, referrals.days, budget) for desk in (old, new))
    table(
        f"referrals a day, over {now.days:,} days",
        [("mean", f"{was.mean:.1f}", f"{now.mean:.1f}"), ("busiest", f"{was.busiest:,}", f"{now.busiest:,}")],
        ("", "old", "new"),
    )
    if budget is not None:
        verdict = "within" if now.mean <= budget else "ABOVE"
        click.echo(
            f"{verdict} the budget of {budget:,} referrals a day: {now.mean:.1f} on average; "
            f"{now.above:,} of {now.days:,} days are above it (old: {was.above:,})"
        )


def _partner(desk: "Desk", rule: str) -> str:
    found = Counter({next(r for r in pair if r != rule): n for pair, n in desk.pairs.items() if rule in pair})
    return "" if not found else "{} ({:,})".format(*found.most_common(1)[0])


def share(count: int, of: int) -> str:
    """A share in per cent, `-` of nothing."""
    return f"{count / of:.1%}" if of else "-"


def as_record(value: Any) -> Any:
    """Counts as JSON holds them: causes and pairs of rules as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: as_record(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {_key(key): as_record(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_record(inner) for inner in value]
    return str(value) if isinstance(value, Cause) else value


def _key(key: object) -> str:
    return " + ".join(map(str, key)) if isinstance(key, tuple) else str(key)
