"""Each change has the cause that made it: one planted change at a time, and several at once."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.policy import Policy
from training.backtest.causes import Cause, Swaps
from training.backtest.records import Record
from training.backtest.seen import moved
from training.backtest.trials import Terms, Trial, release_of

NEWEST = date.max
# A threshold of policy, the rules that read it, and values to plant.
RULES_OF: dict[tuple[str, str], tuple[frozenset[str], Any]] = {
    ("screening", "least_trading_months"): (frozenset({"trading_too_short", "abn_too_young"}), st.integers(0, 120)),
    ("screening", "least_turnover_cents"): (
        frozenset({"turnover_too_low", "revenue_too_low"}), st.integers(0, 300_000_000)
    ),
    ("screening", "most_dishonours"): (frozenset({"too_many_dishonours"}), st.integers(0, 20)),
    ("screening", "most_lenders"): (frozenset({"too_many_lenders"}), st.integers(0, 8)),
    ("screening", "most_gambling_bps"): (frozenset({"gambling"}), st.integers(0, 2_000)),
    ("screening", "most_unpaid_defaults_cents"): (frozenset({"unpaid_defaults"}), st.integers(0, 2_000_000)),
    ("screening", "refer_overdue_tax_cents"): (frozenset({"overdue_tax"}), st.integers(0, 5_000_000)),
    ("screening", "least_coverage_days"): (frozenset({"coverage_too_short"}), st.integers(0, 400)),
    ("screening", "refer_judgment_months"): (frozenset({"recent_judgment"}), st.integers(0, 120)),
    ("screening", "gst_threshold_cents"): (frozenset({"gst_expected"}), st.integers(0, 100_000_000)),
    ("screening", "refer_turnover_gap_bps"): (frozenset({"turnover_overstated"}), st.integers(0, 20_000)),
    ("supplier", "least_orders"): (frozenset({"supplier_below_gate"}), st.integers(0, 500)),
}  # fmt: skip


@pytest.fixture(scope="module")
def champion(shipped: Any) -> Trial:
    """The shipped release on trial."""
    return release_of(None, shipped)


def planted(terms: Terms, table: str, **values: Any) -> Terms:
    """Terms with values of one table replaced."""
    inner = getattr(terms.terms, table).model_copy(update=values)
    return replace(terms, terms=terms.terms.model_copy(update={table: inner}))


def changes(records: list[Record], old: Terms, new: Terms) -> list[tuple[Record, frozenset[Cause]]]:
    """The decisions that move, each with its causes."""
    swaps = Swaps(old, new)
    pairs = [(record, old.see(record), new.see(record)) for record in records]
    return [(r, swaps.causes(r, before, after)) for r, before, after in pairs if moved(before, after)]


@settings(max_examples=60)
@given(data=st.data())
def test_a_planted_change_of_one_rule_is_put_down_to_it(
    data: st.DataObject, records: list[Record], champion: Trial
) -> None:
    """Whatever threshold moves to whatever value, every change names its rules, exactly those that came or went."""
    table, name = data.draw(st.sampled_from(sorted(RULES_OF)))
    rules, values = RULES_OF[table, name]
    old = Terms.of(champion, NEWEST)
    new = planted(old, table, **{name: data.draw(values)})
    for record, causes in changes(records[:50], old, new):
        fired = {f.rule for f in old.decide(record).findings} ^ {f.rule for f in new.decide(record).findings}
        assert causes == {Cause("rule", rule) for rule in fired}
        assert fired <= rules


def test_a_rule_and_a_price_are_told_apart(records: list[Record], champion: Trial) -> None:
    """With both planted, a decision that the rule moves names it alone, and one that the price moves the price."""
    old = Terms.of(champion, NEWEST)
    rates = tuple(row.model_copy(update={"rates_bps": tuple(bps + 5 for bps in row.rates_bps)})
                  for row in old.terms.pricing.rates)  # fmt: skip
    new = planted(planted(old, "screening", most_dishonours=1), "pricing", rates=rates)
    found = changes(records, old, new)
    assert {cause for _, causes in found for cause in causes} == {Cause("rule", "too_many_dishonours"), Cause("price")}
    for record, causes in found:
        before, after = old.see(record), new.see(record)
        if Cause("price") in causes:  # a higher rate also tightens what cash flow repays, and so a line
            assert before.rate_bps != after.rate_bps or before.limit_cents != after.limit_cents
            assert causes == {Cause("price")}
        else:
            assert "too_many_dishonours" in after.findings
    assert len({causes for _, causes in found}) == 2


def test_a_grade_a_limit_and_an_offer_have_their_own_names(records: list[Record], champion: Trial) -> None:
    """Changes of the grade table, of the caps and of the offer are named as such."""
    old = Terms.of(champion, NEWEST)
    first, *rest = old.terms.grades
    graded = replace(old, terms=old.terms.model_copy(update={
        "grades": (first.model_copy(update={"pd_most_bps": 250}), *rest)}))  # fmt: skip
    for new, kind in (
        (graded, "grade"),
        (planted(old, "limits", bank_absent_cents=1_000_000), "limit"),
        (planted(old, "offer", held_days=7), "offer"),
    ):
        found = changes(records, old, new)
        assert {cause for _, causes in found for cause in causes} == {Cause(kind)}  # type: ignore[arg-type]


def test_a_grade_more_is_one_cause_with_its_price(records: list[Record], champion: Trial) -> None:
    """A grade that is added with its row of prices is a change of grades: neither can be had without the other."""
    old = Terms.of(champion, NEWEST)
    told = old.terms.model_dump()
    told["grades"] = [*told["grades"], {**told["grades"][-1], "name": "F", "pd_most_bps": 2_000}]
    told["pricing"]["rates"] = {row["grade"]: row["rates_bps"] for row in told["pricing"]["rates"]}
    told["pricing"]["rates"]["F"] = (280, 270, 260, 250)
    new = replace(old, terms=Policy.model_validate(told))
    found = changes(records, old, new)
    assert found
    assert {cause for _, causes in found for cause in causes} == {Cause("grade")}


def test_what_either_of_two_would_have_done_names_both(records: list[Record], champion: Trial) -> None:
    """Where two caps fall to the same height neither alone can be taken back: both are named."""
    old = Terms.of(champion, NEWEST)
    low = 1_000_000
    new = planted(planted(old, "limits", most_business_cents=low, bank_absent_cents=low, bank_declared_cents=low,
                          bank_connected_cents=low, bureau_absent_cents=low),
                  "screening", most_dishonours=1)  # fmt: skip
    for record, causes in changes(records, old, new):
        seen = new.see(record)
        assert (Cause("rule", "too_many_dishonours") in causes) == ("too_many_dishonours" in seen.findings)
        assert causes
