"""Public reasons: a fixed catalogue in plain words, and a choice that is short, distinct and always the same."""

import re
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.features import BY_NAME, FEATURE_NAMES
from engine.reasons import CATALOGUE, MOST_REASONS, adverse_codes, choose
from tests.support.attributes import PROTECTED

REASON_OF = {name: feature.reason for name, feature in BY_NAME.items()}
codes = st.sampled_from(sorted(CATALOGUE))
points = st.floats(-50, 50, allow_nan=False).map(lambda x: round(x, 4))
contributions = st.lists(st.tuples(st.sampled_from(FEATURE_NAMES), points), max_size=30)


def test_the_catalogue_is_whole() -> None:
    """R01 to R30 without a gap, each under its own code with words and something that would help."""
    assert list(CATALOGUE) == [f"R{n:02d}" for n in range(1, 31)]
    for code, reason in CATALOGUE.items():
        assert reason.code == code
        assert reason.text
        assert not reason.text.endswith(".")
        assert reason.help.endswith(".")
    assert len({reason.text for reason in CATALOGUE.values()}) == 30


@pytest.mark.parametrize("reason", CATALOGUE.values(), ids=lambda r: r.code)
def test_no_reason_speaks_of_a_score_or_of_a_person(reason: object) -> None:
    """Never "score too low", never a protected attribute, never a word on sanctions or fraud."""
    words = re.findall(r"[a-z]+", str(reason).lower())
    assert not {"score", "scores", "scored", "scoring", "model", "algorithm"} & set(words)
    assert not {"sanction", "sanctions", "fraud", "laundering", "compliance"} & set(words)
    single = {name for name in PROTECTED if "_" not in name}
    assert not single & set(words)


@pytest.mark.parametrize(
    ("code", "about"),
    [("R01", "traded"), ("R08", "cash flow"), ("R11", "default"), ("R20", "ABN"), ("R27", "business purpose"),
     ("R29", "group"), ("R30", "not business")],
)  # fmt: skip
def test_codes_keep_their_meaning(code: str, about: str) -> None:
    """Codes are stored and reported for years; what a code says does not drift."""
    assert about in CATALOGUE[code].text


@given(st.lists(st.lists(codes, max_size=12), max_size=3))
def test_at_most_four_distinct_reasons_in_order(rankings: list[list[str]]) -> None:
    """The first four distinct codes, ranking after ranking."""
    chosen = [reason.code for reason in choose(*rankings)]
    expected: list[str] = []
    for code in (code for ranking in rankings for code in ranking):
        if code not in expected:
            expected.append(code)
    assert chosen == expected[:MOST_REASONS]
    assert MOST_REASONS == 4


@given(contributions)
def test_reasons_follow_what_cost_points(moved: list[tuple[str, float]]) -> None:
    """Codes whose features together cost points, most first; what gave points is no reason."""
    ranked = adverse_codes(moved, REASON_OF)
    lost: dict[str, float] = {}
    for feature, given_points in moved:
        lost[REASON_OF[feature]] = lost.get(REASON_OF[feature], 0.0) + given_points
    assert set(ranked) == {code for code, total in lost.items() if total < 0}
    assert [lost[code] for code in ranked] == sorted(lost[code] for code in ranked)


def test_the_order_is_fixed_where_points_are_equal() -> None:
    """Ties go by code, whatever order the features come in."""
    moved = [("bureau_score", -5.0), ("lenders_seen", -5.0), ("revenue_cv", -5.0), ("dishonours_90", -5.0)]
    assert {tuple(adverse_codes(order, REASON_OF)) for order in permutations(moved)} == {("R04", "R07", "R09", "R15")}


def test_features_of_one_reason_add_up() -> None:
    """Two small losses under one code outrank a larger single one, and a gain under the same code pays them back."""
    moved = [("revenue_cv", -5.0), ("enquiries_6m", -3.0), ("enquiries_12m", -3.0)]
    assert adverse_codes(moved, REASON_OF) == ["R14", "R04"]
    assert adverse_codes([*moved, ("enquiries_12m", 7.0)], REASON_OF) == ["R04"]
